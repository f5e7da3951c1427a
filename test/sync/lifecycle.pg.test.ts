import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { changeAccount, getAccount } from '../../src/services/accounts/manage-accounts.ts'
import { syncAccountNow } from '../../src/services/accounts/sync-now.ts'
import { getJob } from '../../src/services/jobs/index.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { DAY_MS, type Engine, HOUR_MS, MINUTE_MS, startEngine } from './engine.ts'
import { expectPostsToBeTrue, expectRollupsToMatchPosts, storedByDay, truthByDay } from './facts.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const ADA = person('bluesky', 'ada', { postsPerDay: 3 })
const CAST = [
  ADA,
  person('bluesky', 'bo', { postsPerDay: 2 }),
  person('mastodon', 'cleo', { postsPerDay: 3 }),
  person('mastodon', 'dora', { postsPerDay: 2 }),
]

const WRITERS = [person('reddit', 'eve', { postsPerDay: 2 }), person('reddit', 'finn', { postsPerDay: 2 })]

/** Connects everybody; answers the accounts' ids by name. */
async function startConnected(accounts = CAST, syncIntervalSeconds = 300) {
  const engine = await startEngine(database, { accounts, historyDays: 4, syncIntervalSeconds })
  const ids = new Map<string, string>()
  for (const { key } of accounts) ids.set(key, (await engine.connect(key)).id)
  await engine.drain()
  const read = (key: string) => getAccount(engine.ctx, ids.get(key) ?? '')
  return { engine, ids, read }
}

/** Plans and delivers once, after some time. */
async function step(engine: Engine, afterMs: number): Promise<void> {
  engine.elapse(afterMs)
  await engine.plan()
  await engine.drain()
}

/** How often a platform is asked about somebody during some hours. */
async function callsAbout(engine: Engine, key: string, forMs: number): Promise<number> {
  const from = engine.calls.length
  await engine.live(forMs)
  const { id } = engine.person(key)
  return engine.calls.slice(from).filter(({ href }) => decodeURIComponent(href).includes(id)).length
}

function newestPost(engine: Engine, key: string): string {
  const [post] = engine.world.posts(engine.person(key), {
    t: engine.nowMs,
    limit: 1,
    where: (entry) => entry.kind === 'post',
  })
  if (post === undefined) throw new Error(`${key} has written nothing`)
  return post.id
}

describe('a post that its platform no longer shows', () => {
  it.each(['ada', 'cleo'])(
    'leaves the totals when it is left out twice, ten minutes apart (%s)',
    async (key) => {
      const { engine } = await startConnected()
      const { id, platform } = engine.person(key)
      const post = newestPost(engine, key)
      engine.elapse(MINUTE_MS)
      engine.act('delete', { post })
      const deletedAt = async () => {
        const [row] = await database.sql<{ deleted_at: Date | null }>(
          'SELECT deleted_at FROM posts WHERE platform_post_id = $1',
          [post],
        )
        return row?.deleted_at ?? null
      }
      const readAgain = async () => {
        // The posts alone.
        await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs + HOUR_MS)])
        await database.sql('UPDATE posts SET next_refresh_at = $1 WHERE kind <> $2 AND deleted_at IS NULL', [
          new Date(engine.nowMs),
          'repost',
        ])
        await step(engine, 0)
      }
      const readAccounts = async () => {
        await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs)])
        await step(engine, 0)
      }
      await readAgain()
      const missingSince = new Date(engine.nowMs)
      engine.elapse(9 * MINUTE_MS)
      await readAgain()
      expect(await deletedAt()).toBeNull()
      engine.elapse(2 * MINUTE_MS)
      await readAgain()
      // Its account may be out of sight as well.
      expect(await deletedAt()).toBeNull()
      await readAccounts()
      await readAgain()
      expect(await deletedAt()).toEqual(missingSince)
      const truth = await expectPostsToBeTrue(database, engine, key)
      expect(truth.posts.find((one) => one.id === post)?.deletedAt).not.toBeNull()
      await expectRollupsToMatchPosts(database, engine.workspaceId)
      expect(await storedByDay(database, engine, id)).toEqual(truthByDay(truth, 'UTC'))
      expect(engine.stats[platform].snapshot().violations).toEqual({})
    },
  )

  it('is followed up by the engine’s own plans', async () => {
    const { engine } = await startConnected([ADA])
    const post = engine.act('publish', { account: 'ada', text: 'Soon to be gone' })
    await engine.live(20 * MINUTE_MS)
    engine.act('delete', { post })
    await engine.live(HOUR_MS)
    expect(
      await database.sql('SELECT deleted_at IS NOT NULL AS gone FROM posts WHERE platform_post_id = $1', [
        post,
      ]),
    ).toEqual([{ gone: true }])
    await expectRollupsToMatchPosts(database, engine.workspaceId)
  })

  it('stays when it is there again, and counts as seen against an older absence', async () => {
    const { engine } = await startConnected()
    const post = newestPost(engine, 'ada')
    const read = async (isShown: boolean) => {
      engine.interfere = (url) => {
        if (isShown || !url.pathname.endsWith('getPosts')) return undefined
        return Response.json({ posts: [] })
      }
      await database.sql('UPDATE posts SET next_refresh_at = $1 WHERE platform_post_id = $2', [
        new Date(engine.nowMs),
        post,
      ])
      await engine.plan()
      await engine.drain()
    }
    engine.elapse(MINUTE_MS)
    await read(false)
    engine.elapse(11 * MINUTE_MS)
    await read(true)
    engine.elapse(11 * MINUTE_MS)
    await read(false)
    expect(await database.sql('SELECT 1 FROM posts WHERE deleted_at IS NOT NULL')).toEqual([])
  })
})

