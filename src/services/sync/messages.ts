import * as z from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'

/** Bodies of the queue's messages, checked when they come back: an older deployment may have written them. */

/** When the work was planned; what is a day old has been planned anew since. */
const plannedAt = z.iso.datetime().optional()

const account = z.object({
  id: z.string(),
  workspaceId: z.string(),
  externalId: z.string(),
  handle: z.string(),
  /** It was never read: its older posts are read along. */
  isNew: z.boolean().default(false),
  /** The newest post that is known. */
  newest: z.object({ id: z.string(), postedAtMs: z.number() }).nullable().default(null),
})

/** Read the profiles and newest posts of accounts on one host. */
export const SyncAccountsMessage = z.object({
  platform: z.enum(PLATFORMS),
  host: z.string().nullable(),
  accounts: z.array(account).min(1),
  /** The job to report to, where a person asked. */
  jobId: z.string().nullable(),
  plannedAt,
})
export type SyncAccountsMessage = z.infer<typeof SyncAccountsMessage>

/** Refresh known posts on one host. */
export const RefreshPostsMessage = z.object({
  platform: z.enum(PLATFORMS),
  host: z.string().nullable(),
  accounts: z
    .array(
      z.object({
        id: z.string(),
        workspaceId: z.string(),
        externalId: z.string(),
        handle: z.string(),
        posts: z.array(z.object({ id: z.string(), postedAtMs: z.number() })).min(1),
      }),
    )
    .min(1),
  plannedAt,
  /** How many messages have left these posts for later. */
  round: z.number().int().default(0),
})
export type RefreshPostsMessage = z.infer<typeof RefreshPostsMessage>

/** Read the next pages of accounts' older posts. */
export const BackfillMessage = z.object({
  platform: z.enum(PLATFORMS),
  host: z.string().nullable(),
  workspaceId: z.string(),
  accountIds: z.array(z.string()).min(1),
  plannedAt,
})
export type BackfillMessage = z.infer<typeof BackfillMessage>

/** Plan once more within the minute. */
export const PlanMessage = z.object({ repeated: z.boolean().default(false) })
export type PlanMessage = z.infer<typeof PlanMessage>
