import * as z from 'zod'
import { ERROR_CODES } from '../../errors.ts'

export const JobStatus = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'])
export type JobStatus = z.infer<typeof JobStatus>

export const Job = z.object({
  id: z.string(),
  kind: z.string(),
  status: JobStatus,
  progress: z.object({ done: z.number().int(), total: z.number().int().nullable() }),
  resultUrl: z.string().nullable(),
  result: z.unknown().nullable(),
  error: z.object({ code: z.enum(ERROR_CODES), message: z.string() }).nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
  expiresAt: z.string(),
})
export type Job = z.infer<typeof Job>
