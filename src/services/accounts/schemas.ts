import * as z from 'zod'
import { STALE_REASONS } from '../../domain/freshness.ts'
import { PLATFORMS } from '../../domain/platforms.ts'
import { AccountCredentials, CredentialsState } from '../credentials/schemas.ts'

export const AccountStatus = z.enum([
  'active',
  'paused',
  'needs_auth',
  'gone',
  'error',
  'imported',
  'deleted',
])
export type AccountStatus = z.infer<typeof AccountStatus>

export const StaleReason = z.enum(STALE_REASONS)
export type StaleReason = z.infer<typeof StaleReason>

const readAt = z.string().optional()

export const Account = z.object({
  id: z.string(),
  platform: z.enum(PLATFORMS),
  handle: z.string(),
  displayName: z.string().nullable(),
  url: z.string().nullable(),
  avatarUrl: z.string().nullable(),
  brandId: z.string().nullable(),
  status: AccountStatus,
  /** Why it is not being read, as a sentence for people. */
  statusReason: z.string().nullable(),
  metrics: z.object({
    followers: z.number().int().nullable(),
    following: z.number().int().nullable(),
    posts: z.number().int().nullable(),
  }),
  metricsAt: z.string().nullable(),
  lastKnown: z
    .object({ followers: readAt, following: readAt, posts: readAt })
    .nullable()
    .describe(
      'Counts that the last reading did not have, each with the time at which it was last read: what `metrics` says of them is of then. `null` where that reading had all that is known.',
    ),
  freshness: z.object({
    lastSyncedAt: z.string().nullable(),
    nextSyncAt: z.string().nullable(),
    stale: z.boolean().describe('Whether the figures are older than they should be.'),
    reason: StaleReason.nullable().describe(
      'Why: or why the last attempt gave nothing, from that moment on and before anything is old for it.',
    ),
    /** Whether older posts are still being read in. */
    backfilling: z.boolean(),
  }),
  /** What it is read with; `null`: it is read as anybody may. */
  credentials: CredentialsState.nullable(),
  createdAt: z.string(),
  deletedAt: z.string().nullable(),
})
export type Account = z.infer<typeof Account>

const ConnectPublicAccount = z.strictObject({
  platform: z.enum(PLATFORMS),
  handle: z.string().trim().min(1).max(300),
  brandId: z.uuid().optional(),
})

export const ConnectAccount = z.strictObject({
  ...ConnectPublicAccount.shape,
  credentials: AccountCredentials.optional(),
})
export type ConnectAccount = z.infer<typeof ConnectAccount>

/**
 * Most accounts in one request: as many as a workspace of a large team has. Without credentials, as a job keeps
 * what it is to do.
 */
export const ConnectAccounts = z.strictObject({ accounts: z.array(ConnectPublicAccount).min(1).max(200) })
export type ConnectAccounts = z.infer<typeof ConnectAccounts>

export const UpdateAccount = z.strictObject({
  brandId: z.uuid().nullable().optional(),
  status: z.enum(['active', 'paused']).optional(),
})
export type UpdateAccount = z.infer<typeof UpdateAccount>

export const AccountMetricsPoint = z.object({
  at: z.string(),
  followers: z.number().int().nullable(),
  following: z.number().int().nullable(),
  posts: z.number().int().nullable(),
})
export type AccountMetricsPoint = z.infer<typeof AccountMetricsPoint>
