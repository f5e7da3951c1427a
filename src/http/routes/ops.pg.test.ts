import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { newId } from '../../lib/ids.ts'
import type { DeadLetter } from '../../ports.ts'
import { makeRig } from '../../services/imports/rig.test-helper.ts'
import { SCHEMA_VERSION } from '../../version.ts'
import { opsRoutes } from './ops.ts'
import { CALLBACKS_URL, makeRoutesRig, PUBLIC_URL, type RoutesRig } from './rig.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let rig: RoutesRig
beforeEach(async () => {
  rig = await makeRoutesRig(database)
})

const letter = (id: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  id,
  url: `${PUBLIC_URL}/callbacks/sync/posts`,
  createdAt: '2026-03-01T12:00:00.000Z',
  attempts: 6,
  status: 503,
  cause: 'unavailable',
  workspaceId: null,
  scheduleId: null,
  ...more,
})

const ROUTES: [method: string, path: string, status: number][] = [
  ['GET', '/ops/health', 200],
  ['GET', '/ops/outbox', 200],
  ['GET', '/ops/dead-letters', 200],
  ['POST', '/ops/dead-letters/1-1/retry', 204],
  ['DELETE', '/ops/dead-letters/2-2', 204],
  ['GET', '/ops/schedules', 200],
  ['GET', '/ops/database', 200],
]

describe('what is for operators', () => {
  const everyRoute = async (headers: Record<string, string>) => {
    rig.letters.set('1-1', letter('1-1')).set('2-2', letter('2-2'))
    const statuses: number[] = []
    for (const [method, path] of ROUTES)
      statuses.push((await rig.ask(`/api/v1${path}`, headers, method)).status)
    return statuses
  }
  const allowed = ROUTES.map(([, , status]) => status)
  const all = (status: number) => ROUTES.map(() => status)

  it('covers every route of theirs', () => {
    const described = opsRoutes.openAPIRegistry.definitions.flatMap((d) =>
      d.type === 'route' ? [[d.route.method.toUpperCase(), d.route.path, d.route['x-permission']]] : [],
    )
    expect(described).toEqual(
      ROUTES.map(([method, path]) => [method, path.replace(/\d-\d/, '{id}'), 'operator']),
    )
  })

  it.each([
    ['an operator', () => rig.person('operating', { operator: true }), true],
    [
      'an operator who is a viewer here',
      () => rig.person('operating', { operator: true, role: 'viewer' }),
      true,
    ],
    ['an owner', () => rig.person('owning'), false],
    ['whom the configuration names, once verified', () => rig.person('named', { verified: true }), true],
    ['whom the configuration names, until then', () => rig.person('unproved'), false],
  ])('%s', async (_, comes, is) => {
    expect(await everyRoute(await comes())).toEqual(is ? allowed : all(403))
    expect(rig.letters.size).toBe(is ? 0 : 2)
  })

  it.each([
    ['of an operator', { operator: true }, ['read', 'operator'], true],
    ['of an operator, without the scope', { operator: true }, ['read', 'write', 'admin'], false],
    ['with the scope in its row, of whoever is no operator', {}, ['read', 'operator'], false],
  ] as const)('a key %s', async (_, given, scopes, is) => {
    const id = `keeps-${newId()}`
    await rig.person(id, given)
    expect(await everyRoute(await rig.keyOf(id, [...scopes]))).toEqual(is ? allowed : all(403))
  })

  it('a key with the scope that nobody made', async () => {
    expect(await everyRoute(await rig.keyOf(null, ['operator']))).toEqual(all(403))
  })

  it('a key of somebody whom the configuration names, by when their address is verified', async () => {
    await rig.person('named', { verified: true })
    expect((await rig.ask('/api/v1/ops/outbox', await rig.keyOf('named', ['operator']))).status).toBe(200)
    await rig.person('unproved')
    expect((await rig.ask('/api/v1/ops/outbox', await rig.keyOf('unproved', ['operator']))).status).toBe(403)
  })

  it('nobody', async () => {
    expect(await everyRoute({})).toEqual(all(401))
  })
})

