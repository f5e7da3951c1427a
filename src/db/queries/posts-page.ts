import { type SQL, sql } from 'drizzle-orm'
import type { PostKind } from '../../domain/platforms.ts'
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

/**
 * As many posts are read to be sorted, where filters leave no more. Where they leave more, what they let through is
 * frequent enough to be met soon by who walks along the order asked for.
 */
const FEW_POSTS = 10_000

/** To learn how frequent words are, so many posts are looked at, at so many points in time. */
const SAMPLES = 8
const POSTS_A_SAMPLE = 500
/** Of the posts looked at: from which share on words are frequent, and how many show that this is no chance. */
const FREQUENT_SHARE = 0.005
const FREQUENT_MATCHES = 20

/** As many matches, the newest, are compared by relevance. */
export const RANKED_POSTS = 1_000

/**
 * Of each account so many at least are looked for first, to learn which values a page begins and ends with; of those
 * that words or tags let through, which are far between, only one.
 */
const FIRST_LOOK = 4

const NOBODY = '00000000-0000-0000-0000-000000000000'

interface Order {
  /** What posts are sorted by, of `posts p`. */
  expression: SQL
  type: SQL
  /** Below every value. */
  least: SQL
}

/** What a list is sorted by. Unknown counts come last. */
function orderOf(sort: Exclude<PostSort, 'relevance'>): Order {
  switch (sort) {
    case 'postedAt':
      return { expression: sql`p.posted_at`, type: sql`timestamptz`, least: sql`'-infinity'::timestamptz` }
    case 'engagementRate':
      return {
        expression: sql`COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1)`,
        type: sql`float8`,
        least: sql`'-infinity'::float8`,
      }
    default:
      // The column's name comes from POST_SORTS, not from the request.
      // No COALESCE, which row-level security takes for something that may leak.
      return {
        expression: sql.raw(`CASE WHEN p.${sort} IS NULL THEN '-1'::bigint ELSE p.${sort} END`),
        type: sql`bigint`,
        least: sql`'-2'::bigint`,
      }
  }
}

const tagged = (tags: string[]) =>
  sql`EXISTS (SELECT 1 FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (${array(tags)}::text[]))`

const published = (q: PostListQuery, at: SQL): SQL[] => [
  ...(q.from === null ? [] : [sql`${at} >= ${q.from}::timestamptz`]),
  ...(q.until === null ? [] : [sql`${at} < ${q.until}::timestamptz`]),
]

const every = (conditions: SQL[]): SQL => sql.join([sql`TRUE`, ...conditions], sql` AND `)

/** What a post must be, apart from whose it is. `p` */
function filters(q: PostListQuery): SQL {
  const conditions = published(q, sql`p.posted_at`)
  // Not the column as it is, of which there is an index: to read that anew for each account is no way to walk.
  if (q.kinds.length > 0) conditions.push(sql`p.kind || '' = ANY (${array(q.kinds)}::text[])`)
  if (q.hashtags.length > 0) conditions.push(tagged(q.hashtags))
  if (q.search !== null)
    // Not EXISTS, which may become a join that begins at the words: one post after the other is looked up.
    conditions.push(sql`(SELECT s.terms @@ (SELECT app_search_query(${q.search}))
      FROM post_search s WHERE s.post_id = p.id)`)
  return every(conditions)
}

/** Matches among the posts of the selected accounts, newest first, all filters applied. */
function searched(q: PostListQuery, before: { at: SQL; id: SQL }, most: SQL): SQL {
  return sql`SELECT f.post_id AS id, f.posted_at FROM app_search_posts(${q.search},
    ARRAY(SELECT selected.id FROM selected), ${array(q.kinds)}::text[], ${array(q.hashtags)}::text[],
    ${q.from}::timestamptz, ${before.at}, ${before.id}, (${most})::int) f`
}

/**
 * Whether more than a few posts are sure to match, as far as can be told without finding them; no answer where not.
 * A wrong one makes a page slow, not wrong.
 */
