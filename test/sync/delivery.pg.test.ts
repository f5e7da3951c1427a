import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { connectAccount } from '../../src/services/accounts/connect-account.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import {
  type BreakingPoint,
  type Engine,
  HOUR_MS,
  MINUTE_MS,
  type Order,
  secondWorkspace,
  startEngine,
} from './engine.ts'
import { dump, expectRollupsToMatchPosts } from './facts.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const DORA = person('mastodon', 'dora', { postsPerDay: 1 })
const CAST = [
  person('bluesky', 'ada', { postsPerDay: 8 }),
  person('mastodon', 'cleo', { postsPerDay: 8 }),
  DORA,
]

/**
 * Some hours in which everything happens: first syncs, backfills, a new post, likes, an edit, a deletion. The
 * clock stands still while messages are delivered, so that nothing but their order and number differs.
 */
async function someHours(drain: (engine: Engine) => Promise<void>): Promise<Engine> {
  // Jitter would make other things due.
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
  const engine = await startEngine(database, {
    accounts: CAST,
    historyDays: 45,
    timezone: 'America/New_York',
  })
  const step = async (afterMs: number, ...acts: [verb: string, body: object][]) => {
    engine.elapse(afterMs)
    const made = acts.map(([verb, body]) => engine.act(verb, body))
    await engine.plan()
    await drain(engine)
    return made[0]
  }
  for (const { key } of CAST) await engine.connect(key)
  await drain(engine)
  const [newest] = engine.world.posts(engine.person('cleo'), {
    t: engine.nowMs,
    limit: 1,
    where: (entry) => entry.kind === 'post',
  })
  const noon = await step(
    HOUR_MS,
    ['publish', { account: 'ada', text: 'High water at noon #Tide' }],
    ['like', { post: newest?.id, count: 5 }],
  )
  await step(
    3 * HOUR_MS,
    ['like', { post: noon, count: 3 }],
    ['edit', { post: newest?.id, text: 'Corrected: low water #Ebb' }],
  )
  await step(HOUR_MS, ['delete', { post: noon }])
  await step(20 * MINUTE_MS)
  await step(20 * MINUTE_MS)
  random.mockRestore()
  expect(engine.queue.dead).toEqual([])
  return engine
}

describe('any delivery may come again, at once or in another order', () => {
  let once: Map<string, unknown[]>
  const dumpOf = async (engine: Engine) => new Map(Object.entries(await dump(database, engine.workspaceId)))

  beforeAll(async () => {
    const engine = await someHours((e) => e.drain())
    once = await dumpOf(engine)
    await expectRollupsToMatchPosts(database, engine.workspaceId)
    expect(await database.sql('SELECT 1 FROM posts WHERE deleted_at IS NOT NULL')).toHaveLength(1)
    expect(once.get('hashtags')).toContainEqual(expect.objectContaining({ tag: 'ebb' }))
    expect(engine.queue.published.filter(({ topic }) => topic === 'sync/backfill').length).toBeGreaterThan(0)
    vi.useRealTimers()
  })

  it.each<Order>(['twice', 'shuffled', 'at once'])('%s: the same as once, to the last row', async (order) => {
    const again = await dumpOf(await someHours((e) => e.drain(order)))
    for (const [table, rows] of once) expect(again.get(table), table).toEqual(rows)
  })

  it('broken anywhere and delivered again: the same as once, to the last row', async () => {
    const points: BreakingPoint[] = ['at the next publish', 'before the ingest', 'after the ingest']
    const crashes = new Map(points.map((point) => [point, 0]))
    let turn = 0
    const engine = await someHours(async (e) => {
      for (let due = e.queue.takeDue(); due.length > 0; due = e.queue.takeDue())
        for (const delivery of due) {
          const point = points[turn % points.length]
          if (delivery.retried > 0 || point === undefined) {
            await e.deliver(delivery)
            continue
          }
          e.crashNext(point)
          await e.deliver(delivery)
          if (!e.recover()) continue
          crashes.set(point, (crashes.get(point) ?? 0) + 1)
          turn += 1
        }
    })
    for (const [point, count] of crashes) expect(count, point).toBeGreaterThan(0)
    const again = await dumpOf(engine)
    for (const [table, rows] of once) expect(again.get(table), table).toEqual(rows)
  })
})

describe('a plan that broke', () => {
  it('leaves what it claimed to the next plan after the lease', async () => {
    const engine = await startEngine(database, { accounts: CAST, historyDays: 5 })
    for (const { key } of CAST) await engine.connect(key)
    engine.queue.lose()
    engine.elapse(5 * MINUTE_MS)
    engine.crashNext('at the next publish')
    await expect(engine.plan()).rejects.toThrow('at the next publish')
    expect(await engine.plan()).toMatchObject({ accounts: 0, messages: 0 })
    engine.elapse(5 * MINUTE_MS)
    expect(await engine.plan()).toMatchObject({ accounts: 3 })
    await engine.drain()
    expect(await database.sql('SELECT 1 FROM accounts WHERE last_synced_at IS NULL')).toEqual([])
  })
})

