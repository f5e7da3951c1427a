import {
  type ConnectorContext,
  type GrantedAccount,
  type OAuthFlow,
  PlatformError,
  type TokenGrant,
} from '../../ports.ts'
import type { OAuthApp } from './index.ts'
import { type TikTokApi, type TikTokToken, WHO } from './tiktok-api.ts'

const TIKTOK_SITE_URL = 'https://www.tiktok.com'
const SCOPES = ['user.info.basic', 'user.info.profile', 'user.info.stats', 'video.list']
/** Tokens live for a few hours. */
const REFRESH_AHEAD_MS = 900_000

export interface TikTokOAuthOptions {
  /** Its id is what TikTok calls the client key. */
  app: OAuthApp
  /** Base address of the pages that people sign in on; TikTok's own by default. */
  siteUrl?: string | undefined
}

function momentIn(seconds: number | null): number | null {
  return seconds === null ? null : Date.now() + seconds * 1_000
}

function scopesOf(token: TikTokToken): string[] {
  return token.scope.split(/[\s,]+/u).filter((scope) => scope !== '')
}

function toGrant(token: TikTokToken): TokenGrant {
  return {
    accessToken: token.access_token,
    refreshToken: token.refresh_token,
    expiresAtMs: momentIn(token.expires_in),
    refreshExpiresAtMs: token.refresh_token === null ? null : momentIn(token.refresh_expires_in),
    scopes: scopesOf(token),
  }
}

/** TikTok takes the challenge in hexadecimal digits, where the standard has base64url. */
function toHex(codeChallenge: string): string {
  const bytes = atob(codeChallenge.replaceAll('-', '+').replaceAll('_', '/'))
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}

/** Tokens of a few hours; each renewal also gives a new refresh token, in place of the one that was used. */
export function createTikTokOAuth(
  options: TikTokOAuthOptions,
  api: TikTokApi,
  listAccounts: (ctx: ConnectorContext, grant: TokenGrant) => Promise<GrantedAccount[]>,
): OAuthFlow {
  const { app, siteUrl = TIKTOK_SITE_URL } = options
  const client = { client_key: app.id, client_secret: app.secret }
  return {
    apiHost: api.host,
    refreshAheadMs: REFRESH_AHEAD_MS,

    authorizationUrl({ redirectUri, state, codeChallenge }) {
      const url = new URL(`${siteUrl}/v2/auth/authorize/`)
      url.search = new URLSearchParams({
        client_key: app.id,
        redirect_uri: redirectUri,
        scope: SCOPES.join(','),
        response_type: 'code',
        state,
        code_challenge: toHex(codeChallenge),
        code_challenge_method: 'S256',
      }).toString()
      return url.href
    },

    async exchangeCode(ctx, { code, codeVerifier, redirectUri }) {
      const form = {
        ...client,
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
      }
      return toGrant(await api.requestToken(ctx, form, 'token.grant'))
    },

    async listAccounts(ctx, grant) {
      const missing = SCOPES.filter((scope) => !grant.scopes.includes(scope))
      // People may allow a part; one that is missing would fail every call.
      if (grant.scopes.length > 0 && missing.length > 0)
        throw new PlatformError(
          'permission',
          `${WHO} was not allowed to show us everything (${missing.join(', ')}): sign in again and allow it.`,
        )
      return listAccounts(ctx, grant)
    },

    async refresh(ctx, grant) {
      if (grant.refreshToken === null) return null
      const form = { ...client, grant_type: 'refresh_token', refresh_token: grant.refreshToken }
      const renewed = toGrant(await api.requestToken(ctx, form, 'token.refresh'))
      if (renewed.refreshToken !== null) return renewed
      return { ...renewed, refreshToken: grant.refreshToken, refreshExpiresAtMs: grant.refreshExpiresAtMs }
    },
  }
}
