import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { APP_ROLE } from '../harness/global-setup.ts'
import { OUTSIDE_WORKSPACES, WITHHELD } from './rows.ts'

const WHOLE = 'SELECT, INSERT, UPDATE, DELETE'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

describe('the Worker’s role', () => {
  it('is nobody special, and becomes nobody else', async () => {
    const [role] = await database.sql(
      `SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin,
         ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m WHERE m.member = r.oid) AS member_of,
         EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid AND (m.set_option OR m.admin_option)) AS becomes
       FROM pg_roles r WHERE rolname = $1`,
      [APP_ROLE],
    )
    expect(role).toEqual({
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolreplication: false,
      rolcanlogin: true,
      member_of: ['tidemark_app'],
      becomes: false,
    })
  })

  it('and its group own nothing, in this database or outside', async () => {
    const owned = await database.sql(
      `SELECT d.classid::regclass, d.objid FROM pg_shdepend d
       WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'
         AND d.refobjid IN (SELECT oid FROM pg_roles WHERE rolname IN ($1, 'tidemark_app'))
         AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))`,
      [APP_ROLE],
    )
    expect(owned).toEqual([])
  })

  it('may make nothing in the schema or the database', async () => {
    expect(
      await database.sql(
        `SELECT has_schema_privilege($1, 'public', 'CREATE') AS schema,
           has_database_privilege($1, current_database(), 'CREATE') AS database`,
        [APP_ROLE],
      ),
    ).toEqual([{ schema: false, database: false }])
  })

  it('reads and writes rows of tables under row-level security, and no other relations', async () => {
    const relations = await database.sql<{ name: string; rows: string; more: boolean; fenced: boolean }>(
      `SELECT c.relname::text AS name,
         (SELECT coalesce(string_agg(p, ', ' ORDER BY n), '')
          FROM unnest('{SELECT, INSERT, UPDATE, DELETE}'::text[]) WITH ORDINALITY AS privilege (p, n)
          WHERE has_table_privilege($1, c.oid, p)) AS rows,
         has_table_privilege($1, c.oid, 'TRUNCATE, REFERENCES, TRIGGER, MAINTAIN') AS more,
         c.relrowsecurity AS fenced
       FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
      [APP_ROLE],
    )
    expect(relations.filter(({ more }) => more)).toEqual([])
    const unfenced = relations.filter(({ rows, fenced }) => rows !== '' && !fenced)
    expect(Object.fromEntries(unfenced.map(({ name, rows }) => [name, rows]))).toEqual(OUTSIDE_WORKSPACES)
    const partial = relations.filter(({ rows, fenced }) => fenced && rows !== '' && rows !== WHOLE)
    expect(Object.fromEntries(partial.map(({ name, rows }) => [name, rows]))).toEqual(
      Object.fromEntries(
        Object.entries(WITHHELD).map(([name, withheld]) => [
          name,
          WHOLE.split(', ')
            .filter((privilege) => !withheld.includes(privilege))
            .join(', '),
        ]),
      ),
    )
  })

  it('has its limits, whoever connects as it', async () => {
    const app = new Client({ connectionString: database.appUrl })
    await app.connect()
    const shown: Record<string, unknown> = {}
    for (const name of [
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
      'timezone',
    ]) {
      const { rows } = await app.query(`SELECT current_setting('${name}') AS value`)
      shown[name] = rows[0].value
    }
    await app.end()
    expect(shown).toEqual({
      statement_timeout: '30s',
      lock_timeout: '10s',
      idle_in_transaction_session_timeout: '1min',
      timezone: 'UTC',
    })
  })
})

describe('functions', () => {
  it('that run as the owner look names up nowhere but where they must', async () => {
    const functions = await database.sql<{ name: string; config: string[] | null }>(
      `SELECT p.oid::regprocedure::text AS name, p.proconfig AS config FROM pg_proc p
       WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef`,
    )
    expect(functions.length).toBeGreaterThan(8)
    // Temporary objects, which anybody may make, come last.
    for (const { name, config } of functions)
      expect(config, name).toContain('search_path=pg_catalog, public, pg_temp')
  })

  it('are for the Worker’s role alone', async () => {
    const open = await database.sql(
      `SELECT p.oid::regprocedure::text AS name, has_function_privilege('public', p.oid, 'EXECUTE') AS public,
         has_function_privilege('tidemark_app', p.oid, 'EXECUTE') AS app
       FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
         AND (has_function_privilege('public', p.oid, 'EXECUTE')
           OR NOT has_function_privilege('tidemark_app', p.oid, 'EXECUTE'))`,
    )
    expect(open).toEqual([])
  })

  it('are refused to a login that is nobody', async () => {
    const [{ name } = { name: '' }] = await database.sql<{ name: string }>(
      "SELECT 'nobody_' || substr(md5(random()::text), 1, 12) AS name",
    )
    await database.sql(`CREATE ROLE ${name} LOGIN PASSWORD 'x'`)
    const url = new URL(database.appUrl)
    url.username = name
    url.password = 'x'
    const nobody = new Client({ connectionString: url.href })
    await nobody.connect()
    onTestFinished(async () => {
      await nobody.end()
      await database.sql(`DROP ROLE ${name}`)
    })
    for (const text of [
      "SELECT * FROM app_person('somebody', 'session')",
      "SELECT * FROM app_api_key('hash')",
      'SELECT * FROM app_expire(now())',
      'SELECT * FROM posts',
    ])
      await expect(nobody.query(text), text).rejects.toMatchObject({ code: '42501' })
  })
})

describe('indexes', () => {
  it('cover every foreign key whole, so that deleting a parent reads no table through', async () => {
    const keys = await database.sql<{ name: string; covered: boolean }>(
      `SELECT f.conname::text AS name, EXISTS (
         SELECT 1 FROM pg_index i
         WHERE i.indrelid = f.conrelid AND i.indpred IS NULL AND i.indisvalid
           AND (SELECT array_agg(k ORDER BY k) FROM unnest(i.indkey[0:cardinality(f.conkey) - 1]) AS k)
             = (SELECT array_agg(k ORDER BY k) FROM unnest(f.conkey) AS k)) AS covered
       FROM pg_constraint f
       WHERE f.contype = 'f' AND f.conparentid = 0 AND f.connamespace = 'public'::regnamespace`,
    )
    expect(keys.length).toBeGreaterThan(20)
    expect(keys.filter(({ covered }) => !covered)).toEqual([])
  })

  it('are all valid', async () => {
    expect(
      await database.sql('SELECT indexrelid::regclass FROM pg_index WHERE NOT (indisvalid AND indisready)'),
    ).toEqual([])
  })
})
