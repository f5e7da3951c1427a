import * as z from 'zod'
import { OUTBOX_LEVELS } from '../../domain/outbox.ts'
import { PLATFORMS } from '../../domain/platforms.ts'
import { SCHEDULE_STATES } from '../../domain/schedules.ts'
import { BREAKER_MODES } from '../../ports.ts'

const BreakerState = z.enum(['closed', 'open', 'half-open'])

export const OutboxState = z.object({
  undelivered: z.int(),
  /** `null` where everything is delivered. */
  oldestSeconds: z.number().nullable(),
  level: z.enum(OUTBOX_LEVELS),
})
export type OutboxState = z.infer<typeof OutboxState>

export const Health = z.object({
  /**
   * Whether everything answers, the database is as this version expects it, and listeners are told of changes (the
   * outbox is not at `critical`).
   */
  status: z.enum(['ready', 'degraded']),
  version: z.string(),
  commit: z.string(),
  /** `actual` is `null` where the database does not answer. */
  schemaVersion: z.object({ expected: z.string(), actual: z.string().nullable() }),
  dependencies: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['ok', 'down']),
      detail: z.string().nullable(),
      /** Of the isolate that answers; `null` where there is none around it. */
      breaker: BreakerState.nullable(),
    }),
  ),
  /** `null` where the database does not answer. */
  outbox: OutboxState.nullable(),
})
export type Health = z.infer<typeof Health>

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
  /** The latest first: accounts whose sums were compared with the raw rows, and rows of sums that were mended. */
  reconciliations: z.array(z.object({ day: z.string(), accounts: z.int(), driftCells: z.int() })),
})
export type DatabaseReport = z.infer<typeof DatabaseReport>

/** A platform, or all of them. */
const Stoppable = z.enum([...PLATFORMS, 'all'] as const)

export const CircuitBreaker = z.object({
  /** `postgres`, `redis`, `replica`, a platform, or one of its instances: `mastodon:social.example`. */
  name: z.string(),
  /** `isolate`: it is that of the isolate that answers, and so are its counts; others may see things differently. */
  scope: z.enum(['isolate', 'deployment']),
  /** `observe`: it refuses nothing; its rejects are what it would have refused. */
  mode: z.enum(BREAKER_MODES),
  state: BreakerState,
  successes: z.int(),
  failures: z.int(),
  timeouts: z.int(),
  /** Calls that were not made because it was open. */
  rejects: z.int(),
  /** Successes of all calls that were made; `null` without any. */
  successRate: z.number().nullable(),
  openedAt: z.string().nullable(),
})
export type CircuitBreaker = z.infer<typeof CircuitBreaker>

export const CircuitBreakers = z.object({
  items: z.array(CircuitBreaker),
  nextCursor: z.null(),
  /** Why the breakers of platforms are left out; `null` where they are there. */
  platformsLeftOut: z.string().nullable(),
})
export type CircuitBreakers = z.infer<typeof CircuitBreakers>

export const Budgets = z.object({
  /** Platforms that make no calls because an operator stopped them; `all` stands for every one. */
  paused: z.array(Stoppable),
  /** Allowances that calls were taken from lately. */
  allowances: z.array(
    z.object({
      key: z.string(),
      limit: z.int(),
      /** What is kept to: at most nine tenths of the limit. */
      allowed: z.int(),
      used: z.int(),
      windowSeconds: z.int(),
      pausedUntil: z.string().nullable(),
    }),
  ),
  /** What was called in the last 24 hours. */
  platforms: z.array(
    z.object({
      platform: z.enum(PLATFORMS),
      calls: z.int(),
      failures: z.int(),
      items: z.int(),
      units: z.int(),
      costUsd: z.number(),
      meanLatencyMs: z.number().nullable(),
      slowestMs: z.int(),
    }),
  ),
  /** Where reads are paid for: what each workspace may spend in a UTC day. */
  money: z.array(z.object({ platform: z.enum(PLATFORMS), dailyUsdPerWorkspace: z.number() })),
  /** Messages that were a day old when they came, and dropped: by UTC day. */
  outdatedMessages: z.array(z.object({ day: z.string(), count: z.int() })),
})
export type Budgets = z.infer<typeof Budgets>

export const MalformedAnswer = z.object({
  platform: z.enum(PLATFORMS),
  host: z.string().nullable(),
  operation: z.string(),
  problem: z.string(),
  /** Names of fields and kinds of values; never the values. */
  sample: z.unknown(),
  times: z.int(),
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
})
export type MalformedAnswer = z.infer<typeof MalformedAnswer>

export const SyncSwitch = z.strictObject({
  /** Left out: all of them. */
  platform: z.enum(PLATFORMS).optional(),
})
export type SyncSwitch = z.infer<typeof SyncSwitch>

export const SyncState = z.object({ paused: z.array(Stoppable) })
export type SyncState = z.infer<typeof SyncState>
