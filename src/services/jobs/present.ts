import type { JobRow } from '../../db/queries/jobs.ts'
import { Job, type JobStatus } from './schemas.ts'

/** How a job stands: one that nobody finished in time has expired, whether or not that is stored yet. */
export function jobStatusAt(job: Pick<JobRow, 'status' | 'expiresAt'>, nowMs: number): JobStatus {
  const isUnfinished = job.status === 'queued' || job.status === 'running'
  return isUnfinished && Date.parse(job.expiresAt) <= nowMs ? 'expired' : job.status
}

/** Whether a job may still go on. */
export function isOpenAt(job: Pick<JobRow, 'status' | 'expiresAt'>, nowMs: number): boolean {
  const status = jobStatusAt(job, nowMs)
  return status === 'queued' || status === 'running'
}

/** A job as the API shows it. */
export function presentJob(row: JobRow, nowMs: number): Job {
  const { id, kind, done, total, resultUrl, createdAt, updatedAt, expiresAt } = row
  const error = Job.shape.error.safeParse(row.error)
  return {
    id,
    kind,
    status: jobStatusAt(row, nowMs),
    progress: { done, total },
    resultUrl,
    result: row.result ?? null,
    error: error.success ? error.data : null,
    createdAt,
    updatedAt,
    expiresAt,
  }
}
