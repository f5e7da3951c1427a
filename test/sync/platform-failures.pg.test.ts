import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { PLATFORMS, type Platform } from '../../src/domain/platforms.ts'
import { pauseSync, resumeSync } from '../../src/services/ops/read-sync.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { allDue, callsDuring, expectPostsToBeTrueAfterReading, readAll, startConnected } from './connected.ts'
import { DAY_MS, type Engine, HOUR_MS, MINUTE_MS, startEngine, withoutRedis } from './engine.ts'
import { expectPostsToBeTrue } from './facts.ts'
import { ROOMY } from './networks.ts'
import { person } from './people.ts'
import { signIn } from './sign-in.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const SECOND_MS = 1_000

describe.each(['bluesky', 'youtube', 'threads'] as const)('%s, while it is down', (platform) => {
  it('is tried by one call in thirty seconds, and is read again by everybody soon after', async () => {
    const many = 4
    const { engine, read, operator } = await startConnected(database, [platform], many)
    const breaker = async () =>
      (await operator.gateOperations.breakers()).find(({ name }) => name === platform)?.state
    engine.elapse(2 * HOUR_MS)
    engine.act('outage', { platform, status: 503, durationMs: 30 * MINUTE_MS })
    const published = engine.queue.published.length
    const down = await callsDuring(engine, platform, () => engine.live(30 * MINUTE_MS - SECOND_MS))
    // Five failures in a row open it, four may be under way beside them; then one call every half minute.
    // In every plan one for the accounts and one for their posts: what cannot be read does not gather.
    expect(engine.queue.published.length - published).toBeLessThanOrEqual(2 * 30)
    expect(down).toBeGreaterThan(5)
    expect(down).toBeLessThanOrEqual(5 + 4 + 60)
    expect(await breaker()).not.toBe('closed')
    expect((await read(`${platform}0`)).freshness).toMatchObject({ stale: true, reason: 'platform_down' })
    // The longest that anybody waits after a failure, the rest of a breaker's half minute, and a plan.
    await engine.live(17 * MINUTE_MS)
    expect(await breaker()).toBe('closed')
    expect(
      await database.sql(
        'SELECT handle FROM accounts WHERE stale_reason IS NOT NULL OR last_synced_at < $1',
        [new Date(engine.nowMs - 17 * MINUTE_MS)],
      ),
    ).toEqual([])
    expect(await database.sql("SELECT 1 FROM accounts WHERE status <> 'active'")).toEqual([])
  })
})

describe('an operator', () => {
  it('stops a platform within five seconds and until it is resumed, and the others go on', async () => {
    const { engine, read, operator } = await startConnected(database, ['x', 'reddit', 'mastodon'], 2, 120)
    await readAll(database, engine)
    await pauseSync(operator, { platform: 'reddit' })
    engine.elapse(5 * SECOND_MS)
    await engine.ctx.watchList.mark(engine.workspaceId)
    await allDue(database, engine)
    expect(await callsDuring(engine, 'reddit', () => engine.live(HOUR_MS))).toBe(0)
    expect(await read('reddit0')).toMatchObject({
      status: 'active',
      freshness: { stale: true, reason: 'paused' },
    })
    expect((await read('mastodon0')).freshness.stale).toBe(false)
    await resumeSync(operator, { platform: 'reddit' })
    await engine.live(3 * MINUTE_MS)
    for (const key of ['reddit0', 'reddit1'])
      expect((await read(key)).freshness).toMatchObject({ stale: false, reason: null })
    await expectPostsToBeTrueAfterReading(database, engine, 'reddit0')
  })

  it('stops what is under way as well, and all platforms at once', async () => {
    const { engine, operator } = await startConnected(database, ['x', 'tiktok', 'bluesky'], 2)
    await allDue(database, engine)
    await engine.plan()
    const planned = engine.queue.takeDue()
    await pauseSync(operator, {})
    engine.elapse(5 * SECOND_MS)
    const from = engine.calls.length
    for (const delivery of planned) await engine.deliver(delivery)
    await engine.live(10 * MINUTE_MS)
    expect(engine.calls).toHaveLength(from)
    expect(engine.queue.dead).toEqual([])
    expect(await database.sql('SELECT DISTINCT stale_reason FROM accounts')).toEqual([
      { stale_reason: 'paused' },
    ])
    await resumeSync(operator, {})
    await engine.live(3 * MINUTE_MS)
    expect(await database.sql('SELECT DISTINCT stale_reason FROM accounts')).toEqual([{ stale_reason: null }])
  })
})

