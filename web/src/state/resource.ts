import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { type ApiError, asApiError, isAbort } from '../api/http.ts'

export interface Resource<T> {
  /** The last answer, also while a newer one is on its way or has failed. */
  data: T | undefined
  error: ApiError | undefined
  /** Whether `data` belongs to another question than the one being asked now. */
  outdated: boolean
  loading: boolean
  /** When `data` arrived; milliseconds since 1970. */
  loadedAtMs: number | undefined
  /** Asks again. Never rejects: what goes wrong is in `error`. */
  reload: () => Promise<void>
}

interface Answer<T> {
  key: string
  data: T
  loadedAtMs: number
}

/** Recent answers, so that going back shows the page as it was while it is being refreshed. */
const recent = new Map<string, Answer<unknown>>()
const RECENT_LIMIT = 30

function remember(answer: Answer<unknown>): void {
  recent.delete(answer.key)
  recent.set(answer.key, answer)
  const [oldest] = recent.keys()
  if (recent.size > RECENT_LIMIT && oldest !== undefined) recent.delete(oldest)
}

/** Forgets every answer: another person or workspace asks now. */
export function forgetResources(): void {
  recent.clear()
}

/** A remembered answer; whoever uses a key always loads the same shape under it. */
function recall<T>(key: string | null): Answer<T> | undefined {
  return key === null ? undefined : (recent.get(key) as Answer<T> | undefined)
}

/**
 * What a question (`key`) is answered with. A new key keeps the old answer in place, marked `outdated`,
 * until the new one is there, so that nothing jumps. `null`: there is nothing to ask yet.
 */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [answer, setAnswer] = useState<Answer<T> | undefined>(() => recall<T>(key))
  const [failure, setFailure] = useState<{ key: string; error: ApiError } | undefined>()
  const [loading, setLoading] = useState(key !== null)
  const current = useRef<AbortController | null>(null)
  const loadRef = useRef(load)
  loadRef.current = load

  const reload = useCallback(async () => {
    if (key === null) return
    current.current?.abort()
    const controller = new AbortController()
    current.current = controller
    setLoading(true)
    try {
      const data = await loadRef.current(controller.signal)
      if (controller.signal.aborted) return
      const fresh = { key, data, loadedAtMs: Date.now() }
      remember(fresh)
      setAnswer(fresh)
      setFailure(undefined)
    } catch (error) {
      if (controller.signal.aborted || isAbort(error)) return
      setFailure({ key, error: asApiError(error) })
    } finally {
      if (current.current === controller) setLoading(false)
    }
  }, [key])

  useEffect(() => {
    const known = recall<T>(key)
    if (known !== undefined) setAnswer(known)
    void reload()
    return () => current.current?.abort()
  }, [key, reload])

  return {
    data: answer?.data,
    error: failure !== undefined && failure.key === key ? failure.error : undefined,
    outdated: answer !== undefined && answer.key !== key,
    loading,
    loadedAtMs: answer?.loadedAtMs,
    reload,
  }
}