describe('an account that changes', () => {
  it('keeps its id and takes its new name over', async () => {
    const { engine, read } = await startConnected()
    const before = await read('ada')
    engine.act('rename', { account: 'ada', handle: 'ada.example.org', displayName: 'Ada L.' })
    await step(engine, 20 * MINUTE_MS)
    expect(await read('ada')).toMatchObject({
      id: before.id,
      handle: 'ada.example.org',
      displayName: 'Ada L.',
      status: 'active',
    })
  })

  it.each([
    [CAST, 'ada', 'suspend', /suspended/],
    [CAST, 'ada', 'deactivate', /deactivated/],
    [CAST, 'ada', 'delete-account', /no such account/],
    [CAST, 'cleo', 'suspend', /suspended/],
    [CAST, 'cleo', 'delete-account', /no account|does not have/i],
    [WRITERS, 'eve', 'suspend', /suspended on Reddit/],
    [WRITERS, 'eve', 'delete-account', /no such user/],
  ])(
    'is gone for a reason, costs no more calls and holds nobody up (%#)',
    async (cast, key, verb, reason) => {
      const { engine, ids, read } = await startConnected(cast)
      engine.elapse(HOUR_MS)
      const account = engine.person(key)
      engine.act(verb, { platform: account.platform, account: account.id })
      await step(engine, 0)
      // Once proves nothing.
      expect((await read(key)).status).toBe('active')
      await step(engine, 11 * MINUTE_MS)
      expect(await read(key)).toMatchObject({
        status: 'gone',
        statusReason: expect.stringMatching(reason),
        freshness: { stale: true, reason: 'gone', nextSyncAt: null },
      })
      const others = [...ids.keys()].filter((other) => other !== key)
      for (const other of others)
        expect(await read(other)).toMatchObject({
          status: 'active',
          freshness: {
            lastSyncedAt: new Date(engine.nowMs - 11 * MINUTE_MS).toISOString().replace('.000Z', 'Z'),
            stale: false,
          },
        })
      await engine.ctx.watchList.mark(engine.workspaceId)
      expect(await callsAbout(engine, key, 40 * MINUTE_MS)).toBe(0)
      // What it has written is not gone for that.
      expect(await database.sql('SELECT 1 FROM posts WHERE deleted_at IS NOT NULL')).toEqual([])
    },
  )

  it('is read again when it is back and a person resumes it', async () => {
    const { engine, ids, read } = await startConnected()
    engine.act('deactivate', { account: 'ada' })
    await step(engine, HOUR_MS)
    engine.act('restore', { platform: 'bluesky', account: 'ada' })
    await changeAccount(engine.ctx, ids.get('ada') ?? '', { status: 'active' })
    await step(engine, MINUTE_MS)
    expect(await read('ada')).toMatchObject({
      status: 'active',
      statusReason: null,
      freshness: { stale: false },
    })
  })

  it.each([
    ['a pause', 1],
    ['two pauses, the second before the first was made up for', 2],
  ])('has no hole after %s in which it wrote more than a page', async (_what, pauses) => {
    const { engine, ids, read } = await startConnected([
      person('mastodon', 'cleo', { postsPerDay: 20 }),
      person('mastodon', 'dora', { postsPerDay: 3 }),
    ])
    for (let pause = 1; pause <= pauses; pause++) {
      await changeAccount(engine.ctx, ids.get('cleo') ?? '', { status: 'paused' })
      engine.elapse(3 * DAY_MS)
      await changeAccount(engine.ctx, ids.get('cleo') ?? '', { status: 'active' })
      await engine.plan()
      for (const delivery of engine.queue.takeDue()) await engine.deliver(delivery)
      expect((await read('cleo')).freshness.backfilling).toBe(true)
      if (pause < pauses) engine.queue.lose()
    }
    const from = engine.calls.length
    await engine.drain()
    expect((await read('cleo')).freshness.backfilling).toBe(false)
    // Of one hole, no more is read than what it lacks.
    const pages = engine.calls.slice(from).filter((url) => url.searchParams.has('max_id'))
    expect(pages.length).toBeLessThan(pauses === 1 ? 4 : 20)
    await database.sql('UPDATE posts SET next_refresh_at = $1 WHERE kind <> $2', [
      new Date(engine.nowMs),
      'repost',
    ])
    await step(engine, MINUTE_MS)
    await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs)])
    await step(engine, 0)
    await expectPostsToBeTrue(database, engine, 'cleo')
    await expectRollupsToMatchPosts(database, engine.workspaceId)
  })
})

