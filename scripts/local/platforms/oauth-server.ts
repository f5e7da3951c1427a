import { createHash } from 'node:crypto'
import { type Answer, ApiError, type Call } from './call.ts'
import { authorizePageHtml } from './oauth-page.ts'
import { createTokenMint, isSame, type TokenClaims } from './oauth-tokens.ts'
import type { Account, PlatformName } from './types.ts'
import type { World } from './world.ts'

interface OAuthClient {
  id: string
  secret: string
}

/** The application that every simulated platform knows. */
export const SIMULATED_CLIENT: OAuthClient = { id: 'simulated-client', secret: 'simulated-secret' }

export interface OAuthServerOptions {
  platform: PlatformName
  world: World
  /** `SIMULATED_CLIENT` alone by default. */
  clients?: readonly OAuthClient[]
  /** Who can be chosen; the platform's accounts by default. */
  accounts?: () => readonly Account[]
  accessTtlMs: number
  /** Null: no refresh tokens are issued. */
  refreshTtlMs: number | null
  codeTtlMs: number
  /** A refresh token is good for one use, and comes with its successor. */
  rotatesRefreshToken: boolean
  requiresPkce: boolean
}

/** What a token endpoint has granted; how it is written is the platform's business. */
export interface Grant {
  accessToken: string
  expiresInSeconds: number
  /** Undefined where none was issued. */
  refreshToken: string | undefined
  refreshExpiresInSeconds: number | undefined
  scopes: readonly string[]
  accountIds: readonly string[]
}

/** What stands behind an access token, at one moment. */
export interface Introspection {
  /** None: an application's own token. */
  accountIds: readonly string[]
  scopes: readonly string[]
  clientId: string
  /** Epoch milliseconds. */
  issuedAt: number
  expiresAt: number | null
  expired: boolean
  revoked: boolean
}

/** What a token stands for that is not asked for through the usual grants. */
interface IssueRequest {
  /** Epoch milliseconds. */
  at: number
  accountIds: readonly string[]
  scopes: readonly string[]
  clientId?: string
  /** The server's usual by default; null: it does not expire. */
  ttlMs?: number | null
}

/**
 * An OAuth 2 server over the accounts of the world. Errors are ApiErrors with the standard's names
 * (`invalid_client`, `invalid_grant`, `invalid_request`), counted as `bad_auth`. Parameters are the
 * body's form unless others are given (Meta sends them in the address).
 */
export interface OAuthServer {
  /**
   * `GET /authorize` with `client_id` or `client_key`, `redirect_uri`, `state`, `scope`, `code_challenge`:
   * a page to choose accounts on. With `approve=` (keys, handles or ids, by commas) or `refuse=` nobody is asked.
   */
  authorizePage(call: Call): Answer
  exchangeCode(call: Call, params?: URLSearchParams): Grant
  refresh(call: Call, params?: URLSearchParams): Grant
  clientCredentials(call: Call, params?: URLSearchParams): Grant
  /** For exchanges of the platform's own, such as a short-lived token for a long-lived one. */
  issueAccessToken(request: IssueRequest): string
  /** The state of an access token at `t` (epoch milliseconds); undefined where it never was one. */
  introspect(token: string, t: number): Introspection | undefined
}

/**
 * Tokens survive a restart, as what was stored of them does. What was used up (codes, and refresh tokens
 * that rotate) is remembered by the process alone.
 */
