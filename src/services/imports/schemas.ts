import * as z from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'
import { JobStatus } from '../jobs/schemas.ts'

/** How an import stands. `accepted` = inserted + updated + unchanged. */
export const ImportReport = z.object({
  id: z.string(),
  status: JobStatus,
  platform: z.enum(PLATFORMS),
  format: z.enum(['csv', 'ndjson']),
  sizeBytes: z.number().int(),
  processedBytes: z.number().int(),
  accepted: z.number().int(),
  inserted: z.number().int(),
  updated: z.number().int(),
  unchanged: z.number().int(),
  rejected: z.number().int(),
  /** The first 1,000 of them, by line. */
  errors: z.array(z.object({ line: z.number().int(), column: z.string().nullable(), message: z.string() })),
  createdAt: z.string(),
})
export type ImportReport = z.infer<typeof ImportReport>
