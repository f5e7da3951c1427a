import { createHmac } from 'node:crypto'
import { bearerOf, type Call } from './call.ts'
import { graphError } from './meta-errors.ts'
import { createOAuthServer, type OAuthServer, SIMULATED_CLIENT } from './oauth-server.ts'
import { isSame } from './oauth-tokens.ts'
import type { World } from './world.ts'

const HOUR_MS = 3_600_000
const LONG_LIVED_MS = 60 * 24 * HOUR_MS
const CODE_TTL_MS = 10 * 60_000
/** Says within a token that it is a page's, and not a person's. */
const PAGE_MARK = 'simulated:page'

/** Who asks. */
export interface MetaCaller {
  kind: 'person' | 'page'
  accountIds: readonly string[]
  scopes: readonly string[]
  token: string
}

export interface MetaAuth {
  server: OAuthServer
  /** Who a token speaks for, at the moment of the call. @throws ApiError 190 for one that does not hold */
  callerOf(call: Call): MetaCaller
  /** @throws ApiError 100 unless it is proven that the token is used by its app */
  requireProof(call: Call, caller: MetaCaller): void
  /** A page's token, which ends with the person's rights and not before. */
  pageToken(call: Call, accountId: string, scopes: readonly string[]): string
  /** The answer of the token endpoint: for a code a token of an hour, for that one of 60 days. */
  grant(call: Call): unknown
}

/** Tokens as Facebook Login gives them, over the accounts of a platform. */
export function createMetaAuth(platform: 'instagram' | 'facebook', world: World): MetaAuth {
  const client = SIMULATED_CLIENT
  const server = createOAuthServer({
    platform,
    world,
    clients: [client],
    accessTtlMs: HOUR_MS,
    refreshTtlMs: null,
    codeTtlMs: CODE_TTL_MS,
    rotatesRefreshToken: false,
    requiresPkce: false,
  })

  const introspect = (token: string, t: number): MetaCaller => {
    const claims = server.introspect(token, t)
    const refused = (message: string, subcode?: number) =>
      graphError(190, message, { ...(subcode !== undefined && { subcode }), violation: 'bad_auth' })
    if (!claims) throw refused('Invalid OAuth access token - Cannot parse access token')
    if (claims.revoked)
      throw refused('Error validating access token: The user has not authorized application', 458)
    if (claims.expired) throw refused('Error validating access token: Session has expired', 463)
    const isPage = claims.scopes.includes(PAGE_MARK)
    return {
      kind: isPage ? 'page' : 'person',
      accountIds: claims.accountIds,
      scopes: claims.scopes.filter((scope) => scope !== PAGE_MARK),
      token,
    }
  }

  return {
    server,

    callerOf: (call) => {
      const token =
        bearerOf(call) ?? call.form().get('access_token') ?? call.url.searchParams.get('access_token')
      if (!token)
        throw graphError(104, 'An access token is required to request this resource', {
          violation: 'bad_auth',
        })
      return introspect(token, call.t)
    },

    requireProof: (call, { token }) => {
      const proof = call.url.searchParams.get('appsecret_proof') ?? call.form().get('appsecret_proof')
      if (proof === null)
        throw graphError(100, 'API calls from the server require an appsecret_proof argument', {
          violation: 'bad_auth',
        })
      if (!isSame(proof, createHmac('sha256', client.secret).update(token).digest('hex')))
        throw graphError(100, 'Invalid appsecret_proof provided in the API argument', {
          violation: 'bad_auth',
        })
    },

    pageToken: (call, accountId, scopes) =>
      server.issueAccessToken({
        at: call.t,
        accountIds: [accountId],
        scopes: [...scopes, PAGE_MARK],
        ttlMs: null,
      }),

    grant: (call) => {
      const params = call.request.method === 'POST' ? call.form() : call.url.searchParams
      if (params.get('grant_type') !== 'fb_exchange_token') {
        const { accessToken, expiresInSeconds } = server.exchangeCode(call, params)
        return { access_token: accessToken, token_type: 'bearer', expires_in: expiresInSeconds }
      }
      // Who the app is, is looked at as for an app's own token.
      server.clientCredentials(call, params)
      const { accountIds, scopes } = introspect(params.get('fb_exchange_token') ?? '', call.t)
      const token = server.issueAccessToken({ at: call.t, accountIds, scopes, ttlMs: LONG_LIVED_MS })
      return { access_token: token, token_type: 'bearer', expires_in: LONG_LIVED_MS / 1_000 }
    },
  }
}
