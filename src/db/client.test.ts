import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type HttpServer, listen, sendJson } from '../../scripts/local/lib/http-server.ts'
import { Breaker } from '../resilience/breaker.ts'
import { createDb, type Db, statement, withBreaker } from './client.ts'

/** The SQLSTATE that the database answers every statement with; `null`: it does not answer. */
let sqlState: string | null
let server: HttpServer
beforeAll(async () => {
  server = await listen((_, res) => {
    if (sqlState !== null) sendJson(res, 400, { message: 'refused', code: sqlState })
  })
})
afterAll(() => server.close())

let breaker: Breaker
let db: Db
beforeEach(() => {
  breaker = new Breaker('postgres', Date, { failures: 1 })
  const connectionString = 'postgres://app:pw@db.example.com/tidemark'
  db = withBreaker(createDb({ connectionString, fetchEndpoint: `${server.url}/sql` }), breaker)
})

const ask = () =>
  db.outside(statement(sql`SELECT 1`), { timeoutMs: sqlState === null ? 20 : 10_000 }).then(
    () => null,
    (error: unknown) => error,
  )

it.each([
  ['no answer', null, 'unavailable', { state: 'open', timeouts: 1, failures: 0 }],
  ['a statement that took too long', '57014', 'unavailable', { state: 'open', timeouts: 1, failures: 0 }],
  ['a database that shuts down', '57P01', 'unavailable', { state: 'open', timeouts: 0, failures: 1 }],
  ['others who write the same', '40001', 'unavailable', { state: 'closed', successes: 1, failures: 0 }],
  ['a deadlock', '40P01', 'unavailable', { state: 'closed', successes: 1, failures: 0 }],
  ['a statement that it refuses', '23505', undefined, { state: 'closed', successes: 1, failures: 0 }],
])('the breaker takes %s for what it is', async (_, state, code, report) => {
  sqlState = state
  const error = await ask()
  expect(error).toBeInstanceOf(Error)
  if (code !== undefined) expect(error).toMatchObject({ code, retryable: true })
  expect(breaker.report()).toMatchObject(report)
})

it('says at once, and for how long, that the database is not asked', async () => {
  sqlState = null
  await ask()
  expect(await ask()).toMatchObject({ code: 'unavailable', retryAfterMs: 5_000 })
  expect(breaker.report()).toMatchObject({ timeouts: 1, rejects: 1 })
})
