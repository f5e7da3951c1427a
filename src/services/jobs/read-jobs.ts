import { type JobPosition, type JobRow, selectJob, selectJobs } from '../../db/queries/jobs.ts'
import { notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import { requireScope } from '../scope.ts'
import { presentJob } from './present.ts'
import type { Job } from './schemas.ts'

/** Fetches a job of the workspace, or throws `not_found`. */
export async function getJobRow(ctx: ServiceContext, id: string): Promise<JobRow> {
  if (!isId(id)) throw notFound('job')
  const [[row]] = await ctx.db.inWorkspace(ctx.workspace.id, [selectJob(ctx.workspace.id, id)])
  if (row === undefined) throw notFound('job')
  return row
}

/** @throws not_found, also for what could be no id and for another workspace's job */
export async function getJob(ctx: ServiceContext, id: string): Promise<Job> {
  requireScope(ctx.actor, 'read')
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
  requireScope(ctx.actor, 'read')
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [
    selectJobs(ctx.workspace.id, query.limit, query.after),
  ])
  const page = rows.slice(0, query.limit)
  const last = page.at(-1)
  const nowMs = ctx.clock.now()
  return {
    items: page.map((row) => presentJob(row, nowMs)),
    next: rows.length > query.limit && last !== undefined ? { createdAt: last.createdAt, id: last.id } : null,
  }
}
