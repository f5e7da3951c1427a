import type { NeonQueryFunction } from '@neondatabase/serverless'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { isAPIError } from 'better-auth/api'
import { betterAuth } from 'better-auth/minimal'
import { drizzle } from 'drizzle-orm/neon-http'
import { AppError } from '../../errors.ts'
import type { Auth, Logger, PeopleListener } from '../../ports.ts'
import { createHooks, RESET_EXPIRES_IN_MINUTES } from './hooks.ts'
import { outageOf } from './outages.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import { translateRefusal } from './refusals.ts'
import { COOKIE_PREFIX, withoutCookieCache } from './sessions.ts'

/** How long a signed cookie is believed without asking the database whether its session still stands. */
const COOKIE_CACHE_SECONDS = 300
const VERIFICATION_EXPIRES_IN_SECONDS = 86_400

/** In UTF-16 units, which are at most two a character: the rules count characters, and come first. */
const PASSWORD_BOUNDS = { minPasswordLength: 10, maxPasswordLength: 400 }

export interface AuthOptions {
  /** The library's tables, by its own names. */
  tables: Record<'user' | 'session' | 'account' | 'verification', unknown>
  /** Puts the library's statements to the database. */
  driver: NeonQueryFunction<false, false>
  secret: string
  publicUrl: string
  trustedOrigins: string[]
  log: Logger
  /** Lets work go on after the answer. */
  waitUntil(work: Promise<unknown>): void
  /** Whether mails can be sent: without them nobody is asked to confirm an address. */
  canMail: boolean
  /** In lower case; see `hooks.ts`. */
  operatorEmails: readonly string[]
  listener: PeopleListener
}

/** People: sign-up, sign-in, sessions. Loaded only when needed: most requests never do. */
export function createAuth(options: AuthOptions): Auth {
  const auth = betterAuth(libraryOptions(options))
  return {
    async handle(request) {
      try {
        const response = await auth.handler(withoutCookieCache(request))
        if (response.ok) return response
        throw translateRefusal(response.status, await response.json().catch(() => null))
      } catch (error) {
        throw inOurTerms(error)
      }
    },
    async session(headers) {
      const { response, headers: answered } = await auth.api
        .getSession({ headers, query: { disableCookieCache: true }, returnHeaders: true })
        .catch((error: unknown) => {
          throw inOurTerms(error)
        })
      if (response === null) return null
      const { id, email, name } = response.user
      return { id: response.session.id, user: { id, email, name }, setCookies: answered.getSetCookie() }
    },
  }
}

/** What the library threw: that the database does not answer, a refusal, or what nobody understands. */
function inOurTerms(error: unknown): unknown {
  const outage = outageOf(error)
  if (outage !== null)
    return new AppError('unavailable', 'The database does not answer at the moment.', { cause: outage })
  return isAPIError(error) ? translateRefusal(error.statusCode, error.body) : error
}

/** As the library is set up; tests ask it for what it would serve. */
export function libraryOptions(options: AuthOptions) {
  const { listener } = options
  const { hooks, databaseHooks, onPasswordReset } = createHooks(options)
  return {
    appName: 'Tidemark',
    baseURL: options.publicUrl,
    basePath: '/auth',
    secret: options.secret,
    trustedOrigins: [options.publicUrl, ...options.trustedOrigins],
    database: drizzleAdapter(drizzle({ client: options.driver }), {
      provider: 'pg',
      schema: options.tables,
    }),
    emailAndPassword: {
      enabled: true,
      ...PASSWORD_BOUNDS,
      password: {
        hash: hashPassword,
        verify: ({ hash, password }: { hash: string; password: string }) => verifyPassword(hash, password),
      },
      resetPasswordTokenExpiresIn: RESET_EXPIRES_IN_MINUTES * 60,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: async ({
        user,
        token,
      }: {
        user: { id: string; email: string; name: string }
        token: string
      }) => listener.sendPasswordReset(user, token, RESET_EXPIRES_IN_MINUTES),
      onPasswordReset,
    },
    emailVerification: {
      sendOnSignUp: options.canMail,
      expiresIn: VERIFICATION_EXPIRES_IN_SECONDS,
      sendVerificationEmail: async ({
        user,
        token,
      }: {
        user: { id: string; email: string; name: string }
        token: string
      }) => listener.sendVerification(user, token),
      afterEmailVerification: async (user: { id: string }) => listener.addressVerified(user.id),
    },
    // What a link is good for is kept as its hash: whoever reads the database can follow none.
    verification: { storeIdentifier: 'hashed' as const },
    session: {
      cookieCache: { enabled: true, maxAge: COOKIE_CACHE_SECONDS },
      // Where it stands at all, it may see and end the others: those who fear for theirs shall not sign in first.
      freshAge: 0,
    },
    user: { deleteUser: { enabled: false }, changeEmail: { enabled: false } },
    advanced: {
      useSecureCookies: false,
      cookiePrefix: COOKIE_PREFIX,
      defaultCookieAttributes: { secure: true, httpOnly: true, sameSite: 'lax' as const, path: '/' },
      ipAddress: { ipAddressHeaders: ['cf-connecting-ip'] },
      backgroundTasks: { handler: (work: Promise<unknown>) => options.waitUntil(work) },
    },
    // Our own limiter stands before `/auth/*`, shared by all isolates.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    onAPIError: { throw: true },
    // Its own one writes failed statements out, with what people entered.
    logger: {
      log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, ...details: unknown[]) =>
        options.log[level](`auth: ${message}`, { details }),
    },
    hooks,
    databaseHooks,
  }
}
