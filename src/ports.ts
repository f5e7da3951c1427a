/** What the services need of the outside, as narrow interfaces. Adapters implement them; tests may, too. */
import type { Platform, PostKind, PostMetrics } from './domain/platforms.ts'

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
}

export type LogFields = Record<string, unknown>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  with(fields: LogFields): Logger
}

// ── Platforms ────────────────────────────────────────────────────────────────────────────────

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

export interface ConnectorContext {
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
}

// ── Queue ────────────────────────────────────────────────────────────────────────────────────

export interface QueueMessage {
  /** The callback's path below `/callbacks/`, e.g. `sync/batch`. */
  topic: string
  body: unknown
  delaySeconds?: number
  /** Messages with the same id within the queue's window (10 minutes) are delivered once. */
  deduplicationId?: string
  /** Bounds how many messages of a kind are under way at once. */
  flow?: { key: string; parallelism: number }
  retries?: number
}

export interface Queue {
  publish(messages: QueueMessage[]): Promise<void>
}

// ── Cold objects (import bodies) ─────────────────────────────────────────────────────────────

export interface ObjectStore {
  put(key: string, body: ReadableStream<Uint8Array> | Uint8Array): Promise<{ size: number }>
  /** The bytes from `offset`, at most `length` of them; `null` where there is no such object. */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array | null>
  delete(key: string): Promise<void>
}

// ── Live events ──────────────────────────────────────────────────────────────────────────────

export interface LiveEvent {
  type: string
  data: unknown
}

export interface HubPublisher {
  /**
   * Hands events to the workspace's hub in order of generation. The hub drops what it has already
   * seen (same or lower generation), so repeating a call is harmless.
   */
  publish(workspaceId: string, batches: { generation: number; events: LiveEvent[] }[]): Promise<void>
  /** Events that tell of no change in the data (progress of a job): not replayed by the outbox. */
  announce(workspaceId: string, events: LiveEvent[]): Promise<void>
  /** Stores a single-use ticket in the hub; see `services/tickets`. */
  issueTicket(workspaceId: string, ticket: TicketRecord): Promise<void>
}

export interface TicketRecord {
  /** SHA-256 of the secret part, hex. */
  hash: string
  userId: string
  /** Milliseconds since 1970. */
  expiresAtMs: number
}

// ── Cached reads ─────────────────────────────────────────────────────────────────────────────

/** Told of every change, so that no tier serves what is older to those who know of it. */
export interface Generations {
  raise(scope: string, generation: number): Promise<void>
}

/** A ready-to-send answer, with what decides whether it may still be sent. */
export interface CacheEntry {
  /** JSON text that ends with `"stale":false}`, so that degraded answers can say what they are. */
  body: string
  etag: string
  /** The workspace's generation when the body was read from the database. */
  generation: number
  /** When it was read, milliseconds since 1970. */
  computedAtMs: number
}

/** How long an answer of a route may be used in each tier. */
export interface CachePolicy {
  memoryMs: number
  coloMs: number
  regionMs: number
}

export interface CacheRead {
  /** A workspace's id, or `public`: whose generation labels the answer. */
  scope: string
  /** Names the normalised question within the scope; fit for a URL path. */
  key: string
  /** The caller has been told of this generation and must not see an older one. */
  minGeneration: number
  policy: CachePolicy
}

export interface Computed {
  generation: number
  /** Serialised as JSON with `stale: false` as its last property. */
  value: { stale: boolean }
}

export type Tier = 'memory' | 'colo' | 'region' | 'origin'

export interface CacheAnswer {
  entry: CacheEntry
  tier: Tier
  /** Served because nothing newer could be had in time. */
  stale: boolean
}

export interface ReadCache {
  read(request: CacheRead, compute: () => Promise<Computed>): Promise<CacheAnswer>
  raise(scope: string, generation: number): Promise<void>
}

// ── Who is looking ───────────────────────────────────────────────────────────────────────────

/** Workspaces that somebody reads or listens to: their newest posts are refreshed at every plan. */
export interface WatchList {
  mark(workspaceId: string): Promise<void>
  list(): Promise<string[]>
}

// ── Outgoing budgets ─────────────────────────────────────────────────────────────────────────

export interface RateBudget {
  /** Takes one call's worth of the allowance; rejects with a `rate_limited` PlatformError when it is used up. */
  spend(rule: RateLimitRule): Promise<void>
  /** Follows what the platform itself says is left. */
  follow(rule: RateLimitRule, signal: RateSignal): void
}

// ── Limits of callers ────────────────────────────────────────────────────────────────────────

export interface LimitPolicy {
  /** As it appears in the `RateLimit` header. */
  name: string
  limit: number
  windowSeconds: number
}

export interface LimitVerdict {
  policy: LimitPolicy
  allowed: boolean
  /** Approximate: other isolates spend from the same allowance. */
  remaining: number
  resetSeconds: number
}

export interface RateLimiter {
  /**
   * Charges a request without waiting for anybody: against this isolate's own count, and against the shared
   * allowance in leases taken after the answer. For requests that are answered from memory.
   */
  charge(policy: LimitPolicy, caller: string): LimitVerdict
  /** Charges a request at the shared allowance before it is served. Without Redis, this isolate's count decides. */
  require(policy: LimitPolicy, caller: string): Promise<LimitVerdict>
}

// ── People ───────────────────────────────────────────────────────────────────────────────────

export interface SessionUser {
  id: string
  email: string
  name: string
}

export interface Auth {
  /** Serves `/auth/*`. */
  handle(request: Request): Promise<Response>
  /** Looks a session up in the database; the answer carries a renewed cookie. */
  session(headers: Headers): Promise<{ user: SessionUser; setCookies: string[] } | null>
}
