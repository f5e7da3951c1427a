import { Client as QueueClient } from '@upstash/qstash'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type HttpServer, listen, sendJson } from '../../scripts/local/lib/http-server.ts'
import { SCHEDULES } from '../../src/domain/schedules.ts'
import {
  Budgets,
  CircuitBreakers,
  DatabaseReport,
  DeadLetter,
  Health,
  OutboxState,
  ScheduleState,
  SyncState,
} from '../../src/services/ops/schemas.ts'
import { type Client, expectProblem, parsed, pointersOf } from './support/client.ts'
import { bearer, makeKey, type Person, signUp } from './support/people.ts'
import { queueIdle, sql, stack } from './support/stack.ts'
import { until } from './support/wait.ts'

const LETTERS = '/api/v1/ops/dead-letters'

let operator: Client
let owner: Person
beforeAll(async () => {
  operator = bearer(stack.apiKey)
  owner = await signUp()
})

const queue = () =>
  new QueueClient({
    baseUrl: stack.queue.url,
    token: stack.queue.token,
    retry: false,
    devMode: false,
    enableTelemetry: false,
  })

/** Hands the queue a message for the Worker, which it delivers once. */
async function publish(path: string, body: object): Promise<void> {
  await queue().publishJSON({ url: `${stack.url}/callbacks/${path}`, body, retries: 0 })
  await queueIdle()
}

/** The dead letters of a workspace. */
const lettersOf = async (workspaceId: string) =>
  (await operator.readAll(DeadLetter, `${LETTERS}?limit=2`)).filter(
    (letter) => letter.workspaceId === workspaceId,
  )

/** Waits for the one dead letter of a workspace that is none of `before`. */
const newLetterOf = (workspaceId: string, before: string[] = []) =>
  until('a message is dead', async () =>
    (await lettersOf(workspaceId)).find(({ id }) => !before.includes(id)),
  )

describe('the routes of operators', () => {
  it.each([
    ['GET', '/ops/health'],
    ['GET', '/ops/outbox'],
    ['GET', '/ops/dead-letters'],
    ['POST', '/ops/dead-letters/1-1/retry'],
    ['DELETE', '/ops/dead-letters/1-1'],
    ['GET', '/ops/schedules'],
    ['GET', '/ops/database'],
    ['GET', '/ops/budgets'],
    ['GET', '/ops/circuit-breakers'],
    ['GET', '/ops/malformed-answers'],
    ['POST', '/ops/sync/pause'],
    ['POST', '/ops/sync/resume'],
  ])('are not for the owner of a workspace: %s %s', async (method, path) => {
    const url = `/api/v1${path}`
    expectProblem(await owner.session.send(method, url), 403, 'insufficient_role')
    expectProblem(await owner.key.send(method, url), 403, 'insufficient_scope')
  })

  it('are not for a key with their scope, made by whoever is no operator', async () => {
    const { id, key } = await makeKey(owner.session, ['read'])
    await sql("UPDATE api_keys SET scopes = '{read,operator}' WHERE id = $1", [id])
    expectProblem(await bearer(key).get('/api/v1/ops/health'), 403, 'insufficient_scope')
  })

  it('tell how the deployment is', async () => {
    const health = await operator.read(Health, '/api/v1/ops/health')
    expect(health).toMatchObject({
      status: 'ready',
      dependencies: ['postgres', 'redis', 'queue'].map((name) => ({ name, state: 'ok', detail: null })),
    })
    expect(health.dependencies.map(({ breaker }) => breaker)).toEqual(['closed', 'closed', null])
    const breakers = await operator.read(CircuitBreakers, '/api/v1/ops/circuit-breakers')
    expect(breakers.platformsLeftOut).toBeNull()
    const own = breakers.items.filter(({ scope }) => scope === 'isolate')
    expect(own.map(({ name, state, mode }) => [name, state, mode])).toEqual([
      ['postgres', 'closed', 'enforce'],
      ['redis', 'closed', 'enforce'],
    ])
    expect(health.schemaVersion.actual).toBe(health.schemaVersion.expected)
    expect((await operator.read(OutboxState, '/api/v1/ops/outbox')).level).toBe('ok')
    const schedules = await operator.readAll(ScheduleState, '/api/v1/ops/schedules')
    expect(schedules.map(({ state }) => state)).toEqual(SCHEDULES.map(() => 'ok'))
    const database = await operator.read(DatabaseReport, '/api/v1/ops/database')
    expect(database.sizeBytes).toBeGreaterThan(1_000_000)
    expect(database.tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['posts', 'accounts', 'post_snapshots']),
    )
    expect(database.partitions.length).toBeGreaterThanOrEqual(3)
  })
})

