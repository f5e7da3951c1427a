import { Hono } from 'hono'
import { inject } from 'vitest'
import type { TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps, silentLogger } from '../../../test/harness/deps.ts'
import { type AuthOptions, createAuth } from '../../adapters/auth/auth.ts'
import { createSessionReader } from '../../adapters/auth/sessions.ts'
import { createNeonDriver } from '../../db/neon.ts'
import * as tables from '../../db/schema/auth.ts'
import type { Auth, LimitPolicy, LimitVerdict, Mail } from '../../ports.ts'
import { createDirectory } from '../../services/access/identify.ts'
import { createPeople } from '../../services/people/index.ts'
import type { HttpDeps, HttpEnv } from '../context.ts'
import { authenticate } from '../middleware/authenticate.ts'
import { answerError, outermost } from '../middleware/outermost.ts'
import { peopleRoutes } from './people.ts'

export const ORIGIN = 'https://tidemark.example'
const SECRET = 'a secret for tests, and long enough for them'

export interface PeopleRigOptions {
  signupMode?: 'invite' | 'open' | 'closed'
  operatorEmails?: string[]
  canMail?: boolean
}

export interface PeopleRig {
  /** What would be answered to a browser of ours, or to another client where headers say so. */
  ask(
    path: string,
    options?: { method?: string; json?: unknown; headers?: Record<string, string> },
  ): Promise<Response>
  post(path: string, json?: unknown, headers?: Record<string, string>): Promise<Response>
  mails: Mail[]
  /** `workspace user` of every call. */
  revoked: string[]
  /** `limit caller` of every charge. */
  charged: string[]
  /** Resolves when what goes on after the answers is over. */
  settled(): Promise<void>
  auth: Auth
  options: AuthOptions
}

/** Everything that people sign up and in with, over a real database, as one isolate. */
export function peopleRig(database: TestDatabase, given: PeopleRigOptions = {}): PeopleRig {
  const { signupMode = 'open', operatorEmails = [], canMail = true } = given
  const mails: Mail[] = []
  const revoked: string[] = []
  const charged: string[] = []
  const work: Promise<unknown>[] = []
  const waitUntil = (promise: Promise<unknown>) => void work.push(promise)
  const quiet = quietDeps(database.db)
  const services = {
    ...quiet,
    clock: Date,
    waitUntil,
    publicUrl: ORIGIN,
    mailer: canMail ? { send: async (mail: Mail) => void mails.push(mail) } : null,
    hub: {
      ...quiet.hub,
      revoke: async (workspaceId: string, userId: string) => revoked.push(`${workspaceId} ${userId}`),
    },
  }
  const directory = createDirectory({ db: database.db, clock: Date, log: silentLogger, waitUntil })
  const people = createPeople({ ...services, directory, signupMode, operatorEmails })
  const options: AuthOptions = {
    tables: {
      user: tables.authUsers,
      session: tables.authSessions,
      account: tables.authAccounts,
      verification: tables.authVerifications,
    },
    driver: createNeonDriver(database.appUrl, inject('neonEndpoint')),
    secret: SECRET,
    publicUrl: ORIGIN,
    trustedOrigins: [],
    log: silentLogger,
    waitUntil,
    canMail,
    operatorEmails,
    listener: people,
  }
  const auth = createAuth(options)
  const charge = (policy: LimitPolicy, caller: string): LimitVerdict => {
    const entry = `${policy.name} ${caller}`
    charged.push(entry)
    const allowed = charged.filter((one) => one === entry).length <= policy.limit
    return { policy, allowed, remaining: 0, resetSeconds: policy.windowSeconds }
  }
  const deps = asDeps({
    probeSoon() {},
    services,
    directory,
    people: async () => people,
    limiter: { charge, require: async (policy: LimitPolicy, caller: string) => charge(policy, caller) },
    auth: async () => auth,
    readSession: createSessionReader({ secret: SECRET, clock: Date }),
    config: {
      publicUrl: ORIGIN,
      corsOrigins: [],
      operatorEmails,
      signupMode,
      // What many tests in one window do.
      rateLimits: { 'sign-up': { limit: 1_000, windowSeconds: 60 } },
    },
  })
  const app = new Hono<HttpEnv>()
  app.use('*', (c, next) => {
    c.set('deps', deps)
    return next()
  })
  app.use('*', outermost)
  app.onError((error, c) => answerError(error, c))
  app.route('/', peopleRoutes)
  app.get('/api/v1/me', authenticate, (c) =>
    c.json({ id: c.var.caller.user?.id, workspaces: c.var.caller.workspaces, actor: c.var.ctx.actor }),
  )
  const ask: PeopleRig['ask'] = async (path, { method = 'GET', json, headers = {} } = {}) =>
    app.request(`${ORIGIN}${path}`, {
      method,
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    })
  return {
    ask,
    post: (path, json = {}, headers = {}) => ask(path, { method: 'POST', json, headers }),
    mails,
    revoked,
    charged,
    async settled() {
      await Promise.all(work.splice(0))
    },
    auth,
    options,
  }
}

/** What this part of the HTTP layer asks for, and nothing else. */
function asDeps(parts: object): HttpDeps {
  return parts as HttpDeps
}

/** The cookies that an answer sets, as they are sent back. */
export function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

let people = 0
/** Somebody whom nobody knows. */
export function somebody() {
  people += 1
  return { name: 'Grace', email: `grace${people}@example.com`, password: 'correct horse battery' }
}
