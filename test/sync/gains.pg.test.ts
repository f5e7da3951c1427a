import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { getAccount } from '../../src/services/accounts/manage-accounts.ts'
import { getPost } from '../../src/services/posts/posts.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { type Engine, HOUR_MS, MINUTE_MS, START_MS, startEngine } from './engine.ts'
import { expectProfileToBeTrue, expectRollupsToMatchPosts } from './facts.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const ADA = person('bluesky', 'ada', { postsPerDay: 4 })
/** Writes nothing by themselves. */
const still = (platform: 'bluesky' | 'mastodon') => person(platform, 'still', { postsPerDay: 0 })

async function startConnected(timezone: string, who = ADA): Promise<Engine> {
  const engine = await startEngine(database, { accounts: [who], historyDays: who === ADA ? 5 : 1, timezone })
  await engine.connect(who.key)
  await engine.drain()
  return engine
}

/** Reads everything at a moment. */
async function readAt(engine: Engine, isoTime: string): Promise<void> {
  engine.elapse(Date.parse(isoTime) - engine.nowMs)
  await database.sql("UPDATE posts SET next_refresh_at = $1 WHERE deleted_at IS NULL AND kind <> 'repost'", [
    new Date(engine.nowMs),
  ])
  await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs)])
  await engine.plan()
  await engine.drain()
}

const gains = () =>
  database.sql(
    `SELECT day::text, gained_likes::int AS likes, gained_comments::int AS comments,
       gained_engagements::int AS engagements
     FROM account_days WHERE gained_engagements IS NOT NULL ORDER BY day`,
  )

const quartersGained = () =>
  database.sql<{ quarter: Date; likes: number }>(
    'SELECT quarter, gained_likes::int AS likes FROM account_quarters WHERE gained_likes <> 0 ORDER BY quarter',
  )

/** What all snapshots say that a quarter of an hour brought since likes were last told, by plain SQL. */
const gainsOfSnapshots = () =>
  database.sql(
    `SELECT quarter, sum(likes)::int AS likes FROM (
       SELECT date_bin('15 minutes', s.observed_at, '2000-01-01T00:00:00Z') AS quarter,
         s.likes - COALESCE((SELECT o.likes FROM post_snapshots o WHERE o.post_id = s.post_id
             AND o.observed_at < s.observed_at AND o.likes IS NOT NULL ORDER BY o.observed_at DESC LIMIT 1),
           CASE WHEN p.posted_at >= a.tracked_since THEN 0 ELSE s.likes END) AS likes
       FROM post_snapshots s JOIN posts p ON p.id = s.post_id JOIN accounts a ON a.id = p.account_id
     ) changes GROUP BY quarter HAVING sum(likes) <> 0 ORDER BY quarter`,
  )

it('finds nothing gained by what was there before', async () => {
  await startConnected('UTC')
  expect(await gains()).toEqual([])
  expect(await database.sql('SELECT 1 FROM account_days WHERE likes > 0')).not.toEqual([])
})

it.each([
  // Midnight is at 18:15 in UTC in the one place (+05:45), and at 8:00 in the other (-08:00).
  ['Asia/Kathmandu', '2026-11-22T18:14:00Z', '2026-11-22T18:16:00Z'],
  ['America/Los_Angeles', '2026-11-23T07:59:00Z', '2026-11-23T08:01:00Z'],
])('books a like on the local day on which it was seen (%s)', async (timezone, before, after) => {
  for (const platform of ['bluesky', 'mastodon'] as const) {
    const engine = await startConnected(timezone, still(platform))
    const post = engine.act('publish', { account: 'still', text: 'Of today' })
    await readAt(engine, new Date(START_MS + 10 * MINUTE_MS).toISOString())
    engine.act('like', { post, count: 2 })
    await readAt(engine, before)
    engine.act('like', { post, count: 5 })
    engine.act('reply', { post, count: 1 })
    await readAt(engine, after)
    engine.act('unlike', { post, count: 3 })
    await readAt(engine, new Date(engine.nowMs + HOUR_MS).toISOString())
    // Nothing else was written, which would have grown by itself.
    expect(await database.sql('SELECT platform_post_id AS id FROM posts')).toEqual([{ id: post }])
    expect(await gains()).toEqual([
      { day: '2026-11-22', likes: 2, comments: 0, engagements: 2 },
      { day: '2026-11-23', likes: 2, comments: 1, engagements: 3 },
    ])
    expect(await quartersGained()).toEqual(await gainsOfSnapshots())
    // Published is another matter: all of it belongs to the day on which the post was written.
    expect(await database.sql('SELECT day::text, likes::int FROM account_days WHERE posts <> 0')).toEqual([
      { day: '2026-11-22', likes: 4 },
    ])
    await expectRollupsToMatchPosts(database, engine.workspaceId)
  }
})

it('gains what every snapshot of every post adds, also where all of them grow', async () => {
  const engine = await startConnected('Europe/Berlin')
  const post = engine.act('publish', { account: 'ada', text: 'Fresh', growth: 'organic' })
  engine.act('like', { post, count: 9 })
  for (let reading = 0; reading < 4; reading++)
    await readAt(engine, new Date(engine.nowMs + 7 * HOUR_MS + MINUTE_MS).toISOString())
  const quarters = await quartersGained()
  expect(quarters.length).toBeGreaterThan(2)
  expect(quarters).toEqual(await gainsOfSnapshots())
  await expectRollupsToMatchPosts(database, engine.workspaceId)
})

