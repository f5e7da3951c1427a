import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { AppError } from '../../src/errors.ts'
import { connectAccount } from '../../src/services/accounts/connect-account.ts'
import { getAccount } from '../../src/services/accounts/manage-accounts.ts'
import { syncAccountNow } from '../../src/services/accounts/sync-now.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { MASTODON_HOST, MINUTE_MS, START_MS, secondWorkspace, startEngine } from './engine.ts'
import { expectPostsToBeTrue, expectRollupsToMatchPosts, storedByDay, truthByDay } from './facts.ts'
import { PEOPLE, person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const accountsStored = () => database.sql('SELECT handle FROM accounts ORDER BY handle')

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw new Error(`Not refused: ${String(error)}`)
  return error
}

describe('connecting by whatever was typed', () => {
  it.each([
    ['a Bluesky handle', 'bluesky', (name: string) => name],
    ['a Bluesky handle with an @', 'bluesky', (name: string) => `@${name}`],
    ['a Bluesky profile’s address', 'bluesky', (name: string) => `https://bsky.app/profile/${name}`],
    ['a Mastodon address', 'mastodon', (name: string) => `${name}@${MASTODON_HOST}`],
    ['a Mastodon profile’s address', 'mastodon', (name: string) => `http://${MASTODON_HOST}/@${name}`],
  ] as const)('stores the account of %s and queues its first sync', async (_what, platform, typed) => {
    const engine = await startEngine(database)
    const ada = engine.person(platform === 'bluesky' ? 'ada' : 'cleo')
    const account = await connectAccount(engine.ctx, { platform, handle: typed(ada.handle) })
    expect(account).toMatchObject({
      platform,
      handle: platform === 'bluesky' ? ada.handle : `${ada.handle}@${MASTODON_HOST}`,
      status: 'active',
      freshness: { lastSyncedAt: null, stale: false, backfilling: false },
    })
    expect(
      await database.sql('SELECT external_id, host, tracked_since FROM accounts WHERE id = $1', [account.id]),
    ).toEqual([
      {
        external_id: ada.id,
        host: platform === 'bluesky' ? null : MASTODON_HOST,
        tracked_since: new Date(START_MS),
      },
    ])
    expect(engine.queue.waiting).toMatchObject([
      { topic: 'sync/accounts', body: { accounts: [{ id: account.id, externalId: ada.id }] } },
    ])
  })

  it.each([
    ['bluesky', 'nobody.example.social'],
    ['bluesky', 'not a handle'],
    ['mastodon', `nobody@${MASTODON_HOST}`],
    ['mastodon', 'nobody'],
  ] as const)('says that %s knows no %s, and stores nothing', async (platform, handle) => {
    const engine = await startEngine(database)
    const error = await refusal(connectAccount(engine.ctx, { platform, handle }))
    expect(error).toMatchObject({ code: 'account_not_found', retryable: false })
    expect(error.fields).toMatchObject([{ pointer: '/handle' }])
    expect(await accountsStored()).toEqual([])
    expect(engine.queue.waiting).toEqual([])
  })

  it.each(['bluesky', 'mastodon'] as const)('can be tried again while %s is down', async (platform) => {
    const engine = await startEngine(database)
    engine.act('outage', { platform, status: 503 })
    const typed = engine.typed(platform === 'bluesky' ? 'ada' : 'cleo')
    const error = await refusal(connectAccount(engine.ctx, typed))
    expect(error).toMatchObject({ code: 'platform_unavailable', retryable: true })
    expect(await accountsStored()).toEqual([])
    engine.act('clear', { platform })
    expect((await connectAccount(engine.ctx, typed)).status).toBe('active')
  })

  it('names the account that is there already', async () => {
    const engine = await startEngine(database)
    const first = await engine.connect('ada')
    engine.act('rename', { account: 'ada', handle: 'ada.example.org' })
    const again = refusal(connectAccount(engine.ctx, { platform: 'bluesky', handle: 'ada.example.org' }))
    expect(await again).toMatchObject({ code: 'already_connected', existingId: first.id })
    expect(await accountsStored()).toHaveLength(1)
  })

  it('lets one of several who connect at once win, and names it to the others', async () => {
    const engine = await startEngine(database)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => connectAccount(engine.ctx, engine.typed('ada'))),
    )
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.id] : []))
    const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(won).toHaveLength(1)
    expect(lost).toHaveLength(4)
    for (const error of lost) expect(error).toMatchObject({ code: 'already_connected', existingId: won[0] })
    expect(await accountsStored()).toHaveLength(1)
    expect(engine.queue.waiting).toHaveLength(1)
  })

  it('knows an id of one server from the same id of another', async () => {
    const engine = await startEngine(database)
    await engine.connect('cleo')
    const elsewhere = await connectAccount(engine.ctx, {
      platform: 'mastodon',
      handle: 'cleo@127.0.0.1:3001',
    })
    expect(elsewhere.handle).toBe('cleo@127.0.0.1:3001')
    expect(await accountsStored()).toHaveLength(2)
  })

  it('leaves the first sync to the next plan where the queue does not answer', async () => {
    const engine = await startEngine(database)
    engine.crashNext('at the next publish')
    expect((await engine.connect('dora')).status).toBe('active')
    expect(engine.recover()).toBe(true)
    expect(engine.queue.waiting).toEqual([])
    expect(await engine.plan()).toMatchObject({ accounts: 1 })
  })

  it('is read once, however many plans come before its first sync', async () => {
    const engine = await startEngine(database)
    const { id } = await engine.connect('ada')
    await engine.ctx.watchList.mark(engine.workspaceId)
    expect(await engine.plan()).toMatchObject({ accounts: 0 })
    await engine.drain()
    await syncAccountNow(engine.ctx, id)
    expect(await engine.plan()).toMatchObject({ accounts: 0 })
    expect(engine.queue.waiting.filter(({ topic }) => topic === 'sync/accounts')).toHaveLength(1)
  })

  it('is read by a plan after five minutes where the first sync was lost', async () => {
    const engine = await startEngine(database)
    await engine.connect('ada')
    engine.queue.lose()
    engine.elapse(5 * MINUTE_MS - 1)
    expect(await engine.plan()).toMatchObject({ accounts: 0 })
    engine.elapse(1)
    expect(await engine.plan()).toMatchObject({ accounts: 1 })
  })

  it('leaves a sync that was asked for to the next plan where the queue does not answer', async () => {
    const engine = await startEngine(database)
    const { id } = await engine.connect('dora')
    await engine.drain()
    engine.crashNext('at the next publish')
    await expect(syncAccountNow(engine.ctx, id)).rejects.toThrow('at the next publish')
    expect(engine.recover()).toBe(true)
    expect(await engine.plan()).toMatchObject({ accounts: 1 })
  })

  it('lets two workspaces follow the same account', async () => {
    const engine = await startEngine(database)
    await engine.connect('ada')
    const other = await secondWorkspace(database, engine)
    expect((await connectAccount(other, engine.typed('ada'))).handle).toBe(engine.person('ada').handle)
    await engine.drain()
    await expectPostsToBeTrue(database, engine, 'ada')
  })
})

