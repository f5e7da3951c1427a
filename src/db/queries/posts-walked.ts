import { type SQL, sql } from 'drizzle-orm'
import { array } from './overview.ts'
import { every, filters, isPicky, isSpan, type Order, type PostListQuery } from './post-list-query.ts'

/**
 * Of each account so many at least are looked for first, to learn which values a page begins and ends with; of those
 * that another filter lets through, which are far between, only one.
 */
const FIRST_LOOK = 4

/** Where that is not enough, so many times as many. */
const SECOND_LOOK = 4

const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Walks along the workspace's posts, the newest first. */
export function walkAll(workspaceId: string, q: PostListQuery, size: number): SQL {
  const cursor =
    q.after === null
      ? sql`TRUE`
      : sql`(p.posted_at, p.id) < (${q.after.value}::timestamptz, ${q.after.id}::uuid)`
  return sql`SELECT p.id, p.posted_at AS value FROM posts p
    WHERE p.workspace_id = ${workspaceId} AND (SELECT walks FROM way) AND ${cursor} AND ${filters(q)}
      AND p.account_id IN (SELECT selected.id FROM selected)
    ORDER BY p.posted_at DESC, p.id DESC LIMIT ${size}`
}

/** What a walk goes through, of values and ids: what lies before `before`, down to `from`. */
interface Stretch {
  before: { value: SQL; id: SQL } | null
  from: SQL
}

/**
 * Walks along the posts of each account (rows of `accounts`) in a stretch of the order: first a few of each, which tell
 * where the page ends, and then of each those that are not behind that.
 */
function walkStretch(
  workspaceId: string,
  q: PostListQuery,
  order: Order,
  { stretch, accounts, size }: { stretch: Stretch; accounts: SQL; size: number },
): SQL {
  const isFarBetween = isPicky(q) || isSpan(q) || q.kinds.length > 0
  const best = (least: { value: SQL; id: SQL }, most: SQL): SQL => {
    const position = sql`(${order.expression}, p.id)`
    const { before } = stretch
    const bounds = [
      ...(before === null ? [] : [sql`${position} < (${before.value}, ${before.id})`]),
      sql`${position} >= (${least.value}, ${least.id})`,
    ]
    return sql`SELECT p.id, ${order.expression} AS value FROM posts p
      WHERE p.workspace_id = ${workspaceId} AND p.account_id = walked.id AND ${every(bounds)} AND ${filters(q)}
      ORDER BY ${order.expression} DESC, p.id DESC LIMIT ${most}`
  }
  const start = { value: stretch.from, id: sql`${NOBODY}::uuid` }
  const border = { value: sql`(SELECT border.value FROM border)`, id: sql`(SELECT border.id FROM border)` }
  return sql`
    WITH walked AS MATERIALIZED (${accounts}),
    share AS MATERIALIZED (
      SELECT LEAST(${size}, GREATEST(${isFarBetween ? 1 : FIRST_LOOK}, 2 * ${size} / GREATEST(1, count(*)))) AS posts FROM walked
    ),
    first_look AS MATERIALIZED (
      SELECT best.* FROM walked CROSS JOIN LATERAL (${best(start, sql`(SELECT share.posts FROM share)`)}) best
    ),
    told AS MATERIALIZED (SELECT count(*) >= ${size} AS enough FROM first_look),
    -- Where that does not fill a page, as accounts have fewer such posts than a page needs of each.
    second_look AS MATERIALIZED (
      SELECT best.* FROM walked CROSS JOIN LATERAL (${best(
        start,
        sql`(SELECT CASE WHEN told.enough THEN 0 ELSE LEAST(${size}, ${SECOND_LOOK} * share.posts) END FROM told, share)`,
      )}) best
    ),
    border AS MATERIALIZED (
      SELECT * FROM (
        (SELECT value, id FROM (
            SELECT * FROM first_look WHERE (SELECT told.enough FROM told) UNION ALL SELECT * FROM second_look
          ) looked ORDER BY value DESC, id DESC OFFSET ${size - 1} LIMIT 1)
        UNION ALL SELECT ${start.value}, ${start.id}
      ) b ORDER BY value DESC, id DESC LIMIT 1
    )
    SELECT best.* FROM walked CROSS JOIN LATERAL (${best(border, sql`${size}`)}) best
    ORDER BY best.value DESC, best.id DESC LIMIT ${size}`
}

/**
 * Walks along the posts of each selected account. Those of which the figure is unknown come last, and may be all that an
 * account has: they are not looked at before a page needs them. By rates a function walks.
 */
export function walkByAccount(workspaceId: string, q: PostListQuery, order: Order, size: number): SQL {
  const after =
    q.after === null ? null : { value: sql`${q.after.value}::${order.type}`, id: sql`${q.after.id}::uuid` }
  const walk = (stretch: Stretch, accounts: SQL): SQL =>
    q.sort === 'engagementRate'
      ? sql`SELECT r.post_id AS id, r.rate AS value
          FROM app_posts_in_rates(ARRAY(${accounts}), ${array(q.kinds)}::text[], ${array(q.hashtags)}::text[], ${q.search},
            ${q.from}::timestamptz, ${q.until}::timestamptz, ${stretch.from}, ${stretch.before?.value ?? sql`'infinity'::float8`},
            ${stretch.before?.id ?? sql`${NOBODY}::uuid`}, ${size}::int) r LIMIT ${size}`
      : walkStretch(workspaceId, q, order, { stretch, accounts, size })
  const accounts = sql`SELECT selected.id FROM selected WHERE (SELECT walks FROM way)`
  const isAmongUnknown = q.after !== null && Number(q.after.value) < 0
  if (order.leastKnown === null || isAmongUnknown) return walk({ before: after, from: order.least }, accounts)
  const unknown = { before: { value: order.leastKnown, id: sql`${NOBODY}::uuid` }, from: order.least }
  return sql`
    WITH known AS MATERIALIZED (${walk({ before: after, from: order.leastKnown }, accounts)})
    SELECT id, value FROM known
    UNION ALL SELECT id, value FROM (
      ${walk(unknown, sql`${accounts} AND (SELECT count(*) FROM known) < ${size}`)}) unknown
    ORDER BY value DESC, id DESC LIMIT ${size}`
}
