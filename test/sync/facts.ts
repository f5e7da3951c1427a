import { expect } from 'vitest'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import { distinctTags, normaliseTag } from '../../src/domain/hashtags.ts'
import {
  ENGAGEMENT_METRICS,
  PLATFORM_FACTS,
  type Platform,
  POST_METRICS,
  type PostMetric,
} from '../../src/domain/platforms.ts'
import { CELL_METRICS, RATE_BASES } from '../../src/domain/rollup-cell.ts'
import type { TestDatabase } from '../harness/database.ts'
import type { Engine } from './engine.ts'

/** What is stored, what the platforms know, and what plain SQL makes of it: each without the code under test. */

const METRICS = POST_METRICS.join(', ')
const ROLLUP = [
  'posts',
  ...CELL_METRICS,
  ...CELL_METRICS.map((m) => `${m}_known`),
  ...CELL_METRICS.map((m) => `gained_${m}`),
  ...RATE_BASES.map((base) => `engagements_by_${base}`),
  'followers_at_posting',
].join(', ')

/** Everything that must not depend on how messages arrived, by the platforms' own ids. */
export async function dump(database: TestDatabase, workspaceId: string) {
  const rows = (text: string) => database.sql<Record<string, unknown>>(text, [workspaceId])
  return {
    accounts: await rows(
      `SELECT external_id, host, handle, status, status_reason, stale_reason, followers, following, posts,
         metrics_at, tracked_since, last_synced_at, backfill_cursor, backfilled_at
       FROM accounts WHERE workspace_id = $1 ORDER BY external_id`,
    ),
    profiles: await rows(
      `SELECT a.external_id, m.observed_at, m.followers, m.following, m.posts FROM account_metrics m
       JOIN accounts a ON a.id = m.account_id WHERE m.workspace_id = $1 ORDER BY 1, 2`,
    ),
    posts: await rows(
      `SELECT a.external_id, p.platform_post_id, p.kind, p.text, p.url, p.posted_at, p.media, ${METRICS},
         p.engagements, p.followers_at_posting, p.metrics_at, p.still_readings, p.absent_since, p.deleted_at
       FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.workspace_id = $1 ORDER BY 1, 2`,
    ),
    snapshots: await rows(
      `SELECT p.platform_post_id, s.observed_at, ${POST_METRICS.map((m) => `s.${m}`).join(', ')}
       FROM post_snapshots s JOIN posts p ON p.id = s.post_id WHERE s.workspace_id = $1 ORDER BY 1, 2`,
    ),
    hashtags: await rows(
      `SELECT p.platform_post_id, h.tag, h.display, h.posted_at
       FROM post_hashtags h JOIN posts p ON p.id = h.post_id WHERE h.workspace_id = $1 ORDER BY 1, 2`,
    ),
    days: await rows(
      `SELECT a.external_id, d.day::text, ${ROLLUP.replace('posts,', 'd.posts,').replace(
        /, followers_at_posting$/,
        ', d.followers_at_posting',
      )}, d.followers, d.followers_read_at,
         jsonb_path_query_array(d.top_posts, '$[*].engagements') AS top, d.top_posts_stale
       FROM account_days d JOIN accounts a ON a.id = d.account_id WHERE d.workspace_id = $1 ORDER BY 1, 2`,
    ),
    quarters: await rows(
      `SELECT a.external_id, q.quarter, ${ROLLUP.replace('posts,', 'q.posts,')}
       FROM account_quarters q JOIN accounts a ON a.id = q.account_id WHERE q.workspace_id = $1 ORDER BY 1, 2`,
    ),
  }
}

