import { type SQL, sql } from 'drizzle-orm'
import { array } from './overview.ts'
import {
  every,
  isPicky,
  isSpan,
  type Order,
  type PostListQuery,
  published,
  tagged,
} from './post-list-query.ts'

/** As many posts are read to be sorted, whatever else could be done. */
export const FEW_POSTS = 10_000
/**
 * More are read where that is less work than to walk along the order asked for: of a span of time, where they lie side
 * by side, up to here;
 */
const MOST_OF_SPAN = 70_000
/** and of those that a filter lets through here and there, which are looked up wherever they lie. */
const MOST_LOOKED_UP = 50_000
/** So many posts that lie side by side are read while a walk passes one, which lies anywhere. */
const READ_WHILE_ONE_IS_PASSED = 5

/** To learn how frequent words are, so many posts are looked at, at so many points in time. */
const SAMPLES = 8
const POSTS_A_SAMPLE = 500
/** Shares of the posts looked at that leave it open; what a wrong answer costs is worth a look at so many points then. */
const SURELY_RARE_BELOW = 0.002
const SURELY_FREQUENT_FROM = 0.01
const CLOSER_SAMPLES = 32
/** Of the posts looked at: from which share on words are frequent, if a walk is not likely to pass more than so many. */
const FREQUENT_SHARE = 0.0042
const MOST_PASSED = 45_000

/** What filters let through, as far as it is read. */
export interface Narrowed {
  /** `id`, and where `isRead` the `value` sorted by: one more than `most` where there are more. */
  rows: SQL
  most: number
  isRead: boolean
}

/** Matches among the posts of the selected accounts, newest first where a page is asked for, all filters applied. */
export function searched(q: PostListQuery, before: { at: SQL; id: SQL }, most: SQL): SQL {
  return sql`SELECT f.post_id AS id, f.posted_at FROM app_search_posts(${q.search},
    ARRAY(SELECT selected.id FROM selected), ${array(q.kinds)}::text[], ${array(q.hashtags)}::text[],
    ${q.from}::timestamptz, ${before.at}, ${before.id}, (${most})::int) f`
}

/** Some posts of those asked for, at some points in time: which point (`i`), whose, and whether `matches` holds of `s`. */
function sampled(workspaceId: string, q: PostListQuery, matches: SQL, samples: number): SQL {
  return sql`(
      SELECT COALESCE(${q.from}::timestamptz, min(s.posted_at)) AS since,
        COALESCE(${q.until}::timestamptz, max(s.posted_at)) AS until
      FROM post_search s WHERE s.workspace_id = ${workspaceId}
    ) span, generate_series(1, ${samples}) i, LATERAL (
      SELECT s.account_id, ${matches} AS matches FROM post_search s
      WHERE s.workspace_id = ${workspaceId} AND s.posted_at <= span.since + (span.until - span.since) * i / ${samples}
      ORDER BY s.posted_at DESC LIMIT ${POSTS_A_SAMPLE}
    ) seen`
}

/**
 * Of the rows of `sampled`: whether what matches is met soon by who walks for a page, however few matches were seen by
 * chance (the root of their number is how far that goes). At half of the points at least, as what was on everybody's lips
 * for a day is not met soon elsewhere.
 */
const isFrequent = (size: number, samples: number) => sql`(
  count(*) FILTER (WHERE matches) >= ${FREQUENT_SHARE}::float8 * count(*)
  AND (${size} + (SELECT count(*) FROM selected)) * count(*)
    < ${MOST_PASSED} * (count(*) FILTER (WHERE matches) - 1.5 * sqrt(count(*) FILTER (WHERE matches)))
  AND count(DISTINCT i) FILTER (WHERE matches) >= LEAST(${samples / 2}, count(*) FILTER (WHERE matches) / 2.0))`

/** A sample of whether posts pass the filters other than accounts and time; `null` where there are none. */
function sampledFilters(workspaceId: string, q: PostListQuery, samples = SAMPLES): SQL | null {
  const ofSelected = sql`WHERE seen.account_id IN (SELECT selected.id FROM selected)`
  if (q.search !== null)
    return sql`${sampled(workspaceId, q, sql`s.terms @@ (SELECT app_search_query(${q.search}))`, samples)} ${ofSelected}`
  if (q.hashtags.length > 0)
    return sql`${sampled(workspaceId, q, tagged(sql`s.post_id`, q.hashtags), samples)} ${ofSelected}`
  if (q.kinds.length > 0)
    return sampled(workspaceId, q, sql`s.kind = ANY (${array(q.kinds)}::text[])`, samples)
  return null
}

/** As many as are read of what the filters let through. */
function mostRead(q: PostListQuery): number {
  // Along the order of time posts lie side by side for a walk as well.
  if (q.sort === 'postedAt') return FEW_POSTS
  return isSpan(q) && !isPicky(q) ? MOST_OF_SPAN : MOST_LOOKED_UP
}

/**
 * Whether to walk rather than to read what the filters let through, as far as can be told without finding it; no answer
 * where not. A wrong one makes a page slow, not wrong. Where a few posts leave open which is less work, more are looked
 * at: of 10 million, to read 40,000 matches takes as long as to walk past as many posts, and a wrong guess twice that.
 */
