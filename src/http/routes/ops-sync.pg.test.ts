import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { type Engine, HOUR_MS, startEngine, withoutRedis } from '../../../test/sync/engine.ts'
import { person } from '../../../test/sync/people.ts'
import { Breaker } from '../../resilience/breaker.ts'
import type { ServiceContext } from '../../services/context.ts'
import type { HttpDeps, HttpEnv } from '../context.ts'
import { answerError } from '../middleware/outermost.ts'
import { opsSyncRoutes } from './ops-sync.ts'
import { usageRoutes } from './usage.ts'

let database: TestDatabase
let engine: Engine
/** This isolate's own. */
let own: Breaker
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  // Operators see what all workspaces called, also those that are no more.
  await database.sql('DELETE FROM api_usage')
  engine = await startEngine(database, {
    accounts: [person('bluesky', 'ada'), person('x', 'bo')],
    historyDays: 3,
    dailyBudgets: { x: 5_000_000 },
  })
  own = new Breaker('postgres', { now: () => engine.nowMs }, { failures: 1, mode: 'observe' })
  for (const key of ['ada', 'bo']) await engine.connect(key)
  await engine.drain()
})
afterEach(() => {
  vi.useRealTimers()
})

const operator = (): ServiceContext => ({ ...engine.ctx, actor: member('viewer', { operator: true }) })

/** What these routes do not use is missing. */
function asHttpDeps(parts: Partial<HttpDeps>): HttpDeps {
  return parts as HttpDeps
}

/** Asks the routes as whoever a context is of. */
async function ask(ctx: ServiceContext, method: string, path: string, json?: object) {
  const app = new Hono<HttpEnv>()
  app.use('*', (c, next) => {
    c.set('ctx', ctx)
    c.set('deps', asHttpDeps({ services: ctx, breakers: () => [own.report()] }))
    return next()
  })
  app.onError((error, c) => answerError(error, c))
  app.route('/', opsSyncRoutes)
  app.route('/', usageRoutes)
  const answer = await app.request(path, {
    method,
    ...(json !== undefined && {
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json' },
    }),
  })
  const body: unknown = await answer.json()
  return { status: answer.status, body }
}

