import { insertJob, type JobKind, type NewJob } from '../../db/queries/jobs.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { actorName, type ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { announceJob } from './announce.ts'
import { presentJob } from './present.ts'
import type { Job } from './schemas.ts'

/** What is not done by then will not be: the job expires. */
const OPEN_SECONDS = 24 * 60 * 60

export interface CreateJob {
  kind: JobKind
  /** What the job is about, for whoever looks into it; never shown to clients. */
  params: Record<string, unknown>
  /** How much there is to do, where that is known. */
  total?: number
  expiresInSeconds?: number
}

/** A job of the caller's that is not stored yet, for those who store it together with something else. */
export function draftJob(ctx: ServiceContext, input: CreateJob): NewJob {
  const nowMs = ctx.clock.now()
  return {
    id: newId(nowMs),
    kind: input.kind,
    params: input.params,
    total: input.total ?? null,
    createdBy: actorName(ctx.actor),
    createdAtIso: new Date(nowMs).toISOString(),
    expiresAtIso: new Date(nowMs + (input.expiresInSeconds ?? OPEN_SECONDS) * 1_000).toISOString(),
  }
}

/** Records work that will be done in the background; queueing it is the caller's part. */
export async function createJob(ctx: ServiceContext, input: CreateJob): Promise<Job> {
  requirePermission(ctx.actor, 'accounts.write')
  const workspaceId = ctx.workspace.id
  const [[row]] = await ctx.db.inWorkspace(workspaceId, [insertJob(workspaceId, draftJob(ctx, input))])
  if (row === undefined) throw new AppError('internal', 'The job was not stored.')
  await announceJob(ctx, workspaceId, row)
  return presentJob(row, ctx.clock.now())
}
