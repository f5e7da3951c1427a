import { useEffect, useRef, useState } from 'preact/hooks'
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
  hasMore: boolean
  loadingMore: boolean
  moreError: ApiError | null
  loadMore: () => Promise<void>
}

/** A list of which further pages are read when somebody asks for them. @param key the question, as in `useResource` */
export function usePaged<T>(
  key: string | null,
  load: (cursor: string | null, signal: AbortSignal) => Promise<Page<T>>,
): Paged<T> {
  const first = useResource<Page<T>>(key, (signal) => load(null, signal))
  const [rest, setRest] = useState<{ of: Page<T>; items: T[]; nextCursor: string | null } | null>(null)
  const [loadingMore, setLoadingMore] = useState(false)
  const [moreError, setMoreError] = useState<ApiError | null>(null)
  const controller = useRef<AbortController | null>(null)
  // Another first page drops what is on its way after the old one
  useEffect(() => {
    setMoreError(null)
    setLoadingMore(false)
    return () => controller.current?.abort()
  }, [first.data])

  const further = rest !== null && rest.of === first.data ? rest : null
  const nextCursor = (further ?? first.data)?.nextCursor ?? null
  const loadMore = async () => {
    if (first.data === undefined || nextCursor === null || loadingMore || first.outdated) return
    controller.current = new AbortController()
    const { signal } = controller.current
    setLoadingMore(true)
    setMoreError(null)
    try {
      const page = await load(nextCursor, signal)
      setRest({
        of: first.data,
        items: [...(further?.items ?? []), ...page.items],
        nextCursor: page.nextCursor,
      })
    } catch (error) {
      if (!isAbort(error)) setMoreError(asApiError(error))
    } finally {
      if (!signal.aborted) setLoadingMore(false)
    }
  }

  return {
    items: first.data && [...first.data.items, ...(further?.items ?? [])],
    outdated: first.outdated,
    error: first.error,
    reload: first.reload,
    hasMore: nextCursor !== null,
    loadingMore,
    moreError,
    loadMore,
  }
}
