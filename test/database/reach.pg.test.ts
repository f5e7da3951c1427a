import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { periodOf } from '../../src/domain/periods.ts'
import { newId } from '../../src/lib/ids.ts'
import { dbWithinReach } from '../../src/services/access/reach.ts'
import { getAccountMetrics } from '../../src/services/accounts/manage-accounts.ts'
import type { ServiceContext } from '../../src/services/context.ts'
import { getHashtagCourse, getTrendingHashtags, refreshTrending } from '../../src/services/hashtags/index.ts'
import {
  inWorkspace,
  type RawUse,
  ranked,
  rawUses,
  truthOf,
} from '../../src/services/hashtags/trending-truth.test-helper.ts'
import { makeRig } from '../../src/services/imports/rig.test-helper.ts'
import { ingest } from '../../src/services/ingest/ingest.ts'
import { getOverview } from '../../src/services/overview/get-overview.ts'
import { getPost, getPostSnapshots, getPosts } from '../../src/services/posts/posts.ts'
import { member } from '../harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeAccount, reading } from '../harness/factories.ts'

/**
 * What members who are limited to brands are shown. Expected figures come from plain SQL over the accounts of
 * their brands.
 */
let database: TestDatabase
let owner: ServiceContext
let nowMs: number
const brands = { one: newId(), two: newId() }
/** A tag that one account alone uses, by the account's brand. */
const TAG_OF = { one: 'onlyone', two: 'onlytwo', none: 'onlynone' }

beforeAll(async () => {
  database = await createTestDatabase()
  const { ctx } = await makeRig(database)
  owner = { ...ctx, actor: member('owner') }
  nowMs = ctx.clock.now()
  for (const id of Object.values(brands))
    await database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [
      id,
      ctx.workspace.id,
      id,
    ])
  for (const [index, { platform, brand, deleted }] of ACCOUNTS.entries()) {
    const id = await makeAccount(database, ctx.workspace.id, { platform })
    await database.sql('UPDATE accounts SET brand_id = $2, deleted_at = $3 WHERE id = $1', [
      id,
      brand === 'none' ? null : brands[brand],
      deleted ? new Date(nowMs) : null,
    ])
    for (const round of [1, 2]) await fill(id, TAG_OF[brand], index + 1, round)
  }
})
afterAll(() => database.close())

const ACCOUNTS: { platform: 'bluesky' | 'mastodon' | 'x'; brand: keyof typeof TAG_OF; deleted?: true }[] = [
  { platform: 'bluesky', brand: 'one' },
  { platform: 'mastodon', brand: 'one' },
  { platform: 'x', brand: 'one', deleted: true },
  { platform: 'mastodon', brand: 'two' },
  { platform: 'bluesky', brand: 'none' },
]

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const iso = (ms: number) => new Date(ms).toISOString()

/** Posts of the last days and hours; in a second round their counts have grown. */
async function fill(accountId: string, tag: string, factor: number, round: number) {
  await ingest(owner, {
    workspaceId: owner.workspace.id,
    profiles: [
      {
        accountId,
        handle: `handle${factor}`,
        displayName: null,
        url: 'https://example.com',
        avatarUrl: null,
        followers: 100 * factor + round,
        following: null,
        posts: null,
        observedAt: iso(nowMs - (4 - round) * HOUR),
      },
    ],
    posts: Array.from({ length: 9 }, (_, i) => {
      const tags = ['shared', tag, ...(i % 2 === 0 ? ['even'] : [])]
      return reading(accountId, `p${i}`, {
        postedAt: iso(nowMs - HOUR / 4 - i * i * HOUR),
        observedAt: iso(nowMs - (3 - round) * MINUTE),
        text: `Words of ${tag} ${i}`,
        hashtags: tags.map((name) => ({ tag: name, display: name })),
        metrics: { likes: factor * 10 ** (i % 4) + round, comments: round },
      })
    }),
  })
}

/** The workspace as a member sees it who is limited to brands. */
function limitedTo(ids: readonly string[], userId = 'ada'): ServiceContext {
  const actor = member('analyst', { userId, brands: ids })
  return { ...owner, actor, db: dbWithinReach(owner.db, actor) }
}

const CASES: [string, () => string[]][] = [
  ['one brand', () => [brands.one]],
  ['another', () => [brands.two]],
  ['both', () => [brands.one, brands.two]],
  ['no brand', () => []],
  ['a brand that was removed', () => [newId()]],
]

/** Rows of live accounts of brands, with `${from}` joined to the account `a`. */
function truth<R extends object>(ids: string[], select: string, rest: string, params: unknown[] = []) {
  return database.sql<R>(
    `SELECT ${select} FROM accounts a ${rest.replace('WHERE', 'WHERE a.deleted_at IS NULL AND a.brand_id = ANY ($1) AND')}`,
    [ids, ...params],
  )
}

