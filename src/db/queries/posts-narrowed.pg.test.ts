import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount, makeWorkspace } from '../../../test/harness/factories.ts'
import { newestPosts, readPostPages } from '../../../test/harness/post-lists.ts'
import { statement } from '../client.ts'
import { selectedAccounts } from './overview.ts'
import type { PostListQuery } from './posts.ts'
import { FEW_POSTS, manyMatch } from './posts-narrowed.ts'

let database: TestDatabase
let workspaceId: string

/** Those of one day are more than are read without asking, and beside them there are as many of the month around it. */
const POSTS_OF_THE_DAY = FEW_POSTS + 2_000
const POSTS_OF_THE_MONTH = 3_000
const PAGE = 20
/** Of so many posts one has a rare word and a rare tag. */
const RARE_EVERY = 251

beforeAll(async () => {
  database = await createTestDatabase()
  workspaceId = await makeWorkspace(database)
  const accountIds = [
    await makeAccount(database, workspaceId),
    await makeAccount(database, workspaceId, { platform: 'mastodon' }),
  ]
  // Ties and unknown counts are frequent. One post is so old that any span is short.
  await database.sql(
    `INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, text, posted_at, likes,
       comments, followers_at_posting)
     SELECT uuidv7(), $1, a.id, a.platform, n, CASE WHEN n % 3 = 0 THEN 'reply' ELSE 'post' END,
       CASE WHEN n % ${RARE_EVERY} = 1 THEN 'spring ' ELSE '' END
         || CASE WHEN n % 2 = 0 THEN 'high tide' ELSE 'low water' END,
       CASE WHEN n = 0 THEN '2006-05-01T00:00:00Z'::timestamptz
         WHEN n <= ${POSTS_OF_THE_DAY} THEN '2026-03-10T00:00:00Z'::timestamptz + n * interval '7 seconds'
         ELSE '2026-03-01T00:00:00Z'::timestamptz + (n - ${POSTS_OF_THE_DAY}) * interval '15 minutes' END,
       NULLIF(n * 7919 % 50, 0), n % 3, NULLIF(n % 5, 0) * 100
     FROM generate_series(0, ${POSTS_OF_THE_DAY + POSTS_OF_THE_MONTH}) n
     JOIN accounts a ON a.id = ($2::uuid[])[1 + n % 2]`,
    [workspaceId, accountIds],
  )
  await database.sql(
    `INSERT INTO post_hashtags (workspace_id, post_id, tag, display, account_id, platform, posted_at)
     SELECT workspace_id, id, 'tide', 'tide', account_id, platform, posted_at FROM posts WHERE text LIKE '%tide'
     UNION ALL SELECT workspace_id, id, 'spring', 'spring', account_id, platform, posted_at
     FROM posts WHERE text LIKE 'spring%'
     UNION ALL SELECT workspace_id, id, 'springtide', 'springtide', account_id, platform, posted_at
     FROM posts WHERE text LIKE 'spring%tide'`,
  )
  await database.sql(
    `INSERT INTO account_days (workspace_id, account_id, day, posts)
     SELECT workspace_id, account_id, posted_at::date, count(*) FROM posts GROUP BY 1, 2, 3`,
  )
  await database.sql('ANALYZE')
}, 60_000)
afterAll(() => database.close())

/** Whether such a page is walked to along its order, rather than read and sorted. */
async function walks(asked: Partial<PostListQuery>, ofWorkspace = workspaceId): Promise<boolean> {
  const q = { ...newestPosts(PAGE), ...asked }
  const [[row]] = await database.db.inWorkspace(ofWorkspace, [
    statement<{
      walks: boolean
    }>(sql`WITH selected AS (SELECT a.id FROM (${selectedAccounts(ofWorkspace, q.filter)}) a)
      SELECT (${manyMatch(ofWorkspace, q, PAGE + 1)}) IS TRUE AS walks`),
  ])
  return row?.walks ?? false
}

const readPages = (asked: Partial<PostListQuery>, pages: number, ofWorkspace = workspaceId) =>
  readPostPages(database.db, ofWorkspace, { ...newestPosts(PAGE), ...asked }, pages)

