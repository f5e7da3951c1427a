import { PLATFORM_FACTS, PLATFORMS, type Platform } from './platforms.ts'

/**
 * How often things are read again. Young posts move fast, so they are read often; a post that has stopped
 * moving is read more rarely, up to `MAX_STILL_FACTOR` times its tier's interval.
 */
export const POST_TIERS = [
  { youngerThanHours: 24, everySeconds: 15 * 60 },
  { youngerThanHours: 7 * 24, everySeconds: 2 * 3600 },
  { youngerThanHours: 30 * 24, everySeconds: 24 * 3600 },
] as const

/** Beyond the last tier. */
export const OLD_POST_EVERY_SECONDS = 7 * 24 * 3600

/** The same where every reading is paid for: a post that has grown old is worth few of them. */
export const PAID_POST_TIERS = [
  ...POST_TIERS.slice(0, 2),
  { youngerThanHours: 30 * 24, everySeconds: 7 * 24 * 3600 },
] as const
export const OLD_PAID_POST_EVERY_SECONDS = 30 * 24 * 3600
export const PAID_PLATFORMS = PLATFORMS.filter((platform) => PLATFORM_FACTS[platform].paidReads)

/** A post whose metrics moved is read again after half of its tier's interval. */
export const MOVING_FACTOR = 0.5

/** Each reading in a row in which nothing moved doubles the interval, up to this. */
export const MAX_STILL_FACTOR = 4

/**
 * How often an account's profile and newest posts are read, when nobody is looking: the longer it has been
 * silent, the more rarely.
 */
export const ACCOUNT_TIERS = [
  { silentForHours: 48, everySeconds: 15 * 60 },
  { silentForHours: 14 * 24, everySeconds: 3600 },
] as const

/** Beyond the last tier, and for an account without any post. */
export const SILENT_ACCOUNT_EVERY_SECONDS = 3 * 3600

/**
 * Whoever queues the reading of an account has it to themselves for this long: no plan reads it meanwhile, and the
 * first one after it does, should the reading have come to nothing.
 */
export const ACCOUNT_LEASE_SECONDS = 5 * 60

/** A workspace counts as watched for this long after somebody read it or had a socket. */
export const WATCHED_FOR_SECONDS = 5 * 60

/**
 * Seconds until a post is read again.
 * @param ageSeconds since it was published
 * @param moved whether its metrics changed in the reading just made
 * @param stillReadings readings in a row, this one included, in which nothing changed
 * @param isPaid whether its platform charges for every reading
 */
export function refreshAfterSeconds(
  ageSeconds: number,
  moved: boolean,
  stillReadings: number,
  isPaid = false,
): number {
  const tiers = isPaid ? PAID_POST_TIERS : POST_TIERS
  const tier = tiers.find((t) => ageSeconds < t.youngerThanHours * 3600)
  const base = tier?.everySeconds ?? (isPaid ? OLD_PAID_POST_EVERY_SECONDS : OLD_POST_EVERY_SECONDS)
  if (moved) return base * MOVING_FACTOR
  return base * Math.min(MAX_STILL_FACTOR, 2 ** Math.max(0, stillReadings - 1))
}

/**
 * Seconds until an account is read again, never fewer than its platform's allowance bears.
 * @param silentForSeconds since its newest post; infinite where there is none
 */
export function accountRefreshAfterSeconds(platform: Platform, silentForSeconds: number): number {
  const tier = ACCOUNT_TIERS.find((t) => silentForSeconds < t.silentForHours * 3600)
  return Math.max(
    PLATFORM_FACTS[platform].minimumIntervalSeconds ?? 0,
    tier?.everySeconds ?? SILENT_ACCOUNT_EVERY_SECONDS,
  )
}

/** Platforms whose accounts are read at every plan while somebody is looking: neither dear nor scarce. */
export const WATCHABLE_PLATFORMS = PLATFORMS.filter(
  (platform) => PLATFORM_FACTS[platform].minimumIntervalSeconds === undefined,
)

/** The longest that an account of a platform rests, when all is well. */
export function longestRestSeconds(platform: Platform): number {
  return accountRefreshAfterSeconds(platform, Number.POSITIVE_INFINITY)
}
