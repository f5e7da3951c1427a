import type { AccountTruth } from '../../scripts/local/platforms/truth.ts'
import { distinctTags, normaliseTag } from '../../src/domain/hashtags.ts'
import {
  ENGAGEMENT_METRICS,
  PLATFORM_FACTS,
  type Platform,
  POST_METRICS,
  type PostMetric,
} from '../../src/domain/platforms.ts'
import { CELL_METRICS } from '../../src/domain/rollup-cell.ts'

/** What should be stored, by what the platforms know and by plain SQL: without the code under test. */

/** Platforms that give whole seconds. */
const TO_THE_SECOND: ReadonlySet<Platform> = new Set<Platform>([
  ...(['youtube', 'x', 'instagram', 'threads', 'facebook', 'tiktok'] as const),
])

/** A moment as a platform gives it. */
export function shownAt(platform: Platform, iso: string): string {
  return TO_THE_SECOND.has(platform) ? `${iso.slice(0, 19)}.000Z` : iso
}

/** Followers as a platform gives them: YouTube says three digits of them. */
function shownFollowers(platform: Platform, followers: number): number {
  if (platform !== 'youtube') return followers
  const step = 10 ** Math.max(0, String(followers).length - 3)
  return Math.floor(followers / step) * step
}

/** A post as it should be stored. */
export function shownPost(platform: Platform, post: AccountTruth['posts'][number]) {
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

/** Name and counts of an account, as they should be stored. */
export function shownProfile({
  platform,
  displayName,
  followers,
  following,
  posts,
}: AccountTruth['account']) {
  const { accountMeasures } = PLATFORM_FACTS[platform]
  const of = (measure: 'followers' | 'following' | 'posts', value: number) =>
    accountMeasures.includes(measure) ? value : null
  return {
    display_name: displayName,
    followers: of('followers', shownFollowers(platform, followers)),
    following: of('following', following),
    posts: of('posts', posts),
  }
}

/** A count of the database, which gives large ones as text. */
export const asNumber = (value: unknown) => (value === null ? null : Number(value))

type Sql = (text: string, params: unknown[]) => Promise<Record<string, unknown>[]>

/** What a rollup says of what was published, and what plain SQL over the posts makes of it; both in one order. */
export async function publishedBothWays(sql: Sql, workspaceId: string) {
  const sums = CELL_METRICS.map(
    (m) => `coalesce(sum(p.${m}), 0)::bigint AS ${m}, count(p.${m})::int AS ${m}_known`,
  ).join(', ')
  const columns = CELL_METRICS.map((m) => `r.${m}, r.${m}_known`).join(', ')
  const tables = [
    { table: 'account_days', time: 'day', of: '(p.posted_at AT TIME ZONE w.timezone)::date' },
    {
      table: 'account_quarters',
      time: 'quarter',
      of: `date_bin('15 minutes', p.posted_at, '2000-01-01T00:00:00Z')`,
    },
  ]
  const both: { table: string; expected: Record<string, unknown>[]; stored: Record<string, unknown>[] }[] = []
  for (const { table, time, of } of tables)
    both.push({
      table,
      expected: await sql(
        `SELECT p.account_id, ${of}::text AS time, count(*)::int AS posts, ${sums}
         FROM posts p JOIN workspaces w ON w.id = p.workspace_id
         WHERE w.id = $1 AND p.kind <> 'repost' AND p.deleted_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2`,
        [workspaceId],
      ),
      stored: await sql(
        `SELECT r.account_id, r.${time}::text AS time, r.posts, ${columns}
         FROM ${table} r WHERE r.workspace_id = $1 AND r.posts <> 0 ORDER BY 1, 2`,
        [workspaceId],
      ),
    })
  return both
}

/** The columns of a post's counts, for a statement. */
export const METRIC_COLUMNS = POST_METRICS.join(', ')
