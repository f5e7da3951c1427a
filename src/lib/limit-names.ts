/** Every limit of callers, by the name that `RATE_LIMITS` and the `RateLimit` header give it. */
export const LIMIT_NAMES = [
  'reads',
  'writes',
  'sign-in',
  'sign-up',
  'mails',
  'imports',
  'public',
  'public-tickets',
  'unauthenticated',
] as const

export type LimitName = (typeof LIMIT_NAMES)[number]

/** Whether there is a limit of this name. */
export function isLimitName(name: string): name is LimitName {
  return LIMIT_NAMES.some((known) => known === name)
}
