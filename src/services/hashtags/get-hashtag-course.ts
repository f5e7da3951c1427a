import {
  type HashtagCourseRow,
  type HashtagDayRow,
  publicHashtagCourse,
  workspaceHashtagCourse,
} from '../../db/queries/hashtag-course.ts'
import { workspaceState } from '../../db/queries/overview.ts'
import { normaliseTag } from '../../domain/hashtags.ts'
import { daysOf, type Period, periodOf, today } from '../../domain/periods.ts'
import type { TrendingScope } from '../../domain/trending.ts'
import { invalidRequest, notFound } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { READ_TIMEOUT_MS } from '../read-timeout.ts'
import type { HashtagCourse } from './schemas.ts'

const COURSE_DAYS = 30
const TOP_POSTS = 10

/**
 * A hashtag's uses by the workspace's accounts on each of the last 30 days (today included) of the
 * workspace's timezone, and its top posts of that time. A tag nobody used has a course of zeros.
 * @param tag in any spelling, with or without `#`
 * @throws invalid_request when it is no hashtag
 */
export async function getHashtagCourse(
  ctx: Pick<ServiceContext, 'db' | 'clock' | 'workspace'>,
  tag: string,
): Promise<HashtagCourse> {
  const normalised = requireTag(tag)
  const nowMs = ctx.clock.now()
  const period = lastDays(ctx.workspace.timezone, nowMs)
  const workspaceId = ctx.workspace.id
  const [[state], [row]] = await ctx.db.inWorkspace(
    workspaceId,
    [workspaceState(workspaceId), workspaceHashtagCourse(workspaceId, normalised, period, TOP_POSTS)],
    { snapshot: true, timeoutMs: READ_TIMEOUT_MS },
  )
  if (state === undefined) throw notFound('workspace')
  return present(normalised, 'workspace', period, nowMs, state.generation, row)
}

/**
 * The same of posts that anyone can read, over days in UTC.
 * @throws invalid_request when it is no hashtag
 */
export async function getPublicHashtagCourse(
  ctx: Pick<ServiceContext, 'db' | 'clock'>,
  tag: string,
): Promise<HashtagCourse> {
  const normalised = requireTag(tag)
  const nowMs = ctx.clock.now()
  const period = lastDays('UTC', nowMs)
  const [row] = await ctx.db.outside(publicHashtagCourse(normalised, period, TOP_POSTS), {
    timeoutMs: READ_TIMEOUT_MS,
  })
  if (row === undefined) throw new Error('public_scope has no row')
  return present(normalised, 'public', period, nowMs, row.generation, row)
}

function requireTag(tag: string): string {
  const normalised = normaliseTag(tag)
  if (normalised === null) throw invalidRequest([{ pointer: '/path/tag', detail: 'This is no hashtag.' }])
  return normalised
}

function lastDays(timezone: string, nowMs: number): Period {
  const to = today(timezone, nowMs)
  const from = new Date(Date.parse(to) - (COURSE_DAYS - 1) * 86_400_000).toISOString().slice(0, 10)
  return periodOf(from, to, timezone)
}

function present(
  tag: string,
  scope: TrendingScope,
  period: Period,
  nowMs: number,
  generation: number,
  row: HashtagCourseRow | undefined,
): HashtagCourse {
  const used = new Map<string, HashtagDayRow>((row?.days ?? []).map((day) => [day.day, day]))
  return {
    tag: row?.display ?? tag,
    scope,
    period: { from: period.from, to: period.to, timezone: period.timezone },
    generatedAt: new Date(nowMs).toISOString(),
    generation,
    days: daysOf(period).map((day) => used.get(day) ?? { day, uses: 0, accounts: 0, engagements: null }),
    topPosts: row?.topPosts ?? [],
    stale: false,
  }
}