function manyMatch(workspaceId: string, q: PostListQuery): SQL {
  const isBounded = q.from !== null || q.until !== null
  if (q.search !== null)
    // Frequent at half of the points at least: what was on everybody's lips for a day is not met soon elsewhere.
    return sql`SELECT count(*) FILTER (WHERE matches) >= GREATEST(${FREQUENT_MATCHES}, ${FREQUENT_SHARE}::float8 * count(*))
        AND count(DISTINCT i) FILTER (WHERE matches) >= ${SAMPLES / 2}
      FROM (
        SELECT COALESCE(${q.from}::timestamptz, min(s.posted_at)) AS since,
          COALESCE(${q.until}::timestamptz, max(s.posted_at)) AS until
        FROM post_search s WHERE s.workspace_id = ${workspaceId}
      ) span, generate_series(1, ${SAMPLES}) i, LATERAL (
        SELECT s.account_id, s.terms @@ (SELECT app_search_query(${q.search})) AS matches FROM post_search s
        WHERE s.workspace_id = ${workspaceId} AND s.posted_at <= span.since + (span.until - span.since) * i / ${SAMPLES}
        ORDER BY s.posted_at DESC LIMIT ${POSTS_A_SAMPLE}
      ) seen
      WHERE seen.account_id IN (SELECT selected.id FROM selected)`
  if (q.hashtags.length === 0 && isBounded && q.sort !== 'postedAt')
    return sql`SELECT SUM(d.posts) > ${FEW_POSTS} FROM account_days d
      WHERE d.workspace_id = ${workspaceId} AND d.account_id IN (SELECT selected.id FROM selected)
        AND ${every([
          ...(q.from === null ? [] : [sql`d.day > ${q.from}::timestamptz::date`]),
          ...(q.until === null ? [] : [sql`d.day < ${q.until}::timestamptz::date - 1`]),
        ])}`
  return sql`SELECT FALSE`
}

/** The ids among which the page is, if they are few and not known to be many; `null` where no filter can tell. */
function narrow(workspaceId: string, q: PostListQuery): SQL | null {
  const most = sql`(CASE WHEN (SELECT are FROM many) THEN 0 ELSE ${FEW_POSTS + 1} END)`
  if (q.search !== null)
    return sql`SELECT id FROM (${searched(q, { at: sql`${q.until}::timestamptz`, id: sql`NULL::uuid` }, most)}) m`
  if (q.hashtags.length > 0)
    return sql`SELECT h.post_id AS id FROM post_hashtags h
      WHERE h.workspace_id = ${workspaceId} AND h.tag = ANY (${array(q.hashtags)}::text[])
        AND ${every(published(q, sql`h.posted_at`))}
      LIMIT ${most}`
  if ((q.from !== null || q.until !== null) && q.sort !== 'postedAt')
    return sql`SELECT p.id FROM posts p
      WHERE p.workspace_id = ${workspaceId} AND ${every(published(q, sql`p.posted_at`))}
        AND p.account_id IN (SELECT selected.id FROM selected)
      LIMIT ${most}`
  if (q.kinds.length > 0)
    return sql`SELECT p.id FROM posts p
      WHERE p.workspace_id = ${workspaceId} AND p.kind = ANY (${array(q.kinds)}::text[])
      LIMIT ${most}`
  return null
}

/** Walks along the workspace's posts, the newest first. */
function walkAll(workspaceId: string, q: PostListQuery, size: number): SQL {
  const cursor =
    q.after === null
      ? sql`TRUE`
      : sql`(p.posted_at, p.id) < (${q.after.value}::timestamptz, ${q.after.id}::uuid)`
  return sql`SELECT p.id, p.posted_at AS value FROM posts p
    WHERE p.workspace_id = ${workspaceId} AND (SELECT walks FROM way) AND ${cursor} AND ${filters(q)}
      AND p.account_id IN (SELECT selected.id FROM selected)
    ORDER BY p.posted_at DESC, p.id DESC LIMIT ${size}`
}

