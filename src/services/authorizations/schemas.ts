import * as z from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'

export const BeginAuthorization = z
  .strictObject({
    platform: z.enum(PLATFORMS),
    brandId: z.uuid().optional(),
    /** An account that is to be read again, in place of new ones. */
    accountId: z.uuid().optional(),
  })
  .refine((input) => input.brandId === undefined || input.accountId === undefined, {
    path: ['brandId'],
    message: 'An account that is connected already has its brand: name one or the other.',
  })
export type BeginAuthorization = z.infer<typeof BeginAuthorization>

export const BegunAuthorization = z.object({
  id: z.string(),
  /** Where the person is sent to agree. */
  url: z.string(),
  expiresAt: z.string(),
})
export type BegunAuthorization = z.infer<typeof BegunAuthorization>

/** An account that may be connected. */
const GrantedAccountSummary = z.object({
  externalId: z.string(),
  handle: z.string(),
  displayName: z.string().nullable(),
  avatarUrl: z.string().nullable(),
  followers: z.number().int().nullable(),
  /** The account that it is connected as already; `null`: it is not, as far as the asker sees. */
  connectedAccountId: z.string().nullable(),
})

export const Authorization = z.object({
  id: z.string(),
  platform: z.enum(PLATFORMS),
  status: z.enum(['pending', 'granted', 'refused', 'failed', 'used', 'expired']),
  /** Why there is nothing to connect, as a sentence for people. */
  reason: z.string().nullable(),
  accounts: z.array(GrantedAccountSummary),
  expiresAt: z.string(),
})
export type Authorization = z.infer<typeof Authorization>

/** Each of them becomes an account of the workspace, all in one go. */
const MOST_AT_ONCE = 50

export const ConnectGranted = z.strictObject({
  externalIds: z.array(z.string().min(1).max(200)).min(1).max(MOST_AT_ONCE),
})
export type ConnectGranted = z.infer<typeof ConnectGranted>
