import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statement } from '../../src/db/client.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { fillEveryTable, readTables, type TableFacts } from './rows.ts'

/** Insufficient privilege, also what row-level security answers to a row that may not be written. */
const REFUSED = { code: '42501' }

let database: TestDatabase
let app: Client
let tables: TableFacts[]
let tenants: { name: string; column: string }[]
let ours: string
let theirs: string

beforeAll(async () => {
  database = await createTestDatabase()
  tables = await readTables(database)
  tenants = tables.flatMap(({ name, tenantColumn }) =>
    tenantColumn === null ? [] : [{ name, column: tenantColumn }],
  )
  ours = await fillEveryTable(database)
  theirs = await fillEveryTable(database)
  app = new Client({ connectionString: database.appUrl })
  await app.connect()
})
afterAll(async () => {
  await app.end()
  await database.close()
})

/** Runs a statement as the Worker's role, in a transaction that is undone. */
async function asApp(workspaceId: string | null, text: string, params: unknown[] = []) {
  await app.query('BEGIN')
  try {
    if (workspaceId !== null)
      await app.query("SELECT set_config('app.workspace_id', $1, true)", [workspaceId])
    return await app.query(text, params)
  } finally {
    await app.query('ROLLBACK')
  }
}

/** Writes a copy of a workspace's row; who may write it at all is decided before its key is looked at. */
async function insertCopy(asWorkspace: string | null, table: string, column: string, ofWorkspace: string) {
  const [row] = await database.sql<{ copy: string; names: string }>(
    `SELECT to_jsonb(t)::text AS copy, (
       SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
       WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS names
     FROM ${table} t WHERE ${column} = $1`,
    [ofWorkspace],
  )
  return asApp(
    asWorkspace,
    `INSERT INTO ${table} (${row?.names}) SELECT ${row?.names} FROM jsonb_populate_record(NULL::${table}, $1)`,
    [row?.copy],
  )
}

describe('the fence between workspaces', () => {
  it('stands around the tables that there are', () => {
    expect(tenants.length).toBeGreaterThanOrEqual(17)
    expect(tables.filter((table) => table.tenantColumn === null).map((table) => table.name)).toEqual([
      'auth_accounts',
      'auth_sessions',
      'auth_users',
      'auth_verifications',
    ])
  })

  it('has a policy for reading and for writing on every tenant table', async () => {
    const fenced = await database.sql<{ name: string; reads: string; writes: string; whatever: boolean }>(
      `SELECT c.relname::text AS name, pg_get_expr(p.polqual, c.oid) AS reads,
         pg_get_expr(p.polwithcheck, c.oid) AS writes,
         c.relrowsecurity AND p.polcmd = '*' AND p.polpermissive
           AND p.polroles = ARRAY['tidemark_app'::regrole::oid] AS whatever
       FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`,
    )
    expect(fenced).toEqual(
      tenants.map(({ name, column }) => ({
        name,
        reads: `(${column} = ( SELECT app_workspace_id() AS app_workspace_id))`,
        writes: `(${column} = ( SELECT app_workspace_id() AS app_workspace_id))`,
        whatever: true,
      })),
    )
  })

  it('shows the workspace that is set its own rows', async () => {
    for (const { name, column } of tenants)
      expect(await asApp(ours, `SELECT ${column} AS id FROM ${name}`), name).toMatchObject({
        rows: [{ id: ours }],
      })
  })

  it('lets it change and delete them', async () => {
    for (const { name, column } of tenants) {
      expect((await asApp(ours, `UPDATE ${name} SET ${column} = ${column}`)).rowCount, name).toBe(1)
      expect((await asApp(ours, `DELETE FROM ${name}`)).rowCount, name).toBe(1)
    }
  })

  it.each([
    ['no workspace', null],
    ['an empty workspace', ''],
  ])('shows and takes nothing with %s set', async (_, workspaceId) => {
    for (const { name, column } of tenants) {
      expect((await asApp(workspaceId, `SELECT 1 FROM ${name}`)).rowCount, name).toBe(0)
      expect((await asApp(workspaceId, `UPDATE ${name} SET ${column} = ${column}`)).rowCount, name).toBe(0)
      expect((await asApp(workspaceId, `DELETE FROM ${name}`)).rowCount, name).toBe(0)
      await expect(insertCopy(workspaceId, name, column, ours), name).rejects.toMatchObject(REFUSED)
    }
  })

  it('hides another workspace, also from a statement that asks for it by name', async () => {
    for (const { name, column } of tenants) {
      const where = `WHERE ${column} = $1`
      expect((await asApp(ours, `SELECT 1 FROM ${name} ${where}`, [theirs])).rowCount, name).toBe(0)
      expect(
        (await asApp(ours, `UPDATE ${name} SET ${column} = ${column} ${where}`, [theirs])).rowCount,
        name,
      ).toBe(0)
      expect((await asApp(ours, `DELETE FROM ${name} ${where}`, [theirs])).rowCount, name).toBe(0)
    }
  })

  it('refuses rows for another workspace, new or moved there', async () => {
    for (const { name, column } of tenants) {
      await expect(insertCopy(ours, name, column, theirs), name).rejects.toMatchObject(REFUSED)
      await expect(asApp(ours, `UPDATE ${name} SET ${column} = $1`, [theirs]), name).rejects.toMatchObject(
        REFUSED,
      )
    }
  })

  it('takes a row of the own workspace, so that what is refused above is refused for its workspace', async () => {
    const unique = { code: '23505' }
    for (const { name, column } of tenants)
      await expect(insertCopy(ours, name, column, ours), name).rejects.toMatchObject(unique)
  })

  it('does not tell by an upsert what another workspace has', async () => {
    const [{ id } = { id: '' }] = await database.sql<{ id: string }>(
      'SELECT id FROM brands WHERE workspace_id = $1',
      [theirs],
    )
    await expect(
      asApp(
        ours,
        `INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, 'Mine')
         ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name`,
        [id, ours],
      ),
    ).rejects.toMatchObject(REFUSED)
  })

  it('forgets the workspace with the transaction', async () => {
    const { db } = database
    const count = statement<{ n: number }>(sql`SELECT count(*)::int AS n FROM accounts`)
    for (let round = 0; round < 5; round++) {
      expect(await db.inWorkspace(ours, [count])).toEqual([[{ n: 1 }]])
      expect(await db.outside(count)).toEqual([{ n: 0 }])
    }
  })
})

