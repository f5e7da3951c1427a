import { type JobPosition, type JobRow, selectJob, selectJobs } from '../../db/queries/jobs.ts'
import { workspaceState } from '../../db/queries/overview.ts'
import { notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import { brandsOf } from '../access/reach.ts'
import { type Actor, actorName, type ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { presentJob } from './present.ts'
import type { Job } from './schemas.ts'

/** Whose jobs alone an actor sees: a member limited to brands their own, as jobs belong to no brand. `null`: all. */
export function creatorWithinReach(actor: Actor): string | null {
  return brandsOf(actor) === null ? null : actorName(actor)
}

/** Fetches a job that the caller may see, or throws `not_found`. */
export async function getJobRow(ctx: ServiceContext, id: string): Promise<JobRow> {
  if (!isId(id)) throw notFound('job')
  const [[row], [state]] = await ctx.db.inWorkspace(ctx.workspace.id, [
    selectJob(ctx.workspace.id, id, creatorWithinReach(ctx.actor)),
    workspaceState(ctx.workspace.id),
  ])
  if (row === undefined) throw notFound('job')
  // Who is told that it is done may ask for what it has changed.
  ctx.generations.note(ctx.workspace.id, state?.generation ?? 0)
  return row
}

/** @throws not_found, also for what could be no id, for another workspace's job and for one out of reach */
export async function getJob(ctx: ServiceContext, id: string): Promise<Job> {
  requirePermission(ctx.actor, 'analytics.read')
  return presentJob(await getJobRow(ctx, id), ctx.clock.now())
}

export interface JobPage {
  items: Job[]
  next: JobPosition | null
}

/** A page of the workspace's jobs, newest first. */
export async function listJobs(
  ctx: ServiceContext,
  query: { limit: number; after: JobPosition | null },
): Promise<JobPage> {
  requirePermission(ctx.actor, 'analytics.read')
  const [rows, [state]] = await ctx.db.inWorkspace(ctx.workspace.id, [
    selectJobs(ctx.workspace.id, { ...query, createdBy: creatorWithinReach(ctx.actor) }),
    workspaceState(ctx.workspace.id),
  ])
  ctx.generations.note(ctx.workspace.id, state?.generation ?? 0)
  const page = rows.slice(0, query.limit)
  const last = page.at(-1)
  const nowMs = ctx.clock.now()
  return {
    items: page.map((row) => presentJob(row, nowMs)),
    next: rows.length > query.limit && last !== undefined ? { createdAt: last.createdAt, id: last.id } : null,
  }
}
