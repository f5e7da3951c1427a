import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import type { TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import { SCHEDULES } from '../../domain/schedules.ts'
import { AppError } from '../../errors.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import type { DeadLetter, LimitVerdict, LogFields, Session } from '../../ports.ts'
import { Breaker } from '../../resilience/breaker.ts'
import { createDirectory } from '../../services/access/identify.ts'
import { makeRig } from '../../services/imports/rig.test-helper.ts'
import type { HttpDeps, HttpEnv } from '../context.ts'
import { authenticate } from '../middleware/authenticate.ts'
import { answerError, outermost } from '../middleware/outermost.ts'
import { auditLogRoutes } from './audit-log.ts'
import { createHealthRoutes } from './health.ts'
import { opsRoutes } from './ops.ts'

export const PUBLIC_URL = 'https://tidemark.example'
export const CALLBACKS_URL = 'https://sync.tidemark.example'
/** What a client may say when it fails. */
const FAILURE = 'connect postgres://owner:hunter2@db.internal/tidemark: refused'

/** What these routes do not use is missing. */
function asHttpDeps(parts: Partial<HttpDeps>): HttpDeps {
  return parts as HttpDeps
}

/** Lets everything through. */
const limiter: HttpDeps['limiter'] = {
  charge: (policy): LimitVerdict => ({ policy, allowed: true, remaining: 1, resetSeconds: 1 }),
  require: async (policy) => ({ policy, allowed: true, remaining: 1, resetSeconds: 1 }),
}

/** `cookie: user=<id>` is somebody's session. */
async function readSession(headers: Headers): Promise<Session | null> {
  const id = /^user=(.+)$/.exec(headers.get('cookie') ?? '')?.[1]
  return id === undefined ? null : { id: `session-${id}`, user: { id, email: `${id}@example.com`, name: id } }
}

/** A queue's dead letters, in memory; their order is that of the map. */
function deadLettersOf(letters: Map<string, DeadLetter>): HttpDeps['deadLetters'] {
  return {
    list: async ({ cursor, limit }) => {
      const from = Number(cursor ?? 0)
      const items = [...letters.values()].slice(from, from + limit)
      return { items, nextCursor: from + limit < letters.size ? String(from + limit) : null }
    },
    retry: async (id) => letters.delete(id),
    remove: async (id) => letters.delete(id),
  }
}

export interface RoutesRig {
  workspaceId: string
  letters: Map<string, DeadLetter>
  /** What was logged as information. */
  logged: { message: string; fields: LogFields | undefined }[]
  /** Whether what stands outside of workspaces can be asked for: who is who, and what operators see. */
  setDatabaseUp(isUp: boolean): void
  ask(
    path: string,
    headers: Record<string, string>,
    method?: string,
  ): Promise<{ status: number; headers: Headers; text: string; body: unknown }>
  /** Headers of a member of the workspace, by default its owner. `OPERATOR_EMAILS` name `named` and `unproved`. */
  person(
    id: string,
    given?: { operator?: boolean; verified?: boolean; role?: string },
  ): Promise<Record<string, string>>
  /** Headers of a key whose row has these scopes. */
  keyOf(createdBy: string | null, scopes: string[]): Promise<Record<string, string>>
}

/** The routes behind the real question who is asking, with a workspace of their own. */
export async function makeRoutesRig(database: TestDatabase): Promise<RoutesRig> {
  const { ctx } = await makeRig(database)
  const workspaceId = ctx.workspace.id
  const letters: RoutesRig['letters'] = new Map()
  const logged: RoutesRig['logged'] = []
  let isDatabaseUp = true
  const log = {
    ...silentLogger,
    info: (message: string, fields?: LogFields) => void logged.push({ message, fields }),
  }
  const db: typeof database.db = {
    inWorkspace: (...args) => database.db.inWorkspace(...args),
    outside: (...args) => {
      if (!isDatabaseUp) throw new AppError('unavailable', 'The database does not answer at the moment.')
      return database.db.outside(...args)
    },
  }
  const clock = { now: () => Date.now() }
  const breaker = new Breaker('postgres', clock)
  const services = { ...ctx, db, clock, log, publicUrl: PUBLIC_URL }
  const deps = asHttpDeps({
    services,
    limiter,
    directory: createDirectory({ db, clock, log, waitUntil() {} }),
    readSession,
    probe: async () => ({
      postgres: isDatabaseUp ? { ok: true, detail: null } : { ok: false, detail: FAILURE },
      queue: { ok: true, detail: null },
    }),
    breakers: () => [breaker.report()],
    probeSoon() {},
    deadLetters: deadLettersOf(letters),
    schedules: {
      list: async () =>
        SCHEDULES.slice(1).map(({ id, cron, path, retries }) => ({
          scheduleId: id,
          cron,
          destination: `${CALLBACKS_URL}${path}`,
          retries,
          isPaused: id === 'tidemark-outbox',
        })),
    },
    config: {
      publicUrl: PUBLIC_URL,
      callbacksUrl: CALLBACKS_URL,
      corsOrigins: [],
      operatorEmails: ['named@example.com', 'unproved@example.com'],
      rateLimits: {},
      cursorSecret: 'a secret of the tests',
      commit: 'abc123',
      signupMode: 'open',
    },
  })
  const app = new Hono<HttpEnv>()
  app.use('*', async (c, next) => {
    c.set('deps', deps)
    await next()
  })
  app.use('*', outermost)
  app.onError((error, c) => answerError(error, c))
  app.route('/', createHealthRoutes())
  app.use('/api/v1/*', authenticate)
  app.route('/api/v1', opsRoutes)
  app.route('/api/v1', auditLogRoutes)

  async function person(id: string, given: { operator?: boolean; verified?: boolean; role?: string } = {}) {
    await database.sql(
      `INSERT INTO auth_users (id, name, email, email_verified) VALUES ($1, $1, $1 || '@example.com', $2)
       ON CONFLICT (id) DO UPDATE SET email_verified = EXCLUDED.email_verified`,
      [id, given.verified ?? false],
    )
    await database.sql(
      `INSERT INTO auth_sessions (id, token, user_id, expires_at)
       VALUES ('session-' || $1, 'token-' || $1, $1, now() + interval '1 day') ON CONFLICT DO NOTHING`,
      [id],
    )
    await database.sql('DELETE FROM workspace_members WHERE user_id = $1', [id])
    await database.sql('INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, $3)', [
      workspaceId,
      id,
      given.role ?? 'owner',
    ])
    if (given.operator) await database.sql('INSERT INTO operators VALUES ($1) ON CONFLICT DO NOTHING', [id])
    return { cookie: `user=${id}` }
  }

  async function keyOf(createdBy: string | null, scopes: string[]) {
    const key = `tm_${randomBytes(32).toString('base64url')}`
    await database.sql(
      `INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes, created_by)
       VALUES ($1, $2, 'A key', 'tm_1234567', $3, $4, $5)`,
      [newId(), workspaceId, await sha256Hex(key), scopes, createdBy],
    )
    return { authorization: `Bearer ${key}` }
  }

  async function ask(path: string, headers: Record<string, string>, method = 'GET') {
    const answer = await app.request(`${PUBLIC_URL}${path}`, { method, headers })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, body: text === '' ? null : parsed(text) }
  }

  return {
    workspaceId,
    letters,
    logged,
    setDatabaseUp: (isUp) => {
      isDatabaseUp = isUp
    },
    ask,
    person,
    keyOf,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