/** Both rollups as plain SQL over the posts makes them, for the readings by publication. */
export async function expectRollupsToMatchPosts(database: TestDatabase, workspaceId: string): Promise<void> {
  const sums = CELL_METRICS.map(
    (m) => `coalesce(sum(p.${m}), 0)::bigint AS ${m}, count(p.${m})::int AS ${m}_known`,
  ).join(', ')
  const columns = CELL_METRICS.map((m) => `r.${m}, r.${m}_known`).join(', ')
  for (const [table, time, of] of [
    ['account_days', 'day', '(p.posted_at AT TIME ZONE w.timezone)::date'],
    ['account_quarters', 'quarter', `date_bin('15 minutes', p.posted_at, '2000-01-01T00:00:00Z')`],
  ]) {
    const expected = await database.sql(
      `SELECT p.account_id, ${of}::text AS time, count(*)::int AS posts, ${sums}
       FROM posts p JOIN workspaces w ON w.id = p.workspace_id
       WHERE w.id = $1 AND p.kind <> 'repost' AND p.deleted_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2`,
      [workspaceId],
    )
    const stored = await database.sql(
      `SELECT r.account_id, r.${time}::text AS time, r.posts, ${columns}
       FROM ${table} r WHERE r.workspace_id = $1 AND r.posts <> 0 ORDER BY 1, 2`,
      [workspaceId],
    )
    expect(stored).toEqual(expected)
  }
}

/** Platforms that give whole seconds. */
const TO_THE_SECOND: ReadonlySet<Platform> = new Set<Platform>([
  ...(['youtube', 'x', 'instagram', 'threads', 'facebook', 'tiktok'] as const),
])

/** A moment as a platform gives it. */
function shownAt(platform: Platform, iso: string): string {
  return TO_THE_SECOND.has(platform) ? `${iso.slice(0, 19)}.000Z` : iso
}

/** Followers as a platform gives them: YouTube says three digits of them. */
function shownFollowers(platform: Platform, followers: number): number {
  if (platform !== 'youtube') return followers
  const step = 10 ** Math.max(0, String(followers).length - 3)
  return Math.floor(followers / step) * step
}

/** A post as it should be stored. */
function stored(platform: Platform, post: AccountTruth['posts'][number]) {
  const { likes, replies, reposts, quotes, bookmarks, views, reach } = post.metrics
  const known: Record<PostMetric, number | null> = {
    ...{ likes, comments: replies, shares: reposts, quotes, saves: bookmarks },
    ...{ views, impressions: views, reach },
  }
  const { measures } = PLATFORM_FACTS[platform]
  const of = (metric: PostMetric) => (measures.includes(metric) ? known[metric] : null)
  return {
    id: post.id,
    kind: post.kind,
    posted_at: shownAt(platform, post.createdAt),
    ...{ likes: of('likes'), comments: of('comments'), shares: of('shares'), quotes: of('quotes') },
    ...{ saves: of('saves'), views: of('views'), impressions: of('impressions'), reach: of('reach') },
    engagements: ENGAGEMENT_METRICS.reduce((sum, m) => sum + (of(m) ?? 0), 0),
    tags: distinctTags(post.hashtags)
      .map((tag) => normaliseTag(tag))
      .toSorted(),
  }
}

const asNumber = (value: unknown) => (value === null ? null : Number(value))

