/**
 * Every way in which a service can fail, by name. Services know nothing of HTTP, QStash or WebSockets:
 * `http/problem.ts` and `jobs/verdict.ts` map these codes, exhaustively, to what each of them understands.
 */
export const ERROR_CODES = [
  'invalid_request',
  'unsupported_media_type',
  'payload_too_large',
  'unauthorized',
  'insufficient_scope',
  'insufficient_role',
  'signup_closed',
  'signup_refused',
  'wrong_person',
  'not_found',
  'method_not_allowed',
  'conflict',
  'already_connected',
  'idempotency_mismatch',
  'idempotency_in_progress',
  'gone',
  'account_not_found',
  'account_unavailable',
  'platform_unsupported',
  'platform_auth_required',
  'platform_bad_answer',
  'address_refused',
  'platform_unavailable',
  'platform_rate_limited',
  'rate_limited',
  'unavailable',
  'internal',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** One wrong field of a request: an RFC 6901 pointer (`/handle`, or `/query/limit`) and what is wrong with it. */
export interface FieldError {
  pointer: string
  detail: string
}

export interface AppErrorOptions {
  /** Whether the same call may succeed later without being changed. */
  retryable?: boolean
  /** How long to wait before it is worth trying again, where that is known. */
  retryAfterMs?: number
  fields?: FieldError[]
  /** The id of the thing that stands in the way (409). */
  existingId?: string
  cause?: unknown
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'platform_unavailable',
  'platform_rate_limited',
  'rate_limited',
  'unavailable',
  'idempotency_in_progress',
])

/** A failure that is understood: its message is a sentence that may be shown to the person who asked. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly fields: FieldError[]
  readonly existingId: string | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryable = options.retryable ?? RETRYABLE.has(code)
    this.retryAfterMs = options.retryAfterMs
    this.fields = options.fields ?? []
    this.existingId = options.existingId
  }
}

/** A request whose fields are wrong; names every one of them at once. */
export function invalidRequest(fields: FieldError[], message = 'The request is not valid.'): AppError {
  return new AppError('invalid_request', message, { fields })
}

/** The answer for a thing that does not exist, or that another workspace owns: nobody can tell which. */
export function notFound(what: string): AppError {
  return new AppError('not_found', `There is no such ${what}.`)
}
