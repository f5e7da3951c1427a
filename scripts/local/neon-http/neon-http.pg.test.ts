import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless'
import { sql as drizzleSql, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import { bigint, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../postgres.ts'
import { type NeonHttp, startNeonHttp } from './server.ts'

let directory: string
let postgres: Postgres
let http: NeonHttp
/** A session of its own, straight to Postgres. */
let admin: Client
/** The app's role, which owns nothing. */
let appUrl: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'neon-http-test-'))
  postgres = await startPostgres({ dataDir: join(directory, 'postgres') })
  http = await startNeonHttp({ postgres })
  neonConfig.fetchEndpoint = http.url
  admin = new Client(postgres.adminUrl)
  await admin.connect()
  await admin.query(`
    CREATE ROLE app LOGIN PASSWORD 'p@ss/wörd#1';
    CREATE TABLE notes (id integer PRIMARY KEY, owner text NOT NULL, body text NOT NULL DEFAULT '');
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON notes USING (owner = current_setting('app.owner', true));
    GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO app;
    CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, visits bigint NOT NULL DEFAULT 0,
      extra jsonb, seen timestamptz);
  `)
  const url = new URL(postgres.adminUrl)
  url.username = 'app'
  url.password = encodeURIComponent('p@ss/wörd#1')
  url.hostname = 'ep-made-up-123.eu-central-1.aws.neon.tech'
  appUrl = url.href
}, 60_000)

afterAll(async () => {
  await admin?.end()
  await http?.stop()
  await postgres?.stop()
  await rm(directory, { recursive: true, force: true })
}, 60_000)

beforeEach(async () => {
  await admin.query('TRUNCATE notes, people')
})

/** The error that the driver throws, which must be its own. */
async function neonError(promise: Promise<unknown>): Promise<NeonDbError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof NeonDbError) return error
  throw new Error(`Expected a NeonDbError, got ${String(error)}`)
}

