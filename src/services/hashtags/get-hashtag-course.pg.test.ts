import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import { publicGeneration } from '../../db/queries/public-generation.ts'
import { newId } from '../../lib/ids.ts'
import { ingest } from '../ingest/ingest.ts'
import { getHashtagCourse, getPublicHashtagCourse } from './get-hashtag-course.ts'
import { HashtagCourse } from './schemas.ts'

let database: TestDatabase
const NOW = Date.parse('2026-04-02T15:23:17.456Z')
const HOME = 'America/New_York'
let workspaceId: string
let accounts: string[]

const course = (tag: string, id = workspaceId) =>
  getHashtagCourse({ db: database.db, clock: { now: () => NOW }, workspace: { id, timezone: HOME } }, tag)
const publicCourse = (tag: string) =>
  getPublicHashtagCourse({ db: database.db, clock: { now: () => NOW } }, tag)

beforeAll(async () => {
  database = await createTestDatabase()
  workspaceId = await makeWorkspace(database, HOME)
  accounts = [
    await makeAccount(database, workspaceId, { platform: 'bluesky', handle: 'harbour.example' }),
    await makeAccount(database, workspaceId, { platform: 'mastodon', source: 'credential' }),
    await makeAccount(database, workspaceId, { platform: 'youtube' }),
  ]
  for (const [which, accountId] of accounts.entries())
    await ingest(quietDeps(database.db), {
      workspaceId,
      // 35 days, three posts in four hours of each, over midnight in New York and the change of its clocks.
      posts: Array.from({ length: 35 * 3 }, (_, i) =>
        reading(accountId, `p${i}`, {
          postedAt: new Date(
            NOW - Math.floor(i / 3) * 86_400_000 - 10 * 3_600_000 - (i % 3) * 3_600_000,
          ).toISOString(),
          observedAt: '2026-04-02T15:24:00.000Z',
          hashtags: [
            { tag: '潮', display: '潮' },
            ...(i % 2 === which % 2 ? [{ tag: 'tide', display: i % 4 === 0 ? 'tide' : 'Tide' }] : []),
          ],
          metrics: i % 5 === 0 ? { views: 3 } : { likes: (i * 37 + which * 11) % 101, comments: 1 },
        }),
      ),
    })
  await database.sql(
    "UPDATE posts SET deleted_at = now() WHERE platform_post_id = 'p7' OR (account_id = $1 AND engagements > 95)",
    [accounts[0]],
  )
})
afterAll(() => database.close())

/** The days of a tag by plain SQL; of YouTube's figures, which stand aside, only the uses. */
async function days(tag: string, timezone: string, accountIds: string[]) {
  const rows = await database.sql<{
    day: string
    uses: string
    accounts: string
    engagements: string | null
  }>(
    `SELECT d::date::text AS day, count(p.id) AS uses, count(DISTINCT p.account_id) AS accounts,
       sum(p.engagements) FILTER (WHERE p.platform <> 'youtube') AS engagements
     FROM generate_series($2::date, $3::date, '1 day') d
     LEFT JOIN posts p ON (p.posted_at AT TIME ZONE $1)::date = d AND p.deleted_at IS NULL AND p.account_id = ANY ($4)
       AND EXISTS (SELECT 1 FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = $5)
     GROUP BY 1 ORDER BY 1`,
    [timezone, '2026-03-04', '2026-04-02', accountIds, tag],
  )
  return rows.map((row) => ({
    day: row.day,
    uses: Number(row.uses),
    accounts: Number(row.accounts),
    engagements: row.engagements === null ? null : Number(row.engagements),
  }))
}

async function topPosts(tag: string, accountIds: string[], fromIso: string) {
  return database.sql<{ id: string; url: string; handle: string; engagements: string }>(
    `SELECT p.id, p.url, a.handle, p.engagements FROM posts p JOIN accounts a ON a.id = p.account_id
     WHERE p.account_id = ANY ($1) AND p.platform <> 'youtube' AND p.deleted_at IS NULL AND p.engagements IS NOT NULL
       AND p.posted_at >= $3 AND EXISTS (SELECT 1 FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = $2)
     ORDER BY p.engagements DESC, p.id LIMIT 10`,
    [accountIds, tag, fromIso],
  )
}

describe('the course of a hashtag', () => {
  it.each(['#Tide', 'TIDE', '潮'])('of %s has the days and posts that plain SQL finds', async (written) => {
    const tag = written === '潮' ? '潮' : 'tide'
    const answer = await course(written)
    expect(answer.period).toEqual({ from: '2026-03-04', to: '2026-04-02', timezone: HOME })
    expect(answer.days).toEqual(await days(tag, HOME, accounts))
    const top = await topPosts(tag, accounts, '2026-03-04T05:00:00Z')
    expect(top).toHaveLength(10)
    expect(answer.topPosts.map((post) => [post.id, post.handle, post.metrics.engagements])).toEqual(
      top.map((post) => [post.id, post.handle, Number(post.engagements)]),
    )
  })

  it('is shown in the usual spelling, in the promised form, and ends with stale', async () => {
    const answer = await course('tide')
    expect(answer.tag).toBe('Tide')
    expect(HashtagCourse.parse(answer)).toEqual(answer)
    expect(JSON.stringify(answer)).toMatch(/"stale":false}$/)
    const [post] = answer.topPosts
    const [stored] = await database.sql<{ at: Date; account: string; likes: string }>(
      'SELECT posted_at AS at, account_id AS account, likes FROM posts WHERE id = $1',
      [post?.id],
    )
    expect(post).toMatchObject({
      postedAt: stored?.at.toISOString(),
      accountId: stored?.account,
      metrics: {
        likes: Number(stored?.likes),
        comments: 1,
        shares: null,
        engagements: Number(stored?.likes) + 1,
      },
    })
  })

  it('of the public has days in UTC, and leaves out what was read with a credential', async () => {
    const open = [accounts[0] ?? '', accounts[2] ?? '']
    const answer = await publicCourse('潮')
    const [{ generation } = { generation: 0 }] = await database.db.outside(publicGeneration())
    expect(answer).toMatchObject({ scope: 'public', generation })
    expect(answer.period).toEqual({ from: '2026-03-04', to: '2026-04-02', timezone: 'UTC' })
    expect(answer.days).toEqual(await days('潮', 'UTC', open))
    expect(answer.topPosts.map((post) => post.metrics.engagements)).toEqual(
      (await topPosts('潮', open, '2026-03-04T00:00:00Z')).map((post) => Number(post.engagements)),
    )
    expect(new Set(answer.topPosts.map((post) => post.handle))).toEqual(new Set(['harbour.example']))
  })

  it('of a tag that nobody used is one of zeros, also where another workspace used it', async () => {
    const elsewhere = await makeWorkspace(database)
    for (const answer of [
      await course('Neap'),
      await course('tide', elsewhere),
      await publicCourse('Neap'),
    ]) {
      expect(answer.days).toHaveLength(30)
      expect(
        answer.days.every((day) => day.uses === 0 && day.accounts === 0 && day.engagements === null),
      ).toBe(true)
      expect(answer.topPosts).toEqual([])
    }
    expect((await course('#Neap')).tag).toBe('neap')
  })

  it('is refused for what is no hashtag, and not found without its workspace', async () => {
    await expect(course('#123')).rejects.toMatchObject({
      code: 'invalid_request',
      fields: [{ pointer: '/path/tag' }],
    })
    await expect(publicCourse(' ')).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(course('tide', newId())).rejects.toMatchObject({ code: 'not_found' })
  })
})
