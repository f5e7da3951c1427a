import { type SQL, sql } from 'drizzle-orm'
import { selectedAccounts } from './overview.ts'
import { orderOf, type PostListQuery } from './post-list-query.ts'
import { lookedUp, manyMatch, narrow, searched } from './posts-narrowed.ts'
import { walkAll, walkByAccount } from './posts-walked.ts'

/** As many matches, the newest, are compared by relevance. */
const RANKED_POSTS = 1_000

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
 * However many posts there are, what is read depends on the page, on the number of accounts and on what is read of filters (`posts-narrowed.ts`).
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
  const narrowed = narrow(workspaceId, q, order)
  if (narrowed === null) return sql`WITH ${selected}, way AS (SELECT TRUE AS walks) ${numbered(walk)}`
  const cursor =
    q.after === null
      ? sql`TRUE`
      : sql`(f.value, f.id) < (${q.after.value}::${order.type}, ${q.after.id}::uuid)`
  const read = narrowed.isRead
    ? sql`SELECT found.id, found.value FROM found WHERE (SELECT NOT walks FROM way)`
    : lookedUp(q, sql`SELECT found.id FROM found WHERE (SELECT NOT walks FROM way)`)
  const few = sql`SELECT f.id, f.value FROM (${read}) f WHERE ${cursor}
      ORDER BY f.value DESC, f.id DESC LIMIT ${size}`
  return sql`
    WITH ${selected}, many AS MATERIALIZED (SELECT (${manyMatch(workspaceId, q, size)}) IS TRUE AS are),
    found AS MATERIALIZED (${narrowed.rows}),
    way AS MATERIALIZED (SELECT (SELECT are FROM many) OR count(*) > ${narrowed.most} AS walks FROM found),
    few AS (${few})
    ${numbered(sql`SELECT * FROM few UNION ALL SELECT * FROM (${walk}) walk`)}`
}