/** LinkedIn never says how long; its allowance is one of the UTC day. */
const waitOf = (engine: Engine, platform: Platform) =>
  platform === 'linkedin' ? DAY_MS - (engine.nowMs % DAY_MS) : 137 * SECOND_MS

describe.each(PLATFORMS)('%s, when it asks to wait', (platform) => {
  it('is not called for exactly so long, and then again', async () => {
    const { engine } = await startConnected(database, [platform], 2)
    engine.elapse(HOUR_MS)
    let refused = 0
    engine.interfere = () => {
      refused += 1
      return Response.json({ message: 'Slow down' }, { status: 429, headers: { 'retry-after': '137' } })
    }
    await readAll(database, engine)
    engine.interfere = () => undefined
    expect(refused).toBeGreaterThan(0)
    // What was under way at the same time as the first.
    expect(refused).toBeLessThanOrEqual(5)
    const untilMs = engine.nowMs + waitOf(engine, platform)
    // TikTok counts every endpoint apart; the one for known videos goes first.
    const isAsked = (url: URL) => platform !== 'tiktok' || url.pathname.includes('/user/info')
    const callsUntil = async (ms: number) => {
      const from = engine.calls.length
      await engine.ctx.watchList.mark(engine.workspaceId)
      await engine.live(ms - engine.nowMs)
      return engine.calls.slice(from).filter(isAsked).length
    }
    expect(await callsUntil(engine.nowMs + 100 * SECOND_MS)).toBe(0)
    engine.elapse(Math.max(0, untilMs - 37 * SECOND_MS - engine.nowMs))
    expect(await callsUntil(untilMs - 1)).toBe(0)
    // Half a minute of jitter, and a plan.
    expect(await callsUntil(untilMs + 95 * SECOND_MS)).toBeGreaterThan(0)
    expect(
      await database.sql('SELECT 1 FROM accounts WHERE stale_reason IS NOT NULL OR last_synced_at < $1', [
        new Date(untilMs),
      ]),
    ).toEqual([])
    expect(engine.queue.dead).toEqual([])
  })
})

describe('a token that its platform takes no more', () => {
  it.each(['tiktok', 'linkedin', 'instagram', 'facebook', 'threads'] as const)(
    'stops its account with a plain reason, costs no more calls, and is mended by signing in (%s)',
    async (platform) => {
      const { engine, read, ids } = await startConnected(database, [platform], 2)
      engine.elapse(3 * HOUR_MS)
      engine.act('revoke-tokens', { platform, account: engine.person(`${platform}0`).id })
      await readAll(database, engine)
      const stopped = await read(`${platform}0`)
      expect(stopped).toMatchObject({
        status: 'needs_auth',
        statusReason: expect.stringMatching(/sign in/i),
        freshness: { stale: true, reason: 'needs_auth', nextSyncAt: null },
      })
      expect(await read(`${platform}1`)).toMatchObject({ status: 'active', freshness: { stale: false } })
      await database.sql("UPDATE accounts SET next_sync_at = NULL WHERE status = 'active'")
      await database.sql('UPDATE posts SET next_refresh_at = NULL WHERE account_id = $1', [
        ids.get(`${platform}1`),
      ])
      expect(await callsDuring(engine, platform, () => engine.live(20 * MINUTE_MS))).toBe(0)
      await signIn(engine, `${platform}0`, ids.get(`${platform}0`))
      await engine.settle()
      await engine.drain()
      expect(await read(`${platform}0`)).toMatchObject({ status: 'active', freshness: { stale: false } })
      await expectPostsToBeTrueAfterReading(database, engine, `${platform}0`)
    },
  )

  it('is renewed once where the platform lets us, and the account goes on', async () => {
    const { engine, read } = await startConnected(database, ['tiktok'], 1, 1_200)
    engine.elapse(30 * MINUTE_MS)
    const { id } = engine.person('tiktok0')
    engine.act('expire-tokens', { platform: 'tiktok', account: id })
    engine.elapse(SECOND_MS)
    const from = engine.calls.length
    await readAll(database, engine)
    const renewals = engine.calls.slice(from).filter(({ pathname }) => pathname.includes('token'))
    expect(renewals).toHaveLength(1)
    expect(await read('tiktok0')).toMatchObject({
      status: 'active',
      freshness: { stale: false, lastSyncedAt: new Date(engine.nowMs).toISOString().replace('.000', '') },
    })
    // Two hours at a time: never an error.
    await engine.live(5 * HOUR_MS)
    expect(await read('tiktok0')).toMatchObject({ status: 'active', freshness: { stale: false } })
    expect(await database.sql('SELECT 1 FROM accounts WHERE failures > 0')).toEqual([])
  })
})