/** The same in one plain statement of the owner's. */
async function expected(
  order: string,
  condition: string,
  pages: number,
  ofWorkspace = workspaceId,
): Promise<string[]> {
  const rows = await database.sql<{ id: string }>(
    `SELECT id FROM posts WHERE workspace_id = $1 AND ${condition} ORDER BY ${order} DESC, id DESC LIMIT ${pages * PAGE}`,
    [ofWorkspace],
  )
  return rows.map(({ id }) => id)
}

const ORDERS = {
  likes: 'COALESCE(likes, -1)',
  comments: 'COALESCE(comments, -1)',
  engagementRate: 'COALESCE(engagements::float8 / NULLIF(followers_at_posting, 0), -1)',
} as const
const SORTED = ['likes', 'comments', 'engagementRate'] as const

const THE_DAY = { from: '2026-03-10T00:00:00Z', until: '2026-03-11T00:00:00Z' }
const ALL_TIME = { from: '2006-01-01T00:00:00Z', until: '2026-06-01T00:00:00Z' }
const condition = ({ from, until }: typeof THE_DAY) => `posted_at >= '${from}' AND posted_at < '${until}'`

describe('a span of time by a figure', () => {
  const cases: [string, boolean, typeof THE_DAY, Partial<PostListQuery>, string][] = [
    ['is read where it is narrow, however many posts it has', false, THE_DAY, {}, 'TRUE'],
    ['is walked where it is most of all', true, ALL_TIME, {}, 'TRUE'],
    ['is read for a kind', false, THE_DAY, { kinds: ['reply'] }, "kind = 'reply'"],
    ['is walked for a usual kind', true, ALL_TIME, { kinds: ['post', 'reply'] }, 'TRUE'],
    ['has a frequent word looked up', false, THE_DAY, { search: 'tide' }, "text LIKE '%tide'"],
    ['has a frequent tag looked up', false, THE_DAY, { hashtags: ['tide'] }, "text LIKE '%tide'"],
    [
      'without posts is empty',
      false,
      { from: '2020-01-01T00:00:00Z', until: '2020-01-02T00:00:00Z' },
      {},
      'TRUE',
    ],
  ]
  it.each(cases)('%s', async (_, isWalked, span, asked, matching) => {
    for (const sort of SORTED) {
      const query = { ...asked, ...span, sort }
      expect(await walks(query), sort).toBe(isWalked)
      const found = await readPages(query, 4)
      expect(found, sort).toEqual(await expected(ORDERS[sort], `${matching} AND ${condition(span)}`, 4))
    }
  })

  it('is read where the days’ totals know of no posts in it', async () => {
    await database.sql("DELETE FROM account_days WHERE day = '2026-03-10'")
    const found = await readPages({ ...THE_DAY, sort: 'likes' }, 2)
    expect(found).toEqual(await expected(ORDERS.likes, condition(THE_DAY), 2))
  })
})

describe('what is rare, by a figure,', () => {
  const everybody = { accounts: [], platforms: [], brands: [] }
  const cases: [string, Partial<PostListQuery>, string][] = [
    ['a word', { search: 'spring' }, "text LIKE 'spring%'"],
    ['a word, of a kind', { search: 'spring', kinds: ['reply'] }, "text LIKE 'spring%' AND kind = 'reply'"],
    ['a tag', { hashtags: ['spring'] }, "text LIKE 'spring%'"],
    [
      'a tag, of a kind',
      { hashtags: ['spring'], kinds: ['reply'] },
      "text LIKE 'spring%' AND kind = 'reply'",
    ],
    [
      'a tag, in a span of time',
      { hashtags: ['spring'], ...THE_DAY },
      `text LIKE 'spring%' AND ${condition(THE_DAY)}`,
    ],
    ['two tags that posts have both', { hashtags: ['spring', 'springtide'] }, "text LIKE 'spring%'"],
    [
      'a word, on a platform',
      { search: 'spring', filter: { ...everybody, platforms: ['mastodon'] } },
      "text LIKE 'spring%' AND platform = 'mastodon'",
    ],
    [
      'a tag, on a platform',
      { hashtags: ['spring'], filter: { ...everybody, platforms: ['mastodon'] } },
      "text LIKE 'spring%' AND platform = 'mastodon'",
    ],
  ]
  it.each(cases)('is looked up: %s', async (_, asked, matching) => {
    for (const sort of SORTED) {
      expect(await walks({ ...asked, sort }), sort).toBe(false)
      const found = await readPages({ ...asked, sort }, 4)
      expect(found, sort).toEqual(await expected(ORDERS[sort], matching, 4))
    }
  })
})