describe('the first sync and the backfill', () => {
  it.each([
    ['ada', 'America/New_York'],
    ['cleo', 'Asia/Kathmandu'],
  ])('store all that %s ever wrote, once and to the last unit', async (key, timezone) => {
    const engine = await startEngine(database, { timezone, historyDays: 120 })
    const account = await engine.connect(key)
    const [first] = engine.queue.takeDue()
    if (first === undefined) throw new Error('Nothing was queued')
    await engine.deliver(first)
    expect((await getAccount(engine.ctx, account.id)).freshness).toMatchObject({
      lastSyncedAt: '2026-11-22T12:00:00Z',
      backfilling: true,
    })
    let deliveries = 0
    for (let due = engine.queue.takeDue(); due.length > 0; due = engine.queue.takeDue()) {
      expect(due).toMatchObject([{ message: { topic: 'sync/backfill', body: { accountIds: [account.id] } } }])
      for (const delivery of due) await engine.deliver(delivery)
      deliveries += 1
    }
    expect(deliveries).toBeGreaterThan(0)
    expect((await getAccount(engine.ctx, account.id)).freshness.backfilling).toBe(false)

    const truth = await expectPostsToBeTrue(database, engine, key)
    expect(new Set(truth.posts.map((post) => post.kind))).toEqual(new Set(['post', 'reply', 'quote']))
    expect(truth.reposts.length).toBeGreaterThan(0)
    await expectRollupsToMatchPosts(database, engine.workspaceId)
    expect(await storedByDay(database, engine, truth.account.id)).toEqual(truthByDay(truth, timezone))
    const { platform } = engine.person(key)
    expect(engine.stats[platform].snapshot().violations).toEqual({})
  })

  it('take in what was written while the backfill was under way', async () => {
    const engine = await startEngine(database)
    await engine.connect('ada')
    for (let page = 0; page < 3; page++) {
      for (const delivery of engine.queue.takeDue()) await engine.deliver(delivery)
      engine.elapse(MINUTE_MS)
      engine.act('publish', { account: 'ada', text: `Meanwhile, page ${page} #Tide` })
    }
    await engine.drain()
    engine.elapse(20 * MINUTE_MS)
    // A last reading of everything, so that all figures are of one moment.
    await database.sql("UPDATE posts SET next_refresh_at = now() - interval '1 year' WHERE kind <> 'repost'")
    await engine.plan()
    await engine.drain()
    await expectPostsToBeTrue(database, engine, 'ada')
    await expectRollupsToMatchPosts(database, engine.workspaceId)
  })

  it('need no backfill where the first page is all there is', async () => {
    const engine = await startEngine(database, {
      accounts: [person('bluesky', 'newcomer', { postsPerDay: 1 }), ...PEOPLE],
      historyDays: 10,
    })
    const account = await engine.connect('newcomer')
    await engine.drain()
    expect(engine.calls.filter((url) => url.searchParams.has('cursor'))).toEqual([])
    expect((await getAccount(engine.ctx, account.id)).freshness.backfilling).toBe(false)
    await expectPostsToBeTrue(database, engine, 'newcomer')
  })
})