describe.each(CASES)('a member limited to %s', (_, idsOf) => {
  const ask = () => limitedTo(idsOf())
  const oneDay = () => iso(nowMs).slice(0, 10)

  it.each([
    ['days', '2026-03-01', 'UTC'],
    ['quarter hours', '2026-03-01', 'Asia/Kathmandu'],
    ['hours', null, 'UTC'],
  ] as const)('gets the overview of their accounts alone, read from %s', async (_cut, from, timezone) => {
    const period = periodOf(from ?? oneDay(), oneDay(), timezone)
    for (const basis of ['published', 'gained'] as const) {
      const answer = await getOverview(ask(), {
        period,
        compare: 'previous',
        basis,
        filter: { accounts: [], platforms: [], brands: [] },
      })
      const [figures] = await truth<{ posts: number; likes: number | null; gained: number | null }>(
        idsOf(),
        `count(*)::int AS posts, sum(likes)::int AS likes, (
           SELECT sum(d.likes)::int FROM (
             SELECT s.observed_at, s.likes - COALESCE(lag(s.likes) OVER (PARTITION BY s.post_id ORDER BY s.observed_at), 0) AS likes
             FROM post_snapshots s JOIN posts sp ON sp.id = s.post_id JOIN accounts sa ON sa.id = sp.account_id
             WHERE sa.brand_id = ANY ($1) AND sa.deleted_at IS NULL) d
           WHERE d.observed_at >= $2 AND d.observed_at < $3) AS gained`,
        'JOIN posts p ON p.account_id = a.id WHERE p.posted_at >= $2 AND p.posted_at < $3',
        [period.start, period.end],
      )
      const expected = basis === 'published' ? figures?.likes : figures?.gained
      expect(answer.totals.likes.value).toBe(expected)
      expect(answer.totals.posts.value).toBe(figures?.posts)
      expect(answer.series.reduce((sum, entry) => sum + (entry.likes ?? 0), 0)).toBe(expected ?? 0)
      const accounts = await truth<{ id: string; platform: string }>(idsOf(), 'id, platform', 'WHERE TRUE')
      expect(answer.accounts.map(({ id }) => id).sort()).toEqual(accounts.map(({ id }) => id).sort())
      expect(answer.platforms.map(({ platform }) => platform).sort()).toEqual(
        [...new Set(accounts.map(({ platform }) => platform))].sort(),
      )
      const [followers] = await truth<{ n: number | null }>(
        idsOf(),
        `sum((SELECT followers FROM account_metrics m WHERE m.account_id = a.id ORDER BY observed_at DESC LIMIT 1))::int AS n`,
        'WHERE TRUE',
      )
      expect(answer.totals.followers.value).toBe(followers?.n)
      const best = await truth<{ id: string }>(
        idsOf(),
        'p.id',
        `JOIN posts p ON p.account_id = a.id WHERE p.posted_at >= $2 AND p.posted_at < $3
         ORDER BY p.engagements DESC, p.id LIMIT 5`,
        [period.start, period.end],
      )
      expect(answer.topPosts.map(({ id }) => id)).toEqual(best.map(({ id }) => id))
    }
  })

  it('gets nothing by naming accounts or brands that are not theirs', async () => {
    const hidden = await database.sql<{ id: string; brand_id: string | null }>(
      'SELECT id, brand_id FROM accounts WHERE brand_id IS NULL OR brand_id <> ALL ($1)',
      [idsOf()],
    )
    const period = periodOf('2026-03-01', oneDay(), 'UTC')
    const naming = [
      { accounts: hidden.map(({ id }) => id), platforms: [], brands: [] },
      { accounts: [], platforms: [], brands: [...hidden.flatMap((row) => row.brand_id ?? []), newId()] },
    ]
    for (const filter of naming) {
      const overview = await getOverview(ask(), { period, compare: 'none', basis: 'published', filter })
      expect([overview.accounts, overview.topPosts, overview.totals.posts.value]).toEqual([[], [], 0])
      const page = await getPosts(ask(), { ...EVERY_POST, filter })
      expect(page.items).toEqual([])
    }
  })

  it('gets their posts, page by page, also after a position in everybody’s', async () => {
    const expected = await truth<{ id: string }>(
      idsOf(),
      'p.id',
      'JOIN posts p ON p.account_id = a.id WHERE TRUE ORDER BY COALESCE(p.likes, -1) DESC, p.id DESC',
    )
    const got: string[] = []
    let after: { value: string; id: string } | null = null
    do {
      const page: Awaited<ReturnType<typeof getPosts>> = await getPosts(ask(), {
        ...EVERY_POST,
        after,
        limit: 4,
      })
      got.push(...page.items.map(({ id }) => id))
      after = page.next
    } while (after !== null)
    expect(got).toEqual(expected.map(({ id }) => id))
    const everybodys = await getPosts(owner, { ...EVERY_POST, limit: 20 })
    const seen = new Set(everybodys.items.map(({ id }) => id))
    const rest = await getPosts(ask(), { ...EVERY_POST, after: everybodys.next })
    expect(rest.items.map(({ id }) => id)).toEqual(expected.map(({ id }) => id).filter((id) => !seen.has(id)))
  })

  it('finds by search and by tag what is theirs alone', async () => {
    for (const [brand, tag] of Object.entries(TAG_OF)) {
      const theirs =
        brand === 'none' ? [] : idsOf().filter((id) => id === brands[brand === 'one' ? 'one' : 'two'])
      const [count] = await truth<{ n: number }>(
        theirs,
        'count(*)::int AS n',
        'JOIN posts p ON p.account_id = a.id WHERE TRUE',
      )
      for (const narrowed of [{ search: tag }, { hashtags: [tag] }])
        expect((await getPosts(ask(), { ...EVERY_POST, ...narrowed })).items).toHaveLength(count?.n ?? -1)
    }
  })

  it('is told of a post and its course, of a follower count, only where it is theirs', async () => {
    const everything = await database.sql<{ id: string; accountId: string; live: boolean; theirs: boolean }>(
      `SELECT DISTINCT ON (p.account_id) p.id, p.account_id AS "accountId", a.deleted_at IS NULL AS live,
         COALESCE(a.brand_id = ANY ($1), FALSE) AS theirs
       FROM posts p JOIN accounts a ON a.id = p.account_id`,
      [idsOf()],
    )
    const isTold = async (answer: Promise<unknown>) => {
      const code = await answer.then(
        () => 'told',
        (error: unknown) => Reflect.get(Object(error), 'code'),
      )
      expect(['told', 'not_found']).toContain(code)
      return code === 'told'
    }
    for (const { id, accountId, live, theirs } of everything) {
      expect(await isTold(getPost(ask(), id))).toBe(theirs && live)
      expect(await isTold(getPostSnapshots(ask(), id, { after: null, limit: 10 }))).toBe(theirs && live)
      // An account that is hidden can be brought back, and is shown to those who may.
      expect(await isTold(getAccountMetrics(ask(), accountId))).toBe(theirs)
    }
    expect(everything).toHaveLength(ACCOUNTS.length)
  })

  it.each(['1h', '24h', '7d'] as const)('gets the hashtags of %s that their accounts use', async (window) => {
    // Worked out ahead for the whole workspace, which is not what they may see.
    await refreshTrending(owner, owner.workspace.id)
    const question = {
      window,
      platforms: [],
      brands: [],
      sort: 'volume' as const,
      limit: 100,
      scope: 'workspace' as const,
    }
    const uses: RawUse[] = await rawUses(database)
    const theirs = inWorkspace(uses, owner.workspace.id, { brands: idsOf() })
    const answer = await getTrendingHashtags({ ...ask(), reach: idsOf() }, question)
    expect(answer.items).toEqual(ranked(truthOf(theirs, window, 'workspace', nowMs), 'volume', window, 100))
    const whole = inWorkspace(uses, owner.workspace.id)
    expect((await getTrendingHashtags({ ...owner, reach: null }, question)).items).toHaveLength(
      truthOf(whole, window, 'workspace', nowMs).length,
    )
  })

  it('gets a hashtag’s course by their accounts', async () => {
    for (const tag of ['shared', ...Object.values(TAG_OF)]) {
      const course = await getHashtagCourse(ask(), tag)
      const posts = await truth<{ id: string; engagements: number }>(
        idsOf(),
        'p.id, p.engagements::int',
        `JOIN posts p ON p.account_id = a.id JOIN post_hashtags h ON h.post_id = p.id
         WHERE h.tag = $2 ORDER BY p.engagements DESC, p.id`,
        [tag],
      )
      expect(course.days.reduce((sum, day) => sum + day.uses, 0)).toBe(posts.length)
      expect(course.days.reduce((sum, day) => sum + (day.engagements ?? 0), 0)).toBe(
        posts.reduce((sum, post) => sum + post.engagements, 0),
      )
      expect(course.topPosts.map(({ id }) => id)).toEqual(posts.slice(0, 10).map(({ id }) => id))
    }
  })
})

const EVERY_POST = {
  filter: { accounts: [], platforms: [], brands: [] },
  sort: 'likes',
  kinds: [],
  hashtags: [],
  search: null,
  from: null,
  until: null,
  after: null,
  limit: 100,
} as const satisfies Parameters<typeof getPosts>[1]