describe('a platform in trouble', () => {
  it('that wants a token marks its accounts, and is called no more', async () => {
    const { engine, read } = await startConnected()
    engine.elapse(HOUR_MS)
    engine.act('outage', { platform: 'mastodon', status: 401, durationMs: DAY_MS })
    await step(engine, 0)
    for (const key of ['cleo', 'dora'])
      expect(await read(key)).toMatchObject({
        status: 'needs_auth',
        statusReason: expect.stringContaining('token'),
        freshness: { stale: true, reason: 'needs_auth' },
      })
    expect((await read('ada')).status).toBe('active')
    expect(await callsAbout(engine, 'cleo', HOUR_MS)).toBe(0)
  })

  it.each([
    ['an outage', { status: 503 }],
    ['an outage with a page for people', { status: 502, isHtml: true }],
  ])('that is down (%s) makes its accounts stale, until it is back', async (_what, fault) => {
    const { engine, read } = await startConnected()
    engine.act('outage', { platform: 'bluesky', durationMs: HOUR_MS, ...fault })
    await engine.live(HOUR_MS - 1_000)
    expect(await read('ada')).toMatchObject({
      status: 'active',
      statusReason: null,
      freshness: { stale: true, reason: 'platform_down' },
    })
    expect((await read('cleo')).freshness).toMatchObject({ stale: false, reason: null })
    await engine.live(20 * MINUTE_MS)
    expect((await read('ada')).freshness).toMatchObject({ stale: false, reason: null })
    await engine.live(10 * MINUTE_MS)
    await expectRollupsToMatchPosts(database, engine.workspaceId)
  })

  it('is not asked at every plan while it is down, also where somebody is looking', async () => {
    const { engine } = await startConnected([ADA], 60)
    engine.act('outage', { platform: 'bluesky', status: 503, durationMs: HOUR_MS })
    for (let minute = 0; minute < 12; minute++) {
      await engine.ctx.watchList.mark(engine.workspaceId)
      await engine.live(MINUTE_MS)
    }
    const refused = engine.stats.bluesky.snapshot().endpoints.outage?.calls ?? 0
    expect(refused).toBeGreaterThan(1)
    expect(refused).toBeLessThanOrEqual(7)
  })

  it('over one account holds up none of its batch', async () => {
    const { engine, read } = await startConnected()
    engine.elapse(HOUR_MS)
    const { id } = engine.person('bo')
    engine.interfere = (url) =>
      decodeURIComponent(url.search).includes(id)
        ? Response.json({ error: 'InvalidRequest', message: 'Error: actors must be valid' }, { status: 400 })
        : undefined
    await step(engine, 0)
    expect((await read('bo')).status).toBe('active')
    await step(engine, 11 * MINUTE_MS)
    expect(await read('bo')).toMatchObject({
      status: 'error',
      statusReason: expect.stringContaining('refused'),
    })
    for (const key of ['ada', 'cleo', 'dora'])
      expect(await read(key)).toMatchObject({ status: 'active', freshness: { stale: false } })
    expect((await read('ada')).freshness.lastSyncedAt).toBe('2026-11-22T13:00:00Z')
  })

  it('is told to whoever asked for the sync', async () => {
    const { engine, ids } = await startConnected()
    const job = await syncAccountNow(engine.ctx, ids.get('ada') ?? '')
    engine.act('outage', { platform: 'bluesky', status: 503 })
    await engine.drain()
    expect(await getJob(engine.ctx, job.id)).toMatchObject({
      status: 'failed',
      error: { code: 'platform_unavailable' },
    })
    expect(engine.told).toContainEqual({
      type: 'sync.completed',
      data: { accountId: ids.get('ada'), status: 'failed' },
    })
  })
})