describe('queries of the driver', () => {
  test('a tagged query takes parameters and parses types', async () => {
    const sql = neon(postgres.adminUrl)
    const rows = await sql`SELECT ${7}::int AS n, ${'seven'}::text AS t, ${true}::bool AS b`
    expect(rows).toEqual([{ n: 7, t: 'seven', b: true }])
  })

  test('a query by text takes parameters, array mode and full results', async () => {
    const sql = neon(postgres.adminUrl)
    const result = await sql.query('SELECT $1::int AS a, $2::text AS a', [1, 'x'], {
      arrayMode: true,
      fullResults: true,
    })
    expect(result.rows).toEqual([[1, 'x']])
    expect(result).toMatchObject({ rowCount: 1, command: 'SELECT', rowAsArray: true })
    expect(result.fields).toMatchObject([
      { name: 'a', dataTypeID: 23, dataTypeSize: 4, dataTypeModifier: -1, format: 'text' },
      { name: 'a', dataTypeID: 25, dataTypeSize: -1 },
    ])
  })

  test('fields say which table and column they come from', async () => {
    const sql = neon(postgres.adminUrl, { fullResults: true })
    const { fields } = await sql`SELECT name FROM people`
    const { rows } = await admin.query("SELECT 'people'::regclass::oid::int AS oid")
    expect(fields[0]).toMatchObject({ tableID: rows[0].oid, columnID: 2 })
  })

  test('commands report what they did', async () => {
    const sql = neon(postgres.adminUrl, { fullResults: true })
    const inserted = await sql`INSERT INTO people (id, name) VALUES (1, 'a'), (2, 'b')`
    expect(inserted).toMatchObject({ command: 'INSERT', rowCount: 2, rows: [], fields: [] })
    expect(await sql`UPDATE people SET visits = 1`).toMatchObject({ command: 'UPDATE', rowCount: 2 })
    expect(await sql`SET statement_timeout = 0`).toMatchObject({ command: 'SET', rowCount: null })
    expect(await sql.query('-- nothing')).toMatchObject({ command: '', rowCount: null, rows: [] })
  })

  test('values of all kinds come back as they went', async () => {
    const sql = neon(postgres.adminUrl)
    const [row] = await sql`SELECT
      ${Buffer.from([0, 1, 254, 255])}::bytea AS bytes,
      ${['a', 'b "quoted"', 'c\\d', null, '']}::text[] AS texts,
      ${[[1, 2], [3, 4]]}::int[] AS grid,
      ${{ deep: { list: [1, null, 'ü'] } }}::jsonb AS json,
      ${JSON.stringify([1, 2])}::json AS list,
      ${null}::int AS nothing,
      ${'9223372036854775807'}::bigint AS big,
      ${'12345678901234567890.123456789'}::numeric AS exact,
      ${'🌊 日本語 \u0301 "\\'}::text AS unicode,
      ${new Date('2026-03-29T01:30:00.123Z')}::timestamptz AS instant,
      ${'2026-03-29'}::text::date::text AS day,
      ${0.1}::float8 AS float, 'NaN'::float8 AS nan, '-Infinity'::float8 AS low`
    expect(row).toEqual({
      bytes: Buffer.from([0, 1, 254, 255]),
      texts: ['a', 'b "quoted"', 'c\\d', null, ''],
      grid: [
        [1, 2],
        [3, 4],
      ],
      json: { deep: { list: [1, null, 'ü'] } },
      list: [1, 2],
      nothing: null,
      big: '9223372036854775807',
      exact: '12345678901234567890.123456789',
      unicode: '🌊 日本語 \u0301 "\\',
      instant: new Date('2026-03-29T01:30:00.123Z'),
      day: '2026-03-29',
      float: 0.1,
      nan: Number.NaN,
      low: Number.NEGATIVE_INFINITY,
    })
  })

  test('a body of 12 MB goes both ways', async () => {
    const sql = neon(postgres.adminUrl)
    const long = 'é'.repeat(6 * 1024 * 1024)
    const [row] = await sql`SELECT ${long}::text AS echoed`
    expect(row?.echoed === long).toBe(true)
  })

  test('an answer beyond 64 MB is refused by its size', async () => {
    const error = await neonError(neon(postgres.adminUrl)`SELECT repeat('x', 65 * 1024 * 1024)`.then())
    expect(error.message).toContain('HTTP status 507')
    expect(error.message).toContain('response is too large')
  })

  test('one request is one statement', async () => {
    const error = await neonError(neon(postgres.adminUrl).query('SELECT 1; SELECT 2').then())
    expect(error.code).toBe('42601')
  })

  test('fifty queries at once all get their own answers', async () => {
    const sql = neon(postgres.adminUrl)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => sql`SELECT ${index}::int AS n, pg_sleep(0.01)`),
    )
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })

  test('more requests than connections wait for their turn', async () => {
    const sql = neon(postgres.adminUrl)
    const before = await connectionCount()
    await Promise.all(Array.from({ length: 200 }, () => sql`SELECT pg_sleep(0.01)`))
    expect((await connectionCount()) - before).toBeLessThanOrEqual(20)
  })

  test('COPY, which has no place in HTTP, fails and harms no later query', async () => {
    const sql = neon(postgres.adminUrl)
    // Often enough to run out of connections, if each of them were lost.
    for (let index = 0; index < 25; index += 1) {
      expect((await neonError(sql`COPY people FROM STDIN`.then())).code).toBe('57014')
      await neonError(sql.transaction([sql`COPY people FROM STDIN`, sql`SELECT 1`]))
      expect(await sql`SELECT ${index}::int AS n`).toEqual([{ n: index }])
    }
  })
})

async function connectionCount(): Promise<number> {
  const { rows } = await admin.query(
    "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'neon-http'",
  )
  return rows[0].count
}

