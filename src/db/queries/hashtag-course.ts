import { type SQL, sql } from 'drizzle-orm'
import { type Platform, POST_METRICS } from '../../domain/platforms.ts'
import { SEPARATE_PLATFORMS } from '../../domain/trending.ts'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'
import { countedAccounts } from './trending.ts'

/** Days of a timezone, and the moments that bound them. */
export interface CoursePeriod {
  timezone: string
  /** RFC 3339; included. */
  start: string
  /** RFC 3339; not included. */
  end: string
}

export interface HashtagDayRow {
  /** `2026-11-22` */
  day: string
  uses: number
  accounts: number
  engagements: number | null
}

export interface HashtagPostRow {
  /** `null` for a post of the public scope, which may be another workspace's. */
  id: string | null
  accountId: string | null
  platform: Platform
  handle: string
  kind: string
  text: string | null
  url: string | null
  postedAt: string
  /** Every metric of a post, and `engagements`. */
  metrics: Record<string, number | null>
}

export interface HashtagCourseRow {
  /** The usual spelling; `null` where the tag was not used. */
  display: string | null
  /** Days with uses alone, in no order. */
  days: HashtagDayRow[] | null
  topPosts: HashtagPostRow[] | null
}

/** The columns of a post that the course tells of. */
const POST_COLUMNS = ['kind', 'text', 'url', ...POST_METRICS, 'engagements']

/** Figures of the rows of `used`, and those of `best`, which have all that is told of a post. */
function courseOf(period: CoursePeriod): SQL {
  const metrics = sql.raw([...POST_METRICS, 'engagements'].map((m) => `'${m}', ${m}`).join(', '))
  return sql`
    SELECT
      (SELECT display FROM used
        GROUP BY display ORDER BY COUNT(*) DESC, MAX(posted_at) DESC, display COLLATE "C" LIMIT 1) AS display,
      (SELECT jsonb_agg(d) FROM (
        SELECT day, SUM(uses) AS uses, COUNT(*) AS accounts, SUM(engagements) AS engagements
        FROM (
          SELECT (posted_at AT TIME ZONE ${period.timezone})::date AS day, person, COUNT(*) AS uses,
            SUM(engagements) FILTER (WHERE summed) AS engagements
          FROM used GROUP BY 1, 2
        ) by_person
        GROUP BY 1) d) AS days,
      (SELECT jsonb_agg(p.post ORDER BY p.engagements DESC, p.id, p.url) FROM (
        SELECT engagements, id, url, jsonb_build_object(
          'id', id, 'accountId', account_id, 'platform', platform, 'handle', handle, 'kind', kind,
          'text', text, 'url', url,
          'postedAt', to_char(posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'metrics', jsonb_build_object(${metrics})) AS post
        FROM best) p) AS "topPosts"`
}

/** The best rows of `used`, of those whose engagements may be compared; among equals by what tells them apart. */
const ranked = (mostPosts: number, tie: 'id' | 'url') => sql`WHERE summed AND engagements IS NOT NULL
      ORDER BY engagements DESC, ${sql.raw(tie)} LIMIT ${mostPosts}::int`

/** Uses of a tag (normalised) by the workspace's accounts, per day of a period, and its top posts. */
export function workspaceHashtagCourse(
  workspaceId: string,
  tag: string,
  period: CoursePeriod,
  mostPosts: number,
): Statement<HashtagCourseRow> {
  return statement(sql`
    WITH ${countedAccounts(workspaceId, { platforms: [], brands: [] })},
    used AS MATERIALIZED (
      SELECT h.display, h.posted_at, h.account_id AS person, s.summed, p.id, p.engagements
      FROM post_hashtags h JOIN selected s ON s.id = h.account_id JOIN posts p ON p.id = h.post_id
      WHERE h.workspace_id = ${workspaceId} AND h.tag = ${tag} AND p.deleted_at IS NULL
        AND h.posted_at >= ${period.start}::timestamptz AND h.posted_at < ${period.end}::timestamptz
    ),
    best AS (
      SELECT b.id, b.posted_at, p.account_id, s.platform, s.handle,
        ${sql.raw(POST_COLUMNS.map((column) => `p.${column}`).join(', '))}
      FROM (SELECT id, posted_at FROM used ${ranked(mostPosts, 'id')}) b
      JOIN posts p ON p.id = b.id JOIN selected s ON s.id = p.account_id
    )
    ${courseOf(period)}`)
}

/** The same over all workspaces, of posts that anyone can read, with the public's generation. Runs outside any workspace. */
export function publicHashtagCourse(
  tag: string,
  period: CoursePeriod,
  mostPosts: number,
): Statement<HashtagCourseRow & { generation: number }> {
  return statement(sql`
    WITH used AS MATERIALIZED (
      SELECT display, posted_at, person, platform <> ALL (${array(SEPARATE_PLATFORMS)}::text[]) AS summed,
        NULL::uuid AS id, NULL::uuid AS account_id, platform, handle, ${sql.raw(POST_COLUMNS.join(', '))}
      FROM app_public_tag_posts(${tag}, ${period.start}::timestamptz, ${period.end}::timestamptz)
    ),
    best AS (SELECT * FROM used ${ranked(mostPosts, 'url')})
    ${courseOf(period)}, (SELECT generation FROM public_scope) AS generation`)
}
