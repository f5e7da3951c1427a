import type { StatsSnapshot } from '../../../scripts/local/platforms/stats.ts'
import { PLATFORMS, type Platform } from '../../../src/domain/platforms.ts'
import { forEach } from '../../lib/rounds.ts'
import { ratio } from '../../lib/statistics.ts'
import type { Networks } from '../../lib/sync/networks.ts'

/** What was done in a phase, and what it cost. */
export interface Phase {
  label: string
  /** Posts that were read. */
  posts: number
  seconds: number
  /** How far the clock was moved meanwhile. */
  waitedSeconds: number
  roundTrips: number
  /** Deliveries that failed and came again. */
  retried: number
  platforms: Record<Platform, PlatformPhase>
}

export interface PlatformPhase {
  posts: number
  calls: number
  /** Ids in calls that take many, of those that would have fitted in; `null` where there was no such call. */
  filled: number | null
  /** Of the limit that was used most, at the fullest moment of any window. */
  peakShare: number
  violations: number
}

interface Meters {
  networks: Networks
  roundTrips: () => number
  waitedMs: () => number
  retried: () => number
  /** Posts that were read since a moment by the engine's clock, by platform. */
  postsSince: (sinceMs: number) => Promise<Record<Platform, number>>
  now: () => number
}

/** Does something and takes down what it came to. */
export async function measurePhase(
  label: string,
  meters: Meters,
  act: () => Promise<unknown>,
): Promise<Phase> {
  for (const stats of Object.values(meters.networks.stats)) stats.reset()
  const before = { trips: meters.roundTrips(), waitedMs: meters.waitedMs(), retried: meters.retried() }
  const sinceMs = meters.now()
  const startedMs = performance.now()
  await act()
  const seconds = (performance.now() - startedMs) / 1_000
  const roundTrips = meters.roundTrips() - before.trips
  const waitedSeconds = (meters.waitedMs() - before.waitedMs) / 1_000
  const posts = await meters.postsSince(sinceMs)
  const platforms = forEach(PLATFORMS, (platform) =>
    platformPhase(posts[platform], meters.networks.stats[platform].snapshot()),
  )
  return {
    label,
    posts: sumOf(PLATFORMS, (platform) => posts[platform]),
    ...{ seconds, waitedSeconds, roundTrips, retried: meters.retried() - before.retried, platforms },
  }
}

function platformPhase(posts: number, snapshot: StatsSnapshot): PlatformPhase {
  const endpoints = Object.values(snapshot.endpoints)
  const shares = Object.values(snapshot.peakUsage).map(({ share }) => share)
  return {
    posts,
    calls: snapshot.calls,
    filled: ratio(
      sumOf(endpoints, ({ ids, idCapacity }) => (idCapacity === 0 ? 0 : ids)),
      sumOf(endpoints, ({ idCapacity }) => idCapacity),
    ),
    peakShare: Math.max(0, ...shares),
    violations: sumOf(Object.values(snapshot.violations), (count) => count),
  }
}

/** Over all platforms. */
export function inAll({ platforms }: Phase, of: (phase: PlatformPhase) => number): number {
  return sumOf(Object.values(platforms), of)
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0)
}
