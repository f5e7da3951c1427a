import '@hono/zod-openapi'
import type { Context } from 'hono'
import * as z from 'zod'
import { Job } from '../services/jobs/schemas.ts'
import type { HttpEnv } from './context.ts'

/** Work that goes on in the background, as it is answered: the job, and its id under a second name. */
export const AcceptedJob = Job.extend({ jobId: z.string() }).openapi('AcceptedJob')

/** 202, and where to look. */
export function accepted(c: Context<HttpEnv>, job: Job) {
  return c.json({ ...job, jobId: job.id }, 202, { location: `/api/v1/jobs/${job.id}` })
}
