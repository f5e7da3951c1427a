import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { namedPeriod } from '../../src/domain/periods.ts'
import { PLATFORM_FACTS, PLATFORMS, type Platform } from '../../src/domain/platforms.ts'
import { getAccount } from '../../src/services/accounts/manage-accounts.ts'
import { readUsage } from '../../src/services/usage/read-usage.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { DAY_MS, type Engine, HOUR_MS, MINUTE_MS, startEngine } from './engine.ts'
import { expectPostsToBeTrue } from './facts.ts'
import { ROOMY } from './networks.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const signsIn = (platform: Platform) => PLATFORM_FACTS[platform].connects === 'oauth'
const MICROS_PER_USD = 1_000_000
const CAST = [person('x', 'ada', { postsPerDay: 24 }), person('x', 'bo', { postsPerDay: 6 })]

async function startPaying(dailyMicros: number, historyDays = 6) {
  const engine = await startEngine(database, {
    ...{ accounts: CAST, historyDays, syncIntervalSeconds: 3_600 },
    dailyBudgets: { x: dailyMicros },
  })
  const ids: string[] = []
  for (const { key } of CAST) ids.push((await engine.connect(key)).id)
  await engine.drain()
  return { engine, ids }
}

/** What X charges for the day so far. */
const billed = (engine: Engine) => engine.networks.charges.costMicros(engine.nowMs)
const usageOf = (engine: Engine) =>
  readUsage(engine.ctx, namedPeriod('7d', 'UTC', engine.nowMs)).then(({ platforms, budgets }) => ({
    x: platforms.find(({ platform }) => platform === 'x'),
    budget: budgets.find(({ platform }) => platform === 'x'),
  }))
const inMicros = (usd: number | null | undefined) => Math.round((usd ?? Number.NaN) * MICROS_PER_USD)

describe('a budget for paid reads', () => {
  it('is never exceeded, is spread over the day, and what it is used for is what X charges', async () => {
    const dailyMicros = 1_200_000
    const { engine } = await startPaying(dailyMicros)
    const bills: number[] = []
    for (let day = 0; day < 2; day++) {
      const untilMs = engine.nowMs - (engine.nowMs % DAY_MS) + DAY_MS
      while (engine.nowMs < untilMs - 1) {
        await engine.live(Math.min(2 * HOUR_MS, untilMs - 1 - engine.nowMs))
        expect(billed(engine)).toBeLessThanOrEqual(dailyMicros)
        bills.push(billed(engine))
        // The account book says the same as the bill.
        const { x, budget } = await usageOf(engine)
        const today = x?.days.find(({ date }) => date === new Date(engine.nowMs).toISOString().slice(0, 10))
        expect(inMicros(today?.costUsd)).toBe(billed(engine))
        expect(inMicros(budget?.spentTodayUsd)).toBe(billed(engine))
        expect(inMicros(budget?.leftUsd)).toBeLessThanOrEqual(dailyMicros - billed(engine))
      }
      engine.elapse(1)
    }
    // More is spent in the afternoon of the second day than was by its morning.
    const second = bills.slice(-12)
    expect(second[2] ?? 0).toBeLessThan(0.6 * dailyMicros)
    expect(second.at(-1) ?? 0).toBeGreaterThan(second[2] ?? 0)
    expect(second.at(-1) ?? 0).toBeGreaterThan(0.45 * dailyMicros)
    expect(engine.stats.x.snapshot().violations).toEqual({})
  })

  it('says so where it stops an account, and goes on when there is more', async () => {
    const { engine, ids } = await startPaying(60_000)
    const freshness = async () => (await getAccount(engine.ctx, ids[0] ?? '')).freshness
    await engine.live(HOUR_MS)
    expect(await freshness()).toMatchObject({ stale: true, reason: 'budget_spent' })
    const before = billed(engine)
    expect(before).toBeLessThanOrEqual(60_000)
    engine.ctx.dailyBudgets.x = 50 * MICROS_PER_USD
    await engine.live(DAY_MS)
    expect(await freshness()).toMatchObject({ stale: false, reason: null, backfilling: false })
  })

  it('buys nothing while nobody knows what is left, and keeps no post waiting for long', async () => {
    const { engine } = await startPaying(5 * MICROS_PER_USD)
    engine.elapse(DAY_MS)
    const { gate } = engine.ctx
    Object.assign(engine.ctx, { gate: { ...gate, moneyLeft: () => Promise.reject(new Error('No answer')) } })
    expect(await engine.plan()).toMatchObject({ posts: 0 })
    Object.assign(engine.ctx, { gate })
    engine.elapse(61_000)
    expect((await engine.plan()).posts).toBeGreaterThan(0)
  })

  it('goes to the youngest posts first, and the others come when there is more', async () => {
    const { engine } = await startPaying(100 * MICROS_PER_USD)
    // The next day: nothing is paid for yet.
    engine.elapse(DAY_MS - (engine.nowMs % DAY_MS) + 12 * HOUR_MS)
    engine.ctx.dailyBudgets.x = 200_000
    const now = new Date(engine.nowMs)
    await database.sql('UPDATE accounts SET next_sync_at = NULL')
    await database.sql("UPDATE posts SET next_refresh_at = $1 WHERE kind <> 'repost'", [now])
    await engine.plan()
    await engine.drain()
    const posts = await database.sql<{ read: boolean; due: Date }>(
      `SELECT metrics_at = $1 AS read, next_refresh_at AS due FROM posts WHERE kind <> 'repost'
       ORDER BY posted_at DESC, platform_post_id`,
      [now],
    )
    const read = posts.filter((post) => post.read).length
    expect(read).toBeGreaterThan(5)
    expect(read).toBeLessThan(posts.length)
    expect(billed(engine)).toBe(5_000 * read)
    expect(posts.slice(0, read).every((post) => post.read)).toBe(true)
    for (const { due } of posts.slice(read)) expect(due.getTime()).toBeGreaterThan(engine.nowMs)
    engine.ctx.dailyBudgets.x = 100 * MICROS_PER_USD
    await database.sql('UPDATE accounts SET next_sync_at = $1', [now])
    await engine.live(DAY_MS)
    expect(
      await database.sql("SELECT 1 FROM posts WHERE kind <> 'repost' AND metrics_at < $1", [now]),
    ).toEqual([])
  })
})

