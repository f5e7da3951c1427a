import type { JobRow } from '../../db/queries/jobs.ts'
import type { ServiceDeps } from '../context.ts'

/** Tells the workspace's listeners how a job stands. Nothing depends on their hearing it. */
export async function announceJob(
  deps: Pick<ServiceDeps, 'hub' | 'log'>,
  workspaceId: string,
  job: Pick<JobRow, 'id' | 'status' | 'done' | 'total'>,
): Promise<void> {
  const { id, status, done, total } = job
  try {
    await deps.hub.announce(workspaceId, [
      { type: 'job.updated', data: { id, status, progress: { done, total } } },
    ])
  } catch (error) {
    deps.log.warn('job not announced', { workspaceId, jobId: id, error })
  }
}
