// Before any schema is made: it teaches them what the routes ask of them.
import '@hono/zod-openapi'

import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { MASTODON_HOST, MINUTE_MS, PEOPLE, startEngine } from '../../../test/sync/engine.ts'
import { createLogger } from '../../adapters/logger.ts'
import { createRedis } from '../../adapters/redis.ts'
import type { Caller, HttpEnv } from '../../http/context.ts'
import { replayIdempotent } from '../../http/middleware/idempotency.ts'
import { problemResponse } from '../../http/problem.ts'
import { accountRoutes } from '../../http/routes/accounts.ts'
import { listAccountsPage } from '../accounts/manage-accounts.ts'
import { listJobs } from '../jobs/index.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const MARKER = 'MarkerToken-never-to-be-seen-0123456789'
const REFUSED = 'MarkerToken-refused-0123456789'
/** As it stands, and as it would stand in what is encoded. */
const TRACES = [MARKER, REFUSED].flatMap((token) => [
  token,
  Buffer.from(token).toString('base64').slice(0, -4),
  Buffer.from(token).toString('hex'),
])

const CALLER: Caller = {
  id: 'user:somebody',
  user: null,
  sessionId: null,
  standing: {},
  emailVerified: true,
  workspaces: [],
  apiKey: null,
  ownLimits: { reads: null, writes: null },
  workspaceName: 'Test',
  setCookies: [],
}

function expectNoTrace(text: string, where: string): void {
  for (const trace of TRACES) expect(text.includes(trace), `${where}: ${text.slice(0, 200)}`).toBe(false)
}

it('an access token is nowhere to be found once it is stored', async () => {
  const engine = await startEngine(database, { accounts: PEOPLE })
  const logged: string[] = []
  engine.ctx.log = createLogger({ service: 'test' }, (line) => logged.push(line))
  const answers: string[] = []
  const app = new Hono<HttpEnv>()
    .use(async (c, next) => {
      c.set('ctx', engine.ctx)
      c.set('caller', CALLER)
      await c.req.text()
      await next()
    })
    .use(replayIdempotent)
    .route('/api/v1', accountRoutes)
    .onError((error, c) => {
      engine.ctx.log.warn('request failed', { error })
      return problemResponse(error, { url: c.req.url, requestId: 'test' })
    })
  const ask = async (method: string, path: string, body?: object, key?: string) => {
    const response = await app.request(`/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    answers.push(`${JSON.stringify([...response.headers])}${text}`)
    return { status: response.status, json: () => JSON.parse(text) }
  }
  const cleo = engine.typed('cleo')
  const connect = (accessToken: string, key?: string) =>
    ask('POST', '/accounts', { ...cleo, credentials: { accessToken } }, key)

  engine.tokens.close(true)
  expect((await connect(REFUSED, 'refused')).status).toBe(422)
  engine.tokens.issue({ accountId: engine.person('dora').id, token: MARKER })
  const connected = await connect(MARKER, 'connect')
  expect(connected.status).toBe(201)
  const { id } = connected.json()
  expect((await connect(MARKER, 'connect')).status).toBe(201)
  expect((await connect(REFUSED, 'connect')).status).toBe(422)
  expect((await connect(MARKER)).status).toBe(409)
  await engine.drain()
  // Every way to be refused with it, and a server that says it back.
  expect((await ask('PUT', `/accounts/${id}/credentials`, { accessToken: [MARKER] })).status).toBe(400)
  expect((await ask('PUT', `/accounts/${id}/credentials`, { accessToken: `${MARKER} x` })).status).toBe(400)
  expect(
    (await ask('POST', '/accounts/batch', { accounts: [{ ...cleo, credentials: { accessToken: MARKER } }] }))
      .status,
  ).toBe(400)
  for (const status of [401, 403, 404, 422, 500]) {
    engine.interfere = () => Response.json({ error: `The token ${MARKER} is bad` }, { status })
    const put = await ask('PUT', `/accounts/${id}/credentials`, { accessToken: MARKER })
    expect(put.status).toBeGreaterThanOrEqual(400)
    await ask('POST', `/accounts/${id}/sync`)
    await engine.drain()
  }
  engine.interfere = () => undefined
  expect((await ask('PUT', `/accounts/${id}/credentials`, { accessToken: MARKER })).status).toBe(204)
  await ask('POST', `/accounts/${id}/sync`)
  await engine.drain()
  for (const path of [`/accounts/${id}`, `/accounts/${id}/metrics`])
    expect((await ask('GET', path)).status).toBe(200)
  const filter = { accounts: [], platforms: [], brands: [] }
  const list = {
    filter,
    search: null,
    status: null,
    stale: null,
    sort: 'handle' as const,
    after: null,
    limit: 50,
  }
  answers.push(JSON.stringify(await listAccountsPage(engine.ctx, list)))
  await engine.live(20 * MINUTE_MS)

  expect(answers.some((text) => text.includes('"credentials":{"updatedAt"'))).toBe(true)
  for (const text of answers) expectNoTrace(text, 'an answer')
  expectNoTrace(JSON.stringify(await listJobs(engine.ctx, { limit: 100, after: null })), 'the jobs')
  expect(logged.length).toBeGreaterThan(3)
  for (const line of logged) expectNoTrace(line, 'the log')
  expect(engine.queue.published.length).toBeGreaterThan(3)
  expectNoTrace(JSON.stringify([engine.queue.published, engine.queue.dead]), 'the queue')
  expectNoTrace(JSON.stringify(engine.told), 'the live events')

  const tables = await database.sql<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  )
  let rows = 0
  for (const { name } of tables) {
    const found = await database.sql<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`)
    for (const { row } of found) expectNoTrace(row, `the table ${name}`)
    rows += found.length
  }
  expect(rows).toBeGreaterThan(100)
  expect(await database.sql('SELECT 1 FROM platform_credentials')).toHaveLength(1)
  expect((await database.sql('SELECT 1 FROM idempotency_keys')).length).toBeGreaterThan(0)

  const redis = createRedis({ url: inject('redisUrl'), token: inject('redisToken'), timeoutMs: 5_000 })
  const keys = await redis.keys('*')
  expect(keys.some((key) => key.includes(`mastodon.calls:${MASTODON_HOST}:token:${id}`))).toBe(true)
  for (const key of keys) {
    const values = await valuesOf(redis, key)
    expectNoTrace(`${key} ${JSON.stringify(values)}`, 'Redis')
  }
})

async function valuesOf(redis: ReturnType<typeof createRedis>, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return redis.hgetall(key)
    case 'zset':
      return redis.zrange(key, 0, -1)
    case 'set':
      return redis.smembers(key)
    case 'list':
      return redis.lrange(key, 0, -1)
    default:
      return redis.get(key)
  }
}