describe('the account book', () => {
  /** Two of whom platforms show to anybody, one of who has to sign in there. */
  const readers = PLATFORMS.flatMap((platform) => [
    person(platform, `${platform}a`, { postsPerDay: 3 }),
    ...(signsIn(platform) ? [] : [person(platform, `${platform}b`, { postsPerDay: 1 })]),
  ])
  const kept = (engine: Engine) =>
    database.sql<{ platform: string; calls: number; items: number; failures: number; cost: string }>(
      `SELECT platform, sum(calls)::int AS calls, sum(items)::int AS items, sum(failures)::int AS failures,
         sum(cost_micros)::bigint AS cost
       FROM api_usage WHERE workspace_id = $1 GROUP BY platform ORDER BY platform`,
      [engine.workspaceId],
    )
  /** What the platforms have answered to us: all but the page on which somebody agreed. */
  const counted = (engine: Engine) =>
    PLATFORMS.map((platform) => {
      const pages = signsIn(platform) ? 1 : 0
      return { platform, calls: engine.stats[platform].snapshot().calls - pages }
    }).toSorted((a, b) => (a.platform < b.platform ? -1 : 1))
  const expectEveryCall = async (engine: Engine) => {
    const rows = await kept(engine)
    expect(rows.map(({ platform, calls }) => ({ platform, calls }))).toEqual(counted(engine))
    return rows
  }

  async function startAll(): Promise<Engine> {
    const engine = await startEngine(database, { accounts: readers, historyDays: 4, ...ROOMY })
    for (const { key } of readers) await engine.connect(key)
    return engine
  }

  async function readAll(engine: Engine): Promise<void> {
    const now = new Date(engine.nowMs)
    await database.sql("UPDATE posts SET next_refresh_at = $1 WHERE kind <> 'repost'", [now])
    await database.sql('UPDATE accounts SET next_sync_at = $1', [now])
    await engine.plan()
  }

  it('has every call of every platform once, and what X costs to the last unit; while the database does not answer, nothing twice', async () => {
    const engine = await startAll()
    await engine.drain()
    for (let hour = 0; hour < 2; hour++) {
      engine.elapse(HOUR_MS)
      await engine.plan()
      await engine.drain()
    }
    const rows = await expectEveryCall(engine)
    expect(rows.every(({ failures }) => failures === 0)).toBe(true)
    for (const { platform, items, cost } of rows) {
      expect(items, platform).toBeGreaterThan(0)
      expect(Number(cost), platform).toBe(platform === 'x' ? billed(engine) : 0)
    }

    engine.elapse(HOUR_MS)
    await readAll(engine)
    const before = new Map(rows.map(({ platform, calls }) => [platform, calls]))
    let trips = 0
    engine.interrupt = () => (++trips % 5 === 0 ? 'unanswered' : null)
    await engine.drain()
    engine.interrupt = () => null
    await engine.live(10 * MINUTE_MS)
    for (const { platform, calls } of await kept(engine)) {
      const made = engine.stats[PLATFORMS.find((name) => name === platform) ?? 'x'].snapshot().calls
      // Never more than was called, whatever was written twice.
      expect(calls, platform).toBeLessThanOrEqual(made)
      expect(calls, platform).toBeGreaterThan(before.get(platform) ?? 0)
    }
  })

  it('has the calls of deliveries that break, of which one loses at most its own', async () => {
    const engine = await startAll()
    let broken = 0
    for (const point of ['before the ingest', 'after the ingest'] as const) {
      for (let due = engine.queue.takeDue(); due.length > 0; due = engine.queue.takeDue())
        for (const delivery of due) {
          if (delivery.retried === 0) {
            engine.crashNext(point)
            await engine.deliver(delivery)
            if (engine.recover()) broken += 1
          } else await engine.deliver(delivery)
        }
      engine.elapse(30 * MINUTE_MS)
      await engine.plan()
    }
    expect(broken).toBeGreaterThan(10)
    // A crash is an exception here, after which the book is written; repeated, a row counts once.
    await expectEveryCall(engine)
    await engine.drain()
    await readAll(engine)
    await engine.drain()
    for (const platform of PLATFORMS) await expectPostsToBeTrue(database, engine, `${platform}a`)
  })
})
