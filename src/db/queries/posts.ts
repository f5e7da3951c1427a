import { type SQL, sql } from 'drizzle-orm'
import { type Platform, POST_METRICS, type PostKind, type PostMetric } from '../../domain/platforms.ts'
import type { PostMedia } from '../../ports.ts'
import { type Statement, statement } from '../client.ts'
import { type AccountFilter, array, selectedAccounts } from './overview.ts'

export const POST_SORTS = [
  'postedAt',
  'engagements',
  'engagementRate',
  'likes',
  'comments',
  'shares',
  'saves',
  'views',
] as const
export type PostSort = (typeof POST_SORTS)[number]

export type PostRow = {
  id: string
  accountId: string
  platform: Platform
  platformPostId: string
  kind: PostKind
  text: string | null
  hashtags: string[]
  url: string | null
  postedAt: string
  media: PostMedia[]
  deletedAt: string | null
  metricsAt: string | null
  /** Metrics that the last reading did not have, and when they were read last; `null`: it had all that is known. */
  lastKnown: Partial<Record<PostMetric, string>> | null
  engagements: number | null
  /** The value that the list is sorted by, as text: part of the next page's position. */
  sortValue: string
} & Record<PostMetric, number | null>

const COLUMNS =
  sql.raw(`p.id, p.account_id AS "accountId", p.platform, p.platform_post_id AS "platformPostId", p.kind,
  p.text, p.url, p.posted_at AS "postedAt", p.media, p.deleted_at AS "deletedAt", p.metrics_at AS "metricsAt",
  NULLIF(jsonb_strip_nulls(p.last_known), '{}') AS "lastKnown", p.engagements, ${POST_METRICS.map((m) => `p.${m}`).join(', ')},
  ARRAY(SELECT h.display FROM post_hashtags h WHERE h.post_id = p.id ORDER BY h.display) AS hashtags`)

/** What a list is sorted by. Unknown counts come last. */
function sortExpression(sort: PostSort): { expression: SQL; type: SQL } {
  switch (sort) {
    case 'postedAt':
      return { expression: sql`p.posted_at`, type: sql`timestamptz` }
    case 'engagementRate':
      return {
        expression: sql`COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1)`,
        type: sql`float8`,
      }
    default:
      // The column's name comes from POST_SORTS, not from the request.
      return { expression: sql.raw(`COALESCE(p.${sort}, -1)`), type: sql`bigint` }
  }
}

export interface PostListQuery {
  filter: AccountFilter
  sort: PostSort
  kinds: PostKind[]
  /** Normalised tags; a post must have one of them. */
  hashtags: string[]
  search: string | null
  /** Instants, the second exclusive. */
  from: string | null
  until: string | null
  after: { value: string; id: string } | null
  limit: number
}

/** Posts of live accounts, sorted downwards; one more than asked for. */
export function listPosts(workspaceId: string, q: PostListQuery): Statement<PostRow> {
  const { expression, type } = sortExpression(q.sort)
  const conditions: SQL[] = [sql`p.workspace_id = ${workspaceId}`]
  if (q.kinds.length > 0) conditions.push(sql`p.kind = ANY (${array(q.kinds)}::text[])`)
  if (q.hashtags.length > 0)
    conditions.push(
      sql`EXISTS (SELECT 1 FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (${array(q.hashtags)}::text[]))`,
    )
  if (q.search !== null) conditions.push(sql`p.text ILIKE ${`%${q.search.replace(/[\\%_]/g, '\\$&')}%`}`)
  if (q.from !== null) conditions.push(sql`p.posted_at >= ${q.from}::timestamptz`)
  if (q.until !== null) conditions.push(sql`p.posted_at < ${q.until}::timestamptz`)
  if (q.after !== null)
    conditions.push(sql`(${expression}, p.id) < (${q.after.value}::${type}, ${q.after.id}::uuid)`)
  return statement(sql`
    SELECT ${COLUMNS}, (${expression})::text AS "sortValue"
    FROM posts p
    WHERE ${sql.join(conditions, sql` AND `)}
      AND p.account_id IN (SELECT s.id FROM (${selectedAccounts(workspaceId, q.filter)}) s)
    ORDER BY ${expression} DESC, p.id DESC
    LIMIT ${q.limit + 1}`)
}

export function selectPost(workspaceId: string, id: string): Statement<PostRow> {
  return statement(sql`
    SELECT ${COLUMNS}, '' AS "sortValue" FROM posts p
    JOIN accounts a ON a.id = p.account_id AND a.deleted_at IS NULL
    WHERE p.workspace_id = ${workspaceId} AND p.id = ${id}`)
}

export type SnapshotRow = { observedAt: string; engagements: number | null } & Record<
  PostMetric,
  number | null
>

/** A post's readings, newest first; one more than asked for. */
export function listSnapshots(
  workspaceId: string,
  postId: string,
  after: string | null,
  limit: number,
): Statement<SnapshotRow> {
  return statement(sql`
    SELECT s.observed_at AS "observedAt", ${sql.raw(POST_METRICS.map((m) => `s.${m}`).join(', '))},
      CASE WHEN COALESCE(s.likes, s.comments, s.shares, s.quotes, s.saves) IS NOT NULL THEN
        COALESCE(s.likes, 0) + COALESCE(s.comments, 0) + COALESCE(s.shares, 0) + COALESCE(s.quotes, 0)
          + COALESCE(s.saves, 0) END AS engagements
    FROM post_snapshots s
    WHERE s.workspace_id = ${workspaceId} AND s.post_id = ${postId}
      AND (${after}::timestamptz IS NULL OR s.observed_at < ${after}::timestamptz)
    ORDER BY s.observed_at DESC LIMIT ${limit + 1}`)
}
