import type {
  Auth,
  CacheRead,
  DeadLetters,
  LimitVerdict,
  RateLimiter,
  ReadCache,
  Schedules,
  Session,
  SessionUser,
} from '../ports.ts'
import type { OwnBreakerReport } from '../resilience/breaker.ts'
import type { Directory, Person } from '../services/access/identify.ts'
import type { ServiceContext, ServiceDeps } from '../services/context.ts'
import type { People } from '../services/people/index.ts'

/** What the HTTP layer is given, once an isolate. */
export interface HttpDeps {
  services: ServiceDeps
  cache: ReadCache
  limiter: RateLimiter
  directory: Directory
  /** Reads the signed session cookie, asking nobody. */
  readSession(headers: Headers): Promise<Session | null>
  /** Sign-up, sign-in and sessions in the database; loaded at first use. */
  auth(): Promise<Auth>
  /** Who may sign up, and what they are told; loaded at first use. */
  people(): Promise<Pick<People, 'admit' | 'sendReminder'>>
  /** Hands a WebSocket upgrade to a workspace's hub. */
  connectLive(workspaceId: string, request: Request): Promise<Response>
  /** Whether each dependency answers, by name. */
  probe(): Promise<Record<string, { ok: boolean; detail: string | null }>>
  /** This isolate's breakers. */
  breakers(): OwnBreakerReport[]
  /** Lets dependencies be asked how they are, where that is due, after whatever is being answered. */
  probeSoon(): void
  deadLetters: DeadLetters
  schedules: Schedules
  config: {
    publicUrl: string
    /** What the queue's messages and schedules go to. */
    callbacksUrl: string
    corsOrigins: string[]
    /** In lower case. */
    operatorEmails: string[]
    signupMode: 'invite' | 'open' | 'closed'
    rateLimits: Record<string, { limit: number; windowSeconds: number }>
    cursorSecret: string
    commit: string
  }
}

/** Who asked, as far as HTTP knows; the services see `ctx.actor`. */
export interface Caller {
  /** Whose allowance is charged: `key:<id>` or `user:<id>`. */
  id: string
  /** What the directory knows of them: the same object as long as it is believed. */
  standing: object
  user: SessionUser | null
  sessionId: string | null
  emailVerified: boolean
  /** Theirs; a key has but the one it belongs to. */
  workspaces: Person['workspaces']
  apiKey: { id: string; name: string } | null
  /** What a key may do a minute, where that is less than the deployment's limits. */
  ownLimits: { reads: number | null; writes: number | null }
  workspaceName: string
  /** Cookies to renew the session with. */
  setCookies: string[]
}

export interface Variables {
  requestId: string
  startedAtMs: number
  deps: HttpDeps
  ctx: ServiceContext
  caller: Caller
  /** What is told of the caller's allowance. */
  limit: LimitVerdict | null
  /** What a cached route asked the cache. */
  cached: CacheRead | null
}

export type HttpEnv = { Variables: Variables }
