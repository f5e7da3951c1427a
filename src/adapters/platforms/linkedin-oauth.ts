import * as z from 'zod'
import {
  type AccountProfile,
  type CallOperation,
  type ConnectorContext,
  type OAuthFlow,
  PlatformError,
  type TokenGrant,
} from '../../ports.ts'
import { readEntries } from './entries.ts'
import { chunksOf, distinctBy } from './fields.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import type { RuleOf } from './limits.ts'
import { Batch, Elements, encodeList, type LinkedInApi, WHO } from './linkedin-api.ts'
import { Organization } from './linkedin-organization.ts'

/** Posts, and pages with their statistics; LinkedIn has no narrower scope for the latter. */
const SCOPES = ['r_organization_social', 'rw_organization_admin']
/** Access tokens live for 60 days. */
const REFRESH_AHEAD_MS = 7 * 86_400_000
const ORGANIZATIONS_PER_CALL = 20
const PAGE_SIZE = 100
/** Nobody administers more pages; keeps an answer that repeats itself from being followed for ever. */
const MAX_PAGES = 10

export interface LinkedInOAuthOptions {
  app: { id: string; secret: string }
  /** Where people sign in and tokens are given, without a slash at the end. */
  siteUrl: string
  apiHost: string
  api: LinkedInApi
  userAgent: string
  ruleOf: RuleOf
}

const Token = z.object({
  access_token: z.string().min(1),
  expires_in: z.int().positive().nullable().catch(null),
  refresh_token: z.string().min(1).nullable().catch(null),
  refresh_token_expires_in: z.int().positive().nullable().catch(null),
  scope: z.string().catch(''),
})

const TokenError = z.object({ error: z.string() })

const Role = z.object({
  organization: z.string().optional(),
  organizationalTarget: z.string().optional(),
  role: z.literal('ADMINISTRATOR'),
  state: z.literal('APPROVED'),
  /** The member who has signed in: the same in every entry. */
  roleAssignee: z.string().startsWith('urn:li:person:').optional().catch(undefined),
})

const ORGANIZATION_URN = /^urn:li:organization:(\d{1,20})$/u

