import { neon } from '@neondatabase/serverless'
import { betterAuth } from 'better-auth'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import { drizzle } from 'drizzle-orm/neon-http'
import type { Auth, Logger, SessionUser } from '../../ports.ts'
import { COOKIE_PREFIX } from './sessions.ts'

/** How long a signed cookie is believed without asking the database whether its session still stands. */
const COOKIE_CACHE_SECONDS = 300

export interface AuthOptions {
  /** The library's tables, by its own names. */
  tables: Record<'user' | 'session' | 'account' | 'verification', unknown>
  connectionString: string
  secret: string
  publicUrl: string
  trustedOrigins: string[]
  signupMode: 'invite' | 'open' | 'closed'
  log: Logger
  /** Whether anybody has signed up yet: the first person always may. */
  hasUsers(): Promise<boolean>
  /** Called once a person exists, and again at every sign-in, so that a crash in between repairs itself. */
  onUser(user: SessionUser): Promise<void>
}

/** People: sign-up, sign-in, sessions. Loaded only when needed: most requests never do. */
export function createAuth(options: AuthOptions): Auth {
  const db = drizzle({ client: neon(options.connectionString) })
  const auth = betterAuth({
    appName: 'Tidemark',
    baseURL: options.publicUrl,
    basePath: '/auth',
    secret: options.secret,
    trustedOrigins: [options.publicUrl, ...options.trustedOrigins],
    database: drizzleAdapter(db, {
      provider: 'pg',
      schema: options.tables,
    }),
    emailAndPassword: { enabled: true, minPasswordLength: 10, maxPasswordLength: 200 },
    session: { cookieCache: { enabled: true, maxAge: COOKIE_CACHE_SECONDS } },
    advanced: {
      useSecureCookies: false,
      cookiePrefix: COOKIE_PREFIX,
      defaultCookieAttributes: { secure: true, httpOnly: true, sameSite: 'lax', path: '/' },
      ipAddress: { ipAddressHeaders: ['cf-connecting-ip'] },
    },
    // Our own limiter stands before `/auth/*`, shared by all isolates.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // Its own one writes failed statements out, with what people entered.
    logger: { log: (level, message, ...details) => options.log[level](`auth: ${message}`, { details }) },
    hooks: {
      before: createAuthMiddleware(async (ctx) => {
        if (ctx.path !== '/sign-up/email' || options.signupMode === 'open') return
        if (await options.hasUsers())
          throw new APIError('FORBIDDEN', {
            message: 'Sign-up is by invitation only.',
            code: 'SIGNUP_CLOSED',
          })
      }),
      after: createAuthMiddleware(async (ctx) => {
        const created = ctx.context.newSession
        if (created) {
          const { id, email, name } = created.user
          await options.onUser({ id, email, name })
        }
      }),
    },
  })
  return {
    handle: (request) => auth.handler(request),
    async session(headers) {
      const { response, headers: answered } = await auth.api.getSession({
        headers,
        query: { disableCookieCache: true },
        returnHeaders: true,
      })
      if (response === null) return null
      const { id, email, name } = response.user
      return { user: { id, email, name }, setCookies: answered.getSetCookie() }
    },
  }
}
