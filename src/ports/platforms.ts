import type { Platform, PostKind, PostMetrics } from '../domain/platforms.ts'

/** What a connector needs to know of an account that is already connected. */
export interface AccountRef {
  /** The platform's own stable id (a DID, a server-local id …). */
  externalId: string
  /** The API host, where a platform has many (Mastodon); `null` elsewhere. */
  host: string | null
  handle: string
}

export interface AccountProfile extends AccountRef {
  displayName: string | null
  url: string
  avatarUrl: string | null
  followers: number | null
  following: number | null
  posts: number | null
}

export interface PostMedia {
  type: 'image' | 'video' | 'gif' | 'audio' | 'link' | 'poll' | 'other'
  url: string | null
  alt: string | null
}

/** A post as its platform shows it at the moment of reading. */
export interface PlatformPost {
  platformPostId: string
  kind: PostKind
  text: string | null
  /** As the author wrote them, without `#`. */
  hashtags: string[]
  url: string | null
  /** RFC 3339, UTC. */
  postedAt: string
  media: PostMedia[]
  metrics: PostMetrics
}

export interface PostPage {
  posts: PlatformPost[]
  /** Opaque; `null` when there is nothing older. */
  nextCursor: string | null
}

/** What the platform's headers said about its limit, for the budget to follow. */
export interface RateSignal {
  limit: number | null
  remaining: number | null
  /** Milliseconds since 1970. */
  resetAtMs: number | null
}

export type PlatformErrorKind =
  | 'rate_limited' // wait for retryAfterMs
  | 'transient' // try again with back-off
  | 'auth' // needs a (new) credential
  | 'permission' // will not work until somebody changes rights
  | 'gone' // the account or post is not there
  | 'bad_request' // our fault, or the user's: never retried
  | 'bad_answer' // the platform's answer could not be understood
  | 'refused' // the address may not be fetched

/** A platform call that failed, classified. The message is fit to be shown; it names no secret. */
export class PlatformError extends Error {
  readonly kind: PlatformErrorKind
  readonly status: number | null
  readonly retryAfterMs: number | null

  constructor(
    kind: PlatformErrorKind,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PlatformError'
    this.kind = kind
    this.status = options.status ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
  }

  get retryable(): boolean {
    return this.kind === 'rate_limited' || this.kind === 'transient' || this.kind === 'bad_answer'
  }
}

/** How a platform (or one instance of it) limits us: what the budget starts from before any header was seen. */
export interface RateLimitRule {
  /** Names the shared allowance: `bluesky`, or `mastodon:social.example`. */
  key: string
  /** Calls allowed by the platform in a window. */
  limit: number
  windowSeconds: number
}

/** What a server is called with, and which one: no other is ever sent it. */
export interface AccessToken {
  value: string
  /** Host (and port) of the server that issued it. */
  host: string
  /** Names the allowance of its calls, which servers count apart from those without a token. */
  allowance: string
}

export interface ConnectorContext {
  /** Sent to its host alone; none: what anybody may read is read. */
  accessToken?: AccessToken | undefined
  /** The guarded fetch: private addresses are refused, size and time are bounded. */
  fetch: (url: string, init?: RequestInit) => Promise<Response>
  /** Called after every answer that carried rate-limit headers. */
  onRateSignal: (signal: RateSignal) => void
  /**
   * Called before every call to the platform with the number of calls about to be made; resolves when
   * the budget has granted them and rejects with a `rate_limited` PlatformError when it has not.
   */
  spend: (rule: RateLimitRule) => Promise<void>
}

/** One platform, read-only. Every method throws `PlatformError` and nothing else. */
export interface PlatformConnector {
  readonly platform: Platform
  /** Most posts in one call of `refreshPosts`. */
  readonly refreshBatchSize: number
  /** Most accounts in one call of `fetchProfiles`. */
  readonly profileBatchSize: number
  /** The rule that governs calls for this account (or, before one is known, for this host). */
  rateLimit(account: { host: string | null }): RateLimitRule
  /** Finds the account behind whatever a person pasted; throws `gone` when the platform knows none. */
  resolve(ctx: ConnectorContext, input: string): Promise<AccountProfile>
  /** Profiles of accounts of one host. Accounts that are gone are missing from the answer. */
  fetchProfiles(ctx: ConnectorContext, accounts: AccountRef[]): Promise<AccountProfile[]>
  /** A page of the account's posts, newest first. */
  fetchPosts(ctx: ConnectorContext, account: AccountRef, cursor: string | null): Promise<PostPage>
  /**
   * Current state of known posts of one host, whoever wrote them; ids that are gone are missing.
   * At most `refreshBatchSize` ids.
   */
  refreshPosts(ctx: ConnectorContext, host: string | null, ids: string[]): Promise<PlatformPost[]>
  /** Missing where a platform is read without any credential. */
  readonly tokens?: TokenReading
}

/** How a platform is read with an access token. */
export interface TokenReading {
  /**
   * Finds an account as `resolve` does, at a server that may show nothing without the token, which is sent to
   * the account's own server alone. @returns the profile, and the token as that server's
   */
  resolve(
    ctx: ConnectorContext,
    input: string,
    token: Omit<AccessToken, 'host'>,
  ): Promise<{ profile: AccountProfile; accessToken: AccessToken }>
  /** Asks the token's server whether it is one of a user there. Rejects with an `auth` error when it is not. */
  verify(ctx: ConnectorContext, accessToken: AccessToken): Promise<void>
}