describe('the switch of the sync', () => {
  const PAUSE = '/api/v1/ops/sync/pause'
  const RESUME = '/api/v1/ops/sync/resume'

  it('stops a platform and lets it go on, however often it is asked', async () => {
    for (const _ of [1, 2]) {
      const stopped = await operator.send('POST', PAUSE, { json: { platform: 'reddit' } })
      expect([stopped.status, SyncState.parse(JSON.parse(stopped.text)).paused]).toEqual([200, ['reddit']])
    }
    expect((await operator.read(Budgets, '/api/v1/ops/budgets')).paused).toEqual(['reddit'])
    for (const _ of [1, 2]) {
      const resumed = await operator.send('POST', RESUME, { json: { platform: 'reddit' } })
      expect([resumed.status, SyncState.parse(JSON.parse(resumed.text)).paused]).toEqual([200, []])
    }
  })

  it('means all of them where none is named, in a body or without one', async () => {
    try {
      for (const body of [{ json: {} }, {}]) {
        const stopped = await operator.send('POST', PAUSE, body)
        expect([stopped.status, SyncState.parse(JSON.parse(stopped.text)).paused]).toEqual([200, ['all']])
        const resumed = await operator.send('POST', RESUME, body)
        expect([resumed.status, SyncState.parse(JSON.parse(resumed.text)).paused]).toEqual([200, []])
      }
    } finally {
      await operator.send('POST', RESUME)
    }
  })

  it.each([
    ['a platform that nobody knows', { platform: 'myspace' }, '/platform'],
    ['no name', { platform: null }, '/platform'],
    ['a list', { platform: ['x'] }, '/platform'],
    ['a field that there is none of', { platforms: ['x'] }, '/platforms'],
  ])('refuses %s, and says where', async (_what, json, pointer) => {
    for (const path of [PAUSE, RESUME]) {
      const problem = expectProblem(await operator.send('POST', path, { json }), 400, 'invalid_request')
      expect(pointersOf(problem)).toEqual([pointer])
    }
    expect((await operator.read(Budgets, '/api/v1/ops/budgets')).paused).toEqual([])
  })
})

describe('a message that has failed for good', () => {
  let platform: HttpServer
  let isMended = false
  const asked: string[] = []

  beforeAll(async () => {
    platform = await listen((req, res) => {
      const { pathname } = new URL(req.url ?? '/', platform.url)
      asked.push(pathname)
      // Nothing that passes: what a platform that is down leaves unread is planned anew.
      if (!isMended) return sendJson(res, 403, { error: 'This server is closed' })
      // It knows the question, and none of the posts.
      if (pathname === '/api/v1/statuses') return sendJson(res, 200, [])
      sendJson(res, 404, { error: 'Record not found' })
    })
  })
  afterAll(() => platform.close())

  it('is seen, goes on its way again once its cause is mended, and is done', async () => {
    const { workspaceId } = owner
    const posts = [{ id: '1', postedAtMs: Date.now() }]
    const account = { id: workspaceId, workspaceId, externalId: '1', handle: 'somebody', posts }
    const before = Date.now()
    const host = `127.0.0.1:${platform.port}`
    await publish('sync/posts', { platform: 'mastodon', host, accounts: [account] })
    const letter = await newLetterOf(workspaceId)
    expect(letter).toMatchObject({ callback: '/callbacks/sync/posts', attempts: null, status: 489 })
    expect(letter.cause).toMatch(/^account_unavailable: .*closed/)
    expect(Date.parse(letter.createdAt)).toBeGreaterThan(before - 5_000)

    isMended = true
    const failed = asked.length
    expect(failed).toBeGreaterThan(0)
    expect((await operator.post(`${LETTERS}/${letter.id}/retry`)).status).toBe(204)
    await queueIdle()
    expect(asked.length).toBeGreaterThan(failed)
    expect(await lettersOf(workspaceId)).toEqual([])
    expectProblem(await operator.post(`${LETTERS}/${letter.id}/retry`), 404, 'not_found')
  })

  it('comes back where it fails again, until it is dropped', async () => {
    const { workspaceId } = owner
    await publish('imports/process', { workspaceId, importId: 'none' })
    const first = await newLetterOf(workspaceId)
    expect(first).toMatchObject({ callback: '/callbacks/imports/process', status: 489, attempts: null })
    expect(first.cause).toMatch(/^invalid_request: The message does not have the shape/)

    expect((await operator.post(`${LETTERS}/${first.id}/retry`)).status).toBe(204)
    const second = await newLetterOf(workspaceId, [first.id])
    expect((await lettersOf(workspaceId)).map(({ id }) => id)).toEqual([second.id])

    expect((await operator.delete(`${LETTERS}/${second.id}`)).status).toBe(204)
    expect(await lettersOf(workspaceId)).toEqual([])
    expectProblem(await operator.delete(`${LETTERS}/${second.id}`), 404, 'not_found')
  })
})

describe('the export of an audit log', () => {
  it('is whole, also where the log is longer than a page', async () => {
    const count = 4_500
    await sql(
      `INSERT INTO audit_log (id, workspace_id, at, actor_kind, actor_name, action)
       SELECT gen_random_uuid(), $1, now() - n * interval '1 second', 'system', '=cmd' || n, 'brand.changed'
       FROM generate_series(1, $2::int) AS n`,
      [owner.workspaceId, count],
    )
    const answer = await owner.session.get('/api/v1/exports/audit-log.csv?actions=brand.changed')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+\.csv"$/)
    const records = z
      .array(z.object({ actorName: z.string() }))
      .parse(parse(answer.text, { columns: true, relaxColumnCount: false }))
    expect(records).toHaveLength(count)
    expect(records[0]?.actorName).toBe("'=cmd1")
    const Log = z.object({ items: z.array(z.object({ action: z.string(), actor: z.unknown() })) })
    const log = parsed(Log, await owner.key.get('/api/v1/audit-log?actions=audit_log.exported'))
    expect(log.items).toEqual([
      { action: 'audit_log.exported', actor: expect.objectContaining({ kind: 'user', name: owner.email }) },
    ])
  })
})