/**
 * Walks along the posts of each selected account: first a few of each, which tell where the page ends, and then of
 * each those that are not behind that. By rates a function does the same.
 */
function walkByAccount(workspaceId: string, q: PostListQuery, order: Order, size: number): SQL {
  const after = {
    value: q.after === null ? null : sql`${q.after.value}::${order.type}`,
    id: sql`${q.after?.id ?? NOBODY}::uuid`,
  }
  if (q.sort === 'engagementRate')
    return sql`SELECT r.post_id AS id, r.rate AS value
      FROM app_posts_by_rate(ARRAY(SELECT selected.id FROM selected WHERE (SELECT walks FROM way)),
        ${array(q.kinds)}::text[], ${array(q.hashtags)}::text[], ${q.search}, ${q.from}::timestamptz,
        ${q.until}::timestamptz, ${after.value ?? sql`'infinity'::float8`}, ${after.id}, ${size}::int) r LIMIT ${size}`
  const isPicky = q.search !== null || q.hashtags.length > 0
  const best = (least: { value: SQL; id: SQL } | null, most: SQL): SQL => {
    const bounds = [
      ...(after.value === null ? [] : [sql`(${order.expression}, p.id) < (${after.value}, ${after.id})`]),
      ...(least === null ? [] : [sql`(${order.expression}, p.id) >= (${least.value}, ${least.id})`]),
    ]
    return sql`SELECT p.id, ${order.expression} AS value FROM posts p
      WHERE p.workspace_id = ${workspaceId} AND p.account_id = walked.id AND ${every(bounds)} AND ${filters(q)}
      ORDER BY ${order.expression} DESC, p.id DESC LIMIT ${most}`
  }
  const border = { value: sql`(SELECT border.value FROM border)`, id: sql`(SELECT border.id FROM border)` }
  return sql`
    WITH walked AS MATERIALIZED (SELECT selected.id FROM selected WHERE (SELECT walks FROM way)),
    first_look AS MATERIALIZED (
      SELECT best.* FROM walked CROSS JOIN LATERAL (${best(
        null,
        sql`(SELECT LEAST(${size}, GREATEST(${isPicky ? 1 : FIRST_LOOK}, 2 * ${size} / GREATEST(1, count(*)))) FROM walked)`,
      )}) best
    ),
    border AS MATERIALIZED (
      SELECT * FROM (
        (SELECT value, id FROM first_look ORDER BY value DESC, id DESC OFFSET ${size - 1} LIMIT 1)
        UNION ALL SELECT ${order.least}, ${NOBODY}::uuid
      ) b ORDER BY value DESC LIMIT 1
    )
    SELECT best.* FROM walked CROSS JOIN LATERAL (${best(border, sql`${size}`)}) best
    ORDER BY best.value DESC, best.id DESC LIMIT ${size}`
}

/**
 * The newest matches in the order of how well they match. The position says which they were when the first page was
 * read (`rank posted_at newest`), so that what is published meanwhile moves nothing.
 */
