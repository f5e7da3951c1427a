import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { connectAccount } from '../../src/services/accounts/connect-account.ts'
import { SyncAccountsMessage } from '../../src/services/sync/messages.ts'
import { planSync } from '../../src/services/sync/plan.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import {
  DAY_MS,
  type Engine,
  HOUR_MS,
  MINUTE_MS,
  secondWorkspace,
  startEngine,
  withoutRedis,
} from './engine.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const CAST = ['ada', 'bo', 'cy'].map((key) => person('bluesky', key, { postsPerDay: 1 }))

async function startConnected(options: { syncIntervalSeconds?: number } = {}): Promise<Engine> {
  const engine = await startEngine(database, { accounts: CAST, historyDays: 3, ...options })
  for (const { key } of CAST) await engine.connect(key)
  await engine.drain()
  return engine
}

/** Who is read by what waits in the queue, by handle. */
function queuedAccounts(engine: Engine): string[] {
  return engine.queue.waiting
    .filter(({ topic }) => topic === 'sync/accounts')
    .flatMap(({ body }) =>
      SyncAccountsMessage.parse(body).accounts.map(({ handle }) => handle.split('.')[0] ?? ''),
    )
    .toSorted()
}

const EVERYBODY = ['ada', 'bo', 'cy']

describe('whose turn it is', () => {
  it('comes every quarter of an hour where nobody is looking', async () => {
    const engine = await startConnected()
    // The first time sooner, each at a moment of its own.
    engine.elapse(16 * MINUTE_MS)
    await engine.plan()
    await engine.drain()
    engine.elapse(13 * MINUTE_MS)
    expect(await engine.plan()).toMatchObject({ accounts: 0 })
    engine.elapse(4 * MINUTE_MS)
    expect(await engine.plan()).toMatchObject({ accounts: 3 })
    expect(queuedAccounts(engine)).toEqual(EVERYBODY)
    const [{ last } = { last: null }] = await database.sql<{ last: Date | null }>(
      'SELECT max(next_sync_at) AS last FROM accounts',
    )
    expect(last?.getTime()).toBeLessThan(engine.nowMs + 15 * MINUTE_MS)
  })

  it('comes at every plan where somebody is looking, and only there', async () => {
    const engine = await startConnected()
    const other = await secondWorkspace(database, engine)
    await connectAccount(other, engine.typed('ada'))
    await engine.drain()
    // Later than this test goes: after the first reading it may come soon.
    await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs + 10 * MINUTE_MS)])
    await other.watchList.mark(engine.workspaceId)
    for (let minute = 0; minute < 4; minute++) {
      engine.elapse(MINUTE_MS)
      await engine.plan()
      expect(queuedAccounts(engine)).toEqual(EVERYBODY)
      await engine.drain()
    }
    // Five minutes after the last look, nobody is looking any more.
    engine.elapse(MINUTE_MS + 1_000)
    await engine.plan()
    expect(queuedAccounts(engine)).toEqual([])
  })

  it('follows a shorter interval than the schedule’s minute by delayed plans, each of them once', async () => {
    const engine = await startConnected({ syncIntervalSeconds: 20 })
    await planSync(engine.ctx, { repeated: false })
    await planSync(engine.ctx, { repeated: false })
    const plans = engine.queue.waiting.filter(({ topic }) => topic === 'sync/plan')
    expect(plans.map(({ delaySeconds, body }) => ({ delaySeconds, body }))).toEqual([
      { delaySeconds: 20, body: { repeated: true } },
      { delaySeconds: 40, body: { repeated: true } },
    ])
    await engine.ctx.watchList.mark(engine.workspaceId)
    engine.elapse(20_000)
    await engine.drain()
    expect(await database.sql('SELECT DISTINCT last_synced_at FROM accounts')).toEqual([
      { last_synced_at: new Date(engine.nowMs) },
    ])
  })

  it('comes for posts by their age, and later the longer they stand still', async () => {
    const engine = await startConnected()
    const young = engine.act('publish', { account: 'ada', text: 'New' })
    await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs)])
    await engine.plan()
    await engine.drain()
    const readAfterMinutes: number[] = []
    for (let minute = 3; minute <= 135; minute += 3) {
      engine.elapse(3 * MINUTE_MS)
      // The newest page is left out, which would read it as well.
      await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs + HOUR_MS)])
      await engine.plan()
      const due = JSON.stringify(engine.queue.waiting)
      if (young !== undefined && due.includes(young)) readAfterMinutes.push(minute)
      await engine.drain()
    }
    const gaps = readAfterMinutes.map((minute, i) => minute - (readAfterMinutes[i - 1] ?? 0))
    const expected = [15, 15, 30, 60]
    expect(gaps).toHaveLength(expected.length)
    for (const [i, gap] of gaps.entries())
      expect(Math.abs(gap - (expected[i] ?? 0)), `gap ${i}`).toBeLessThan(10)
  })
})

