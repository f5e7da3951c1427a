import { type SQL, sql } from 'drizzle-orm'
import type { PostKind } from '../../domain/platforms.ts'
import { type AccountFilter, array } from './overview.ts'

export const POST_SORTS = [
  'postedAt',
  'engagements',
  'engagementRate',
  'likes',
  'comments',
  'shares',
  'saves',
  'views',
  'relevance',
] as const
export type PostSort = (typeof POST_SORTS)[number]

export interface PostListQuery {
  filter: AccountFilter
  /** By relevance only where there is something to search for. */
  sort: PostSort
  kinds: PostKind[]
  /** Normalised tags; a post must have one of them. */
  hashtags: string[]
  search: string | null
  /** Instants, the second exclusive. */
  from: string | null
  until: string | null
  /** `value` as the row before had it in `sortValue`. */
  after: { value: string; id: string } | null
  limit: number
}

export interface Order {
  /** What posts are sorted by, of `posts p`. */
  expression: SQL
  type: SQL
  /** Below every value. */
  least: SQL
  /** The least of known values; `null`: all are known. */
  leastKnown: SQL | null
}

/** What a list is sorted by. Unknown counts come last. */
export function orderOf(sort: Exclude<PostSort, 'relevance'>): Order {
  switch (sort) {
    case 'postedAt':
      return {
        expression: sql`p.posted_at`,
        type: sql`timestamptz`,
        least: sql`'-infinity'::timestamptz`,
        leastKnown: null,
      }
    case 'engagementRate':
      return {
        expression: sql`COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1)`,
        type: sql`float8`,
        least: sql`'-infinity'::float8`,
        leastKnown: sql`0::float8`,
      }
    default:
      // The column's name comes from POST_SORTS, not from the request.
      // No COALESCE, which row-level security takes for something that may leak.
      return {
        expression: sql.raw(`CASE WHEN p.${sort} IS NULL THEN '-1'::bigint ELSE p.${sort} END`),
        type: sql`bigint`,
        least: sql`'-2'::bigint`,
        leastKnown: sql`0::bigint`,
      }
  }
}

/** OFFSET has each post's tags looked up, where a join might begin at all uses of a frequent tag. */
export const tagged = (postId: SQL, tags: string[]) =>
  sql`EXISTS (SELECT 1 FROM post_hashtags h WHERE h.post_id = ${postId} AND h.tag = ANY (${array(tags)}::text[]) OFFSET 0)`

export const published = (q: PostListQuery, at: SQL): SQL[] => [
  ...(q.from === null ? [] : [sql`${at} >= ${q.from}::timestamptz`]),
  ...(q.until === null ? [] : [sql`${at} < ${q.until}::timestamptz`]),
]

export const every = (conditions: SQL[]): SQL => sql.join([sql`TRUE`, ...conditions], sql` AND `)

/** Whether a span of time lies across the order, rather than along it. */
export const isSpan = (q: PostListQuery) => (q.from !== null || q.until !== null) && q.sort !== 'postedAt'

/** Whether posts are asked for by words or tags, which are found here and there. */
export const isPicky = (q: PostListQuery) => q.search !== null || q.hashtags.length > 0

/**
 * What a post must be, apart from whose it is. `p`. Other than along the order, nothing is compared as the columns are,
 * of which there are indexes: to read one of those for each account, and to sort what it gives, is no way to walk. CASE
 * keeps Postgres from that, and from taking several filters together for so rare that a whole account has to be read.
 */
export function filters(q: PostListQuery): SQL {
  const across = isSpan(q) ? published(q, sql`p.posted_at`) : []
  if (q.kinds.length > 0) across.push(sql`p.kind = ANY (${array(q.kinds)}::text[])`)
  if (q.hashtags.length > 0) across.push(tagged(sql`p.id`, q.hashtags))
  if (q.search !== null)
    // Not EXISTS, which may become a join that begins at the words: one post after the other is looked up.
    across.push(sql`(SELECT s.terms @@ (SELECT app_search_query(${q.search}))
      FROM post_search s WHERE s.post_id = p.id)`)
  return every([
    ...(isSpan(q) ? [] : published(q, sql`p.posted_at`)),
    ...(across.length === 0 ? [] : [sql`CASE WHEN ${every(across)} THEN TRUE ELSE FALSE END`]),
  ])
}
