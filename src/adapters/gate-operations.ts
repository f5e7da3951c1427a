import type { Redis } from '@upstash/redis'
import { PLATFORMS } from '../domain/platforms.ts'
import type { AllowanceReport, BreakerReport, Clock, GateOperations, RateLimitRule } from '../ports.ts'
import { GATE_PREFIX, gateKeys } from './call-gate-keys.ts'
import { LISTED_MS, OPEN_MS } from './call-gate-scripts.ts'
import { allowedOf, windowOf } from './call-gate-windows.ts'

type Fields = Partial<Record<string, string>>

/**
 * What operators see of the gate's state in Redis, and change.
 * @param prefix names the keys, as it does for the gate
 */
export function createGateOperations(redis: Redis, clock: Clock, prefix = GATE_PREFIX): GateOperations {
  const keys = gateKeys(prefix)

  /** What was used lately, by name; what has been forgotten meanwhile is left out. */
  async function readAll(index: string, keyOf: (name: string) => string): Promise<[string, Fields][]> {
    const since = clock.now() - LISTED_MS
    const names = await redis.zrange<string[]>(index, since, '+inf', { byScore: true })
    if (names.length === 0) return []
    const pipeline = redis.pipeline()
    for (const name of names) pipeline.hgetall(keyOf(name))
    const hashes = await pipeline.exec<string[][]>()
    return names
      .map((name, i): [string, Fields] => [name, fieldsOf(hashes[i] ?? [])])
      .filter(([, fields]) => Object.keys(fields).length > 0)
      .sort(([one], [other]) => (one < other ? -1 : 1))
  }

  return {
    async breakers() {
      const now = clock.now()
      return (await readAll(keys.breakers, keys.breaker)).map(([name, fields]) =>
        breakerReport(name, fields, now),
      )
    },

    async allowances() {
      const now = clock.now()
      return (await readAll(keys.allowances, keys.allowance)).flatMap(
        ([key, fields]) => allowanceReport(key, fields, now) ?? [],
      )
    },

    async paused() {
      const names = await redis.hkeys(keys.paused)
      return (['all', ...PLATFORMS] as const).filter((name) => names.includes(name))
    },

    async pause(what) {
      await redis.hset(keys.paused, { [what]: String(clock.now()) })
    },

    async resume(what) {
      await redis.hdel(keys.paused, what)
    },
  }
}

/** A hash as the client gives it where it leaves values as they are: fields and values in turn. */
function fieldsOf(flat: string[]): Fields {
  const fields: Fields = {}
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1]
  return fields
}

function breakerReport(name: string, fields: Fields, now: number): BreakerReport {
  const openedAtMs = fields.opened === undefined ? null : Number(fields.opened)
  const count = (field: string) => Number(fields[field] ?? 0)
  return {
    name,
    state: openedAtMs === null ? 'closed' : now - openedAtMs < OPEN_MS ? 'open' : 'half-open',
    successes: count('ok'),
    failures: count('failed'),
    timeouts: count('timeout'),
    rejects: count('rejects'),
    openedAtMs,
  }
}

/** `null` where something was told of an allowance from which no call has been taken. */
function allowanceReport(key: string, fields: Fields, now: number): AllowanceReport | null {
  if (fields.limit === undefined || fields.window === undefined) return null
  const isLower = fields.lower !== undefined && Number(fields.lower_until) > now
  const limit = isLower ? Math.min(Number(fields.limit), Number(fields.lower)) : Number(fields.limit)
  const windowSeconds = Number(fields.window)
  const rule: RateLimitRule = { key, limit, windowSeconds }
  const zone = fields.zone
  if (zone === 'UTC' || zone === 'America/Los_Angeles') rule.dayIn = zone
  const { firstMs } = windowOf(rule, now)
  const used = Object.entries(fields)
    .filter(([field]) => /^\d+$/.test(field) && Number(field) >= firstMs)
    .reduce((sum, [, units]) => sum + Number(units), 0)
  const untilMs = Number(fields.until ?? 0)
  return {
    key,
    limit,
    allowed: allowedOf(limit),
    used,
    windowSeconds,
    pausedUntilMs: untilMs > now ? untilMs : null,
  }
}