/** Every post of somebody, exactly once and with the platform's own figures, and its reposts without any. */
export async function expectPostsToBeTrue(
  database: TestDatabase,
  engine: Engine,
  key: string,
): Promise<AccountTruth> {
  const truth = truthOf(engine.world, engine.person(key), engine.nowMs)
  const rows = await database.sql<Record<string, unknown> & { posted_at: Date; tags: string[] }>(
    `SELECT p.platform_post_id AS id, p.kind, p.posted_at, ${METRICS}, p.engagements,
       ARRAY(SELECT h.tag FROM post_hashtags h WHERE h.post_id = p.id ORDER BY h.tag COLLATE "C") AS tags
     FROM posts p JOIN accounts a ON a.id = p.account_id
     WHERE a.workspace_id = $1 AND a.external_id = $2 AND p.deleted_at IS NULL`,
    [engine.workspaceId, truth.account.id],
  )
  const own = rows
    .filter((row) => row.kind !== 'repost')
    .map((row) => ({
      ...row,
      posted_at: row.posted_at.toISOString(),
      ...Object.fromEntries([...POST_METRICS, 'engagements'].map((m) => [m, asNumber(row[m])])),
    }))
  const readable = truth.posts.filter((post) => post.deletedAt === null)
  const ids = new Set(rows.map((row) => row.id))
  expect(
    readable.flatMap(({ id, createdAt }) => (ids.has(id) ? [] : [createdAt])),
    'not stored',
  ).toEqual([])
  expect(byId(own)).toEqual(byId(readable.map((post) => stored(truth.account.platform, post))))
  const reposts = rows.filter((row) => row.kind === 'repost')
  expect(reposts.map((row) => row.posted_at.toISOString()).toSorted()).toEqual(
    truth.reposts.map((repost) => shownAt(truth.account.platform, repost.at)).toSorted(),
  )
  for (const repost of reposts) {
    expect(repost).toMatchObject({ likes: null, comments: null, shares: null, engagements: null, tags: [] })
  }
  return truth
}

function byId<T>(items: T[]): Map<string, T> {
  const found = new Map<string, T>()
  for (const item of items) {
    const { id } = item as T & { id: string }
    expect(found.has(id), `${id} is there twice`).toBe(false)
    found.set(id, item)
  }
  return found
}

/** What the platforms' own figures add up to on each local day of an account. */
export function truthByDay(truth: AccountTruth, timezone: string) {
  const dayOf = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' })
  const days = new Map<string, { day: string; posts: number; likes: number; engagements: number }>()
  for (const post of truth.posts.filter(({ deletedAt }) => deletedAt === null)) {
    const day = dayOf.format(Date.parse(post.createdAt))
    const sums = days.get(day) ?? { day, posts: 0, likes: 0, engagements: 0 }
    const { engagements, likes } = stored(truth.account.platform, post)
    days.set(day, {
      day,
      posts: sums.posts + 1,
      likes: sums.likes + (likes ?? 0),
      engagements: sums.engagements + engagements,
    })
  }
  return [...days.values()].sort((a, b) => a.day.localeCompare(b.day))
}

/** The same, as the rollup has it. */
export async function storedByDay(database: TestDatabase, engine: Engine, externalId: string) {
  return database.sql(
    `SELECT d.day::text, d.posts, d.likes::int, d.engagements::int FROM account_days d
     JOIN accounts a ON a.id = d.account_id
     WHERE a.workspace_id = $1 AND a.external_id = $2 AND d.posts <> 0 ORDER BY d.day`,
    [engine.workspaceId, externalId],
  )
}

/** Name and counts of somebody, as their platform gives them. */
export async function expectProfileToBeTrue(
  database: TestDatabase,
  engine: Engine,
  key: string,
): Promise<void> {
  const { account } = truthOf(engine.world, engine.person(key), engine.nowMs)
  const { platform } = account
  const { accountMeasures } = PLATFORM_FACTS[platform]
  const of = (measure: 'followers' | 'following' | 'posts', value: number) =>
    accountMeasures.includes(measure) ? value : null
  const [row] = await database.sql<Record<string, unknown>>(
    'SELECT display_name, followers, following, posts FROM accounts WHERE workspace_id = $1 AND external_id = $2',
    [engine.workspaceId, account.id],
  )
  expect({ ...row, ...countsOf(row ?? {}) }, key).toEqual({
    display_name: account.displayName,
    followers: of('followers', shownFollowers(platform, account.followers)),
    following: of('following', account.following),
    posts: of('posts', account.posts),
  })
}

const countsOf = ({ followers, following, posts }: Record<string, unknown>) => ({
  followers: asNumber(followers),
  following: asNumber(following),
  posts: asNumber(posts),
})