export function manyMatch(workspaceId: string, q: PostListQuery, size: number): SQL {
  const sample = sampledFilters(workspaceId, q)
  if (isSpan(q)) return manyOfSpan(workspaceId, q, size, sample)
  // By time uses of a tag are counted along their index no slower.
  if (sample === null || (q.search === null && q.hashtags.length > 0 && q.sort === 'postedAt'))
    return sql`SELECT FALSE`
  const matching = sql`count(*) FILTER (WHERE matches)`
  const closer = sampledFilters(workspaceId, q, CLOSER_SAMPLES)
  return sql`
    SELECT CASE
      WHEN ${matching} < ${SURELY_RARE_BELOW}::float8 * count(*) THEN FALSE
      WHEN ${matching} >= ${SURELY_FREQUENT_FROM}::float8 * count(*) THEN ${isFrequent(size, SAMPLES)}
      ELSE (SELECT ${isFrequent(size, CLOSER_SAMPLES)} FROM ${closer}) END
    FROM ${sample}`
}

/**
 * The same of a span of time across the order. A walk passes the more posts for each that it takes, the longer all time
 * is than the span, and the rarer what else is asked for.
 */
function manyOfSpan(workspaceId: string, q: PostListQuery, size: number, sample: SQL | null): SQL {
  const share =
    sample === null ? sql`1::float8` : sql`(SELECT COALESCE(avg(matches::int), 0)::float8 FROM ${sample})`
  const reads = isPicky(q)
    ? sql`span.posts * asked.share`
    : sql`span.posts / ${READ_WHILE_ONE_IS_PASSED}::float8`
  return sql`
    SELECT span.posts * asked.share > ${FEW_POSTS} AND NOT (
      ${isPicky(q) ? sql`span.posts * asked.share` : sql`span.posts`} <= ${mostRead(q)}
      AND ${reads} <= (${size} + (SELECT count(*) FROM selected)) * span.times
        / GREATEST(asked.share, ${1 / (SAMPLES * POSTS_A_SAMPLE)}::float8))
    FROM (
      SELECT extract(epoch FROM bounds.newest - bounds.oldest) / extract(epoch FROM bounds.until - bounds.since) AS times,
        extract(epoch FROM bounds.until - bounds.since) / (86400.0 * (bounds.until::date - bounds.since::date + 1)) * (
          SELECT sum(d.posts) FROM account_days d
          WHERE d.workspace_id = ${workspaceId} AND d.account_id IN (SELECT selected.id FROM selected)
            AND d.day >= bounds.since::date AND d.day <= bounds.until::date
        )::float8 AS posts
      FROM (
        SELECT oldest, newest, GREATEST(oldest, ${q.from}::timestamptz) AS since,
          LEAST(newest, ${q.until}::timestamptz - interval '1 millisecond') AS until
        FROM (
          SELECT min(p.posted_at) AS oldest, max(p.posted_at) AS newest FROM posts p WHERE p.workspace_id = ${workspaceId}
        ) whole
      ) bounds
      WHERE bounds.until > bounds.since
    ) span, (SELECT ${share} AS share) asked`
}

/** What filters other than accounts let through, if it is not known to be many; `null` where there are none. */
export function narrow(workspaceId: string, q: PostListQuery, order: Order): Narrowed | null {
  const most = mostRead(q)
  const limit = sql`(CASE WHEN (SELECT are FROM many) THEN 0 ELSE ${most + 1} END)`
  if (q.search !== null) {
    const before = { at: sql`${q.until}::timestamptz`, id: sql`NULL::uuid` }
    return { rows: sql`SELECT m.id FROM (${searched(q, before, limit)}) m`, most, isRead: false }
  }
  if (q.hashtags.length > 0) {
    // Of each tag by time, which is how they lie in its index: a frequent one is no reason to read the table.
    const rows = sql`SELECT uses.post_id AS id FROM unnest(${array(q.hashtags)}::text[]) AS asked (tag)
      CROSS JOIN LATERAL (
        SELECT h.post_id FROM post_hashtags h
        WHERE h.workspace_id = ${workspaceId} AND h.tag = asked.tag AND ${every(published(q, sql`h.posted_at`))}
        ORDER BY h.posted_at DESC LIMIT ${most + 1}
      ) uses
      LIMIT ${limit}`
    return { rows, most, isRead: false }
  }
  if (q.kinds.length === 0 && !isSpan(q)) return null
  const rows = sql`SELECT p.id, ${order.expression} AS value FROM posts p
    WHERE p.workspace_id = ${workspaceId} AND ${every(published(q, sql`p.posted_at`))}
      ${q.kinds.length === 0 ? sql`` : sql`AND p.kind = ANY (${array(q.kinds)}::text[])`}
      AND p.account_id IN (SELECT selected.id FROM selected)
    LIMIT ${limit}`
  return { rows, most, isRead: true }
}

/** The posts of these ids with the `value` sorted by, as far as filters other than tags and words let them through. */
export function lookedUp(q: PostListQuery, ids: SQL): SQL {
  const value =
    q.sort === 'postedAt' ? sql`p.posted_at` : q.sort === 'engagementRate' ? sql`p.rate` : sql`p.figure`
  return sql`SELECT p.post_id AS id, ${value} AS value FROM app_figures_of_posts(ARRAY(${ids}),
    ARRAY(SELECT selected.id FROM selected), ${array(q.kinds)}::text[], ${q.from}::timestamptz, ${q.until}::timestamptz,
    ${q.sort}) p`
}