describe('transactions', () => {
  test('run with the isolation that was asked for', async () => {
    const sql = neon(postgres.adminUrl)
    const show = () => [
      sql`SHOW transaction_isolation`,
      sql`SHOW transaction_read_only`,
      sql`SHOW transaction_deferrable`,
    ]
    expect(
      await sql.transaction(show(), { isolationLevel: 'Serializable', readOnly: true, deferrable: true }),
    ).toEqual([
      [{ transaction_isolation: 'serializable' }],
      [{ transaction_read_only: 'on' }],
      [{ transaction_deferrable: 'on' }],
    ])
    expect(await sql.transaction(show(), { isolationLevel: 'RepeatableRead' })).toEqual([
      [{ transaction_isolation: 'repeatable read' }],
      [{ transaction_read_only: 'off' }],
      [{ transaction_deferrable: 'off' }],
    ])
    expect(await sql.transaction(show())).toEqual([
      [{ transaction_isolation: 'read committed' }],
      [{ transaction_read_only: 'off' }],
      [{ transaction_deferrable: 'off' }],
    ])
  })

  test('commit together', async () => {
    const sql = neon(postgres.adminUrl)
    const [first, second] = await sql.transaction([
      sql`INSERT INTO people (id, name) VALUES (1, 'Ada') RETURNING id`,
      sql`SELECT count(*)::int AS count, pg_current_xact_id_if_assigned() IS NOT NULL AS same FROM people`,
    ])
    expect(first).toEqual([{ id: 1 }])
    expect(second).toEqual([{ count: 1, same: true }])
    expect((await admin.query('SELECT name FROM people')).rows).toEqual([{ name: 'Ada' }])
  })

  test('roll back together, with the error of the statement that failed', async () => {
    const sql = neon(postgres.adminUrl)
    const error = await neonError(
      sql.transaction([
        sql`INSERT INTO people (id, name) VALUES (1, 'Ada')`,
        sql`INSERT INTO people (id, name) VALUES (1, 'Bob')`,
        sql`SELECT * FROM no_such_table`,
      ]),
    )
    expect(error.code).toBe('23505')
    expect((await admin.query('SELECT * FROM people')).rows).toEqual([])
  })

  test('leave no locks behind when they fail', async () => {
    const sql = neon(postgres.adminUrl)
    await neonError(sql.transaction([sql`LOCK TABLE people IN ACCESS EXCLUSIVE MODE`, sql`SELECT 1/0`]))
    const locks = await admin.query("SELECT mode FROM pg_locks WHERE relation = 'people'::regclass")
    expect(locks.rows).toEqual([])
  })

  test('what fails only at the commit is an error', async () => {
    await admin.query(
      'CREATE TABLE parent (id int PRIMARY KEY);' +
        'CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)',
    )
    const sql = neon(postgres.adminUrl)
    const error = await neonError(sql.transaction([sql`INSERT INTO child VALUES (1)`, sql`SELECT 1`]))
    expect(error).toMatchObject({ code: '23503', table: 'child', constraint: 'child_id_fkey' })
    expect(await sql`SELECT * FROM child`).toEqual([])
  })

  test('an unknown isolation level is refused', async () => {
    const response = await post({ query: 'SELECT 1' }, { 'Neon-Batch-Isolation-Level': 'Whatever' })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ message: 'invalid isolation level' })
  })
})

