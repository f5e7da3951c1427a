import type { Auth, CacheAnswer, LimitVerdict, RateLimiter, ReadCache, SessionUser } from '../ports.ts'
import type { Directory } from '../services/access/identify.ts'
import type { ServiceContext, ServiceDeps } from '../services/context.ts'

/** What the HTTP layer is given, once an isolate. */
export interface HttpDeps {
  services: ServiceDeps
  cache: ReadCache
  limiter: RateLimiter
  directory: Directory
  /** Reads the signed session cookie, asking nobody. */
  readSession(headers: Headers): Promise<SessionUser | null>
  /** Sign-up, sign-in and sessions in the database; loaded at first use. */
  auth(): Promise<Auth>
  /** Hands a WebSocket upgrade to a workspace's hub. */
  connectLive(workspaceId: string, request: Request): Promise<Response>
  /** Whether each dependency answers, by name. */
  probe(): Promise<Record<string, { ok: boolean; detail: string | null }>>
  config: {
    publicUrl: string
    corsOrigins: string[]
    operatorEmails: string[]
    rateLimits: Record<string, { limit: number; windowSeconds: number }>
    cursorSecret: string
    commit: string
  }
}

/** Who asked, as far as HTTP knows; the services see `ctx.actor`. */
export interface Caller {
  /** Whose allowance is charged: `key:<id>` or `user:<id>`. */
  id: string
  user: SessionUser | null
  apiKey: { id: string; name: string } | null
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
  /** How a cached route was answered. */
  cached: CacheAnswer | null
}

export type HttpEnv = { Variables: Variables }