describe('a slow delivery', () => {
  /** Holds the answer to the next call of a path back; answers what lets it go. */
  function holdNext(engine: Engine, path: string, answer?: () => Response): () => void {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    engine.interfere = async (url) => {
      if (!url.pathname.endsWith(path)) return undefined
      engine.interfere = () => undefined
      const early = answer?.() ?? (await engine.answerNow('mastodon', url))
      await held
      return early
    }
    return release
  }
  const isCalled = (engine: Engine, path: string) =>
    vi.waitFor(() => expect(engine.calls.at(-1)?.pathname).toMatch(new RegExp(`${path}$`)))

  async function startWithPost() {
    const engine = await startEngine(database, { accounts: [DORA], historyDays: 5 })
    await engine.connect('dora')
    await engine.drain()
    const post = engine.act('publish', { account: 'dora', text: 'Slowly, slowly' })
    engine.elapse(20 * MINUTE_MS)
    await engine.plan()
    const [slow] = engine.queue.takeDue()
    if (slow === undefined) throw new Error('Nothing was planned')
    return { engine, post, slow }
  }

  it('that is overtaken by a newer reading is dropped whole', async () => {
    const { engine, post, slow } = await startWithPost()
    const release = holdNext(engine, '/statuses')
    const late = engine.deliver(slow)
    await isCalled(engine, '/statuses')
    engine.elapse(MINUTE_MS)
    engine.act('like', { post, count: 4 })
    await engine.deliver({ ...slow })
    const before = await dump(database, engine.workspaceId)
    expect(before.posts).toContainEqual(expect.objectContaining({ platform_post_id: post, likes: '4' }))
    release()
    await late
    expect(await dump(database, engine.workspaceId)).toEqual(before)
  })

  it('does not take for missing what has been seen since', async () => {
    const engine = await startEngine(database, { accounts: CAST, historyDays: 5 })
    await engine.connect('ada')
    await engine.drain()
    engine.elapse(HOUR_MS)
    await engine.plan()
    const [refresh] = engine.queue.takeDue().filter(({ message }) => message.topic === 'sync/posts')
    if (refresh === undefined) throw new Error('Nothing was planned')
    const release = holdNext(engine, 'getPosts', () => Response.json({ posts: [] }))
    const late = engine.deliver(refresh)
    await isCalled(engine, 'getPosts')
    engine.elapse(MINUTE_MS)
    await engine.deliver({ ...refresh })
    release()
    await late
    expect(
      await database.sql('SELECT 1 FROM posts WHERE metrics_at = $1', [new Date(engine.nowMs)]),
    ).not.toEqual([])
    expect(await database.sql('SELECT 1 FROM posts WHERE absent_since IS NOT NULL')).toEqual([])
  })
})

describe('what one account or workspace has wrong', () => {
  it('holds up none of the others: what the database refuses is left out', async () => {
    const engine = await startEngine(database, { accounts: CAST, historyDays: 5 })
    const ids = new Map<string, string>()
    for (const { key } of CAST) ids.set(key, (await engine.connect(key)).id)
    await engine.drain()
    engine.elapse(20 * MINUTE_MS)
    // A server may send what it likes: an id too long for an index, say.
    engine.interfere = async (url) => {
      if (!url.pathname.includes(engine.person('cleo').id)) return undefined
      const [status] = await (await engine.answerNow('mastodon', url)).json()
      return Response.json([{ ...status, id: randomBytes(6_000).toString('hex') }])
    }
    await engine.plan()
    await engine.drain()
    const states = await database.sql('SELECT handle, status, stale_reason FROM accounts ORDER BY handle')
    expect(states).toMatchObject([
      { handle: 'ada.example.social', status: 'active', stale_reason: null },
      { handle: 'cleo@127.0.0.1:3000', status: 'active', stale_reason: 'platform_down' },
      { handle: 'dora@127.0.0.1:3000', status: 'active', stale_reason: null },
    ])
    expect(
      await database.sql('SELECT 1 FROM accounts WHERE last_synced_at = $1', [new Date(engine.nowMs)]),
    ).toHaveLength(2)
    expect(engine.queue.dead).toEqual([])
  })

  it('holds up no other workspace, and comes again', async () => {
    const engine = await startEngine(database, { accounts: CAST, historyDays: 5 })
    const other = await secondWorkspace(database, engine)
    await engine.connect('dora')
    await connectAccount(other, engine.typed('dora'))
    engine.queue.lose()
    engine.elapse(5 * MINUTE_MS)
    await engine.plan()
    const [both] = engine.queue.takeDue()
    if (both === undefined) throw new Error('Nothing was planned')
    engine.crashNext('before the ingest')
    await engine.deliver(both)
    const synced = () => database.sql('SELECT 1 FROM accounts WHERE last_synced_at IS NOT NULL')
    expect(await synced()).toHaveLength(1)
    await engine.drain()
    expect(await synced()).toHaveLength(2)
  })

  it('is tried again where an answer broke off', async () => {
    const engine = await startEngine(database, { accounts: CAST, historyDays: 14 })
    await engine.connect('cleo')
    for (const first of engine.queue.takeDue()) await engine.deliver(first)
    engine.act('truncate', { platform: 'mastodon', durationMs: MINUTE_MS })
    await engine.drain()
    await engine.live(3 * MINUTE_MS)
    expect(engine.queue.dead).toEqual([])
    expect(await database.sql('SELECT 1 FROM accounts WHERE backfilled_at IS NULL')).toEqual([])
  })
})