describe('without Redis', () => {
  it('no platform is called, not even for a token that ends', async () => {
    const { engine } = await startConnected(database, PLATFORMS, 1, 300)
    engine.elapse(3 * HOUR_MS)
    await allDue(database, engine)
    await engine.plan()
    const planned = engine.queue.takeDue()
    expect(new Set(planned.map(({ message }) => message.topic))).toEqual(
      new Set(['sync/accounts', 'sync/posts']),
    )
    const gone = withoutRedis(engine)
    const from = engine.calls.length
    for (const delivery of planned) await engine.deliver(delivery, gone)
    expect(engine.calls).toHaveLength(from)
    expect(engine.queue.dead).toEqual([])
    await engine.live(20 * MINUTE_MS)
    expect(
      await database.sql('SELECT handle, stale_reason FROM accounts WHERE stale_reason IS NOT NULL'),
    ).toEqual([])
  })
})

describe('a message that is a day old', () => {
  it('is dropped and counted, and what it was about has been planned anew', async () => {
    const { engine } = await startConnected(database, ['bluesky', 'youtube'], 2)
    await database.sql('DELETE FROM deployment_counters')
    await allDue(database, engine)
    await engine.plan()
    const planned = engine.queue.takeDue()
    engine.elapse(DAY_MS + SECOND_MS)
    const from = engine.calls.length
    for (const delivery of planned) await engine.deliver(delivery)
    expect(engine.calls).toHaveLength(from)
    expect(await database.sql('SELECT name, value::int FROM deployment_counters')).toEqual([
      { name: 'sync.messages_outdated', value: planned.length },
    ])
    expect(await engine.plan()).toMatchObject({ accounts: 4 })
  })
})

describe('a cursor that its platform has forgotten', () => {
  it.each(['mastodon', 'youtube', 'x', 'threads', 'linkedin'] as const)(
    'is begun anew, and comes to its end (%s)',
    async (platform) => {
      const engine = await startEngine(database, {
        accounts: [person(platform, 'ada', { postsPerDay: 24 })],
        ...{ historyDays: 19, syncIntervalSeconds: 300 },
        ...ROOMY,
      })
      await engine.connect('ada')
      for (const delivery of engine.queue.takeDue()) await engine.deliver(delivery)
      const [{ cursor } = { cursor: null }] = await database.sql<{ cursor: string | null }>(
        'SELECT backfill_cursor AS cursor FROM accounts',
      )
      expect(cursor).not.toBeNull()
      await database.sql("UPDATE accounts SET backfill_cursor = 'forgotten'")
      await engine.drain()
      await engine.live(20 * MINUTE_MS)
      expect(
        await database.sql('SELECT backfill_cursor, backfilled_at IS NOT NULL AS done FROM accounts'),
      ).toEqual([{ backfill_cursor: null, done: true }])
      await expectPostsToBeTrueAfterReading(database, engine, 'ada')
    },
  )
})

describe.each(PLATFORMS)('one account of %s that is gone', (platform) => {
  it('holds up none of the others', async () => {
    const { engine, read } = await startConnected(database, [platform], 3)
    engine.elapse(3 * HOUR_MS)
    engine.act('delete-account', { platform, account: engine.person(`${platform}1`).id })
    await readAll(database, engine)
    engine.elapse(11 * MINUTE_MS)
    await readAll(database, engine)
    const gone = await read(`${platform}1`)
    // TikTok says no more than that the sign-in has ended.
    expect(gone.status).toBe(platform === 'tiktok' ? 'needs_auth' : 'gone')
    expect(gone.statusReason?.length ?? 0).toBeGreaterThan(20)
    for (const key of [`${platform}0`, `${platform}2`]) {
      expect(await read(key)).toMatchObject({ status: 'active', freshness: { stale: false, reason: null } })
      await expectPostsToBeTrue(database, engine, key)
    }
    // What it has written is not gone for that.
    expect(await database.sql('SELECT 1 FROM posts WHERE deleted_at IS NOT NULL')).toEqual([])
    expect(engine.queue.dead).toEqual([])
  })
})