describe('partitions of snapshots', () => {
  it('cannot be reached but through their parent', async () => {
    const partitions = await database.sql<{ name: string; fenced: boolean; granted: boolean }>(
      `SELECT c.relname::text AS name, c.relrowsecurity AS fenced,
         has_table_privilege('tidemark_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
           OR has_any_column_privilege('tidemark_app', c.oid, 'SELECT, INSERT, UPDATE') AS granted
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'post_snapshots'::regclass`,
    )
    expect(partitions.length).toBeGreaterThan(3)
    for (const { name, fenced, granted } of partitions) {
      expect({ fenced, granted }, name).toEqual({ fenced: true, granted: false })
      await expect(asApp(ours, `SELECT 1 FROM ${name}`), name).rejects.toMatchObject(REFUSED)
      await expect(asApp(ours, `DELETE FROM ${name}`), name).rejects.toMatchObject(REFUSED)
    }
  })
})

describe('what the Worker’s role may not do', () => {
  it.each([
    'CREATE TABLE mine (id int)',
    'CREATE SCHEMA mine',
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    'CREATE INDEX mine ON posts (text)',
    'CREATE ROLE mine',
    'ALTER TABLE posts ADD COLUMN mine int',
    'ALTER TABLE posts DISABLE ROW LEVEL SECURITY',
    'ALTER TABLE posts NO FORCE ROW LEVEL SECURITY',
    'ALTER FUNCTION app_expire(timestamptz) SECURITY INVOKER',
    'DROP POLICY tenant ON posts',
    'CREATE POLICY mine ON posts USING (true)',
    'DROP TABLE posts',
    'TRUNCATE posts',
    'TRUNCATE post_snapshots',
    'SELECT 1 FROM tidemark_migrations',
    'GRANT SELECT ON posts TO PUBLIC',
    'SET ROLE tidemark_app',
    'SET SESSION AUTHORIZATION postgres',
  ])('%s', async (text) => {
    // Some of these change nothing without a word, unless one looks.
    const before = await permissions()
    const refused = await asApp(ours, text).then(
      () => null,
      (error: unknown) => error,
    )
    expect(await permissions()).toEqual(before)
    if (!text.startsWith('GRANT')) expect(refused).toMatchObject(REFUSED)
  })

  it('gets an error, and no rows of others, where it turns row-level security off for itself', async () => {
    await app.query('SET row_security = off')
    await expect(asApp(ours, 'SELECT 1 FROM posts')).rejects.toMatchObject(REFUSED)
    await app.query('RESET row_security')
  })
})

async function permissions() {
  return database.sql(
    `SELECT c.relname, c.relacl::text, c.relrowsecurity, count(p.oid) FROM pg_class c
     LEFT JOIN pg_policy p ON p.polrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2, 3 ORDER BY 1`,
  )
}
