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
  | 'budget_spent' // our own budget for paid reads is used up, or the credits bought are: wait
  | 'paused' // an operator has stopped all calls
  | 'resting' // it has been failing, so it is not called for the moment
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

  /** Whether no call may be made for the moment, for reasons that are not the account's. */
  get isRefusal(): boolean {
    return ['rate_limited', 'budget_spent', 'paused', 'resting'].includes(this.kind)
  }

  get retryable(): boolean {
    return this.isRefusal || this.kind === 'transient' || this.kind === 'bad_answer'
  }
}

/** How a platform (or one instance of it) limits us: what the budget starts from before any header was seen. */
export interface RateLimitRule {
  /** Names the shared allowance: `bluesky`, or `mastodon:social.example`. */
  key: string
  /** Units allowed by the platform in a window. */
  limit: number
  windowSeconds: number
  /** The window is a calendar day there, instead of one that slides. */
  dayIn?: 'UTC' | 'America/Los_Angeles'
  /** What the call takes of it; 1 by default. */
  units?: number
}

/** What a call is for, as the accounting of calls names it. */
export type CallOperation =
  | 'account.find'
  | 'profiles.read'
  | 'posts.list'
  | 'posts.refresh'
  | 'posts.insights'
  | 'token.grant'
  | 'token.refresh'

/** A call to a platform before it is made. */
export interface PlatformCall {
  operation: CallOperation
  /** The instance it goes to, where a platform has many (Mastodon); `null` elsewhere. */
  server: string | null
  /** All that it counts against, taken together or not at all; an answer's headers speak of the first. */
  rules: RateLimitRule[]
  /** How many things are asked for: ids, or the size of a page. */
  items: number
  /** The most that it can cost, in millionths of a dollar; 0 where reads are free. */
  mostCostMicros: number
}

/** Something that was read and is paid for; the same one is charged once within a UTC day. */
export interface PaidRead {
  /** Kind and id: `post:123`. */
  object: string
  costMicros: number
}

/** How a call went. */
export interface CallOutcome {
  /** Whether the platform is in order: it answered with what can be understood, a refusal included. */
  health: 'ok' | 'failed' | 'timeout'
  status: number | null
  /** What the answer's headers said of the first rule. */
  signal: RateSignal | null
  /** How long the platform asks us to wait: to call less often or, where it failed, until it is in order again. */
  retryAfterMs: number | null
  paid: PaidRead[]
  /** The JSON of the answer, whatever it was; `undefined` where there was none. */
  body: unknown
}

/** A call that was taken from all that limits it, and may be made. */
export interface AdmittedCall {
  /** Says how it went; to be called once, and never fails. Nobody waits for it. */
  settle(outcome: CallOutcome): void
}

/** What a server is called with, and which one: no other is ever sent it. */
export interface AccessToken {
  value: string
  /** Host (and port) of the server that issued it. */
  host: string
  /** Names the allowance of its calls, which servers count apart from those without a token. */
  allowance: string
}

/** A part of an answer that was not used, while the rest of it was. */
export interface MalformedPart {
  /** What is wrong with it, for people; names fields and none of their values. */
  problem: string
  /** The part as it came. */
  part: unknown
}

export interface ConnectorContext {
  /** Sent to its host alone; none: what anybody may read is read. */
  accessToken?: AccessToken | undefined
  /** The guarded fetch: private addresses are refused, size and time are bounded. */
  fetch: (url: string, init?: RequestInit) => Promise<Response>
  /**
   * Takes a call from every limit before it is made. Rejects with a PlatformError: `rate_limited`,
   * `budget_spent`, `paused` or `resting`: it may not be made now.
   */
  admit: (call: PlatformCall) => Promise<AdmittedCall>
  /** Hears of parts of the last answer that were not used, where somebody writes that down. Never fails. */
  noteMalformed?: (part: MalformedPart) => void
  /**
   * Says of a post that `refreshPosts` was asked for that its platform said nothing (intelligible) of it: it is
   * missing from what is found, and not gone. It is asked for again, with others.
   */
  leaveOpen: (postId: string) => void
}