describe('an operator', () => {
  let operator: Record<string, string>
  beforeEach(async () => {
    operator = await rig.person('operating', { operator: true })
  })

  it('is told what runs, and what does not answer, without its secrets', async () => {
    expect((await rig.ask('/api/v1/ops/health', operator)).body).toEqual({
      status: 'ready',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      commit: 'abc123',
      schemaVersion: { expected: SCHEMA_VERSION, actual: SCHEMA_VERSION },
      dependencies: [
        { name: 'postgres', state: 'ok', detail: null, breaker: 'closed' },
        { name: 'queue', state: 'ok', detail: null, breaker: null },
      ],
      outbox: { undelivered: 0, oldestSeconds: null, level: 'ok' },
    })
    // They are known for some seconds.
    rig.setDatabaseUp(false)
    const { status, body, text } = await rig.ask('/api/v1/ops/health', operator)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'degraded',
      schemaVersion: { actual: null },
      dependencies: [{ name: 'postgres', state: 'down', detail: expect.stringContaining('db.internal') }, {}],
      outbox: null,
    })
    expect(text).not.toContain('hunter2')
  })

  it('is told that the database is of another version', async () => {
    await database.sql("INSERT INTO tidemark_migrations (name, hash) VALUES ('9999_later', 'x')")
    const { body } = await rig.ask('/api/v1/ops/health', operator)
    await database.sql("DELETE FROM tidemark_migrations WHERE name = '9999_later'")
    expect(body).toMatchObject({
      status: 'degraded',
      schemaVersion: { expected: SCHEMA_VERSION, actual: '9999_later' },
    })
  })

  it('sees what waits in the outbox of every workspace', async () => {
    const outbox = async () => (await rig.ask('/api/v1/ops/outbox', operator)).body
    expect(await outbox()).toEqual({ undelivered: 0, oldestSeconds: null, level: 'ok' })
    const { ctx } = await makeRig(database)
    const wait = (of: string, generation: number, seconds: number) =>
      database.sql(
        `INSERT INTO outbox (workspace_id, generation, events, created_at)
         VALUES ($1, $2, '[{"type":"secret-event"}]', now() - make_interval(secs => $3))`,
        [of, generation, seconds],
      )
    for (const [generation, of, seconds, level] of [
      [1, rig.workspaceId, 59, 'ok'],
      [2, ctx.workspace.id, 61, 'warning'],
      [3, rig.workspaceId, 301, 'critical'],
    ] as const) {
      await wait(of, generation, seconds)
      const expected = { undelivered: generation, oldestSeconds: expect.any(Number), level }
      expect(await outbox()).toEqual(expected)
      const status = level === 'critical' ? 'degraded' : 'ready'
      expect((await rig.ask('/api/v1/ops/health', operator)).body).toMatchObject({ status, outbox: expected })
    }
    await database.sql('UPDATE outbox SET delivered_at = now()')
    expect(await outbox()).toMatchObject({ undelivered: 0, level: 'ok' })
  })

  it('pages through dead letters; those that went elsewhere show their whole address', async () => {
    rig.letters.set('3-3', letter('3-3', { workspaceId: rig.workspaceId }))
    rig.letters.set('2-2', letter('2-2', { url: 'https://old.example/callbacks/sync/plan', status: null }))
    rig.letters.set('1-1', letter('1-1', { url: `${CALLBACKS_URL}/callbacks/sync/posts` }))
    const first = await rig.ask('/api/v1/ops/dead-letters?limit=2', operator)
    expect(first.body).toEqual({
      items: [
        {
          id: '3-3',
          callback: '/callbacks/sync/posts',
          createdAt: '2026-03-01T12:00:00.000Z',
          attempts: 6,
          status: 503,
          cause: 'unavailable',
          workspaceId: rig.workspaceId,
          scheduleId: null,
        },
        expect.objectContaining({ id: '2-2', callback: 'https://old.example/callbacks/sync/plan' }),
      ],
      nextCursor: expect.any(String),
    })
    const cursor = /"nextCursor":"([^"]+)"/.exec(first.text)?.[1] ?? ''
    const second = await rig.ask(`/api/v1/ops/dead-letters?limit=2&cursor=${cursor}`, operator)
    expect(second.body).toMatchObject({ items: [{ id: '1-1' }], nextCursor: null })
    expect((await rig.ask('/api/v1/ops/dead-letters?cursor=2', operator)).status).toBe(400)
  })

  it('retries and drops dead letters, once, and the log says who it was', async () => {
    rig.letters.set('1-1', letter('1-1')).set('2-2', letter('2-2'))
    const retry = '/api/v1/ops/dead-letters/1-1/retry'
    expect((await rig.ask(retry, operator, 'POST')).status).toBe(204)
    expect(await rig.ask(retry, operator, 'POST')).toMatchObject({ status: 404, body: { code: 'not_found' } })
    const drop = '/api/v1/ops/dead-letters/2-2'
    const dropped = await rig.ask(drop, operator, 'DELETE')
    expect([dropped.status, dropped.text]).toEqual([204, ''])
    expect((await rig.ask(drop, operator, 'DELETE')).status).toBe(404)
    expect(rig.letters.size).toBe(0)
    expect(rig.logged).toEqual([
      {
        message: 'dead letter retried',
        fields: { deadLetterId: '1-1', by: 'user:operating', requestId: expect.any(String) },
      },
      {
        message: 'dead letter dropped',
        fields: {
          deadLetterId: '2-2',
          by: 'user:operating',
          requestId: dropped.headers.get('x-request-id'),
        },
      },
    ])
  })

  it('sees which schedules are not as they have to be', async () => {
    expect((await rig.ask('/api/v1/ops/schedules', operator)).body).toMatchObject({
      items: [
        {
          id: 'tidemark-sync-plan',
          state: 'missing',
          expected: { cron: '* * * * *', destination: `${CALLBACKS_URL}/callbacks/sync/plan` },
          registered: null,
        },
        { id: 'tidemark-trending', state: 'ok', registered: { cron: '*/5 * * * *' } },
        { id: 'tidemark-outbox', state: 'paused' },
        { id: 'tidemark-reconciliation', state: 'ok' },
        { id: 'tidemark-credentials', state: 'ok' },
        { id: 'tidemark-upkeep', state: 'ok' },
      ],
      nextCursor: null,
    })
  })

  it('sees how big the database is, and nothing of what stands in it', async () => {
    await database.sql('UPDATE workspaces SET name = $1', ['planted-marker'])
    await database.sql('ANALYZE')
    const sizes = async () => {
      const [now] = await database.sql<{ database: number; workspaces: number }>(
        `SELECT pg_database_size(current_database())::float8 AS database,
           pg_total_relation_size('workspaces')::float8 AS workspaces`,
      )
      return now ?? { database: Number.NaN, workspaces: Number.NaN }
    }
    const before = await sizes()
    const { body, text } = await rig.ask('/api/v1/ops/database', operator)
    const after = await sizes()
    expect(text).not.toContain('planted-marker')
    const [facts] = await database.sql<{ parts: number }>(
      `SELECT count(*)::int AS parts FROM pg_inherits WHERE inhparent = 'post_snapshots'::regclass`,
    )
    expect(body).toMatchObject({
      sizeBytes: expect.any(Number),
      connections: expect.any(Number),
      maxConnections: expect.any(Number),
    })
    const { sizeBytes, tables, partitions } = databaseReport(body)
    // A vacuum between the questions moves files by a few hundred kilobytes.
    const slack = 1_048_576
    expect(sizeBytes).toBeGreaterThan(Math.min(before.database, after.database) - slack)
    expect(sizeBytes).toBeLessThan(Math.max(before.database, after.database) + slack)
    const [{ rows } = { rows: 0 }] = await database.sql<{ rows: number }>(
      'SELECT count(*)::int AS rows FROM workspaces',
    )
    expect(tables.find(({ name }) => name === 'workspaces')).toMatchObject({
      estimatedRows: rows,
      totalBytes: expect.toSatisfy(
        (bytes: number) => bytes === before.workspaces || bytes === after.workspaces,
        'the size before or after',
      ),
      partitions: 0,
    })
    expect(tables.find(({ name }) => name === 'post_snapshots')).toMatchObject({ partitions: facts?.parts })
    expect(tables.map(({ totalBytes }) => totalBytes)).toEqual(
      tables.map(({ totalBytes }) => totalBytes).toSorted((a, b) => b - a),
    )
    // Parts are counted with their whole, and stand by themselves below.
    expect(tables.some(({ name }) => name.startsWith('post_snapshots_'))).toBe(false)
    const ofSnapshots = partitions.filter(({ table }) => table === 'post_snapshots')
    expect(ofSnapshots).toHaveLength(facts?.parts ?? 0)
    expect(ofSnapshots[0]).toMatchObject({ bounds: expect.stringContaining('FROM') })
  })

  it('sees how many accounts were compared with their raw rows each day, and what had to be mended', async () => {
    const reconciliations = async () =>
      (await rig.ask('/api/v1/ops/database', operator)).body as { reconciliations: unknown }
    expect(await reconciliations()).toMatchObject({ reconciliations: [] })
    const [{ today, yesterday } = { today: '', yesterday: '' }] = await database.sql<Record<string, string>>(
      `SELECT d::text AS today, (d - 1)::text AS yesterday FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS d) t`,
    )
    await database.sql(
      `INSERT INTO deployment_counters (name, day, value) VALUES
         ('reconcile.accounts', $1, 12), ('reconcile.accounts', $2, 11), ('reconcile.drift_cells', $1, 3),
         ('sync.messages_outdated', $2, 99), ('reconcile.accounts', $2::date - 20, 7)`,
      [today, yesterday],
    )
    expect(await reconciliations()).toMatchObject({
      reconciliations: [
        { day: today, accounts: 12, driftCells: 3 },
        { day: yesterday, accounts: 11, driftCells: 0 },
      ],
    })
    await database.sql('DELETE FROM deployment_counters')
  })

  it('sees the oldest transaction that runs', async () => {
    await database.sql('BEGIN')
    await database.sql('SELECT pg_sleep(0.2)')
    const { body } = await rig.ask('/api/v1/ops/database', operator)
    await database.sql('ROLLBACK')
    const { oldestTransactionSeconds } = databaseReport(body)
    expect(oldestTransactionSeconds).toBeGreaterThan(0.2)
    expect(oldestTransactionSeconds).toBeLessThan(10)
  })
})

interface Report {
  sizeBytes: number
  tables: { name: string; totalBytes: number }[]
  partitions: { table: string }[]
  oldestTransactionSeconds: number
}

/** What the route's schema promises. */
function databaseReport(body: unknown): Report {
  return body as Report
}