describe('a word that others use as well, by a figure,', () => {
  const isSpring = { search: 'spring', sort: 'likes' } as const
  let othersId: string
  let othersAccountId: string
  let written = 0

  /** Posts of another workspace with the same word, all of them liked more. */
  async function othersWrite(posts: number): Promise<void> {
    await database.sql(
      `INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, text, posted_at, likes)
       SELECT uuidv7(), $1, $2, 'bluesky', n, 'post', 'spring elsewhere', '2026-03-10T12:00:00Z', 1000 + n
       FROM generate_series($3::int + 1, $3::int + $4::int) n`,
      [othersId, othersAccountId, written, posts],
    )
    written += posts
    await database.sql('ANALYZE post_search')
  }
  const shareOfOthers = async () => {
    const [row] = await database.sql<{ share: number }>(
      'SELECT avg((workspace_id = $1)::int)::float8 AS share FROM post_search',
      [othersId],
    )
    return row?.share
  }

  beforeAll(async () => {
    othersId = await makeWorkspace(database)
    othersAccountId = await makeAccount(database, othersId)
  })

  it.each([
    ['are few among all posts', 1_000, 0, 0.2],
    ['are not', 9_000, 0.35, 0.6],
  ])('is found in the own posts alone, where theirs %s', async (_, posts, least, most) => {
    await othersWrite(posts)
    expect(await shareOfOthers()).toBeGreaterThan(least)
    expect(await shareOfOthers()).toBeLessThan(most)
    const cases: [Partial<PostListQuery>, string][] = [
      [{}, "text LIKE 'spring%'"],
      [{ kinds: ['reply'] }, "text LIKE 'spring%' AND kind = 'reply'"],
      [THE_DAY, `text LIKE 'spring%' AND ${condition(THE_DAY)}`],
    ]
    for (const [asked, matching] of cases)
      expect(await readPages({ ...isSpring, ...asked }, 4)).toEqual(await expected(ORDERS.likes, matching, 4))
    // Neither are theirs handed to whoever reads the figures, which is the second fence.
    const accounts = await database.sql<{ id: string }>('SELECT id FROM accounts')
    const ids = sql.join(
      accounts.map(({ id }) => sql`${id}::uuid`),
      sql`, `,
    )
    const [found] = await database.db.inWorkspace(workspaceId, [
      statement<{ id: string }>(sql`SELECT post_id AS id
        FROM app_search_posts('spring', ARRAY[${ids}], '{}', '{}', NULL, NULL, NULL, 50001)`),
    ])
    const own = await database.sql<{ id: string }>(
      "SELECT id FROM posts WHERE workspace_id = $1 AND text LIKE 'spring%'",
      [workspaceId],
    )
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(own.map(({ id }) => id)))
    expect(found).toHaveLength(own.length)
  })
})

describe('a word in less than one of a hundred posts, by a figure,', () => {
  let evenId: string
  const EVEN_POSTS = 20_000
  /** So many posts lie between two points of the first look, which sees the last 500 before each. */
  const STRETCH = EVEN_POSTS / 8

  beforeAll(async () => {
    evenId = await makeWorkspace(database)
    await database.sql(
      `INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, text, posted_at, likes)
       SELECT uuidv7(), $1, $2, 'bluesky', n, 'post',
         CASE WHEN n % 160 = 0 THEN 'ebb ' ELSE '' END
           || CASE WHEN n % 120 = 0 AND (n - 1) % ${STRETCH} >= ${STRETCH - 500} THEN 'bore ' ELSE '' END || 'tide',
         '2026-01-01T00:00:00Z'::timestamptz + n * interval '10 minutes', n * 7919 % 50
       FROM generate_series(1, ${EVEN_POSTS}) n`,
      [evenId, await makeAccount(database, evenId)],
    )
    await database.sql('ANALYZE posts, post_search')
  })

  it.each([
    ['is walked to where it is used throughout', 'ebb', true],
    ['is read where the first look met it by chance', 'bore', false],
  ])('%s', async (_, search, isWalked) => {
    expect(await walks({ search, sort: 'likes' }, evenId)).toBe(isWalked)
    const found = await readPages({ search, sort: 'likes' }, 4, evenId)
    expect(found).toEqual(await expected(ORDERS.likes, `text LIKE '%${search} %'`, 4, evenId))
  })
})
