import type { ConnectorContext, GrantedAccount, OAuthFlow, TokenGrant } from '../../ports.ts'
import { THREADS_SITE_URL, type ThreadsApi, type ThreadsOptions, type ThreadsToken } from './threads-api.ts'

/** The third is for the account's replies, which are left out where it is not granted. */
const SCOPES = ['threads_basic', 'threads_manage_insights', 'threads_read_replies']
const DAY_MS = 86_400_000
const LIFE_MS = 60 * DAY_MS
const REFRESH_AHEAD_MS = 7 * DAY_MS

function toGrant(token: ThreadsToken): TokenGrant {
  return {
    accessToken: token.access_token,
    refreshToken: null,
    expiresAtMs: token.expires_in === null ? null : Date.now() + token.expires_in * 1_000,
    refreshExpiresAtMs: null,
    // Threads does not tell what was granted.
    scopes: [],
  }
}

/** Tokens of an hour, exchanged at once for ones of 60 days, which renew themselves. */
export function createThreadsOAuth(
  options: ThreadsOptions,
  api: ThreadsApi,
  listAccounts: (ctx: ConnectorContext, grant: TokenGrant) => Promise<GrantedAccount[]>,
): OAuthFlow {
  const { app, siteUrl = THREADS_SITE_URL } = options
  return {
    apiHost: api.host,
    refreshAheadMs: REFRESH_AHEAD_MS,
    listAccounts,

    authorizationUrl({ redirectUri, state, codeChallenge }) {
      const url = new URL(`${siteUrl}/oauth/authorize`)
      url.search = new URLSearchParams({
        client_id: app.id,
        redirect_uri: redirectUri,
        scope: SCOPES.join(','),
        response_type: 'code',
        state,
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
      }).toString()
      return url.href
    },

    async exchangeCode(ctx, { code, codeVerifier, redirectUri }) {
      const short = await api.requestToken(ctx, {
        path: 'oauth/access_token',
        form: {
          client_id: app.id,
          client_secret: app.secret,
          grant_type: 'authorization_code',
          redirect_uri: redirectUri,
          code,
          code_verifier: codeVerifier,
        },
        operation: 'token.grant',
      })
      const long = await api.requestToken(ctx, {
        path: 'access_token',
        parameters: {
          grant_type: 'th_exchange_token',
          client_secret: app.secret,
          access_token: short.access_token,
        },
        operation: 'token.grant',
      })
      return toGrant(long)
    },

    async refresh(ctx, grant) {
      const ageMs = grant.expiresAtMs === null ? null : Date.now() - (grant.expiresAtMs - LIFE_MS)
      // Threads renews no token on its first day.
      if (ageMs !== null && ageMs < DAY_MS) return null
      const token = await api.requestToken(ctx, {
        path: 'refresh_access_token',
        parameters: { grant_type: 'th_refresh_token', access_token: grant.accessToken },
        operation: 'token.refresh',
      })
      return toGrant(token)
    },
  }
}
