import { MIN_PASSWORD_LENGTH } from '../../api/auth.ts'
import type { ApiError } from '../../api/http.ts'
import { formatDuration } from '../../format/dates.ts'

/** What is wrong with a password that is being chosen, as far as its length tells; `null`: nothing. */
export function lengthProblem(password: string): string | null {
  if (password === '') return 'Choose a password.'
  return [...password].length < MIN_PASSWORD_LENGTH ? `Use at least ${MIN_PASSWORD_LENGTH} characters.` : null
}

/** What is wrong with an e-mail address; whether mail arrives there, only a mail can tell. */
export function emailProblem(email: string): string | null {
  return /^\S+@\S+$/.test(email.trim()) ? null : 'Give an e-mail address.'
}

/** What the server says of a field, as a sentence; `undefined`: nothing. */
export function fieldSentence(error: ApiError, name: string): string | undefined {
  const detail = error.fields.find(({ pointer }) => pointer === `/${name}`)?.detail
  if (detail === undefined || /^[A-Z]/.test(detail)) return detail
  return `This ${detail}${detail.endsWith('.') ? '' : '.'}`
}

/** Why something was not done, and when it may be. */
export function failureSentence(error: ApiError): string {
  if (error.status !== 429) return error.message
  const wait = error.retryAfterSeconds === null ? 'a few minutes' : formatDuration(error.retryAfterSeconds)
  return `Too many attempts. Try again in ${wait}.`
}
