import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { createCredentialVault } from '../../src/adapters/credential-vault.ts'
import { createLogger } from '../../src/adapters/logger.ts'
import type { Db } from '../../src/db/client.ts'
import type { HttpDeps, HttpEnv } from '../../src/http/context.ts'
import { authenticate } from '../../src/http/middleware/authenticate.ts'
import { answerError, outermost } from '../../src/http/middleware/outermost.ts'
import { accountRoutes } from '../../src/http/routes/accounts.ts'
import { authorizationRoutes } from '../../src/http/routes/authorizations.ts'
import { oauthCallbackRoutes } from '../../src/http/routes/oauth-callback.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { newId } from '../../src/lib/ids.ts'
import type { LimitVerdict, LiveEvent, Session } from '../../src/ports.ts'
import { createDirectory } from '../../src/services/access/identify.ts'
import type { Authorization } from '../../src/services/authorizations/schemas.ts'
import type { ServiceDeps } from '../../src/services/context.ts'
import { RecordingQueue } from '../../src/services/imports/rig.test-helper.ts'
import type { TestDatabase } from '../harness/database.ts'
import { quietDeps } from '../harness/deps.ts'
import { makeWorkspace } from '../harness/factories.ts'
import { OAuthPlatform } from './oauth-platform.ts'

export const PUBLIC_URL = 'https://tidemark.example'

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The JSON of it. */
  body: Record<string, unknown>
}

/** Who asks: headers of theirs. */
export type Asker = Record<string, string>

export class OAuthRig {
  readonly workspaceId: string
  readonly platform: OAuthPlatform
  readonly queue = new RecordingQueue()
  readonly told: LiveEvent[] = []
  readonly logged: string[] = []
  /** Everything that was answered: status, headers and body. */
  readonly answers: string[] = []
  readonly vault = createCredentialVault([btoa('k'.repeat(32))])
  readonly deps: ServiceDeps
  readonly #database: TestDatabase
  readonly #app: Hono<HttpEnv>
  #aheadMs = 0

  constructor(database: TestDatabase, workspaceId: string, options: { prefix?: string } = {}) {
    this.#database = database
    this.workspaceId = workspaceId
    this.platform = new OAuthPlatform(this.now, options)
    const quiet = quietDeps(database.db)
    const clock = { now: this.now }
    const log = createLogger({ service: 'test' }, (line) => this.logged.push(line))
    this.deps = {
      ...quiet,
      log,
      clock,
      hub: {
        ...quiet.hub,
        publish: async (_workspaceId, batches) =>
          void this.told.push(...batches.flatMap(({ events }) => events)),
      },
      queue: this.queue,
      objects: { put: unused, getRange: unused, delete: unused },
      connectors: async () => ({ tiktok: this.platform.connector }),
      fetchFor: () => unused,
      gate: {
        admit: async () => ({ settle() {} }),
        moneyLeft: async () => ({ spentMicros: 0, leftMicros: 0, moreAtMs: 0 }),
      },
      gateOperations: {
        ...{ breakers: unused, allowances: unused, paused: unused, pause: unused, resume: unused },
      },
      dailyBudgets: {},
      vault: this.vault,
      watchList: { mark: async () => {}, list: async () => [] },
      mailer: null,
      publicUrl: PUBLIC_URL,
      syncIntervalSeconds: 60,
    }
    this.#app = appOf(this.deps)
  }

  readonly now = (): number => Date.now() + this.#aheadMs

  elapse(ms: number): void {
    this.#aheadMs += ms
  }

  /** The same services over another database handle. */
  over(db: Db): ServiceDeps {
    return { ...this.deps, db }
  }

