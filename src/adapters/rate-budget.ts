import type { Redis } from '@upstash/redis'
import { newId } from '../lib/ids.ts'
import { type Clock, PlatformError, type RateBudget, type RateLimitRule, type RateSignal } from '../ports.ts'

/** Never more than so many tenths of what a platform allows. */
const TENTHS_OF_LIMIT = 9

/** Hosts of which an isolate remembers what it was told. */
const MAX_REMEMBERED = 1_000
/** No header makes us wait longer. */
const MAX_PAUSE_MS = 3_600_000
/** A limit lower than the rule's is believed for so long. */
const BELIEVE_LIMIT_MS = 3_600_000

/**
 * Takes a call from the budget: answers 0, or how many milliseconds to wait. Every call of the last window is
 * kept with its moment. An estimate from two fixed windows, as limiters of callers make it, would at times
 * let nearly twice the limit pass within one window, which is the platform's to begin when it likes.
 */
const SPEND = `
local now = tonumber(ARGV[1])
local told = redis.call('HMGET', KEYS[2], 'until', 'limit', 'limit_until')
local pause = tonumber(told[1] or '0') - now
if pause > 0 then return pause end
local limit = tonumber(ARGV[4])
if told[2] and tonumber(told[3]) > now then limit = math.min(limit, tonumber(told[2])) end
local allowed = math.max(1, math.floor(limit * tonumber(ARGV[5]) / 10))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
local taken = redis.call('ZCARD', KEYS[1])
if taken < allowed then
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[6])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 0
end
local leaves = redis.call('ZRANGE', KEYS[1], taken - allowed, taken - allowed, 'WITHSCORES')
return math.max(1, tonumber(leaves[2]) + tonumber(ARGV[2]) - now)
`

/** Tells everybody of a pause, and of a limit that is lower than the rule's; of several, the lowest. */
const TELL = `
local told = redis.call('HMGET', KEYS[1], 'until', 'limit', 'limit_until')
if tonumber(ARGV[2]) > tonumber(told[1] or '0') then redis.call('HSET', KEYS[1], 'until', ARGV[2]) end
if ARGV[3] ~= '' then
  local believed = told[2] and tonumber(told[3]) > tonumber(ARGV[1])
  if not believed or tonumber(ARGV[3]) < tonumber(told[2]) then
    redis.call('HSET', KEYS[1], 'limit', ARGV[3], 'limit_until', ARGV[4])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`

/**
 * Budgets shared by all isolates. A call is taken from the budget before it is made; when the platform's own
 * headers say that little is left, everybody waits for its window to end, and when they name a lower limit
 * than expected, everybody keeps to that. Without Redis nothing is granted: better late than over
 * somebody's limit.
 */
export function createRateBudget(
  redis: Redis,
  clock: Clock,
  waitUntil: (work: Promise<unknown>) => void = (work) => void work,
): RateBudget {
  const spend = redis.createScript<number>(SPEND)
  const tell = redis.createScript<number>(TELL)
  /** What this isolate knows of pauses: it need not ask meanwhile. */
  const pauses = createMemory<number>()
  const limits = createMemory<{ limit: number; untilMs: number }>()

  /** The limit to tell of; `null` where it is not lower than what is known. */
  function newLimit(rule: RateLimitRule, { limit }: RateSignal): number | null {
    if (limit === null || limit >= rule.limit) return null
    const known = limits.get(rule.key)
    if (known !== undefined && known.limit <= limit && known.untilMs > clock.now()) return null
    limits.set(rule.key, { limit, untilMs: clock.now() + BELIEVE_LIMIT_MS })
    return limit
  }

  return {
    async spend(rule) {
      const now = clock.now()
      const knownMs = (pauses.get(rule.key) ?? 0) - now
      if (knownMs > 0) throw usedUp(rule, knownMs)
      const windowMs = rule.windowSeconds * 1_000
      let waitMs: number
      try {
        waitMs = await spend.exec(
          [`tm:budget:{${rule.key}}`, toldKey(rule)],
          [now, windowMs, now - windowMs, rule.limit, TENTHS_OF_LIMIT, newId(now)].map(String),
        )
      } catch (error) {
        throw new PlatformError('rate_limited', 'The rate budget cannot be read, so no call is made.', {
          retryAfterMs: 15_000,
          cause: error,
        })
      }
      if (waitMs <= 0) return
      pauses.set(rule.key, now + waitMs)
      throw usedUp(rule, waitMs)
    },
    follow(rule, signal) {
      const now = clock.now()
      const pauseMs = Math.min((pausedUntil(rule, signal) ?? 0) - now, MAX_PAUSE_MS)
      const limit = newLimit(rule, signal)
      if (pauseMs > 0) pauses.set(rule.key, now + pauseMs)
      else if (limit === null) return
      const until = pauseMs > 0 ? now + pauseMs : 0
      // Not awaited: failing to tell the others is no reason to fail this call.
      waitUntil(
        tell
          .exec(
            [toldKey(rule)],
            [now, until, limit ?? '', now + BELIEVE_LIMIT_MS, BELIEVE_LIMIT_MS + MAX_PAUSE_MS].map(String),
          )
          .catch(() => {}),
      )
    },
  }
}

function createMemory<T>(): Pick<Map<string, T>, 'get'> & { set(key: string, value: T): void } {
  const values = new Map<string, T>()
  return {
    get: (key) => values.get(key),
    set(key, value) {
      if (values.size >= MAX_REMEMBERED) values.clear()
      values.set(key, value)
    },
  }
}

function toldKey(rule: RateLimitRule): string {
  return `tm:budget:{${rule.key}}:told`
}

/** When the platform's window ends, where its headers say that it is nearly spent. */
function pausedUntil(rule: RateLimitRule, signal: RateSignal): number | null {
  if (signal.remaining === null || signal.resetAtMs === null) return null
  const limit = signal.limit ?? rule.limit
  const allowed = Math.max(1, Math.floor((limit * TENTHS_OF_LIMIT) / 10))
  return signal.remaining <= Math.max(0, limit - allowed) ? signal.resetAtMs : null
}

function usedUp(rule: RateLimitRule, waitMs: number): PlatformError {
  return new PlatformError('rate_limited', `The allowance for ${rule.key} is used up for the moment.`, {
    retryAfterMs: Math.max(1_000, waitMs),
  })
}
