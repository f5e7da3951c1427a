import { AppError, type ErrorCode, type FieldError } from '../errors.ts'

/** RFC 9457, as every error of the API is answered. */
export interface Problem {
  /** A page that explains the code. */
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: ErrorCode
  requestId: string
  existingId?: string
  errors?: FieldError[]
}

interface Kind {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503
  title: string
}

/** What each code is in HTTP. Exhaustive by its type: a new code does not compile until it stands here. */
export const PROBLEMS: Record<ErrorCode, Kind> = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  unsupported_media_type: { status: 415, title: 'This kind of body is not understood here' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unauthorized: { status: 401, title: 'Sign in, or send a valid API key' },
  insufficient_scope: { status: 403, title: 'The API key lacks a scope' },
  insufficient_role: { status: 403, title: 'Your role does not allow this' },
  signup_closed: { status: 403, title: 'Not everybody can sign up here' },
  signup_refused: { status: 422, title: 'This sign-up is not possible' },
  wrong_person: { status: 403, title: 'This is meant for somebody else' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'This method is not available here' },
  conflict: { status: 409, title: 'In conflict with what is there' },
  already_connected: { status: 409, title: 'This account is already connected' },
  idempotency_mismatch: { status: 422, title: 'This idempotency key was used for another request' },
  idempotency_in_progress: {
    status: 409,
    title: 'The first request with this idempotency key is still running',
  },
  gone: { status: 410, title: 'No longer available' },
  account_not_found: { status: 422, title: 'The platform knows no such account' },
  account_unavailable: { status: 422, title: 'The platform does not show this account' },
  platform_unsupported: { status: 422, title: 'This platform cannot be connected here' },
  platform_auth_required: { status: 422, title: 'The platform shows nothing without a credential' },
  platform_bad_answer: { status: 503, title: 'The platform answered something that cannot be understood' },
  address_refused: { status: 422, title: 'This address may not be fetched' },
  platform_unavailable: { status: 503, title: 'The platform cannot be reached' },
  platform_rate_limited: { status: 503, title: 'The platform asks us to wait' },
  rate_limited: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
  internal: { status: 500, title: 'Something went wrong on our side' },
}

/** Turns a failure into its answer. What is not an `AppError` is shown as a fixed sentence, whatever it says. */
export function problemResponse(error: unknown, request: { url: string; requestId: string }): Response {
  const known =
    error instanceof AppError
      ? error
      : new AppError('internal', 'An unexpected error occurred. It has been logged under this request id.')
  const kind = PROBLEMS[known.code]
  const problem: Problem = {
    type: `/problems/${known.code}`,
    title: kind.title,
    status: kind.status,
    detail: known.message,
    instance: new URL(request.url).pathname,
    code: known.code,
    requestId: request.requestId,
  }
  if (known.existingId !== undefined) problem.existingId = known.existingId
  if (known.fields.length > 0) problem.errors = known.fields
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  if (kind.status === 429 || kind.status === 503)
    headers.set('retry-after', String(Math.max(1, Math.ceil((known.retryAfterMs ?? 5_000) / 1_000))))
  if (kind.status === 401) headers.set('www-authenticate', 'Bearer realm="tidemark"')
  return new Response(JSON.stringify(problem), { status: kind.status, headers })
}
