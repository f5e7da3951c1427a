import type { Problem } from '../../../src/http/wire.ts'
import { buildQuery, type QueryValue } from './query.ts'

/** A request that failed; `message` is a sentence for people. */
export class ApiError extends Error {
  /** HTTP status; 0 where no answer came at all. */
  readonly status: number
  /** The problem's code, or `network`. */
  readonly code: string
  readonly fields: { pointer: string; detail: string }[]
  readonly existingId: string | null
  readonly retryAfterSeconds: number | null
  readonly requestId: string | null

  constructor(
    message: string,
    details: {
      status: number
      code: string
      fields?: { pointer: string; detail: string }[]
      existingId?: string | null
      retryAfterSeconds?: number | null
      requestId?: string | null
    },
  ) {
    super(message)
    this.name = 'ApiError'
    this.status = details.status
    this.code = details.code
    this.fields = details.fields ?? []
    this.existingId = details.existingId ?? null
    this.retryAfterSeconds = details.retryAfterSeconds ?? null
    this.requestId = details.requestId ?? null
  }
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  query?: Readonly<Record<string, QueryValue>>
  /** Sent as JSON. */
  json?: unknown
  signal?: AbortSignal | undefined
}

const unauthorizedListeners = new Set<() => void>()

/** Calls back whenever the API says that nobody is signed in. Returns the way to stop. */
export function onUnauthorized(listener: () => void): () => void {
  unauthorizedListeners.add(listener)
  return () => unauthorizedListeners.delete(listener)
}

let workspaceId: string | null = null

/** Chooses the workspace that requests are about; `null`: the person's own first one. */
export function chooseWorkspaceForRequests(id: string | null): void {
  workspaceId = id
}

/** Headers of every request. `X-Requested-With` cannot be set by a foreign page's form. */
export function requestHeaders(): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-requested-with': 'tidemark' }
  if (workspaceId !== null) headers['x-workspace-id'] = workspaceId
  return headers
}

/** The body as the shape that the API's contract promises for this answer (none where it is empty); not checked again here. */
export async function readAs<T>(response: Response): Promise<T> {
  const text = await response.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** Whether a failure is only that somebody stopped waiting. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

export function networkError(): ApiError {
  return new ApiError('Tidemark cannot be reached. Check your connection, then try again.', {
    status: 0,
    code: 'network',
  })
}

/** Turns an answer that is an error into one that can be shown, and tells if a sign-in is due. */
export async function toApiError(response: Response): Promise<ApiError> {
  if (response.status === 401) for (const listener of unauthorizedListeners) listener()
  return readApiError(response)
}

/** Turns an answer that is an error into one that can be shown. */
export async function readApiError(response: Response): Promise<ApiError> {
  const retryAfter = Number.parseInt(response.headers.get('retry-after') ?? '', 10)
  let problem: Partial<Problem> = {}
  try {
    problem = await readAs<Partial<Problem>>(response)
  } catch {
    // Not JSON: an answer of something in between. The status has to do.
  }
  return new ApiError(
    problem.detail ?? problem.title ?? `The server answered with an error (${response.status}).`,
    {
      status: response.status,
      code: problem.code ?? 'unknown',
      fields: problem.errors ?? [],
      existingId: problem.existingId ?? null,
      retryAfterSeconds: Number.isNaN(retryAfter) ? null : retryAfter,
      requestId: problem.requestId ?? null,
    },
  )
}

/** Asks the API for `path` below `/api/v1`. Throws `ApiError`, or an AbortError when `signal` says so. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const method = options.method ?? 'GET'
  const headers = requestHeaders()
  // Also without a body: a form cannot send this type, which is what keeps foreign pages out.
  if (method !== 'GET') headers['content-type'] = 'application/json'
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (options.json !== undefined) init.body = JSON.stringify(options.json)
  if (options.signal !== undefined) init.signal = options.signal
  let response: Response
  try {
    response = await fetch(`/api/v1${path}${buildQuery(options.query ?? {})}`, init)
  } catch (error) {
    if (isAbort(error)) throw error
    throw networkError()
  }
  if (!response.ok) throw await toApiError(response)
  return await readAs<T>(response)
}

/** Whatever was thrown, as something to show. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return new ApiError('Something went wrong in this page. Reload it and try again.', {
    status: 0,
    code: 'page',
  })
}