export function createOAuthServer(options: OAuthServerOptions): OAuthServer {
  const { platform, world, clients = [SIMULATED_CLIENT], accessTtlMs, refreshTtlMs } = options
  const accountsOf = options.accounts ?? (() => world.accounts(platform))
  const mint = createTokenMint(`oauth ${platform} ${world.seed}`)
  const used = new Set<string>()

  const clientOf = (call: Call, params: URLSearchParams): OAuthClient => {
    const [id, secret] = credentialsOf(call, params)
    const client = clients.find((known) => known.id === id)
    if (!client || !isSame(secret, client.secret)) throw refused(401, 'invalid_client', 'Unknown client')
    return client
  }

  const read = (token: string | null, type: TokenClaims['type']): TokenClaims | undefined => {
    const claims = mint.read(token ?? '')
    return claims?.type === type && claims.platform === platform ? claims : undefined
  }

  /** An event of an account ends what was granted up to then, of that account or together with others. */
  const isEnded = (claims: TokenClaims, t: number, by: 'revokedAt' | 'expiredAt'): boolean =>
    accountsOf()
      .filter((account) => claims.accountIds.includes(account.id))
      .some((account) => (world.tokensEnded(account, t)[by] ?? Number.NEGATIVE_INFINITY) >= claims.issuedAt)

  const isExpired = (claims: TokenClaims, t: number): boolean =>
    claims.expiresAt !== null && t >= claims.expiresAt

  const issue = (type: 'access' | 'refresh', request: IssueRequest, ttlMs: number | null): string => {
    const { at, accountIds, scopes, clientId = clients[0]?.id ?? '' } = request
    return mint.write({
      type,
      platform,
      clientId,
      accountIds: [...accountIds],
      scopes: [...scopes],
      issuedAt: at,
      expiresAt: ttlMs === null ? null : at + ttlMs,
    })
  }

  const grant = (request: IssueRequest, refreshToken?: string): Grant => ({
    accessToken: issue('access', request, accessTtlMs),
    expiresInSeconds: Math.floor(accessTtlMs / 1_000),
    refreshToken:
      refreshToken ?? (refreshTtlMs === null ? undefined : issue('refresh', request, refreshTtlMs)),
    refreshExpiresInSeconds: refreshTtlMs === null ? undefined : Math.floor(refreshTtlMs / 1_000),
    scopes: request.scopes,
    accountIds: request.accountIds,
  })

  const useUp = ({ nonce }: TokenClaims): void => {
    if (used.has(nonce)) throw refused(400, 'invalid_grant', 'It was used before')
    used.add(nonce)
  }

  const challengeOf = (params: URLSearchParams): TokenClaims['challenge'] => {
    const value = params.get('code_challenge')
    if (!value) {
      if (options.requiresPkce) throw refused(400, 'invalid_request', 'A code_challenge is needed')
      return undefined
    }
    const method = params.get('code_challenge_method') ?? 'plain'
    if (method !== 'S256' && method !== 'plain')
      throw refused(400, 'invalid_request', 'Unknown code_challenge_method')
    return { method, value }
  }

  const chosen = (call: Call, references: string): Account[] =>
    references.split(',').map((reference) => {
      const known = accountsOf()
      const account =
        known.find(({ id, key }) => id === reference || key === reference) ??
        known.find((one) => world.namesAt(one, call.t).handle === reference)
      if (!account) throw refused(400, 'invalid_request', `Nobody is called ${reference}`)
      return account
    })

  return {
    authorizePage: (call) => {
      const params = call.url.searchParams
      const clientId = params.get('client_id') ?? params.get('client_key')
      const client = clients.find((known) => known.id === clientId)
      const redirectUri = params.get('redirect_uri') ?? ''
      if (!client) throw refused(400, 'invalid_client', 'Unknown client')
      if (!URL.canParse(redirectUri)) throw refused(400, 'invalid_request', 'A redirect_uri is needed')
      const challenge = challengeOf(params)
      const back = (answer: Record<string, string>): Answer => {
        const url = new URL(redirectUri)
        const state = params.get('state')
        for (const [name, value] of Object.entries({ ...answer, ...(state !== null && { state }) }))
          url.searchParams.set(name, value)
        return { status: 302, text: '', headers: { location: url.href } }
      }
      if (params.has('refuse')) return back({ error: 'access_denied' })
      const approve = params.get('approve')
      if (approve !== null) {
        const accountIds = chosen(call, approve).map(({ id }) => id)
        const scopes = (params.get('scope') ?? '').split(/[\s,]+/).filter((scope) => scope !== '')
        const [issuedAt, expiresAt] = [call.t, call.t + options.codeTtlMs]
        const claims = { platform, clientId: client.id, accountIds, scopes, issuedAt, expiresAt, redirectUri }
        return back({ code: mint.write({ type: 'code', ...claims, ...(challenge && { challenge }) }) })
      }
      const choices = accountsOf().flatMap((account) => {
        const { handle, displayName, status } = world.namesAt(account, call.t)
        return status === 'active' ? [{ id: account.id, handle, displayName }] : []
      })
      return { text: authorizePageHtml(call, platform, choices), contentType: 'text/html; charset=utf-8' }
    },

    exchangeCode: (call, params = call.form()) => {
      const client = clientOf(call, params)
      const claims = read(params.get('code'), 'code')
      if (!claims || claims.clientId !== client.id) throw refused(400, 'invalid_grant', 'Unknown code')
      if (isExpired(claims, call.t)) throw refused(400, 'invalid_grant', 'The code has expired')
      if (claims.redirectUri !== params.get('redirect_uri'))
        throw refused(400, 'invalid_grant', 'Another redirect_uri than before')
      useUp(claims)
      if (claims.challenge && !isProven(claims.challenge, params.get('code_verifier') ?? ''))
        throw refused(400, 'invalid_grant', 'The code_verifier does not match')
      return grant({ ...claims, at: call.t })
    },

    refresh: (call, params = call.form()) => {
      const client = clientOf(call, params)
      const token = params.get('refresh_token')
      const claims = read(token, 'refresh')
      if (!claims || claims.clientId !== client.id)
        throw refused(400, 'invalid_grant', 'Unknown refresh token')
      if (isExpired(claims, call.t)) throw refused(400, 'invalid_grant', 'The refresh token has expired')
      if (isEnded(claims, call.t, 'revokedAt'))
        throw refused(400, 'invalid_grant', 'The refresh token was revoked')
      if (options.rotatesRefreshToken) useUp(claims)
      return grant({ ...claims, at: call.t }, options.rotatesRefreshToken ? undefined : (token ?? undefined))
    },

    clientCredentials: (call, params = call.form()) => {
      const { id: clientId } = clientOf(call, params)
      const scopes = (params.get('scope') ?? '').split(/[\s,]+/).filter((scope) => scope !== '')
      const issued = grant({ at: call.t, clientId, accountIds: [], scopes })
      return { ...issued, refreshToken: undefined, refreshExpiresInSeconds: undefined }
    },

    issueAccessToken: (request) =>
      issue('access', request, request.ttlMs === undefined ? accessTtlMs : request.ttlMs),

    introspect: (token, t) => {
      const claims = read(token, 'access')
      if (!claims) return undefined
      const { accountIds, scopes, clientId, issuedAt, expiresAt } = claims
      const expired = isExpired(claims, t) || isEnded(claims, t, 'expiredAt')
      const revoked = isEnded(claims, t, 'revokedAt')
      return { accountIds, scopes, clientId, issuedAt, expiresAt, expired, revoked }
    },
  }
}

/** HTTP Basic, or the parameters, by either of their names. */
function credentialsOf(call: Call, params: URLSearchParams): [id: string, secret: string] {
  const basic = /^Basic (\S+)$/i.exec(call.request.headers.get('authorization') ?? '')?.[1]
  if (basic === undefined)
    return [params.get('client_id') ?? params.get('client_key') ?? '', params.get('client_secret') ?? '']
  const [id = '', ...secret] = Buffer.from(basic, 'base64').toString().split(':')
  return [decodeURIComponent(id), decodeURIComponent(secret.join(':'))]
}

function isProven({ method, value }: NonNullable<TokenClaims['challenge']>, verifier: string): boolean {
  const shown = method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url')
  return isSame(shown, value)
}

function refused(status: number, name: string, message: string): ApiError {
  return new ApiError(status, name, message, 'bad_auth')
}
