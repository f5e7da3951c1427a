import * as z from 'zod'
import type { AccountProfile, CallOperation, ConnectorContext } from '../../ports.ts'
import { Count, OptionalName } from './fields.ts'
import { encodeValue, type LinkedInApi, type LinkedInToken } from './linkedin-api.ts'

/** An organization as a profile, but for its followers, which stand elsewhere. */
export const Organization = z
  .object({
    id: z.union([z.int().positive(), z.string().regex(/^\d{1,20}$/u)]).transform(String),
    localizedName: OptionalName,
    vanityName: OptionalName,
  })
  .transform(
    ({ id, localizedName, vanityName }): AccountProfile => ({
      externalId: id,
      host: null,
      handle: vanityName ?? id,
      displayName: localizedName,
      url: `https://www.linkedin.com/company/${encodeURIComponent(vanityName ?? id)}`,
      // Logos are named by URNs, which have no lasting address.
      avatarUrl: null,
      followers: null,
      following: null,
      posts: null,
    }),
  )

const NetworkSize = z.object({ firstDegreeSize: Count })

/** How Rest.li names an organization. */
export function organizationUrn(id: string): string {
  return `urn:li:organization:${id}`
}

/** The profile with how many members follow it. */
export async function followersOf(
  ctx: ConnectorContext,
  api: LinkedInApi,
  token: LinkedInToken,
  profile: AccountProfile,
  operation: CallOperation,
): Promise<AccountProfile> {
  const path = `/networkSizes/${encodeValue(organizationUrn(profile.externalId))}`
  const query = 'edgeType=COMPANY_FOLLOWED_BY_MEMBER'
  const { firstDegreeSize } = await api.read(ctx, token, { path, query, operation }, NetworkSize)
  return { ...profile, followers: firstDegreeSize }
}