describe('a count that its platform withholds for a while', () => {
  /** Lets the platform say nothing of likes and of followers. */
  function withhold(engine: Engine): void {
    engine.interfere = async (url) => {
      const answer = await engine.answerNow('bluesky', url)
      const said = (await answer.text()).replace(/"(likeCount|followersCount)":\d+,?/g, '')
      return new Response(said.replaceAll(',}', '}'), answer)
    }
  }
  const rows = (text: string) => database.sql<Record<string, unknown>>(text)
  const asIso = (at: unknown) => (at instanceof Date ? at.toISOString() : at)

  it('stays what it was in posts, profiles and totals, says of when, and gains when it is back', async () => {
    const engine = await startConnected('UTC', still('bluesky'))
    const post = engine.act('publish', { account: 'still', text: 'Of today' }) ?? ''
    engine.act('like', { post, count: 5 })
    await readAt(engine, '2026-11-22T13:00:00Z')
    const [before] = await rows('SELECT id, account_id, metrics_at FROM posts')
    const [profile] = await rows('SELECT followers::int, metrics_at FROM accounts')
    const totals = await rows(
      'SELECT day::text, posts, likes::int, likes_known FROM account_days WHERE posts <> 0',
    )
    expect(totals).toEqual([{ day: '2026-11-22', posts: 1, likes: 5, likes_known: 1 }])

    withhold(engine)
    engine.act('like', { post, count: 2 })
    engine.act('reply', { post, count: 1 })
    await readAt(engine, '2026-11-22T23:30:00Z')
    engine.act('reply', { post, count: 1 })
    await readAt(engine, '2026-11-23T01:00:00Z')
    expect(await rows('SELECT likes::int, comments::int, engagements::int FROM posts')).toEqual([
      { likes: 5, comments: 2, engagements: 7 },
    ])
    expect(await rows('SELECT likes::int FROM post_snapshots ORDER BY observed_at')).toEqual([
      { likes: 5 },
      { likes: null },
      { likes: null },
    ])
    expect(
      await rows('SELECT day::text, posts, likes::int, likes_known FROM account_days WHERE posts <> 0'),
    ).toEqual(totals)
    expect(await getPost(engine.ctx, String(before?.id))).toMatchObject({
      metrics: { likes: 5, comments: 2 },
      metricsAt: '2026-11-23T01:00:00Z',
      lastKnown: { likes: asIso(before?.metrics_at) },
    })
    expect(await getAccount(engine.ctx, String(before?.account_id))).toMatchObject({
      metrics: { followers: profile?.followers },
      lastKnown: { followers: asIso(profile?.metrics_at) },
    })
    expect(
      await rows(
        "SELECT followers FROM account_metrics WHERE observed_at > '2026-11-22T13:00Z' ORDER BY observed_at",
      ),
    ).toEqual([{ followers: null }, { followers: null }])
    await expectRollupsToMatchPosts(database, engine.workspaceId)

    engine.interfere = () => undefined
    engine.act('like', { post, count: 1 })
    await readAt(engine, '2026-11-23T05:00:00Z')
    expect(await gains()).toEqual([
      { day: '2026-11-22', likes: 5, comments: 1, engagements: 6 },
      { day: '2026-11-23', likes: 3, comments: 1, engagements: 4 },
    ])
    expect((await quartersGained()).map(({ quarter, likes }) => [quarter.toISOString(), likes])).toEqual([
      ['2026-11-22T13:00:00.000Z', 5],
      ['2026-11-23T05:00:00.000Z', 3],
    ])
    expect(await quartersGained()).toEqual(await gainsOfSnapshots())
    expect(await getPost(engine.ctx, String(before?.id))).toMatchObject({
      metrics: { likes: 8 },
      lastKnown: null,
    })
    expect(await getAccount(engine.ctx, String(before?.account_id))).toMatchObject({ lastKnown: null })
    await expectProfileToBeTrue(database, engine, 'still')
    await expectRollupsToMatchPosts(database, engine.workspaceId)
  })
})

it('keeps what a post had gained when it is deleted on its platform', async () => {
  const engine = await startConnected('UTC', still('bluesky'))
  const post = engine.act('publish', { account: 'still', text: 'Not for long' })
  engine.act('like', { post, count: 4 })
  await readAt(engine, new Date(engine.nowMs + MINUTE_MS).toISOString())
  const before = await gains()
  engine.act('delete', { post })
  for (const minutes of [1, 12])
    await readAt(engine, new Date(engine.nowMs + minutes * MINUTE_MS).toISOString())
  expect(await database.sql('SELECT 1 FROM posts WHERE deleted_at IS NOT NULL')).toHaveLength(1)
  expect(await gains()).toEqual(before)
  expect(await quartersGained()).toEqual(await gainsOfSnapshots())
  await expectRollupsToMatchPosts(database, engine.workspaceId)
})
