import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { PostReading } from '../../db/queries/ingest/index.ts'
import { POST_METRICS, type PostMetrics } from '../../domain/platforms.ts'
import { ingest } from './ingest.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

/** Rollups as they should be, by plain SQL over the raw rows. */
async function expectRollupsToMatchRawRows(workspaceId: string) {
  const expected = await database.sql<{ day: string }>(
    `SELECT p.account_id, (p.posted_at AT TIME ZONE w.timezone)::date::text AS day, count(*)::int AS posts,
       ${POST_METRICS.map((m) => `coalesce(sum(${m}), 0)::bigint AS ${m}, count(${m})::int AS ${m}_known`).join(', ')},
       coalesce(sum(engagements), 0)::bigint AS engagements
     FROM posts p JOIN workspaces w ON w.id = p.workspace_id
     WHERE w.id = $1 AND p.kind <> 'repost' AND p.deleted_at IS NULL
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [workspaceId],
  )
  const actual = await database.sql(
    `SELECT account_id, day::text, posts, ${POST_METRICS.map((m) => `${m}, ${m}_known`).join(', ')}, engagements
     FROM account_days WHERE workspace_id = $1 AND posts <> 0 ORDER BY 1, 2`,
    [workspaceId],
  )
  expect(actual).toEqual(expected)
  const [quarters] = await database.sql(
    'SELECT coalesce(sum(posts), 0)::int AS posts, coalesce(sum(likes), 0)::bigint AS likes, sum(gained_likes)::bigint AS gained FROM account_quarters WHERE workspace_id = $1',
    [workspaceId],
  )
  const [days] = await database.sql(
    'SELECT coalesce(sum(posts), 0)::int AS posts, coalesce(sum(likes), 0)::bigint AS likes, sum(gained_likes)::bigint AS gained FROM account_days WHERE workspace_id = $1',
    [workspaceId],
  )
  expect(quarters).toEqual(days)
}

async function gained(workspaceId: string) {
  return database.sql(
    `SELECT day::text, gained_likes::int AS likes FROM account_days
     WHERE workspace_id = $1 AND gained_likes IS NOT NULL ORDER BY day`,
    [workspaceId],
  )
}

const PICTURE = { type: 'image' as const, url: 'https://social.example/1.jpg', alt: null }

describe('taking readings in', () => {
  it('stores a new post, its snapshot and hashtags, and raises the generation with one event', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    const result = await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [
        reading(accountId, 'a', {
          metrics: { likes: 3, comments: 1 },
          hashtags: [{ tag: 'tide', display: 'Tide' }],
        }),
      ],
    })
    expect(result).toMatchObject({ inserted: 1, updated: 0, unchanged: 0, generation: 1 })
    expect(
      await database.sql('SELECT likes::int, saves FROM post_snapshots WHERE workspace_id = $1', [
        workspaceId,
      ]),
    ).toEqual([{ likes: 3, saves: null }])
    expect(
      await database.sql('SELECT tag, display FROM post_hashtags WHERE workspace_id = $1', [workspaceId]),
    ).toEqual([{ tag: 'tide', display: 'Tide' }])
    const [row] = await database.sql<{
      generation: string
      events: { type: string; data: { accounts: unknown } }[]
    }>('SELECT generation, events FROM outbox WHERE workspace_id = $1', [workspaceId])
    expect(row?.generation).toBe('1')
    expect(row?.events[0]?.type).toBe('metrics.updated')
    expect(row?.events[0]?.data.accounts).toEqual([
      { id: accountId, delta: { likes: 3, comments: 1, engagements: 4, posts: 1 } },
    ])
    await expectRollupsToMatchRawRows(workspaceId)
  })

  it('changes nothing when a delivery is repeated', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    const posts = [
      reading(accountId, 'a', { metrics: { likes: 3 } }),
      reading(accountId, 'b', { metrics: { likes: 5 } }),
    ]
    await ingest(quietDeps(database.db), { workspaceId, posts })
    const again = await ingest(quietDeps(database.db), { workspaceId, posts })
    expect(again).toMatchObject({ inserted: 0, updated: 0, unchanged: 2, generation: null })
    expect(await gained(workspaceId)).toEqual([{ day: '2026-03-01', likes: 8 }])
    await expectRollupsToMatchRawRows(workspaceId)
  })

  it('drops a late reading whole, also when the newer one changed nothing', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    const at = (hour: number, likes: number) =>
      ingest(quietDeps(database.db), {
        workspaceId,
        posts: [reading(accountId, 'a', { metrics: { likes }, observedAt: `2026-03-01T${hour}:00:00.000Z` })],
      })
    await at(13, 10)
    await at(15, 10)
    await at(14, 7)
    expect(await database.sql('SELECT likes::int FROM posts WHERE workspace_id = $1', [workspaceId])).toEqual(
      [{ likes: 10 }],
    )
    await at(16, 8)
    expect(await gained(workspaceId)).toEqual([{ day: '2026-03-01', likes: 8 }])
    await expectRollupsToMatchRawRows(workspaceId)
  })

  it('ends with the same lifetime totals and rollups under concurrency and any order', async () => {
    const workspaceId = await makeWorkspace(database, 'America/New_York')
    // In the order in which they are asked for below: ids of one millisecond have none of their own.
    const accountIds = [
      await makeAccount(database, workspaceId),
      await makeAccount(database, workspaceId),
    ].sort()
    const batches: PostReading[][] = []
    for (let round = 0; round < 12; round++) {
      batches.push(
        accountIds.flatMap((accountId, which) =>
          Array.from({ length: 8 }, (_, i) =>
            reading(accountId, `p${i}`, {
              postedAt: `2026-03-0${6 + (i % 4)}T0${3 + (i % 5)}:30:00.000Z`,
              observedAt: `2026-03-10T${10 + round}:00:00.000Z`,
              metrics: {
                likes: round * (i + 1) + which,
                comments: round % 3 === 0 ? null : round,
                saves: i,
              } as Partial<PostMetrics>,
            }),
          ),
        ),
      )
    }
    const shuffled = [...batches, ...batches]
      .map((batch, i) => ({ batch, key: (i * 7919) % 24 }))
      .sort((a, b) => a.key - b.key)
    await Promise.all(
      shuffled.map(({ batch }) => ingest(quietDeps(database.db), { workspaceId, posts: batch })),
    )
    const rows = await database.sql<{ likes: string }>(
      'SELECT likes FROM posts WHERE workspace_id = $1 ORDER BY account_id, platform_post_id',
      [workspaceId],
    )
    expect(rows.map((r) => Number(r.likes))).toEqual(
      [0, 1].flatMap((which) => Array.from({ length: 8 }, (_, i) => 11 * (i + 1) + which)),
    )
    await expectRollupsToMatchRawRows(workspaceId)
    // Each post was published after tracking began, so what it gained adds up to what it has.
    const [sum] = await database.sql<{ gained: string; total: string }>(
      `SELECT (SELECT sum(gained_likes) FROM account_days WHERE workspace_id = $1) AS gained,
         (SELECT sum(likes) FROM posts WHERE workspace_id = $1) AS total`,
      [workspaceId],
    )
    expect(sum?.gained).toBe(sum?.total)
  })

  it('takes the first reading of a post older than its account for a baseline, not a gain', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId, { trackedSince: '2026-03-01T12:30:00Z' })
    const old = (likes: number, observedAt: string) =>
      ingest(quietDeps(database.db), {
        workspaceId,
        posts: [reading(accountId, 'old', { metrics: { likes }, observedAt })],
      })
    await old(100, '2026-03-01T13:00:00.000Z')
    expect(await gained(workspaceId)).toEqual([])
    await old(103, '2026-03-02T13:00:00.000Z')
    await old(101, '2026-03-03T13:00:00.000Z')
    expect(await gained(workspaceId)).toEqual([
      { day: '2026-03-02', likes: 3 },
      { day: '2026-03-03', likes: -2 },
    ])
  })

  it('keeps reposts of others, and counts them nowhere', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [
        reading(accountId, 'r', {
          kind: 'repost',
          metrics: { likes: 9 },
          hashtags: [{ tag: 'x', display: 'x' }],
        }),
      ],
    })
    expect(await database.sql('SELECT kind FROM posts WHERE workspace_id = $1', [workspaceId])).toEqual([
      { kind: 'repost' },
    ])
    expect(await database.sql('SELECT 1 FROM post_hashtags WHERE workspace_id = $1', [workspaceId])).toEqual(
      [],
    )
    expect(await database.sql('SELECT 1 FROM account_days WHERE workspace_id = $1', [workspaceId])).toEqual(
      [],
    )
  })

  it('believes a deletion only at the second absence, and takes the post out of its day then', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [
        reading(accountId, 'a', { metrics: { likes: 3 } }),
        reading(accountId, 'b', { metrics: { likes: 4 } }),
      ],
    })
    const absent = (observedAt: string) =>
      ingest(quietDeps(database.db), {
        workspaceId,
        absences: [{ accountId, platformPostId: 'a', observedAt }],
      })
    const deletedAt = async () => {
      const [post] = await database.sql<{ deleted_at: Date | null }>(
        "SELECT deleted_at FROM posts WHERE workspace_id = $1 AND platform_post_id = 'a'",
        [workspaceId],
      )
      return post?.deleted_at?.toISOString() ?? null
    }
    await absent('2026-03-01T14:00:00.000Z')
    await absent('2026-03-01T14:05:00.000Z')
    expect(await deletedAt()).toBeNull()
    // Its account has not been seen since, and may be out of sight as a whole.
    await absent('2026-03-01T14:20:00.000Z')
    expect(await deletedAt()).toBeNull()
    await database.sql("UPDATE accounts SET last_synced_at = '2026-03-01T14:25:00Z' WHERE id = $1", [
      accountId,
    ])
    await absent('2026-03-01T14:30:00.000Z')
    expect(await deletedAt()).toBe('2026-03-01T14:00:00.000Z')
    await expectRollupsToMatchRawRows(workspaceId)
    const [day] = await database.sql<{ posts: number; likes: string; top_posts: unknown[] }>(
      'SELECT posts, likes, top_posts FROM account_days WHERE workspace_id = $1',
      [workspaceId],
    )
    expect(day).toMatchObject({ posts: 1, likes: '4' })
    expect(day?.top_posts).toHaveLength(1)
    expect(await gained(workspaceId)).toEqual([{ day: '2026-03-01', likes: 7 }])
  })

  it.each([
    ['x', { text: null, url: null, media: [] }],
    ['reddit', { text: null, url: null, media: [] }],
    ['bluesky', { text: 'Regrettable', url: 'https://social.example/1', media: [PICTURE] }],
  ])('keeps of what a deleted post said as much as %s lets it', async (platform, left) => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId, { platform })
    const url = 'https://social.example/1'
    const post = reading(accountId, 'a', {
      text: 'Regrettable',
      url,
      media: [PICTURE],
      metrics: { likes: 3 },
    })
    await ingest(quietDeps(database.db), { workspaceId, posts: [post] })
    for (const hour of ['14', '15', '16']) {
      const observedAt = `2026-03-01T${hour}:00:00.000Z`
      await ingest(quietDeps(database.db), {
        workspaceId,
        absences: [{ accountId, platformPostId: 'a', observedAt }],
      })
      const seenAt = `2026-03-01T${hour}:30:00Z`
      await database.sql('UPDATE accounts SET last_synced_at = $1 WHERE id = $2', [seenAt, accountId])
    }
    expect(
      await database.sql(
        'SELECT text, url, media, likes::int, deleted_at IS NOT NULL AS deleted FROM posts WHERE account_id = $1',
        [accountId],
      ),
    ).toEqual([{ ...left, likes: 3, deleted: true }])
  })

  it('moves a post to another day when its time is corrected', async () => {
    const workspaceId = await makeWorkspace(database, 'Europe/Berlin')
    const accountId = await makeAccount(database, workspaceId)
    const at = (postedAt: string, observedAt: string) =>
      ingest(quietDeps(database.db), {
        workspaceId,
        posts: [reading(accountId, 'a', { postedAt, observedAt, metrics: { likes: 3 } })],
      })
    await at('2026-03-28T23:30:00.000Z', '2026-04-01T00:00:00.000Z')
    await at('2026-03-29T22:30:00.000Z', '2026-04-01T01:00:00.000Z')
    await expectRollupsToMatchRawRows(workspaceId)
  })

  it('never lets a reading without a time replace one with a time', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [reading(accountId, 'a', { metrics: { likes: 3 } })],
    })
    const result = await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [
        reading(accountId, 'a', { metrics: { likes: 99 }, observedAt: null }),
        reading(accountId, 'b', { metrics: { likes: 1 }, observedAt: null }),
      ],
    })
    expect(result).toMatchObject({ inserted: 1, updated: 0, unchanged: 1 })
    expect(
      await database.sql('SELECT sum(likes)::int AS likes FROM posts WHERE workspace_id = $1', [workspaceId]),
    ).toEqual([{ likes: 4 }])
    await expectRollupsToMatchRawRows(workspaceId)
  })

  it('keeps follower history by reading time and notes the followers at posting', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    const profile = (followers: number, observedAt: string) => ({
      accountId,
      handle: 'h',
      displayName: null,
      url: 'https://example.com/h',
      avatarUrl: null,
      followers,
      following: 1,
      posts: 1,
      observedAt,
    })
    await ingest(quietDeps(database.db), { workspaceId, profiles: [profile(50, '2026-03-01T11:00:00.000Z')] })
    await ingest(quietDeps(database.db), {
      workspaceId,
      profiles: [profile(60, '2026-03-01T13:00:00.000Z')],
      posts: [reading(accountId, 'a', { metrics: { likes: 5 } })],
    })
    await ingest(quietDeps(database.db), { workspaceId, profiles: [profile(40, '2026-03-01T12:00:00.000Z')] })
    expect(await database.sql('SELECT followers::int FROM accounts WHERE id = $1', [accountId])).toEqual([
      { followers: 60 },
    ])
    expect(
      await database.sql(
        'SELECT followers::int, engagements_by_followers::int, followers_at_posting::int FROM account_days WHERE account_id = $1',
        [accountId],
      ),
    ).toEqual([{ followers: 60, engagements_by_followers: 5, followers_at_posting: 50 }])
  })
})
