import * as z from 'zod'
import { AppError, invalidRequest } from '../../errors.ts'

/** What a hook of ours says of a password; `pointer` names the field. */
const PASSWORD_REFUSED = 'PASSWORD_REFUSED'

const Refusal = z
  .object({ code: z.string().catch(''), message: z.string().catch('') })
  .catch({ code: '', message: '' })

const WRONG_CREDENTIALS = 'That e-mail address and password do not belong together.'
const DEAD_LINK = 'This link is no longer good: it was used, or is too old. Ask for a new one.'

const wrong = (pointer: string, detail: string) => invalidRequest([{ pointer, detail }])

/** The sign-in library's own codes, in our terms. Its sentences are not shown where they are known. */
const KNOWN: Readonly<Record<string, () => AppError>> = {
  INVALID_EMAIL_OR_PASSWORD: () => new AppError('unauthorized', WRONG_CREDENTIALS),
  UNAUTHORIZED: () => new AppError('unauthorized', 'Sign in first.'),
  INVALID_EMAIL: () => wrong('/email', 'is not an e-mail address'),
  INVALID_PASSWORD: () => wrong('/currentPassword', 'is not your password'),
  PASSWORD_TOO_SHORT: () => wrong('/password', 'is too short'),
  PASSWORD_TOO_LONG: () => wrong('/password', 'is too long'),
  USER_ALREADY_EXISTS: existingPerson,
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: existingPerson,
  FAILED_TO_CREATE_USER: () =>
    new AppError('signup_refused', 'The account could not be made. Try again, or sign in if you have one.'),
  INVALID_TOKEN: () => new AppError('gone', DEAD_LINK),
  TOKEN_EXPIRED: () => new AppError('gone', DEAD_LINK),
  USER_NOT_FOUND: () => new AppError('gone', DEAD_LINK),
  EMAIL_MISMATCH: () => wrong('/email', 'is not your e-mail address'),
  EMAIL_ALREADY_VERIFIED: () => new AppError('conflict', 'This address is confirmed already.'),
}

function existingPerson(): AppError {
  return new AppError(
    'signup_refused',
    'No account can be made with this e-mail address. If it is yours, sign in, or ask for a new password.',
  )
}

/** What the sign-in library refuses with a status and a body, as a problem. */
export function translateRefusal(status: number, body: unknown): AppError {
  const { code, message } = Refusal.parse(body)
  if (code === PASSWORD_REFUSED) {
    const [pointer = '', detail = ''] = message.split('\n')
    return wrong(pointer, detail)
  }
  const known = KNOWN[code]
  if (known !== undefined) return known()
  const cause = new Error(`The sign-in library answered ${status} ${code}`)
  if (status >= 500) return new AppError('internal', 'An unexpected error occurred.', { cause })
  if (status === 401) return new AppError('unauthorized', 'Sign in first.', { cause })
  if (status === 403) return new AppError('insufficient_scope', 'This is not allowed from there.', { cause })
  return new AppError('invalid_request', 'The request is not valid.', { cause })
}

/** A refusal by the rules for passwords, as `translateRefusal` understands it. */
export function passwordRefusal(pointer: string, detail: string): { code: string; message: string } {
  return { code: PASSWORD_REFUSED, message: `${pointer}\n${detail}` }
}