  async ask(asker: Asker, method: string, path: string, json?: unknown): Promise<Answer> {
    const answer = await this.#app.request(`${PUBLIC_URL}${path}`, {
      method,
      headers: { ...asker, ...(json !== undefined && { 'content-type': 'application/json' }) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    })
    const text = await answer.text()
    this.answers.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${text}`)
    const isJson = answer.headers.get('content-type')?.includes('json') === true
    return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : {} }
  }

  /** Somebody's browser comes back from the platform. */
  comeBack(asker: Asker, address: URL): Promise<Answer> {
    return this.ask(asker, 'GET', address.pathname + address.search)
  }

  async begin(asker: Asker, input: object = {}): Promise<{ id: string; url: string; expiresAt: string }> {
    const { status, text } = await this.ask(asker, 'POST', '/api/v1/accounts/authorizations', {
      platform: 'tiktok',
      ...input,
    })
    if (status !== 201) throw new Error(`${status} ${text}`)
    return JSON.parse(text)
  }

  async read(asker: Asker, id: string): Promise<Authorization> {
    const { status, text } = await this.ask(asker, 'GET', `/api/v1/accounts/authorizations/${id}`)
    if (status !== 200) throw new Error(`${status} ${text}`)
    return JSON.parse(text)
  }

  connect(asker: Asker, id: string, ...externalIds: string[]): Promise<Answer> {
    return this.ask(asker, 'POST', `/api/v1/accounts/authorizations/${id}/connect`, { externalIds })
  }

  /** Headers of somebody signed in, who is a member of the workspace unless it is another's. */
  async person(
    id: string,
    given: { role?: string; workspaceId?: string; brands?: string[] } = {},
  ): Promise<Asker> {
    const { role = 'analyst', workspaceId = this.workspaceId, brands } = given
    const sql = this.#database.sql
    await sql(
      `INSERT INTO auth_users (id, name, email, email_verified) VALUES ($1, $1, $1 || '@example.com', TRUE)
       ON CONFLICT DO NOTHING`,
      [id],
    )
    await sql(
      `INSERT INTO auth_sessions (id, token, user_id, expires_at)
       VALUES ('session-' || $1, 'token-' || $1, $1, now() + interval '90 days') ON CONFLICT DO NOTHING`,
      [id],
    )
    await sql('DELETE FROM workspace_members WHERE user_id = $1', [id])
    await sql(
      'INSERT INTO workspace_members (workspace_id, user_id, role, all_brands) VALUES ($1, $2, $3, $4)',
      [workspaceId, id, role, brands === undefined],
    )
    for (const brand of brands ?? [])
      await sql('INSERT INTO member_brands (workspace_id, user_id, brand_id) VALUES ($1, $2, $3)', [
        ...[workspaceId, id, brand],
      ])
    return { cookie: `user=${id}` }
  }

  async key(...scopes: string[]): Promise<Asker> {
    const key = `tm_${randomBytes(32).toString('base64url')}`
    await this.#database.sql(
      `INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes)
       VALUES ($1, $2, 'A key', 'tm_1234567', $3, $4)`,
      [newId(), this.workspaceId, await sha256Hex(key), scopes],
    )
    return { authorization: `Bearer ${key}` }
  }

  async brand(name: string): Promise<string> {
    const id = newId()
    await this.#database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [
      ...[id, this.workspaceId, name],
    ])
    return id
  }
}

/** A platform, a workspace and the routes between them; nobody knows anybody yet. */
export async function startOAuth(
  database: TestDatabase,
  options: { prefix?: string } = {},
): Promise<OAuthRig> {
  return new OAuthRig(database, await makeWorkspace(database), options)
}

function appOf(services: ServiceDeps): Hono<HttpEnv> {
  const { db, clock, log } = services
  const allow: LimitVerdict = {
    policy: { name: 'public', limit: 1, windowSeconds: 1 },
    ...{ allowed: true, remaining: 1, resetSeconds: 1 },
  }
  const deps = asHttpDeps({
    probeSoon() {},
    services,
    limiter: { charge: () => allow, require: async () => allow },
    directory: createDirectory({ db, clock, log, waitUntil() {} }),
    readSession,
    config: {
      publicUrl: PUBLIC_URL,
      callbacksUrl: PUBLIC_URL,
      ...{ corsOrigins: [], operatorEmails: [], rateLimits: {}, signupMode: 'open' as const },
      ...{ cursorSecret: 'a secret of the tests', commit: 'abc123' },
    },
  })
  const app = new Hono<HttpEnv>()
  app.use('*', (c, next) => {
    c.set('deps', deps)
    return next()
  })
  app.use('*', outermost)
  app.onError((error, c) => answerError(error, c))
  app.route('/', oauthCallbackRoutes)
  app.use('/api/v1/*', authenticate)
  app.route('/api/v1', authorizationRoutes)
  app.route('/api/v1', accountRoutes)
  return app
}

/** What these routes do not use is missing. */
function asHttpDeps(parts: Partial<HttpDeps>): HttpDeps {
  return parts as HttpDeps
}

/** `cookie: user=<id>` is somebody's session. */
async function readSession(headers: Headers): Promise<Session | null> {
  const id = /^user=(.+)$/.exec(headers.get('cookie') ?? '')?.[1]
  return id === undefined ? null : { id: `session-${id}`, user: { id, email: `${id}@example.com`, name: id } }
}

async function unused(): Promise<never> {
  throw new Error('Nothing is fetched or kept here')
}