describe('a claim', () => {
  it.each([
    ['nobody is looking', false],
    ['somebody is looking', true],
  ])('is given once to plans at once, where %s', async (_who, isWatched) => {
    const engine = await startConnected()
    if (isWatched) await engine.ctx.watchList.mark(engine.workspaceId)
    engine.elapse(isWatched ? MINUTE_MS : 17 * MINUTE_MS)
    if (isWatched) await engine.ctx.watchList.mark(engine.workspaceId)
    const plans = await Promise.all(Array.from({ length: 4 }, () => engine.plan()))
    expect(plans.reduce((sum, { accounts }) => sum + accounts, 0)).toBe(3)
    expect(queuedAccounts(engine)).toEqual(EVERYBODY)
  })

  it.each([
    ['nobody is looking', false],
    ['somebody is looking', true],
  ])('keeps others away until its lease ends, where %s', async (_who, isWatched) => {
    const engine = await startConnected()
    engine.elapse(17 * MINUTE_MS)
    await engine.plan()
    const lost = engine.queue.lose()
    expect(lost).not.toHaveLength(0)
    for (let minute = 0; minute < 4; minute++) {
      engine.elapse(MINUTE_MS)
      if (isWatched) await engine.ctx.watchList.mark(engine.workspaceId)
      expect(await engine.plan()).toMatchObject({ accounts: 0 })
    }
    engine.elapse(MINUTE_MS)
    expect(await engine.plan()).toMatchObject({ accounts: 3 })
  })

  it('of posts is given once, too, and ends with its lease', async () => {
    const engine = await startConnected()
    engine.elapse(DAY_MS)
    const plans = await Promise.all(Array.from({ length: 4 }, () => engine.plan()))
    const claimed = plans.reduce((sum, { posts }) => sum + posts, 0)
    const [{ due } = { due: 0 }] = await database.sql<{ due: number }>(
      "SELECT count(*)::int AS due FROM posts WHERE kind <> 'repost' AND next_refresh_at = $1",
      [new Date(engine.nowMs + 15 * MINUTE_MS)],
    )
    expect(claimed).toBeGreaterThan(0)
    expect(claimed).toBe(due)
    engine.queue.lose()
    engine.elapse(14 * MINUTE_MS)
    expect(await engine.plan()).toMatchObject({ posts: 0 })
    engine.elapse(MINUTE_MS)
    expect(await engine.plan()).toMatchObject({ posts: claimed })
  })

  it('leaves nobody out for whom there is no room: watched accounts come first', async () => {
    const engine = await startConnected()
    const other = await secondWorkspace(database, engine)
    const { id } = await connectAccount(other, engine.typed('ada'))
    await engine.drain()
    // More than one plan takes, all of them overdue.
    await database.sql(
      `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status, next_sync_at, last_synced_at)
       SELECT gen_random_uuid(), $1, 'bluesky', 'did:plc:x' || i, 'x' || i, 'public', 'active', $2, $2
       FROM generate_series(1, 1100) AS i`,
      [engine.workspaceId, new Date(engine.nowMs - HOUR_MS)],
    )
    engine.elapse(MINUTE_MS)
    await other.watchList.mark(other.workspace.id)
    await engine.plan()
    const claimed = engine.queue.waiting.flatMap(({ topic, body }) =>
      topic === 'sync/accounts' ? SyncAccountsMessage.parse(body).accounts.map((account) => account.id) : [],
    )
    expect(claimed.includes(id)).toBe(true)
    expect(claimed).toHaveLength(1_001)
  })
})

describe('without Redis', () => {
  it('sync pauses: nothing is planned or claimed, and no platform is called', async () => {
    const engine = await startConnected()
    engine.elapse(HOUR_MS)
    const gone = withoutRedis(engine)
    const calls = engine.calls.length
    expect(await planSync(gone, { repeated: true })).toEqual({ accounts: 0, posts: 0, messages: 0 })
    expect(engine.queue.waiting).toEqual([])
    expect(engine.calls).toHaveLength(calls)
    expect(await engine.plan()).toMatchObject({ accounts: 3 })
  })

  it('a message that is under way calls no platform either, and its accounts come again', async () => {
    const engine = await startConnected()
    engine.elapse(HOUR_MS)
    await engine.plan()
    const calls = engine.calls.length
    const gone = withoutRedis(engine)
    for (const delivery of engine.queue.takeDue()) await engine.deliver(delivery, gone)
    expect(engine.calls).toHaveLength(calls)
    expect(engine.queue.dead).toEqual([])
    expect(await database.sql('SELECT DISTINCT status, stale_reason FROM accounts')).toEqual([
      { status: 'active', stale_reason: 'rate_limited' },
    ])
    await engine.live(5 * MINUTE_MS)
    expect(await database.sql('SELECT DISTINCT status, stale_reason FROM accounts')).toEqual([
      { status: 'active', stale_reason: null },
    ])
  })
})
