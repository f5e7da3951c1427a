import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statement } from '../../src/db/client.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { type AppConnection, connectAsApp, REFUSED } from './as-app.ts'
import { fillEveryTable, OUTSIDE_WORKSPACES, readTables, type TableFacts, WITHHELD } from './rows.ts'

let database: TestDatabase
let app: AppConnection
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
  app = await connectAsApp(database)
})
afterAll(async () => {
  await app.end()
  await database.close()
})

const asApp = (workspaceId: string | null, text: string, params: unknown[] = []) =>
  app.run({ workspaceId }, text, params)

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

/** A statement touches so many rows, or is refused whole where the role may not do its like to the table. */
async function expectRows(
  rows: number,
  table: string,
  asWorkspace: string | null,
  text: string,
  params: unknown[] = [],
) {
  const run = asApp(asWorkspace, text, params)
  if (WITHHELD[table]?.includes(text.split(' ')[0] ?? ''))
    await expect(run, text).rejects.toMatchObject(REFUSED)
  else expect((await run).rowCount, text).toBe(rows)
}

describe('the fence between workspaces', () => {
  it('stands around the tables that there are', () => {
    expect(tenants.length).toBeGreaterThanOrEqual(21)
    expect(tables.filter((table) => table.tenantColumn === null).map((table) => table.name)).toEqual(
      Object.keys(OUTSIDE_WORKSPACES),
    )
  })

  it('has a policy for reading and for writing on every tenant table', async () => {
    const fenced = await database.sql<{ name: string; reads: string; writes: string; whatever: boolean }>(
      `SELECT c.relname::text AS name, pg_get_expr(p.polqual, c.oid) AS reads,
         pg_get_expr(p.polwithcheck, c.oid) AS writes,
         c.relrowsecurity AND p.polcmd = '*' AND p.polpermissive
           AND p.polroles = ARRAY['tidemark_app'::regrole::oid] AS whatever
       FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace AND p.polname = 'tenant' ORDER BY 1`,
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

  it('has no other policy than those that narrow it further', async () => {
    expect(
      await database.sql(
        `SELECT polrelid::regclass::text AS table, polname::text AS name, polpermissive AS widens, polcmd AS command
         FROM pg_policy WHERE polname <> 'tenant'`,
      ),
    ).toEqual([{ table: 'accounts', name: 'reach', widens: false, command: '*' }])
  })

  it('shows the workspace that is set its own rows', async () => {
    for (const { name, column } of tenants)
      expect(await asApp(ours, `SELECT ${column} AS id FROM ${name}`), name).toMatchObject({
        rows: [{ id: ours }],
      })
  })

  it('lets it change and delete them', async () => {
    for (const { name, column } of tenants) {
      await expectRows(1, name, ours, `UPDATE ${name} SET ${column} = ${column}`)
      await expectRows(1, name, ours, `DELETE FROM ${name}`)
    }
  })

  it('leaves it no way to change what it called, or to say that it called something else', async () => {
    expect(await asApp(ours, 'SELECT calls FROM api_usage')).toMatchObject({ rows: [{ calls: 1 }] })
    for (const text of [
      'UPDATE api_usage SET cost_micros = 0',
      'DELETE FROM api_usage',
      'TRUNCATE api_usage',
      'INSERT INTO api_usage SELECT * FROM api_usage ON CONFLICT (workspace_id, id, at) DO UPDATE SET calls = 0',
      'DELETE FROM deployment_counters',
      "UPDATE malformed_answers SET sample = '{}'",
    ])
      await expect(asApp(ours, text), text).rejects.toMatchObject(REFUSED)
  })

  it('leaves it no way to change or empty the log of what was done, its own neither', async () => {
    for (const text of [
      "UPDATE audit_log SET action = 'nothing'",
      'UPDATE audit_log SET action = action',
      'DELETE FROM audit_log',
      'TRUNCATE audit_log',
      'DELETE FROM workspaces',
      'TRUNCATE workspaces CASCADE',
      'MERGE INTO audit_log a USING brands b ON TRUE WHEN MATCHED THEN DELETE',
      `INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (id) DO UPDATE SET action = 'nothing'`,
    ])
      await expect(asApp(ours, text), text).rejects.toMatchObject(REFUSED)
  })

  it.each([
    ['no workspace', null],
    ['an empty workspace', ''],
  ])('shows and takes nothing with %s set', async (_, workspaceId) => {
    for (const { name, column } of tenants) {
      expect((await asApp(workspaceId, `SELECT 1 FROM ${name}`)).rowCount, name).toBe(0)
      await expectRows(0, name, workspaceId, `UPDATE ${name} SET ${column} = ${column}`)
      await expectRows(0, name, workspaceId, `DELETE FROM ${name}`)
      await expect(insertCopy(workspaceId, name, column, ours), name).rejects.toMatchObject(REFUSED)
    }
  })

  it('hides another workspace, also from a statement that asks for it by name', async () => {
    for (const { name, column } of tenants) {
      const where = `WHERE ${column} = $1`
      expect((await asApp(ours, `SELECT 1 FROM ${name} ${where}`, [theirs])).rowCount, name).toBe(0)
      await expectRows(0, name, ours, `UPDATE ${name} SET ${column} = ${column} ${where}`, [theirs])
      await expectRows(0, name, ours, `DELETE FROM ${name} ${where}`, [theirs])
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
      await expect(insertCopy(ours, name, column, ours), name).rejects.toMatchObject(
        WITHHELD[name]?.includes('INSERT') ? REFUSED : unique,
      )
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
  it('cannot be reached but through their parent, also those that are made later', async () => {
    const [made] = await database.db.outside(
      statement<{ n: number }>(sql`SELECT app_ensure_snapshot_partitions(6::int, 4::int) AS n`),
    )
    expect(made?.n).toBeGreaterThan(0)
    const partitions = await database.sql<{ name: string; fenced: boolean; granted: boolean }>(
      `SELECT c.relname::text AS name, c.relrowsecurity AS fenced,
         has_table_privilege('tidemark_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
           OR has_any_column_privilege('tidemark_app', c.oid, 'SELECT, INSERT, UPDATE') AS granted
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'post_snapshots'::regclass`,
    )
    expect(partitions.length).toBeGreaterThan(10)
    for (const { name, fenced, granted } of partitions) {
      expect({ fenced, granted }, name).toEqual({ fenced: true, granted: false })
      await expect(asApp(ours, `SELECT 1 FROM ${name}`), name).rejects.toMatchObject(REFUSED)
      await expect(asApp(ours, `DELETE FROM ${name}`), name).rejects.toMatchObject(REFUSED)
    }
  })
})
