import { periodOf, today } from '../domain/periods.ts'
import type { RateLimitRule } from '../ports.ts'

const DAY_MS = 86_400_000
/** Never more than so many tenths of what a platform allows. */
export const TENTHS_OF_LIMIT = 9
/** A sliding window is counted in so many parts. */
const BUCKETS = 60
/** Clocks of isolates differ a little: what has left by one may still count by another. */
const CLOCK_SKEW_MS = 5_000
/** What is told of a limit is believed for an hour at most; the counts are kept as long. */
const KEEP_MS = 7_200_000

/** How calls are counted at a moment. Moments are milliseconds since 1970. */
interface CountingWindow {
  /** The bucket of a call made now, by its beginning: a part of the window, or the whole day. */
  bucketMs: number
  /** Buckets from here on count. */
  firstMs: number
  /** Those before here may be forgotten. */
  oldestMs: number
  /** Where the window slides: how long after its beginning a bucket has left as a whole. 0 for days. */
  leavesAfterMs: number
  /** Where it is a calendar day: the day, over which the allowance is released. `null` where it slides. */
  day: { startMs: number; endMs: number } | null
  /** For how long its counts are of use to anybody. */
  ttlMs: number
}

/** The most units that we take of a limit. */
export function allowedOf(limit: number): number {
  return Math.max(1, Math.floor((limit * TENTHS_OF_LIMIT) / 10))
}

/** The day that a moment lies in, by a timezone's calendar. */
export function dayOf(zone: NonNullable<RateLimitRule['dayIn']>, nowMs: number) {
  if (zone === 'UTC') {
    const startMs = Math.floor(nowMs / DAY_MS) * DAY_MS
    return { startMs, endMs: startMs + DAY_MS }
  }
  const day = today(zone, nowMs)
  const { start, end } = periodOf(day, day, zone)
  return { startMs: Date.parse(start), endMs: Date.parse(end) }
}

/**
 * How calls of a rule are counted now. A unit of a sliding window counts until the last moment of its bucket
 * is a whole window ago, so that no window holds more than the allowance, wherever it begins: an estimate
 * from two fixed windows would at times let nearly twice as much pass within one.
 */
export function windowOf(rule: RateLimitRule, nowMs: number): CountingWindow {
  if (rule.dayIn !== undefined) {
    const day = dayOf(rule.dayIn, nowMs)
    return {
      bucketMs: day.startMs,
      firstMs: day.startMs,
      // The day before, by the clock of somebody who is still in it.
      oldestMs: day.startMs - 2 * DAY_MS,
      leavesAfterMs: 0,
      day,
      ttlMs: day.endMs - nowMs + KEEP_MS,
    }
  }
  const windowMs = rule.windowSeconds * 1_000
  const lengthMs = Math.ceil(windowMs / BUCKETS)
  const bucketOf = (moment: number) => Math.floor(moment / lengthMs) * lengthMs
  return {
    bucketMs: bucketOf(nowMs),
    firstMs: bucketOf(nowMs - windowMs),
    oldestMs: bucketOf(nowMs - windowMs - CLOCK_SKEW_MS),
    leavesAfterMs: lengthMs + windowMs,
    day: null,
    ttlMs: windowMs + lengthMs + KEEP_MS,
  }
}
