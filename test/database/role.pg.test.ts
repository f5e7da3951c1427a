import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { type AppConnection, connectAsApp, REFUSED } from './as-app.ts'
import { fillEveryTable } from './rows.ts'

let database: TestDatabase
let app: AppConnection
let ours: string

beforeAll(async () => {
  database = await createTestDatabase()
  ours = await fillEveryTable(database)
  app = await connectAsApp(database)
})
afterAll(async () => {
  await app.end()
  await database.close()
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
    'CREATE VIEW mine AS SELECT 1',
    'CREATE MATERIALIZED VIEW mine AS SELECT 1',
    'CREATE SEQUENCE mine',
    'CREATE TYPE mine AS (id int)',
    'CREATE DOMAIN mine AS int',
    'CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)',
    'CREATE COLLATION mine FROM "C"',
    'CREATE EXTENSION IF NOT EXISTS dblink',
    'CREATE EXTENSION file_fdw',
    'CREATE LANGUAGE mine HANDLER plpgsql_call_handler',
    'CREATE PUBLICATION mine FOR ALL TABLES',
    'CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION app_workspace_id()',
    'CREATE TRIGGER mine AFTER INSERT ON posts EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE RULE mine AS ON SELECT TO posts DO INSTEAD SELECT 1',
    'DROP FUNCTION app_person(text, text)',
    'DROP POLICY reach ON accounts',
    "INSERT INTO operators (user_id) VALUES ('mine')",
    'UPDATE operators SET created_at = now()',
    'DELETE FROM operators',
    'UPDATE deployment SET claimed_at = NULL',
    'DELETE FROM deployment',
    'INSERT INTO deployment (singleton) VALUES (TRUE)',
    'SET ROLE postgres',
    'SELECT * FROM pg_authid',
    'SELECT * FROM pg_shadow',
    'SELECT * FROM pg_user_mapping',
    'SELECT * FROM pg_hba_file_rules',
    'SELECT * FROM pg_file_settings',
    'SELECT stavalues1 FROM pg_statistic',
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_read_binary_file('base/1/PG_VERSION')",
    "SELECT pg_ls_dir('base')",
    "SELECT pg_stat_file('PG_VERSION')",
    'SELECT pg_ls_waldir()',
    "COPY posts TO PROGRAM 'cat'",
    "COPY posts FROM PROGRAM 'true'",
    "COPY posts TO '/tmp/mine'",
    "COPY posts FROM '/etc/passwd'",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/mine')",
    'SELECT pg_reload_conf()',
    "SELECT set_config('log_statement', 'none', false)",
    "SELECT set_config('session_replication_role', 'replica', false)",
    'GRANT SELECT ON posts TO PUBLIC',
    'SET ROLE tidemark_app',
    'SET SESSION AUTHORIZATION postgres',
  ])('%s', async (text) => {
    // Some of these change nothing without a word, unless one looks.
    const before = await permissions()
    const refused = await app.run({ workspaceId: ours }, text).then(
      () => null,
      (error: unknown) => error,
    )
    expect(await permissions()).toEqual(before)
    if (!text.startsWith('GRANT')) expect(refused).toMatchObject(REFUSED)
  })

  it.each([
    'CREATE DATABASE mine',
    'ALTER SYSTEM SET work_mem = 1',
    'VACUUM tidemark_migrations',
    'REINDEX TABLE posts',
    'CLUSTER posts USING posts_pkey',
  ])('%s, which no transaction would undo', async (text) => {
    const warnings: string[] = []
    const note = ({ message }: { message?: string | undefined }) => void warnings.push(message ?? '')
    app.client.on('notice', note)
    const refused = await app.client.query(text).then(
      () => null,
      (error: unknown) => error,
    )
    app.client.off('notice', note)
    // VACUUM passes over what is not its own, and says so.
    if (text.startsWith('VACUUM')) expect(warnings.join()).toContain('permission denied')
    else expect(refused).toMatchObject(REFUSED)
  })

  it('reads no large object but its own', async () => {
    const [{ oid } = { oid: 0 }] = await database.sql<{ oid: number }>(
      "SELECT lo_from_bytea(0, 'secret') AS oid",
    )
    for (const text of [
      'SELECT lo_get($1)',
      'SELECT lo_open($1, 262144)',
      "SELECT lo_put($1, 0, 'mine')",
      'SELECT lo_unlink($1)',
    ])
      await expect(app.run({ workspaceId: ours }, text, [oid]), text).rejects.toMatchObject({
        message: expect.stringMatching(/permission denied|must be owner/),
      })
  })

  it('gets an error, and no rows of others, where it turns row-level security off for itself', async () => {
    await app.client.query('SET row_security = off')
    await expect(app.run({ workspaceId: ours }, 'SELECT 1 FROM posts')).rejects.toMatchObject(REFUSED)
    await app.client.query('RESET row_security')
  })
})

async function permissions() {
  return database.sql(
    `SELECT c.relname, c.relacl::text, c.relrowsecurity, count(p.oid) FROM pg_class c
     LEFT JOIN pg_policy p ON p.polrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2, 3 ORDER BY 1`,
  )
}
