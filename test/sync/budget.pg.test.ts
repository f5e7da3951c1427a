import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { DAY_MS, type Engine, HOUR_MS, MINUTE_MS, type Order, startEngine } from './engine.ts'
import { expectRollupsToMatchPosts } from './facts.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const CAST = [
  person('bluesky', 'ada', { postsPerDay: 8 }),
  person('bluesky', 'bo', { postsPerDay: 5 }),
  person('mastodon', 'cleo', { postsPerDay: 5 }),
  person('mastodon', 'dora', { postsPerDay: 2 }),
]

/** Everybody connected at platforms that allow ten calls in five minutes, and so many pages of posts in fifteen. */
async function startLimited({ pages }: { pages: number }): Promise<Engine> {
  const engine = await startEngine(database, {
    accounts: CAST,
    historyDays: 20,
    limits: {
      bluesky: { requests: 10, windowMs: 300_000 },
      mastodon: { requests: 10, windowMs: 300_000, pagedRequests: pages, pagedWindowMs: 900_000 },
    },
  })
  for (const { key } of CAST) await engine.connect(key)
  return engine
}

/** Fullest windows of both platforms' rules, as shares of their limits. */
function fullestShares(engine: Engine): Record<string, number> {
  return Object.fromEntries(
    Object.entries(engine.stats).flatMap(([platform, stats]) =>
      Object.entries(stats.snapshot().peakUsage).map(([rule, { share }]) => [`${platform} ${rule}`, share]),
    ),
  )
}

describe('a platform with a small limit', () => {
  it.each<Order>(['in order', 'at once'])(
    'never sees more than nine tenths of it, and all is read in the end (deliveries %s)',
    { timeout: 180_000 },
    async (order) => {
      const engine = await startLimited({ pages: 10 })
      const connectedAtMs = engine.nowMs
      await engine.drain(order)
      const isBackfilled = async () =>
        (await database.sql('SELECT 1 FROM accounts WHERE backfilled_at IS NULL')).length === 0
      for (let waited = 0; waited < 24 && !(await isBackfilled()); waited++)
        await engine.live(5 * MINUTE_MS, order)
      expect(await isBackfilled()).toBe(true)
      for (const { violations } of Object.values(engine.stats).map((stats) => stats.snapshot()))
        expect(violations).toEqual({})
      const shares = fullestShares(engine)
      for (const [rule, share] of Object.entries(shares)) expect(share, rule).toBeLessThanOrEqual(0.9)
      expect(Math.max(...Object.values(shares))).toBeGreaterThan(0.8)
      expect(engine.queue.dead).toEqual([])
      const [{ count } = { count: 0 }] = await database.sql<{ count: number }>(
        "SELECT count(*)::int AS count FROM posts WHERE kind <> 'repost' AND posted_at < $1",
        [new Date(connectedAtMs)],
      )
      expect(count).toBe(
        CAST.map(({ key }) => engine.person(key)).reduce(
          (sum, account) =>
            sum +
            engine.world.posts(account, {
              t: connectedAtMs - 1,
              limit: Number.POSITIVE_INFINITY,
              where: (entry) => entry.kind !== 'repost',
            }).length,
          0,
        ),
      )
      await expectRollupsToMatchPosts(database, engine.workspaceId)
    },
  )

  it('goes on being asked for new posts where more known ones are due than it allows', {
    timeout: 180_000,
  }, async () => {
    const engine = await startLimited({ pages: 100 })
    await engine.drain()
    for (let minutes = 0; minutes < 90; minutes += 5) {
      await database.sql("UPDATE posts SET next_refresh_at = $1 WHERE kind <> 'repost'", [
        new Date(engine.nowMs),
      ])
      await engine.live(5 * MINUTE_MS)
    }
    const unread = await database.sql(
      'SELECT handle FROM accounts WHERE last_synced_at IS NULL OR last_synced_at < $1',
      [new Date(engine.nowMs - HOUR_MS)],
    )
    expect(unread).toEqual([])
    for (const { violations } of Object.values(engine.stats).map((stats) => stats.snapshot()))
      expect(violations).toEqual({})
    // And known ones are read again as well: most of what is allowed is used for them.
    const [{ read } = { read: 0 }] = await database.sql<{ read: number }>(
      'SELECT count(DISTINCT platform)::int AS read FROM posts WHERE posted_at < $1 AND metrics_at > $2',
      [new Date(engine.nowMs - DAY_MS), new Date(engine.nowMs - HOUR_MS)],
    )
    expect(read).toBe(2)
  })
})

describe('a platform that asks to wait', () => {
  const calledAfter = async (engine: Engine, forMs: number) => {
    const before = engine.calls.length
    await engine.live(forMs)
    return engine.calls.length - before
  }

  async function startWatched(): Promise<Engine> {
    const engine = await startEngine(database, { accounts: CAST, historyDays: 5 })
    for (const { key } of CAST) await engine.connect(key)
    await engine.drain()
    engine.elapse(HOUR_MS)
    await engine.ctx.watchList.mark(engine.workspaceId)
    return engine
  }

  it('is left alone for so long, also where somebody is looking', async () => {
    const engine = await startWatched()
    engine.interfere = () => Response.json({}, { status: 429, headers: { 'retry-after': '240' } })
    await engine.plan()
    await engine.drain()
    engine.interfere = () => undefined
    expect(
      await database.sql('SELECT 1 FROM accounts WHERE next_sync_at < $1 OR not_before < $1', [
        new Date(engine.nowMs + 240_000),
      ]),
    ).toEqual([])
    expect(await calledAfter(engine, 239_000)).toBe(0)
    await engine.ctx.watchList.mark(engine.workspaceId)
    expect(await calledAfter(engine, 3 * MINUTE_MS)).toBeGreaterThan(4)
    expect(await database.sql('SELECT 1 FROM accounts WHERE stale_reason IS NOT NULL')).toEqual([])
  })

  it('is not asked by others either, once it has told one of them', async () => {
    const engine = await startWatched()
    engine.interfere = () => Response.json({}, { status: 429, headers: { 'retry-after': '240' } })
    await engine.plan()
    const before = engine.calls.length
    await engine.drain()
    const hosts = engine.calls.slice(before).map(({ host }) => host)
    expect(hosts.toSorted()).toEqual(['127.0.0.1:2584', '127.0.0.1:3000'])
  })

  it('keeps the posts that were read before it did', async () => {
    const engine = await startWatched()
    await engine.plan()
    await database.sql("UPDATE posts SET next_refresh_at = $1 WHERE kind <> 'repost'", [
      new Date(engine.nowMs),
    ])
    await engine.plan()
    let batches = 0
    engine.interfere = (url) => {
      if (!url.pathname.endsWith('getPosts') || ++batches < 2) return undefined
      return Response.json({}, { status: 429, headers: { 'retry-after': '60' } })
    }
    await engine.drain()
    const [{ read } = { read: 0 }] = await database.sql<{ read: number }>(
      "SELECT count(*)::int AS read FROM posts WHERE metrics_at = $1 AND platform = 'bluesky' AND next_refresh_at > $1",
      [new Date(engine.nowMs)],
    )
    expect(read).toBeGreaterThanOrEqual(25)
    engine.interfere = () => undefined
    engine.elapse(MINUTE_MS)
    await engine.drain()
    expect(
      await database.sql("SELECT 1 FROM posts WHERE kind <> 'repost' AND metrics_at < $1", [
        new Date(engine.nowMs - MINUTE_MS),
      ]),
    ).toEqual([])
    expect(engine.queue.dead).toEqual([])
  })
})
