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

/** A post whose metrics moved is read again after half of its tier's interval. */
export const MOVING_FACTOR = 0.5

/** Each reading in a row in which nothing moved doubles the interval, up to this. */
export const MAX_STILL_FACTOR = 4

/** How often an account's profile and newest posts are read, when nobody is looking. */
export const ACCOUNT_EVERY_SECONDS = 15 * 60

/** A workspace counts as watched for this long after somebody read it or had a socket. */
export const WATCHED_FOR_SECONDS = 5 * 60

/**
 * Seconds until a post is read again.
 * @param ageSeconds since it was published
 * @param moved whether its metrics changed in the reading just made
 * @param stillReadings readings in a row, this one included, in which nothing changed
 */
export function refreshAfterSeconds(ageSeconds: number, moved: boolean, stillReadings: number): number {
  const tier = POST_TIERS.find((t) => ageSeconds < t.youngerThanHours * 3600)
  const base = tier?.everySeconds ?? OLD_POST_EVERY_SECONDS
  if (moved) return base * MOVING_FACTOR
  return base * Math.min(MAX_STILL_FACTOR, 2 ** Math.max(0, stillReadings - 1))
}
