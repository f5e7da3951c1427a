import { cancelOpenJob } from '../../db/queries/jobs.ts'
import { AppError, notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { announceJob } from './announce.ts'
import { presentJob } from './present.ts'
import { creatorWithinReach, getJobRow } from './read-jobs.ts'
import type { Job } from './schemas.ts'

/**
 * Stops a job where it stands: what it has done so far stays done.
 * @throws not_found as `getJob`; conflict when the job is over
 */
export async function cancelJob(ctx: ServiceContext, id: string): Promise<Job> {
  requirePermission(ctx.actor, 'accounts.write')
  if (!isId(id)) throw notFound('job')
  const workspaceId = ctx.workspace.id
  const nowMs = ctx.clock.now()
  const [[cancelled]] = await ctx.db.inWorkspace(workspaceId, [
    cancelOpenJob(workspaceId, id, creatorWithinReach(ctx.actor), new Date(nowMs).toISOString()),
  ])
  if (cancelled === undefined) {
    const { status } = presentJob(await getJobRow(ctx, id), nowMs)
    throw new AppError('conflict', `The job has already ${ENDED[status] ?? 'ended'}.`)
  }
  await announceJob(ctx, workspaceId, cancelled)
  return presentJob(cancelled, nowMs)
}

const ENDED: Partial<Record<Job['status'], string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'been cancelled',
  expired: 'expired',
}