/** A post that is known already. */
export interface PostRef {
  /** The platform's own id. */
  id: string
  /** Milliseconds since 1970. */
  postedAtMs: number
}

/** Whose posts stand in one batch. */
export interface BatchScope {
  /** The instance; `null` where a platform has but one. */
  host: string | null
  /** The one account whose posts they all are, where `batchBy` is `account`; else `null`. */
  account: AccountRef | null
}

/** One platform, read-only. Every method throws `PlatformError` and nothing else. */
export interface PlatformConnector {
  readonly platform: Platform
  /** Most posts in one call of `refreshPosts`. */
  readonly refreshBatchSize: number
  /** What reading a post costs, in millionths of a dollar; missing where reads are free. */
  readonly postCostMicros?: number
  /** Most accounts in one call of `fetchProfiles`. */
  readonly profileBatchSize: number
  /**
   * What may stand together in one call: anything of one instance; only what one workspace follows (it pays);
   * or only what one account's token opens.
   */
  readonly batchBy: 'host' | 'workspace' | 'account'
  /** Finds the account behind whatever a person pasted; throws `gone` when the platform knows none. */
  resolve(ctx: ConnectorContext, input: string): Promise<AccountProfile>
  /** Profiles of accounts of one host. Accounts that are gone, or whose entry is malformed, are missing. */
  fetchProfiles(ctx: ConnectorContext, accounts: AccountRef[]): Promise<AccountProfile[]>
  /**
   * A page of the account's posts, newest first.
   * @param newest the newest post that is known, where there is one: a platform that charges for what it
   *   shows is asked for newer ones alone
   */
  fetchPosts(
    ctx: ConnectorContext,
    account: AccountRef,
    cursor: string | null,
    newest?: PostRef | null,
  ): Promise<PostPage>
  /** Posts of one kind are put into batches together, where a batch of several would take more calls. */
  readonly refreshKind?: (postId: string) => string
  /**
   * Current state of known posts; those that are gone are missing, and those that are left open. At most
   * `refreshBatchSize`, which one call is made for (or as few as the platform allows).
   */
  refreshPosts(ctx: ConnectorContext, scope: BatchScope, posts: PostRef[]): Promise<PlatformPost[]>
  /** How it is read with a token that somebody pastes. */
  readonly tokens?: TokenReading
  /** How people let us read their accounts; then nothing is read without a token. */
  readonly oauth?: OAuthFlow
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

/** What a platform grants; never stored or logged in the clear. */
export interface TokenGrant {
  accessToken: string
  refreshToken: string | null
  /** When the access token stops working, in milliseconds since 1970; `null`: it does not say. */
  expiresAtMs: number | null
  /** When the refresh token does; `null`: it does not say, or there is none. */
  refreshExpiresAtMs: number | null
  scopes: string[]
  /** Whose allowance its calls are taken from, where several accounts share a person's; else the account's own. */
  allowance?: string | undefined
}

/** An account that a grant opens. */
export interface GrantedAccount {
  profile: AccountProfile
  /** What this account is read with: the grant itself or, as with pages of Facebook, one of its own. */
  grant: TokenGrant
}

/** OAuth 2, authorization code with PKCE. Every method that calls throws `PlatformError` and nothing else. */
export interface OAuthFlow {
  /** The host that tokens are sent to, and no other. */
  readonly apiHost: string
  /** Tokens are renewed so long before they end. */
  readonly refreshAheadMs: number
  /** Where a person is sent to agree. */
  authorizationUrl(request: { redirectUri: string; state: string; codeChallenge: string }): string
  /** Takes the code for a grant, of the longest life that there is. Rejects with `auth` when it is refused. */
  exchangeCode(
    ctx: ConnectorContext,
    request: { code: string; codeVerifier: string; redirectUri: string },
  ): Promise<TokenGrant>
  /** The accounts that the grant opens; none where the person has none of the kind. */
  listAccounts(ctx: ConnectorContext, grant: TokenGrant): Promise<GrantedAccount[]>
  /** A new grant for one that ends; `null` where the platform gives none. Rejects with `auth` when it is refused. */
  refresh(ctx: ConnectorContext, grant: TokenGrant): Promise<TokenGrant | null>
}