/** A request that the driver would not make. */
function post(
  body: unknown,
  headers: Record<string, string> = {},
  init: RequestInit = {},
): Promise<Response> {
  return fetch(http.url, {
    method: 'POST',
    headers: {
      'Neon-Connection-String': postgres.adminUrl,
      'Neon-Raw-Text-Output': 'true',
      'Neon-Array-Mode': 'true',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })
}

describe('errors', () => {
  test('a unique violation names its constraint, table, schema and detail', async () => {
    const sql = neon(postgres.adminUrl)
    await sql`INSERT INTO people (id, name) VALUES (1, 'Ada')`
    const error = await neonError(sql`INSERT INTO people (id, name) VALUES (1, 'Bob')`.then())
    expect(error).toMatchObject({
      message: 'duplicate key value violates unique constraint "people_pkey"',
      code: '23505',
      severity: 'ERROR',
      detail: 'Key (id)=(1) already exists.',
      schema: 'public',
      table: 'people',
      constraint: 'people_pkey',
      routine: '_bt_check_unique',
    })
  })

  test('an unknown table gives its position', async () => {
    const error = await neonError(neon(postgres.adminUrl)`SELECT * FROM nowhere`.then())
    expect(error).toMatchObject({
      code: '42P01',
      position: '15',
      message: 'relation "nowhere" does not exist',
    })
  })

  test('a malformed value is an error of its own', async () => {
    const error = await neonError(neon(postgres.adminUrl)`SELECT ${'seven'}::int`.then())
    expect(error.code).toBe('22P02')
  })

  test('an error within a function says where', async () => {
    await admin.query(
      "CREATE OR REPLACE FUNCTION broken() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT nope FROM people); END'",
    )
    const error = await neonError(neon(postgres.adminUrl)`SELECT broken()`.then())
    expect(error).toMatchObject({ code: '42703', internalQuery: '(SELECT nope FROM people)' })
    expect(error.where).toContain('broken()')
    expect(error.internalPosition).toBe('9')
  })

  test('a statement timeout is reported as one', async () => {
    const sql = neon(postgres.adminUrl)
    const error = await neonError(
      sql.transaction([sql`SELECT set_config('statement_timeout', '50ms', true)`, sql`SELECT pg_sleep(10)`]),
    )
    expect(error).toMatchObject({ code: '57014', message: 'canceling statement due to statement timeout' })
  })

  test('a wrong password is refused, also while connections with the right one are open', async () => {
    await neon(appUrl)`SELECT 1`
    const url = new URL(appUrl)
    url.password = 'wrong'
    const error = await neonError(neon(url.href)`SELECT 1`.then())
    expect(error).toMatchObject({ code: '28P01', message: 'password authentication failed for user "app"' })
  })

  test('an unknown database is refused', async () => {
    const url = new URL(appUrl)
    url.pathname = '/nowhere'
    expect((await neonError(neon(url.href)`SELECT 1`.then())).code).toBe('3D000')
  })

  test('a connection that Postgres ends under a query is an error, and the next query has another', async () => {
    const sql = neon(postgres.adminUrl)
    const error = await neonError(sql`SELECT pg_terminate_backend(pg_backend_pid())`.then())
    expect(error.code).toBe('57P01')
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }])
  })

  test('idle connections that Postgres ended are not used again', async () => {
    const sql = neon(postgres.adminUrl)
    await sql`SELECT 1`
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'neon-http'",
    )
    await expect.poll(connectionCount).toBe(0)
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }])
  })

  test('a Postgres that cannot be reached is a server error without a code', async () => {
    const lost = await startNeonHttp({ postgres: { host: '127.0.0.1', port: 1 } })
    try {
      neonConfig.fetchEndpoint = lost.url
      const error = await neonError(neon(postgres.adminUrl)`SELECT 1`.then())
      expect(error.message).toContain('Server error (HTTP status 500)')
      expect(error.message).toContain('ECONNREFUSED')
      expect(error.code).toBeUndefined()
    } finally {
      neonConfig.fetchEndpoint = http.url
      await lost.stop()
    }
  })

  test.each([
    ['a body that is no JSON', '{', {}, 'no JSON'],
    ['a body without a query', { params: [] }, {}, '"query"'],
    ['parameters that are no list', { query: 'SELECT 1', params: 'x' }, {}, '"params"'],
    ['a NUL in the query', { query: 'SELECT 1\0; DROP TABLE people' }, {}, 'NUL'],
    ['too many parameters', { query: 'SELECT 1', params: Array(65_536).fill(1) }, {}, '65535 parameters'],
    ['no Postgres URL', { query: 'SELECT 1' }, { 'Neon-Connection-String': 'mysql://a:b@c/d' }, 'Invalid'],
    ['no password', { query: 'SELECT 1' }, { 'Neon-Connection-String': 'postgres://a@c/d' }, 'password'],
    ['parsed output', { query: 'SELECT 1' }, { 'Neon-Raw-Text-Output': 'false' }, 'raw text'],
  ])('%s is refused with a reason', async (_name, body, headers, reason) => {
    const response = await post(body, headers)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ message: expect.stringContaining(reason) })
  })

  test('other paths and methods are refused', async () => {
    expect((await fetch(http.url.replace('/sql', '/'), { method: 'POST' })).status).toBe(404)
    const get = await fetch(http.url)
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  })

  test('parameters that are not text yet are turned into it', async () => {
    const response = await post({
      query: 'SELECT $1::int[]::text, $2::text[]::text, $3::jsonb->>$4, $5::bool, $6::int',
      params: [[1, null, [2]].slice(0, 2), ['a"b', 'c\\d', 'NULL', { x: 1 }], { k: 'v' }, 'k', true, 5],
    })
    expect(await response.json()).toMatchObject({
      rows: [['{1,NULL}', '{"a\\"b","c\\\\d","NULL","{\\"x\\":1}"}', 'v', 't', '5']],
    })
  })

  test('rows are objects where array mode is off', async () => {
    const response = await post({ query: 'SELECT 1 AS a, NULL AS b' }, { 'Neon-Array-Mode': 'false' })
    expect(await response.json()).toMatchObject({ rows: [{ a: '1', b: null }], rowAsArray: false })
  })
})

