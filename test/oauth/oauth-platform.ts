import { createHash, randomBytes } from 'node:crypto'
import type { Platform } from '../../src/domain/platforms.ts'
import {
  type AccountProfile,
  type GrantedAccount,
  type OAuthFlow,
  type PlatformConnector,
  PlatformError,
  type TokenGrant,
} from '../../src/ports.ts'

/** A platform that people have to let us in at, in memory: it knows its codes and tokens, and nothing else. */

const HOUR_MS = 3_600_000
const TOKEN_MS = 2 * HOUR_MS
export const REFRESH_AHEAD_MS = 15 * 60_000
export const API_HOST = 'api.platform.example'

/** An account of the platform. */
export function profile(externalId: string, given: Partial<AccountProfile> = {}): AccountProfile {
  return {
    externalId,
    host: null,
    handle: `handle-${externalId}`,
    displayName: `Name ${externalId}`,
    url: `https://platform.example/${externalId}`,
    avatarUrl: `https://platform.example/${externalId}.png`,
    followers: 1_000,
    following: 10,
    posts: 5,
    ...given,
  }
}

interface Agreement {
  challenge: string
  redirectUri: string
  accounts: AccountProfile[]
}

export class OAuthPlatform {
  /** Codes that were exchanged, or tried to be. */
  exchanges = 0
  /** Refresh tokens as they came, in order. */
  readonly refreshes: string[] = []
  /** Every token that was ever given, and every code. */
  readonly given: string[] = []
  /** Runs before a call is answered. */
  before: (call: 'exchange' | 'list' | 'refresh') => Promise<void> = async () => {}
  /** Gives no new tokens for old ones. */
  renewsNothing = false
  readonly connector: PlatformConnector
  readonly #now: () => number
  readonly #prefix: string
  readonly #codes = new Map<string, Agreement>()
  /** By refresh token: one is good once. */
  readonly #standing = new Map<string, { accounts: AccountProfile[] }>()
  readonly #live = new Map<string, AccountProfile[]>()

  constructor(now: () => number, options: { platform?: Platform; prefix?: string } = {}) {
    this.#now = now
    this.#prefix = options.prefix ?? 'token'
    this.connector = {
      platform: options.platform ?? 'tiktok',
      refreshBatchSize: 20,
      profileBatchSize: 1,
      batchBy: 'account',
      resolve: unasked,
      fetchProfiles: unasked,
      fetchPosts: unasked,
      refreshPosts: unasked,
      oauth: this.#flow(),
    }
  }

  /** What a browser is sent back with where the person agrees. */
  agree(url: string, accounts: AccountProfile[]): URL {
    const { searchParams: asked } = new URL(url)
    const code = this.#secret('code')
    const redirectUri = asked.get('redirect_uri') ?? ''
    this.#codes.set(code, { challenge: asked.get('code_challenge') ?? '', redirectUri, accounts })
    return comingBack(redirectUri, { code, state: asked.get('state') ?? '' })
  }

  /** And where they, or the platform, do not. */
  decline(url: string, error = 'access_denied'): URL {
    const { searchParams: asked } = new URL(url)
    return comingBack(asked.get('redirect_uri') ?? '', { error, state: asked.get('state') ?? '' })
  }

  /** From now on nothing that was given before is good. */
  revokeAll(): void {
    this.#standing.clear()
    this.#live.clear()
  }

  isGood(accessToken: string): boolean {
    return this.#live.has(accessToken)
  }

  grant(accounts: AccountProfile[]): TokenGrant {
    const accessToken = this.#secret('access')
    const refreshToken = this.#secret('refresh')
    this.#live.set(accessToken, accounts)
    this.#standing.set(refreshToken, { accounts })
    return {
      accessToken,
      refreshToken,
      expiresAtMs: this.#now() + TOKEN_MS,
      refreshExpiresAtMs: this.#now() + 180 * 24 * HOUR_MS,
      scopes: ['user.info', 'video.list'],
    }
  }

  #flow(): OAuthFlow {
    return {
      apiHost: API_HOST,
      refreshAheadMs: REFRESH_AHEAD_MS,
      authorizationUrl: ({ redirectUri, state, codeChallenge }) => {
        const url = new URL('https://platform.example/authorize')
        url.search = new URLSearchParams({
          ...{ redirect_uri: redirectUri, state, code_challenge: codeChallenge },
          code_challenge_method: 'S256',
        }).toString()
        return url.href
      },
      exchangeCode: async (_ctx, { code, codeVerifier, redirectUri }) => {
        this.exchanges += 1
        await this.before('exchange')
        const agreement = this.#codes.get(code)
        this.#codes.delete(code)
        const challenge = createHash('sha256').update(codeVerifier).digest('base64url')
        if (agreement === undefined || agreement.challenge !== challenge || codeVerifier.length < 43)
          throw new PlatformError('auth', 'The platform did not accept the code.')
        if (agreement.redirectUri !== redirectUri)
          throw new PlatformError('bad_request', 'The platform knows another address of ours.')
        return this.grant(agreement.accounts)
      },
      listAccounts: async (_ctx, grant) => {
        await this.before('list')
        const accounts = this.#live.get(grant.accessToken)
        if (accounts === undefined) throw new PlatformError('auth', 'The platform does not know the token.')
        // As with pages of Facebook: each account has a token of its own.
        return accounts.map((one): GrantedAccount => ({ profile: one, grant: this.grant([one]) }))
      },
      refresh: async (_ctx, { refreshToken }) => {
        this.refreshes.push(refreshToken ?? '')
        await this.before('refresh')
        if (this.renewsNothing) return null
        const standing = this.#standing.get(refreshToken ?? '')
        if (standing === undefined) throw new PlatformError('auth', 'The refresh token is not good any more.')
        this.#standing.delete(refreshToken ?? '')
        return this.grant(standing.accounts)
      },
    }
  }

  #secret(kind: string): string {
    const secret = `${this.#prefix}-${kind}-${randomBytes(12).toString('hex')}`
    this.given.push(secret)
    return secret
  }
}

function comingBack(redirectUri: string, parameters: Record<string, string>): URL {
  const url = new URL(redirectUri)
  url.search = new URLSearchParams(parameters).toString()
  return url
}

async function unasked(): Promise<never> {
  throw new Error('Nobody is read here')
}
