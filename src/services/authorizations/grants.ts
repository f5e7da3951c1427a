import * as z from 'zod'
import type { Candidate } from '../../db/queries/authorizations.ts'
import type { AuthorizationOwner, CredentialVault, GrantedAccount, SealedCredential } from '../../ports.ts'

/** What is kept, sealed, from the return of a person until somebody chooses what to connect. */
const GrantedAccounts = z.array(
  z.object({
    profile: z.object({
      externalId: z.string(),
      host: z.string().nullable(),
      handle: z.string(),
      url: z.string(),
      displayName: z.string().nullable(),
      avatarUrl: z.string().nullable(),
      followers: z.number().nullable(),
      following: z.number().nullable(),
      posts: z.number().nullable(),
    }),
    grant: z.object({
      accessToken: z.string(),
      refreshToken: z.string().nullable(),
      expiresAtMs: z.number().nullable(),
      refreshExpiresAtMs: z.number().nullable(),
      scopes: z.array(z.string()),
      allowance: z.string().optional(),
    }),
  }),
)

export function sealGrants(
  vault: CredentialVault,
  owner: AuthorizationOwner,
  accounts: readonly GrantedAccount[],
): Promise<SealedCredential> {
  return vault.sealText(owner, JSON.stringify(GrantedAccounts.parse(accounts)))
}

/** @throws CredentialError */
export async function openGrants(
  vault: CredentialVault,
  owner: AuthorizationOwner,
  sealed: SealedCredential,
): Promise<GrantedAccount[]> {
  return GrantedAccounts.parse(JSON.parse(await vault.openText(owner, sealed)))
}

/** What may be shown of a granted account. */
export function candidateOf({ profile }: GrantedAccount): Candidate {
  const { externalId, handle, displayName, avatarUrl, followers } = profile
  return { externalId, handle, displayName, avatarUrl, followers }
}