describe('roles', () => {
  test('row-level security holds for the role of the connection string', async () => {
    await admin.query("INSERT INTO notes (id, owner) VALUES (1, 'ann'), (2, 'ben')")
    const sql = neon(appUrl)
    const [, rows] = await sql.transaction([
      sql`SELECT set_config('app.owner', 'ben', true)`,
      sql`SELECT id, current_user::text AS role FROM notes`,
    ])
    expect(rows).toEqual([{ id: 2, role: 'app' }])
    expect(await sql`SELECT id FROM notes`).toEqual([])
  })

  test('rights that the role lacks are refused', async () => {
    expect((await neonError(neon(appUrl)`SELECT * FROM people`.then())).code).toBe('42501')
  })
})

describe('sessions', () => {
  /** Enough requests to come by every connection that is open. */
  const MANY = 30

  test.each([
    ['SET', 'SET app.owner = $$ann$$', "coalesce(current_setting('app.owner', true), '')", ''],
    [
      'set_config',
      "SELECT set_config('app.owner', 'ann', false)",
      "coalesce(current_setting('app.owner', true), '')",
      '',
    ],
    ['SET search_path', 'SET search_path = pg_catalog', "current_setting('search_path')", '"$user", public'],
    ['SET ROLE', 'SET ROLE app', 'current_user::text', 'postgres'],
    ['SET TIME ZONE', "SET TIME ZONE 'Asia/Tokyo'", "current_setting('TimeZone')", 'UTC'],
    [
      'a temporary table',
      'CREATE TEMP TABLE scratch (id int)',
      "coalesce(to_regclass('scratch')::text, '')",
      '',
    ],
    [
      'a prepared statement',
      'PREPARE p AS SELECT 1',
      '(SELECT count(*) FROM pg_prepared_statements)::text',
      '0',
    ],
    ['LISTEN', 'LISTEN news', '(SELECT count(*) FROM pg_listening_channels())::text', '0'],
    [
      'an open transaction',
      'BEGIN ISOLATION LEVEL SERIALIZABLE',
      "current_setting('transaction_isolation')",
      'read committed',
    ],
  ])('nothing of %s is left for the next request', async (_name, leak, probe, clean) => {
    const sql = neon(postgres.adminUrl)
    await sql.transaction([sql.query(leak), sql`SELECT 1`]).catch(() => {})
    await sql.query(leak)
    for (let index = 0; index < MANY; index += 1) {
      const [row] = await sql.query(`SELECT ${probe} AS value`)
      expect(row?.value).toBe(clean)
    }
  })

  test('advisory locks end with the request', async () => {
    const sql = neon(postgres.adminUrl)
    await sql`SELECT pg_advisory_lock(42)`
    const isFree = async () => (await admin.query('SELECT pg_try_advisory_lock(42) AS free')).rows[0].free
    await expect.poll(isFree).toBe(true)
    await admin.query('SELECT pg_advisory_unlock_all()')
  })
})

