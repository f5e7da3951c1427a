import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../scripts/local/platforms/random.ts'
import { PLATFORMS, type Platform } from '../../src/domain/platforms.ts'
import { longestRestSeconds } from '../../src/domain/sync-tiers.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { HOUR_MS, MINUTE_MS, startEngine } from './engine.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/**
 * The longest that an account waits whose platform lets calls through: its rest, a tenth more of it, the
 * longest back-off after a failure, a claim that came to nothing, a breaker's half minute, and two plans.
 */
const boundMs = (platform: Platform, intervalSeconds: number) =>
  (longestRestSeconds(platform) * 1.1 + 900 + 300 + 30 + 2 * intervalSeconds) * 1_000

const load = fc.record({
  platforms: fc.uniqueArray(
    fc.record({
      platform: fc.constantFrom<Platform>(...PLATFORMS.filter((platform) => platform !== 'linkedin')),
      accounts: fc.integer({ min: 1, max: 4 }),
      postsPerDay: fc.constantFrom(0, 1, 6),
      outage: fc.option(fc.record({ afterMinutes: fc.nat(60), forMinutes: fc.integer({ min: 1, max: 60 }) })),
    }),
    { minLength: 2, maxLength: 3, selector: ({ platform }) => platform },
  ),
  /** Calls in five minutes; enough for all accounts within an hour, and little more. */
  requests: fc.integer({ min: 8, max: 40 }),
  intervalSeconds: fc.constantFrom(900, 1_200),
})

describe('under any load', () => {
  it('no account starves whose platform answers, and no limit is ever broken', async () => {
    await fc.assert(
      fc.asyncProperty(load, async ({ platforms, requests, intervalSeconds }) => {
        const accounts = platforms.flatMap(({ platform, accounts: many, postsPerDay }) =>
          Array.from({ length: many }, (_, i) => person(platform, `${platform}${i}`, { postsPerDay })),
        )
        const engine = await startEngine(database, {
          ...{ accounts, historyDays: 2, syncIntervalSeconds: intervalSeconds },
          limits: {
            bluesky: { requests, windowMs: 300_000 },
            mastodon: { requests, windowMs: 300_000, pagedRequests: requests, pagedWindowMs: 900_000 },
          },
          ourLimits: { 'bluesky.calls': requests, 'mastodon.calls': requests, 'mastodon.pages': requests },
        })
        for (const { key } of accounts) await engine.connect(key)
        for (const { platform, outage } of platforms)
          if (outage !== null)
            engine.act('outage', {
              ...{ platform, status: 503, durationMs: outage.forMinutes * MINUTE_MS },
              at: engine.nowMs + outage.afterMinutes * MINUTE_MS,
            })
        // All outages are over after two hours.
        await engine.live(2 * HOUR_MS)
        const longestMs = Math.max(...platforms.map(({ platform }) => boundMs(platform, intervalSeconds)))
        await engine.live(longestMs)
        const starved = await database.sql<{ platform: Platform; last_synced_at: Date | null }>(
          'SELECT platform, handle, last_synced_at, stale_reason FROM accounts',
        )
        expect(
          starved.filter(
            ({ platform, last_synced_at }) =>
              last_synced_at === null ||
              engine.nowMs - last_synced_at.getTime() > boundMs(platform, intervalSeconds),
          ),
        ).toEqual([])
        for (const { platform } of platforms)
          expect(engine.stats[platform].snapshot().violations, platform).toEqual({})
        for (const platform of ['bluesky', 'mastodon'] as const)
          for (const [rule, { share }] of Object.entries(engine.stats[platform].snapshot().peakUsage))
            expect(share, rule).toBeLessThanOrEqual(0.9)
      }),
      { numRuns: Number(process.env.FAIRNESS_RUNS ?? 1), endOnFailure: true },
    )
  }, 120_000)
})

describe('many accounts that were added together', () => {
  it('do not stay together', async () => {
    const many = 300
    // Every rest is drawn by lot: the same at every run.
    const lots = createRandom('rests')
    vi.spyOn(Math, 'random').mockImplementation(lots.next)
    const engine = await startEngine(database, {
      ...{ accounts: [person('bluesky', 'ada', { postsPerDay: 0 })], historyDays: 1 },
      ...{ syncIntervalSeconds: 600 },
      limits: { bluesky: { requests: 100_000, windowMs: 300_000 } },
      ourLimits: { 'bluesky.calls': 100_000 },
    })
    const account = engine.person('ada')
    // Their profiles and empty lists: what they write is not what this is about.
    engine.interfere = (url) => {
      const actors = url.searchParams.getAll('actors')
      if (actors.length === 0) return Response.json({ feed: [] })
      return Response.json({
        profiles: actors.map((did) => ({ did, handle: account.handle, followersCount: 1 })),
      })
    }
    await database.sql(
      `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status, next_sync_at)
       SELECT gen_random_uuid(), $1, 'bluesky', 'did:plc:' || lpad(i::text, 24, 'a'), 'x' || i || '.example.social',
         'public', 'active', $2 FROM generate_series(1, $3) AS i`,
      [engine.workspaceId, new Date(engine.nowMs), many],
    )
    const spread = async () => {
      const [row] = await database.sql<{ busiest: number; minutes: number }>(
        `SELECT max(n)::int AS busiest, count(*)::int AS minutes FROM (
           SELECT count(*) AS n FROM accounts GROUP BY date_bin('10 minutes', next_sync_at, '2000-01-01')) t`,
      )
      return row ?? { busiest: many, minutes: 1 }
    }
    await engine.plan()
    await engine.drain()
    expect(await database.sql('SELECT 1 FROM accounts WHERE last_synced_at IS NULL')).toEqual([])
    // Silent ones rest for three hours, within a tenth: 36 minutes, evenly, which are four parts of ten.
    const first = await spread()
    expect(first.minutes).toBeGreaterThanOrEqual(4)
    expect(first.busiest).toBeLessThan(0.4 * many)
    for (let interval = 0; interval < 3; interval++) await engine.live(3 * HOUR_MS)
    const later = await spread()
    // Each rest adds its own tenth: after some of them they lie over more than an hour.
    expect(later.minutes).toBeGreaterThanOrEqual(7)
    expect(later.busiest).toBeLessThan(0.26 * many)
  }, 60_000)
})
