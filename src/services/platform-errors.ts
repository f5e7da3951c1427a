import { AppError } from '../errors.ts'
import { PlatformError } from '../ports.ts'

/** A platform's failure as an answer to the person who asked for something of it. */
export function toAppError(error: unknown): unknown {
  if (!(error instanceof PlatformError)) return error
  const options = {
    cause: error,
    ...(error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs }),
  }
  switch (error.kind) {
    case 'gone':
    case 'bad_request':
      return new AppError('account_not_found', error.message, {
        ...options,
        fields: [{ pointer: '/handle', detail: error.message }],
      })
    case 'auth':
      return new AppError('platform_auth_required', error.message, options)
    case 'permission':
      return new AppError('account_unavailable', error.message, options)
    case 'refused':
      return new AppError('address_refused', error.message, options)
    case 'paused':
    case 'resting':
      return new AppError('platform_unavailable', error.message, options)
    case 'budget_spent':
    case 'rate_limited':
      return new AppError('platform_rate_limited', error.message, options)
    case 'transient':
      return new AppError('platform_unavailable', error.message, options)
    case 'bad_answer':
      return new AppError('platform_bad_answer', error.message, options)
  }
}