describe('hanging up', () => {
  const running = async (marker: string) =>
    (
      await admin.query(
        "SELECT count(*)::int AS count FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()",
        [`%${marker}%`],
      )
    ).rows[0].count

  test('an aborted query is cancelled in Postgres', async () => {
    const controller = new AbortController()
    const sql = neon(postgres.adminUrl, { fetchOptions: { signal: controller.signal } })
    const query = neonError(sql.query('SELECT pg_sleep(30) /* lonely */').then())
    await expect.poll(() => running('lonely')).toBe(1)
    controller.abort()
    expect((await query).message).toContain('abort')
    await expect.poll(() => running('lonely'), { timeout: 2_000 }).toBe(0)
  })

  test('an aborted transaction is rolled back', async () => {
    const controller = new AbortController()
    const sql = neon(postgres.adminUrl)
    const transaction = neonError(
      sql.transaction(
        [sql`INSERT INTO people (id, name) VALUES (1, 'Ada')`, sql.query('SELECT pg_sleep(30) /* pair */')],
        { fetchOptions: { signal: controller.signal } },
      ),
    )
    await expect.poll(() => running('pair')).toBe(1)
    controller.abort()
    await transaction
    await expect.poll(() => running('pair'), { timeout: 2_000 }).toBe(0)
    expect((await admin.query('SELECT * FROM people')).rows).toEqual([])
  })

  test('a request that is aborted while it waits for a connection is never run', async () => {
    const sql = neon(postgres.adminUrl)
    const busy = Promise.all(Array.from({ length: 20 }, () => sql.query('SELECT pg_sleep(0.5) /* busy */')))
    await expect.poll(() => running('busy')).toBe(20)
    const signal = AbortSignal.timeout(50)
    await neonError(
      sql.query("INSERT INTO people (id, name) VALUES (1, 'late')", [], { fetchOptions: { signal } }).then(),
    )
    await busy
    await sleep(100)
    expect((await admin.query('SELECT * FROM people')).rows).toEqual([])
  })

  test('stopping ends running queries and connections', async () => {
    const own = await startNeonHttp({ postgres })
    const response = fetch(own.url, {
      method: 'POST',
      headers: { 'Neon-Connection-String': postgres.adminUrl, 'Neon-Raw-Text-Output': 'true' },
      body: JSON.stringify({ query: 'SELECT pg_sleep(30) /* stopped */' }),
    }).catch((error: unknown) => error)
    await expect.poll(() => running('stopped')).toBe(1)
    await own.stop()
    expect(await response).toBeInstanceOf(Error)
    await expect.poll(() => running('stopped'), { timeout: 2_000 }).toBe(0)
  })
})

describe('drizzle', () => {
  const people = pgTable('people', {
    id: integer().primaryKey(),
    name: text().notNull(),
    visits: bigint({ mode: 'bigint' }).notNull().default(0n),
    extra: jsonb().$type<{ tags: string[] }>(),
    seen: timestamp({ withTimezone: true, mode: 'date' }),
  })
  const database = () => drizzle(neon(postgres.adminUrl), { schema: { people } })

  test('inserts, returns and selects typed rows', async () => {
    const db = database()
    const row = {
      id: 1,
      name: "O'Neil 🌊",
      visits: 9_007_199_254_740_993n,
      extra: { tags: ['a', 'b'] },
      seen: new Date('2026-10-25T00:30:00.000Z'),
    }
    expect(await db.insert(people).values(row).returning()).toEqual([row])
    expect(await db.select().from(people).where(eq(people.id, 1))).toEqual([row])
    expect(await db.query.people.findFirst({ columns: { name: true } })).toEqual({ name: row.name })
    const executed = await db.execute(drizzleSql`SELECT count(*)::int AS count FROM people`)
    expect(executed.rows).toEqual([{ count: 1 }])
  })

  test('a batch answers each of its queries', async () => {
    const db = database()
    const [inserted, selected] = await db.batch([
      db.insert(people).values({ id: 1, name: 'Ada' }).returning({ id: people.id }),
      db.select({ name: people.name }).from(people),
    ])
    expect([inserted, selected]).toEqual([[{ id: 1 }], [{ name: 'Ada' }]])
  })

  test('a batch that fails leaves nothing', async () => {
    const db = database()
    const failure: unknown = await db
      .batch([
        db.insert(people).values({ id: 1, name: 'Ada' }),
        db.insert(people).values({ id: 1, name: 'Bob' }),
      ])
      .catch((error: unknown) => error)
    const cause =
      failure instanceof NeonDbError ? failure : failure instanceof Error ? failure.cause : undefined
    expect(cause).toMatchObject({ code: '23505' })
    expect(await db.select().from(people)).toEqual([])
  })
})
