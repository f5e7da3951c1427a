import { type SQL, sql } from 'drizzle-orm'
import { array } from './overview.ts'
import { every, isSpan, type PostListQuery, published } from './post-list-query.ts'

/**
 * As many posts are read to be sorted, where filters leave no more. Where they leave more, what they let through is
 * frequent enough to be met soon by who walks along the order asked for.
 */
export const FEW_POSTS = 10_000

/** To learn how frequent words are, so many posts are looked at, at so many points in time. */
const SAMPLES = 8
const POSTS_A_SAMPLE = 500
/** Of the posts looked at: from which share on words are frequent, and how many show that this is no chance. */
const FREQUENT_SHARE = 0.005
const FREQUENT_MATCHES = 20

/** Matches among the posts of the selected accounts, newest first, all filters applied. */
export function searched(q: PostListQuery, before: { at: SQL; id: SQL }, most: SQL): SQL {
  return sql`SELECT f.post_id AS id, f.posted_at FROM app_search_posts(${q.search},
    ARRAY(SELECT selected.id FROM selected), ${array(q.kinds)}::text[], ${array(q.hashtags)}::text[],
    ${q.from}::timestamptz, ${before.at}, ${before.id}, (${most})::int) f`
}

/** Some posts of those asked for, at some points in time: which point (`i`), whose, and whether `matches` holds of `s`. */
function sampled(workspaceId: string, q: PostListQuery, matches: SQL): SQL {
  return sql`(
      SELECT COALESCE(${q.from}::timestamptz, min(s.posted_at)) AS since,
        COALESCE(${q.until}::timestamptz, max(s.posted_at)) AS until
      FROM post_search s WHERE s.workspace_id = ${workspaceId}
    ) span, generate_series(1, ${SAMPLES}) i, LATERAL (
      SELECT s.account_id, ${matches} AS matches FROM post_search s
      WHERE s.workspace_id = ${workspaceId} AND s.posted_at <= span.since + (span.until - span.since) * i / ${SAMPLES}
      ORDER BY s.posted_at DESC LIMIT ${POSTS_A_SAMPLE}
    ) seen`
}

/** Of the rows of `sampled`: at half of the points at least, as what was on everybody's lips for a day is not met soon elsewhere. */
const IS_FREQUENT = sql`count(*) FILTER (WHERE matches) >= GREATEST(${FREQUENT_MATCHES}, ${FREQUENT_SHARE}::float8 * count(*))
  AND count(DISTINCT i) FILTER (WHERE matches) >= ${SAMPLES / 2}`

/**
 * Whether more than a few posts are sure to match, as far as can be told without finding them; no answer where not.
 * A wrong one makes a page slow, not wrong.
 */
export function manyMatch(workspaceId: string, q: PostListQuery): SQL {
  if (q.search !== null)
    return sql`SELECT ${IS_FREQUENT} FROM ${sampled(workspaceId, q, sql`s.terms @@ (SELECT app_search_query(${q.search}))`)}
      WHERE seen.account_id IN (SELECT selected.id FROM selected)`
  // Found by their index, they are counted no slower.
  if (q.hashtags.length > 0) return sql`SELECT FALSE`
  const ofKinds =
    q.kinds.length === 0 ? null : sampled(workspaceId, q, sql`s.kind = ANY (${array(q.kinds)}::text[])`)
  if (!isSpan(q)) return ofKinds === null ? sql`SELECT FALSE` : sql`SELECT ${IS_FREQUENT} FROM ${ofKinds}`
  const share = ofKinds === null ? sql`1` : sql`(SELECT avg(matches::int)::float8 FROM ${ofKinds})`
  return sql`SELECT SUM(d.posts) * ${share} > ${FEW_POSTS} FROM account_days d
    WHERE d.workspace_id = ${workspaceId} AND d.account_id IN (SELECT selected.id FROM selected)
      AND ${every([
        ...(q.from === null ? [] : [sql`d.day > ${q.from}::timestamptz::date`]),
        ...(q.until === null ? [] : [sql`d.day < ${q.until}::timestamptz::date - 1`]),
      ])}`
}

/** The ids among which the page is, if they are few and not known to be many; `null` where no filter can tell. */
export function narrow(workspaceId: string, q: PostListQuery): SQL | null {
  const most = sql`(CASE WHEN (SELECT are FROM many) THEN 0 ELSE ${FEW_POSTS + 1} END)`
  if (q.search !== null)
    return sql`SELECT id FROM (${searched(q, { at: sql`${q.until}::timestamptz`, id: sql`NULL::uuid` }, most)}) m`
  if (q.hashtags.length > 0)
    // Of each tag by time, which is how they lie in its index: a frequent one is no reason to read the table.
    return sql`SELECT uses.post_id AS id FROM unnest(${array(q.hashtags)}::text[]) AS asked (tag)
      CROSS JOIN LATERAL (
        SELECT h.post_id FROM post_hashtags h
        WHERE h.workspace_id = ${workspaceId} AND h.tag = asked.tag AND ${every(published(q, sql`h.posted_at`))}
        ORDER BY h.posted_at DESC LIMIT ${FEW_POSTS + 1}
      ) uses
      LIMIT ${most}`
  if (q.kinds.length > 0 || isSpan(q))
    return sql`SELECT p.id FROM posts p
      WHERE p.workspace_id = ${workspaceId} AND ${every(published(q, sql`p.posted_at`))}
        ${q.kinds.length === 0 ? sql`` : sql`AND p.kind = ANY (${array(q.kinds)}::text[])`}
        AND p.account_id IN (SELECT selected.id FROM selected)
      LIMIT ${most}`
  return null
}
