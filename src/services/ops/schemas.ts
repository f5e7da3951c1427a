import { z } from 'zod'
import { SCHEDULE_STATES } from '../../domain/schedules.ts'

export const Health = z.object({
  /** Whether everything answers, and the database is as this version expects it. */
  status: z.enum(['ready', 'degraded']),
  version: z.string(),
  commit: z.string(),
  /** `actual` is `null` where the database does not answer. */
  schemaVersion: z.object({ expected: z.string(), actual: z.string().nullable() }),
  dependencies: z.array(
    z.object({ name: z.string(), state: z.enum(['ok', 'down']), detail: z.string().nullable() }),
  ),
})
export type Health = z.infer<typeof Health>

export const OutboxState = z.object({
  undelivered: z.int(),
  /** `null` where everything is delivered. */
  oldestSeconds: z.number().nullable(),
  level: z.enum(['ok', 'warning', 'critical']),
})
export type OutboxState = z.infer<typeof OutboxState>

export const DeadLetter = z.object({
  id: z.string(),
  /** The callback's path; the whole address where it was to go elsewhere. */
  callback: z.string(),
  createdAt: z.string(),
  /** `null` where the last attempt said that there is to be no other, whichever it was. */
  attempts: z.int().nullable(),
  /** What the last attempt was answered with; `null` where there was no answer. */
  status: z.int().nullable(),
  cause: z.string().nullable(),
  /** The workspace it worked for, where it was for one alone. */
  workspaceId: z.string().nullable(),
  /** The schedule that made it. */
  scheduleId: z.string().nullable(),
})
export type DeadLetter = z.infer<typeof DeadLetter>

export const ScheduleState = z.object({
  id: z.string(),
  state: z.enum(SCHEDULE_STATES),
  expected: z.object({ cron: z.string(), destination: z.string() }),
  /** `null` where it is missing. */
  registered: z.object({ cron: z.string(), destination: z.string() }).nullable(),
})
export type ScheduleState = z.infer<typeof ScheduleState>

const estimatedRows = z.int().nullable()

export const DatabaseReport = z.object({
  sizeBytes: z.int(),
  connections: z.int(),
  maxConnections: z.int(),
  /** Of transactions that run now; `null` where there is none. */
  oldestTransactionSeconds: z.number().nullable(),
  /** The biggest first. */
  tables: z.array(
    z.object({
      name: z.string(),
      estimatedRows,
      totalBytes: z.int(),
      indexBytes: z.int(),
      partitions: z.int(),
    }),
  ),
  partitions: z.array(
    z.object({ name: z.string(), table: z.string(), bounds: z.string(), estimatedRows, totalBytes: z.int() }),
  ),
})
export type DatabaseReport = z.infer<typeof DatabaseReport>