/** Sign-in by an administrator of pages. PKCE is left out: LinkedIn refuses it to apps that have a secret. */
export function createLinkedInOAuth(options: LinkedInOAuthOptions): OAuthFlow {
  const { app, siteUrl, apiHost, api, userAgent, ruleOf } = options

  async function askToken(
    ctx: ConnectorContext,
    operation: CallOperation,
    parameters: Record<string, string>,
  ): Promise<TokenGrant> {
    const body = new URLSearchParams({ ...parameters, client_id: app.id, client_secret: app.secret })
    const answer = await callPlatform(ctx, {
      url: `${siteUrl}/oauth/v2/accessToken`,
      method: 'POST',
      body,
      operation,
      rules: [ruleOf('linkedin.app')],
      userAgent,
    })
    if (!isData(answer)) throw tokenFailure(answer)
    const token = Token.safeParse(answer.json)
    if (token.success) return toGrant(token.data, Date.now())
    // Not its cause: it holds what may be a token.
    throw new PlatformError('bad_answer', `What ${WHO} gave for a token could not be understood.`)
  }

  /** Ids of the pages whose administrator has signed in, and who that is, where it is said. */
  async function listOrganizations(
    ctx: ConnectorContext,
    value: string,
  ): Promise<{ ids: string[]; member: string | undefined }> {
    const ids: string[] = []
    let member: string | undefined
    for (let page = 0; page < MAX_PAGES; page++) {
      const { elements, paging } = await api.read(
        ctx,
        { value },
        {
          path: '/organizationAcls',
          query: `q=roleAssignee&role=ADMINISTRATOR&state=APPROVED&count=${PAGE_SIZE}&start=${page * PAGE_SIZE}`,
          restMethod: 'FINDER',
          operation: 'account.find',
          items: PAGE_SIZE,
        },
        Elements,
      )
      for (const role of readEntries(ctx, elements, WHO, readRole)) {
        ids.push(role.organizationId)
        member ??= role.member
      }
      const hasMore = elements.length >= PAGE_SIZE || paging.links.some(({ rel }) => rel === 'next')
      if (elements.length === 0 || !hasMore) break
    }
    return { ids: [...new Set(ids)], member }
  }

  return {
    apiHost,
    refreshAheadMs: REFRESH_AHEAD_MS,

    authorizationUrl({ redirectUri, state }) {
      const parameters = new URLSearchParams({
        response_type: 'code',
        client_id: app.id,
        redirect_uri: redirectUri,
        state,
        scope: SCOPES.join(' '),
      })
      return `${siteUrl}/oauth/v2/authorization?${parameters}`
    },

    exchangeCode: (ctx, { code, redirectUri }) =>
      askToken(ctx, 'token.grant', { grant_type: 'authorization_code', code, redirect_uri: redirectUri }),

    async listAccounts(ctx, grant) {
      const { ids, member } = await listOrganizations(ctx, grant.accessToken)
      const profiles: AccountProfile[] = []
      for (const chunk of chunksOf(ids, ORGANIZATIONS_PER_CALL)) {
        const call = {
          path: '/organizations',
          query: `ids=${encodeList(chunk)}`,
          restMethod: 'BATCH_GET',
          operation: 'account.find',
          items: chunk.length,
        } as const
        const { results } = await api.read(ctx, { value: grant.accessToken }, call, Batch)
        profiles.push(...readEntries(ctx, Object.values(results), WHO, (entry) => Organization.parse(entry)))
      }
      return (
        distinctBy(profiles, (profile) => profile.externalId)
          .filter((profile) => ids.includes(profile.externalId))
          // A member's calls are counted together, whichever page they are for.
          .map((profile) => ({ profile, grant: { ...grant, allowance: member } }))
      )
    },

    async refresh(ctx, grant) {
      // Only some apps are given one; with the others people sign in again.
      if (grant.refreshToken === null) return null
      const renewed = await askToken(ctx, 'token.refresh', {
        grant_type: 'refresh_token',
        refresh_token: grant.refreshToken,
      })
      return {
        ...renewed,
        refreshToken: renewed.refreshToken ?? grant.refreshToken,
        // Renewing does not move the day on which the refresh token ends.
        refreshExpiresAtMs: renewed.refreshExpiresAtMs ?? grant.refreshExpiresAtMs,
        scopes: renewed.scopes.length === 0 ? grant.scopes : renewed.scopes,
      }
    },
  }
}

/** What a role is about, and whose it is; `null` where it is not about an organization. */
function readRole(entry: unknown): { organizationId: string; member: string | undefined } | null {
  const { organization, organizationalTarget, roleAssignee } = Role.parse(entry)
  const id = ORGANIZATION_URN.exec(organization ?? organizationalTarget ?? '')?.[1]
  return id === undefined ? null : { organizationId: id, member: roleAssignee }
}

function toGrant(token: z.infer<typeof Token>, nowMs: number): TokenGrant {
  const endOf = (seconds: number | null) => (seconds === null ? null : nowMs + seconds * 1_000)
  return {
    accessToken: token.access_token,
    refreshToken: token.refresh_token,
    expiresAtMs: endOf(token.expires_in),
    refreshExpiresAtMs: token.refresh_token === null ? null : endOf(token.refresh_token_expires_in),
    scopes: token.scope.split(/[\s,]+/u).filter((scope) => scope !== ''),
  }
}

/** The error of a token that was not given; LinkedIn's words are not quoted, as they may repeat what was sent. */
function tokenFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  const error = TokenError.safeParse(answer.json).data?.error
  if (status < 400 || status >= 500 || status === 429 || error === undefined) return failureOf(answer, WHO)
  if (error === 'invalid_client' || error === 'unauthorized_client')
    return new PlatformError(
      'permission',
      `${WHO} does not accept this deployment's app: its id or secret is wrong.`,
      { status },
    )
  return new PlatformError('auth', `${WHO} no longer accepts this sign-in: sign in again.`, { status })
}
