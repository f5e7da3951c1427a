import * as z from 'zod'

/** What an account is to be read with. Goes in, and never out. */
export const AccountCredentials = z.strictObject({
  accessToken: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    // What a header can carry.
    .regex(/^[!-~]+$/, 'must be printable, without spaces'),
})
export type AccountCredentials = z.infer<typeof AccountCredentials>

/** All that is told of a credential. */
export const CredentialsState = z.object({
  updatedAt: z.string(),
  /** `null`: it does not expire, as far as is known. */
  expiresAt: z.string().nullable(),
})