describe('what operators see of the calls to platforms', () => {
  it('is which breakers there are, those in trouble first, and whose they are', async () => {
    engine.elapse(HOUR_MS)
    engine.act('outage', { platform: 'bluesky', status: 503, durationMs: HOUR_MS })
    await engine.live(HOUR_MS / 2)
    expect(await ask(operator(), 'GET', '/ops/circuit-breakers')).toMatchObject({
      status: 200,
      body: {
        items: [
          {
            ...{ name: 'bluesky', scope: 'deployment', mode: 'enforce' },
            ...{ openedAt: expect.any(String), failures: expect.any(Number) },
          },
          { name: 'postgres', scope: 'isolate', mode: 'observe', state: 'closed', successRate: null },
          { name: 'x', scope: 'deployment', state: 'closed', successRate: 1, openedAt: null },
        ],
        nextCursor: null,
        platformsLeftOut: null,
      },
    })
  })

  it('is how this isolate has Postgres and Redis, also while Redis is away', async () => {
    await own.run(async () => {})
    await own.probe(() => Promise.reject(new Error('no answer')))
    const gone = { ...withoutRedis(engine), actor: operator().actor }
    expect(await ask(gone, 'GET', '/ops/circuit-breakers')).toEqual({
      status: 200,
      body: {
        items: [
          {
            ...{ name: 'postgres', scope: 'isolate', mode: 'observe', state: 'open' },
            ...{ successes: 1, failures: 2, timeouts: 0, rejects: 0, successRate: 1 / 3 },
            openedAt: new Date(engine.nowMs).toISOString(),
          },
        ],
        nextCursor: null,
        platformsLeftOut: expect.stringContaining('Redis'),
      },
    })
  })

  it('is what may be called, was called and has cost', async () => {
    const { status, body } = await ask(operator(), 'GET', '/ops/budgets')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      paused: [],
      allowances: expect.arrayContaining([
        expect.objectContaining({ key: 'bluesky.calls', limit: 3_000, allowed: 2_700 }),
      ]),
      money: [{ platform: 'x', dailyUsdPerWorkspace: 5 }],
    })
    expect(body).toMatchObject({
      platforms: expect.arrayContaining([
        expect.objectContaining({
          platform: 'x',
          calls: engine.stats.x.snapshot().calls,
          costUsd: engine.networks.charges.costMicros(engine.nowMs) / 1_000_000,
        }),
      ]),
    })
  })

  it('is what could not be understood, without a word of it', async () => {
    engine.elapse(HOUR_MS)
    engine.interfere = () => Response.json([{ secret: 'Zwiebelfisch' }])
    await engine.live(HOUR_MS / 4)
    const { status, body } = await ask(operator(), 'GET', '/ops/malformed-answers')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ platform: 'bluesky', sample: [{ secret: 'string' }] }),
      ]),
    })
    expect(JSON.stringify(body)).not.toContain('Zwiebelfisch')
  })

  it('can be stopped and let go on, as often as one likes', async () => {
    for (let time = 0; time < 2; time++)
      expect(await ask(operator(), 'POST', '/ops/sync/pause', { platform: 'x' })).toEqual({
        status: 200,
        body: { paused: ['x'] },
      })
    expect(await ask(operator(), 'POST', '/ops/sync/pause', {})).toMatchObject({
      body: { paused: ['all', 'x'] },
    })
    expect(await ask(operator(), 'POST', '/ops/sync/resume', {})).toMatchObject({ body: { paused: ['x'] } })
    for (let time = 0; time < 2; time++)
      expect(await ask(operator(), 'POST', '/ops/sync/resume', { platform: 'x' })).toMatchObject({
        body: { paused: [] },
      })
    for (const wrong of [{ platform: 'myspace' }, { platforms: ['x'] }])
      expect((await ask(operator(), 'POST', '/ops/sync/pause', wrong)).status).toBe(400)
  })

  it('is for nobody else, and is not guessed while Redis is away', async () => {
    const routes = [
      ['GET', '/ops/circuit-breakers'],
      ['GET', '/ops/budgets'],
      ['GET', '/ops/malformed-answers'],
      ['POST', '/ops/sync/pause'],
      ['POST', '/ops/sync/resume'],
    ] as const
    const owner = { ...engine.ctx, actor: member('owner') }
    for (const [method, path] of routes)
      expect((await ask(owner, method, path, method === 'POST' ? {} : undefined)).status, path).toBe(403)
    const gone = { ...withoutRedis(engine), actor: operator().actor }
    for (const [method, path] of routes)
      expect((await ask(gone, method, path, method === 'POST' ? {} : undefined)).status, path).toBe(
        ['/ops/malformed-answers', '/ops/circuit-breakers'].includes(path) ? 200 : 503,
      )
  })
})

describe('the usage of a workspace', () => {
  it('is what it called and paid, and what it may still spend', async () => {
    const costUsd = engine.networks.charges.costMicros(engine.nowMs) / 1_000_000
    const { status, body } = await ask(engine.ctx, 'GET', '/usage?period=7d')
    expect(status).toBe(200)
    expect(costUsd).toBeGreaterThan(0)
    expect(body).toMatchObject({
      period: { from: '2026-11-16', to: '2026-11-22', timezone: 'UTC' },
      platforms: [
        { platform: 'bluesky', calls: engine.stats.bluesky.snapshot().calls, failures: 0, costUsd: 0 },
        { platform: 'x', costUsd, days: [{ date: '2026-11-22', costUsd }] },
      ],
      budgets: [{ platform: 'x', dailyUsd: 5, spentTodayUsd: costUsd }],
    })
  })

  it('does without what Redis knows while it is away, and takes no other period', async () => {
    const { body } = await ask(withoutRedis(engine), 'GET', '/usage')
    expect(body).toMatchObject({
      budgets: [{ platform: 'x', dailyUsd: 5, spentTodayUsd: null, leftUsd: null, moreAt: null }],
    })
    expect((await ask(engine.ctx, 'GET', '/usage?period=1d')).status).toBe(400)
  })
})
