import { setTimeout as sleep } from 'node:timers/promises'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import type { Random } from '../../scripts/local/platforms/random.ts'
import type { World } from '../../scripts/local/platforms/world.ts'
import { PLATFORMS, type Platform } from '../../src/domain/platforms.ts'
import type { GateMemory } from './gate-memory.ts'
import { nowAndThen } from './patience.ts'
import type { Toll } from './toll.ts'

const LEAST_PAUSE_MS = 2_000
const MOST_PAUSE_MS = 12_000
const LEAST_FAULT_MS = 3_000
const MOST_FAULT_MS = 45_000
const LEAST_SLOW_MS = 500
const MOST_SLOW_MS = 12_000

const VERBS = ['burst429', 'outage', 'truncate', 'malform', 'slow', 'expire-tokens'] as const
/** Where an access token that has expired is renewed without asking its owner. */
const RENEWING: readonly Platform[] = ['tiktok', 'linkedin']
/** They call "too many" a matter of the day, as they count days: the next one comes when the burst is over. */
const COUNTING_DAYS: readonly Platform[] = ['linkedin', 'youtube']

/** Something happens to one platform after the other, or to several at once, until the signal says otherwise. */
export function disturb(
  world: World,
  memory: GateMemory,
  { random, toll, signal }: { random: Random; toll: Toll; signal: AbortSignal },
): Promise<void> {
  const isOver = async (platform: Platform, durationMs: number) => {
    await sleep(durationMs + 1_000, undefined, { signal })
    await memory.endDay(platform)
  }
  return nowAndThen(
    signal,
    () => random.int(LEAST_PAUSE_MS, MOST_PAUSE_MS),
    async () => {
      const verb = random.pick(VERBS)
      if (verb === 'expire-tokens') {
        runAction(world, verb, { platform: random.pick(RENEWING) })
        toll.tokensExpired += 1
        return
      }
      const platform = random.pick(PLATFORMS)
      const durationMs = random.int(LEAST_FAULT_MS, MOST_FAULT_MS)
      runAction(world, verb, {
        platform,
        durationMs,
        ...(verb === 'outage' && { status: random.pick([500, 502, 503]), isHtml: random.chance(0.5) }),
        ...(verb === 'slow' && { delayMs: random.int(LEAST_SLOW_MS, MOST_SLOW_MS) }),
      })
      toll.faults += 1
      // Nobody waits for it: what is not over when the chaos is, calm sees to.
      if (verb === 'burst429' && COUNTING_DAYS.includes(platform))
        isOver(platform, durationMs).catch(() => {})
    },
  )
}
