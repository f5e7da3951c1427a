import { ApiError } from './call.ts'
import type { ViolationKind } from './stats.ts'

/** An error as the Graph API numbers it; mostly with status 400, whatever it is about. */
export function graphError(
  code: number,
  message: string,
  options: { subcode?: number; status?: number; violation?: ViolationKind } = {},
): ApiError {
  const { subcode, status = 400, violation } = options
  const name = subcode === undefined ? String(code) : `${code}/${subcode}`
  return new ApiError(status, name, `(#${code}) ${message}`, violation)
}

/** That of an object which is not there, or not for this token: one cannot tell which. */
export function absentObject(id: string): ApiError {
  const message = `Unsupported get request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`
  return graphError(100, message, { subcode: 33 })
}

/** How the errors of the OAuth server are numbered here. */
const OAUTH_NAMES: Readonly<Record<string, { code: number; subcode?: number }>> = {
  invalid_client: { code: 1 },
  invalid_grant: { code: 100, subcode: 36_009 },
  invalid_request: { code: 100 },
}

/** The body of an error; what has no number is a failure of the service. */
export function graphErrorBody(error: ApiError): unknown {
  const numbers = /^(\d+)(?:\/(\d+))?$/.exec(error.name)
  const known =
    numbers === null
      ? (OAUTH_NAMES[error.name] ?? { code: 2 })
      : { code: Number(numbers[1]), ...(numbers[2] !== undefined && { subcode: Number(numbers[2]) }) }
  return {
    error: {
      message: error.message,
      type: typeOf(known.code),
      code: known.code,
      ...(known.subcode !== undefined && { error_subcode: known.subcode }),
      ...(known.code === 2 && { is_transient: true }),
      fbtrace_id: 'Asimulated',
    },
  }
}

function typeOf(code: number): string {
  return code === 100 ? 'GraphMethodException' : 'OAuthException'
}
