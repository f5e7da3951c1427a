import { z } from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'

/** Bodies of the queue's messages, checked when they come back: an older deployment may have written them. */

const account = z.object({
  id: z.string(),
  workspaceId: z.string(),
  externalId: z.string(),
  handle: z.string(),
})

/** Read the profiles and newest posts of accounts on one host. */
export const SyncAccountsMessage = z.object({
  platform: z.enum(PLATFORMS),
  host: z.string().nullable(),
  accounts: z.array(account).min(1),
  /** The job to report to, where a person asked. */
  jobId: z.string().nullable(),
})
export type SyncAccountsMessage = z.infer<typeof SyncAccountsMessage>

/** Refresh known posts on one host. */
export const RefreshPostsMessage = z.object({
  platform: z.enum(PLATFORMS),
  host: z.string().nullable(),
  posts: z
    .array(z.object({ workspaceId: z.string(), accountId: z.string(), platformPostId: z.string() }))
    .min(1),
})
export type RefreshPostsMessage = z.infer<typeof RefreshPostsMessage>

/** Read the next page of an account's older posts. */
export const BackfillMessage = z.object({ workspaceId: z.string(), accountId: z.string() })
export type BackfillMessage = z.infer<typeof BackfillMessage>

/** Plan once more within the minute. */
export const PlanMessage = z.object({ repeated: z.boolean().default(false) })
export type PlanMessage = z.infer<typeof PlanMessage>