function ranked(q: PostListQuery, size: number): SQL {
  const [rank, postedAt, newest] = q.after?.value.split(' ') ?? []
  const isFurther = q.after !== null && rank !== undefined && postedAt !== undefined
  const text = sql`lower(normalize(p.text, NFKC) COLLATE "pg_c_utf8")`
  const cursor = isFurther
    ? sql`(m.rank, m.posted_at, m.id) < (${rank}::int, ${postedAt}::timestamptz, ${q.after?.id}::uuid)`
    : sql`TRUE`
  return sql`
    WITH phrase AS MATERIALIZED (
      SELECT lower(normalize(${q.search}, NFKC) COLLATE "pg_c_utf8") AS text, app_search_query(${q.search}, TRUE) AS whole
    ),
    candidate AS MATERIALIZED (${searched(
      q,
      {
        // One further than the newest: the bound is exclusive.
        at:
          newest === undefined
            ? sql`${q.until}::timestamptz`
            : sql`${newest}::timestamptz + interval '1 millisecond'`,
        id: sql`NULL::uuid`,
      },
      sql`${RANKED_POSTS}`,
    )}),
    m AS (
      SELECT c.id, c.posted_at, max(c.posted_at) OVER () AS newest,
        2 * LEAST(3, (length(${text}) - length(replace(${text}, phrase.text, ''))) / length(phrase.text))
          + (s.terms @@ phrase.whole)::int AS rank
      FROM candidate c JOIN posts p ON p.id = c.id JOIN post_search s ON s.post_id = c.id CROSS JOIN phrase
    )
    SELECT m.id, m.rank, m.posted_at,
      m.rank || ' ' || ${instant(sql`m.posted_at`)} || ' ' || ${instant(sql`m.newest`)} AS value
    FROM m WHERE ${cursor}
    ORDER BY m.rank DESC, m.posted_at DESC, m.id DESC LIMIT ${size}`
}

const instant = (moment: SQL): SQL =>
  sql`to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/**
 * The ids of a page in its order, one more than asked for, with what they are sorted by as text (`value`).
 * However many posts there are, what is read depends on the page, on the number of accounts and on `FEW_POSTS`.
 */
export function pageOfPosts(workspaceId: string, q: PostListQuery): SQL {
  const size = q.limit + 1
  const selected = sql`selected AS MATERIALIZED (SELECT a.id FROM (${selectedAccounts(workspaceId, q.filter)}) a)`
  if (q.sort === 'relevance')
    return sql`WITH ${selected}, page AS (${ranked(q, size)})
      SELECT id, row_number() OVER (ORDER BY rank DESC, posted_at DESC, id DESC) AS place, value FROM page`
  const numbered = (parts: SQL) =>
    sql`SELECT id, row_number() OVER (ORDER BY value DESC, id DESC) AS place, value::text AS value FROM (${parts}) page`
  const order = orderOf(q.sort)
  if (q.sort === 'postedAt' && q.search !== null) {
    const before =
      q.after === null
        ? { at: sql`${q.until}::timestamptz`, id: sql`NULL::uuid` }
        : { at: sql`${q.after.value}::timestamptz`, id: sql`${q.after.id}::uuid` }
    return sql`WITH ${selected} ${numbered(sql`SELECT id, posted_at AS value FROM (${searched(q, before, sql`${size}`)}) m`)}`
  }
  const isWhole = Object.values(q.filter).every((chosen) => chosen.length === 0)
  const walk =
    q.sort === 'postedAt' && isWhole
      ? walkAll(workspaceId, q, size)
      : walkByAccount(workspaceId, q, order, size)
  const source = narrow(workspaceId, q)
  if (source === null) return sql`WITH ${selected}, way AS (SELECT TRUE AS walks) ${numbered(walk)}`
  const cursor =
    q.after === null
      ? sql`TRUE`
      : sql`(${order.expression}, p.id) < (${q.after.value}::${order.type}, ${q.after.id}::uuid)`
  return sql`
    WITH ${selected}, many AS MATERIALIZED (SELECT (${manyMatch(workspaceId, q)}) IS TRUE AS are),
    found AS MATERIALIZED (${source}),
    way AS MATERIALIZED (SELECT (SELECT are FROM many) OR count(*) > ${FEW_POSTS} AS walks FROM found),
    few AS (
      SELECT p.id, ${order.expression} AS value FROM posts p
      WHERE p.id IN (SELECT found.id FROM found WHERE (SELECT NOT walks FROM way)) AND p.workspace_id = ${workspaceId} AND ${cursor}
        AND ${filters({ ...q, search: null })} AND p.account_id IN (SELECT selected.id FROM selected)
      ORDER BY ${order.expression} DESC, p.id DESC LIMIT ${size}
    )
    ${numbered(sql`SELECT * FROM few UNION ALL SELECT * FROM (${walk}) walk`)}`
}
