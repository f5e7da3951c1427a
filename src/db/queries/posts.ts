import { sql } from 'drizzle-orm'
import { type Platform, POST_METRICS, type PostKind, type PostMetric } from '../../domain/platforms.ts'
import type { PostMedia } from '../../ports.ts'
import { type Statement, statement } from '../client.ts'
import type { PostListQuery } from './post-list-query.ts'
import { pageOfPosts } from './posts-page.ts'

export { POST_SORTS, type PostListQuery, type PostSort } from './post-list-query.ts'

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

/** Posts of live accounts, sorted downwards; one more than asked for. */
export function listPosts(workspaceId: string, q: PostListQuery): Statement<PostRow> {
  return statement(sql`
    WITH page AS MATERIALIZED (${pageOfPosts(workspaceId, q)})
    SELECT ${COLUMNS}, page.value AS "sortValue"
    FROM page JOIN posts p ON p.id = page.id
    ORDER BY page.place`)
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
