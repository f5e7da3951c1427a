import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Page } from '../../../src/http/wire.ts'
import { type ApiError, asApiError, isAbort } from '../api/http.ts'
import { useResource } from './resource.ts'

export interface Paged<T> {
  /** `undefined` until the first page is there. */
  items: T[] | undefined
  outdated: boolean
  error: ApiError | undefined
  /** Reads the list anew from its beginning. */
  reload: () => Promise<void>
  /**
   * Reads the first page anew, unless somebody has gone beyond it: nothing is pulled away while reading.
   * Resolves with whether it was read.
   */
  refresh: () => Promise<boolean>
  hasMore: boolean
  loadingMore: boolean
  moreError: ApiError | null
  loadMore: () => Promise<void>
}

interface Extended<T> {
  /** The question that these pages answer. */
  key: string
  /** All that was read, the first page as it was when the next one was asked for: each page follows its predecessor. */
  items: T[]
  nextCursor: string | null
}

/** A list of which further pages are read when somebody asks for them. @param key the question, as in `useResource` */
export function usePaged<T>(
  key: string | null,
  load: (cursor: string | null, signal: AbortSignal) => Promise<Page<T>>,
): Paged<T> {
  const first = useResource<Page<T>>(key, (signal) => load(null, signal))
  const [known, setKnown] = useState<Extended<T> | null>(null)
  const [loadingMore, setLoadingMore] = useState(false)
  const [moreError, setMoreError] = useState<ApiError | null>(null)
  const controller = useRef<AbortController | null>(null)
  const forgetFurther = useCallback(() => {
    controller.current?.abort()
    setKnown(null)
    setMoreError(null)
    setLoadingMore(false)
  }, [])
  // Another question drops what is on its way for this one
  useEffect(() => forgetFurther, [key, forgetFurther])

  const { reload: reloadFirst } = first
  const reload = useCallback(async () => {
    await reloadFirst()
    forgetFurther()
  }, [reloadFirst, forgetFurther])

  const extended = known?.key === key ? known : null
  const nextCursor = (extended ?? first.data)?.nextCursor ?? null
  const isExtended = extended !== null || loadingMore
  const refresh = useCallback(async () => {
    if (!isExtended) await reloadFirst()
    return !isExtended
  }, [isExtended, reloadFirst])

  const loadMore = async () => {
    const before = extended ?? first.data
    if (key === null || before === undefined || nextCursor === null || loadingMore || first.outdated) return
    controller.current = new AbortController()
    const { signal } = controller.current
    setLoadingMore(true)
    setMoreError(null)
    try {
      const page = await load(nextCursor, signal)
      if (!signal.aborted)
        setKnown({ key, items: [...before.items, ...page.items], nextCursor: page.nextCursor })
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) setMoreError(asApiError(error))
    } finally {
      if (!signal.aborted) setLoadingMore(false)
    }
  }

  return {
    items: (extended ?? first.data)?.items,
    outdated: first.outdated,
    error: first.error,
    reload,
    refresh,
    hasMore: nextCursor !== null,
    loadingMore,
    moreError,
    loadMore,
  }
}
