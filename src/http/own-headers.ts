import type { LimitVerdict } from '../ports.ts'

/** Headers that every answer has of its own, whichever way it was made. */

const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/

/** The id of a request: the client's, where it is one, or a new one. */
export function requestIdOf(given: string | null | undefined): string {
  return given != null && REQUEST_ID.test(given) ? given : crypto.randomUUID()
}

/** The value of `RateLimit`: what is left of an allowance, and for how long. */
export function rateLimitOf({ policy, remaining, resetSeconds }: LimitVerdict): string {
  return `"${policy.name}";r=${remaining};t=${resetSeconds}`
}
