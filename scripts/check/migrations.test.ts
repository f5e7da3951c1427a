import { describe, expect, it } from 'vitest'
import { type Migration, NO_TRANSACTION_MARK, readMigrations } from '../db/migrations.ts'
import { checkMigrations } from './migrations.ts'

/** Tables that are in use by the time the second migration runs. */
const BASE = `
CREATE TABLE "workspaces" ("id" uuid PRIMARY KEY NOT NULL, "name" text);
--> statement-breakpoint
CREATE TABLE "posts" (
  "id" uuid PRIMARY KEY NOT NULL, "workspace_id" uuid NOT NULL, "text" text, likes int,
  CONSTRAINT "posts_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX "posts_workspace" ON "posts" USING btree ("workspace_id","id" DESC);
--> statement-breakpoint
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;`

function migration(sql: string, name: string): Migration {
  return { name, sql, statements: [], hash: '', inTransaction: !sql.startsWith(NO_TRANSACTION_MARK) }
}

/** The rules that migrations after the base break. */
function rules(...sql: string[]): string[] {
  return findings(...sql).map(({ rule }) => rule)
}

function findings(...sql: string[]) {
  return checkMigrations([BASE, ...sql].map((text, at) => migration(text, `000${at}_test`)))
}

const apart = (sql: string) => `${NO_TRANSACTION_MARK}\n${sql}`
const FUNCTION = 'CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER'
const BODY = 'AS $$ SELECT 1 $$'
const FENCE = 'REVOKE ALL ON FUNCTION f() FROM PUBLIC'

describe('what hurts a table in use', () => {
  it.each([
    ['CREATE INDEX i ON posts (likes)', ['index-concurrently']],
    ['CREATE UNIQUE INDEX "i" ON "public"."posts" ("likes")', ['index-concurrently']],
    ['CREATE INDEX CONCURRENTLY i ON posts (likes)', ['concurrently-in-transaction', 'repeatable']],
    ['DROP INDEX CONCURRENTLY posts_workspace', ['concurrently-in-transaction', 'foreign-key-index']],
    [apart('CREATE INDEX CONCURRENTLY i ON posts (likes)'), ['repeatable']],
    [
      apart('DROP INDEX CONCURRENTLY IF EXISTS i; CREATE INDEX CONCURRENTLY i ON posts (likes)'),
      ['concurrently-in-transaction', 'concurrently-in-transaction'],
    ],
    ['ALTER TABLE posts ADD COLUMN n text NOT NULL', ['add-column']],
    ['ALTER TABLE posts ADD n text NOT NULL DEFAULT NULL', ['add-column']],
    ['ALTER TABLE posts ADD COLUMN n uuid DEFAULT gen_random_uuid()', ['add-column']],
    ['ALTER TABLE posts ADD COLUMN n timestamptz NOT NULL DEFAULT clock_timestamp()', ['add-column']],
    ['ALTER TABLE posts ADD COLUMN n bigserial', ['add-column']],
    ['ALTER TABLE posts ADD COLUMN n int GENERATED ALWAYS AS (likes * 2) STORED', ['add-column']],
    ['ALTER TABLE posts ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY', ['add-column']],
    ['ALTER TABLE posts ADD COLUMN a int, ADD COLUMN b int NOT NULL', ['add-column']],
    ['ALTER TABLE posts ADD COLUMN n int CHECK (n > 0)', ['not-valid']],
    ['ALTER TABLE posts ADD COLUMN n int UNIQUE', ['index-concurrently']],
    ['ALTER TABLE posts ALTER COLUMN likes TYPE bigint', ['column-type']],
    ['ALTER TABLE posts ALTER likes SET DATA TYPE bigint USING likes::bigint', ['column-type']],
    ['ALTER TABLE posts ALTER COLUMN text SET NOT NULL', ['set-not-null']],
    ['ALTER TABLE posts ADD CONSTRAINT c CHECK (likes >= 0)', ['not-valid']],
    ['ALTER TABLE posts ADD CHECK (likes >= 0)', ['not-valid']],
    ['ALTER TABLE ONLY posts ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES workspaces (id)', ['not-valid']],
    ['ALTER TABLE posts ADD CONSTRAINT c UNIQUE (text)', ['index-concurrently']],
    ['ALTER TABLE posts DROP COLUMN likes', ['expand-contract']],
    ['ALTER TABLE posts RENAME COLUMN likes TO hearts', ['expand-contract']],
    ['ALTER TABLE posts RENAME likes TO hearts', ['expand-contract']],
    ['ALTER TABLE posts RENAME TO messages', ['expand-contract']],
    ['DROP TABLE IF EXISTS posts CASCADE', ['expand-contract']],
    ['-- expand/contract:\nDROP TABLE posts', ['expand-contract']],
    ['LOCK TABLE posts IN SHARE MODE', ['heavy-lock']],
    ['VACUUM (FULL) posts', ['heavy-lock']],
    ['VACUUM FULL posts', ['heavy-lock']],
    ['CLUSTER posts USING posts_workspace', ['heavy-lock']],
    ['REINDEX TABLE posts', ['heavy-lock']],
    ['REFRESH MATERIALIZED VIEW totals', ['heavy-lock']],
  ])('%s', (sql, expected) => {
    expect(rules(sql)).toEqual(expected)
  })

  it('validating in the transaction that added the constraint', () => {
    const add = 'ALTER TABLE posts ADD CONSTRAINT c CHECK (likes >= 0) NOT VALID'
    const validate = 'ALTER TABLE posts VALIDATE CONSTRAINT c'
    expect(rules(`${add};\n${validate}`)).toEqual(['not-valid'])
    expect(rules(add, validate)).toEqual([])
    const key =
      'ALTER TABLE posts ADD CONSTRAINT c FOREIGN KEY (workspace_id) REFERENCES workspaces NOT VALID'
    expect(rules(`${key};\n${validate}`)).toEqual(['not-valid'])
    expect(rules(key, validate)).toEqual([])
  })

  it('SET NOT NULL before the check that proves it is valid', () => {
    const add = 'ALTER TABLE posts ADD CONSTRAINT c CHECK ("text" IS NOT NULL) NOT VALID'
    const validate = 'ALTER TABLE posts VALIDATE CONSTRAINT c'
    const set = 'ALTER TABLE posts ALTER COLUMN text SET NOT NULL'
    expect(rules(add, set)).toEqual(['set-not-null'])
    expect(rules(add.replace('"text"', 'likes'), validate, set)).toEqual(['set-not-null'])
    expect(rules(add, validate, set)).toEqual([])
  })
})

describe('what may be done to a table in use', () => {
  it.each([
    apart(
      'DROP INDEX CONCURRENTLY IF EXISTS i;\n--> statement-breakpoint\nCREATE INDEX CONCURRENTLY i ON posts (likes);',
    ),
    'CREATE INDEX i ON ONLY posts (likes)',
    'ALTER TABLE posts ADD COLUMN n text',
    "ALTER TABLE posts ADD COLUMN n text NOT NULL DEFAULT 'gen_random_uuid()'",
    'ALTER TABLE posts ADD COLUMN n timestamptz NOT NULL DEFAULT now()',
    'ALTER TABLE posts ADD COLUMN n numeric(10, 2) NOT NULL DEFAULT 0::numeric(10, 2)',
    "ALTER TABLE posts ADD COLUMN IF NOT EXISTS n jsonb DEFAULT '[]'::jsonb NOT NULL",
    'ALTER TABLE posts ALTER COLUMN text SET DEFAULT 1, ALTER COLUMN text DROP NOT NULL',
    'ALTER TABLE posts ADD CONSTRAINT c PRIMARY KEY USING INDEX i',
    'ALTER TABLE posts RENAME CONSTRAINT posts_fk TO posts_workspace_fk',
    '-- expand/contract: unused since 1.2\nALTER TABLE posts DROP COLUMN likes',
    'REFRESH MATERIALIZED VIEW CONCURRENTLY totals',
    "INSERT INTO posts (text) VALUES ('LOCK TABLE; VACUUM FULL')",
    '-- LOCK TABLE posts\n/* DROP TABLE posts; /* nested */ */ SELECT 1',
  ])('%s', (sql) => {
    expect(rules(sql)).toEqual([])
  })

  it('anything at all, as long as the same file made the table', () => {
    expect(
      rules(
        `CREATE TABLE fresh (id uuid PRIMARY KEY, parent uuid);
         ALTER TABLE fresh ADD CONSTRAINT fresh_fk FOREIGN KEY (parent) REFERENCES workspaces (id);
         CREATE INDEX fresh_parent ON fresh (parent);
         ALTER TABLE fresh ADD COLUMN n text NOT NULL, ADD CHECK (n <> ''), ALTER COLUMN n SET NOT NULL;
         ALTER TABLE fresh RENAME COLUMN n TO m;
         ALTER TABLE fresh DROP COLUMN m;`,
      ),
    ).toEqual([])
    expect(rules('CREATE TABLE fresh (id uuid PRIMARY KEY)', 'CREATE INDEX i ON fresh (id)')).toEqual([
      'index-concurrently',
    ])
  })
})

describe('fences', () => {
  const TENANT = 'CREATE TABLE notes (id uuid PRIMARY KEY, workspace_id uuid)'

  it('want row-level security on every table of a workspace', () => {
    expect(rules(TENANT)).toEqual(['row-level-security'])
    expect(rules('CREATE TABLE notes (id uuid PRIMARY KEY, workspace text)')).toEqual([])
    expect(rules(TENANT, 'ALTER TABLE "notes" ENABLE ROW LEVEL SECURITY')).toEqual([])
    expect(rules('ALTER TABLE workspaces ADD COLUMN workspace_id uuid')).toEqual(['row-level-security'])
    expect(rules('CREATE TABLE posts_old (LIKE posts)')).toEqual(['row-level-security'])
  })

  it('want it on partitions as well, which can be read by name', () => {
    const parted = `${TENANT} PARTITION BY RANGE (id); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;`
    expect(rules(`${parted} CREATE TABLE notes_other PARTITION OF notes DEFAULT`)).toEqual([
      'row-level-security',
    ])
  })

  it('understand a DO block that names the tables', () => {
    const block = (name: string) => `DO $$ DECLARE name text; BEGIN
      FOREACH name IN ARRAY ARRAY['${name}'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
      END LOOP; END $$`
    expect(rules(TENANT, block('notes'))).toEqual([])
    expect(rules(TENANT, block('others'))).toEqual(['row-level-security'])
  })

  it.each([
    [`${FUNCTION} ${BODY}; ${FENCE}`, ['security-definer']],
    [`${FUNCTION} SET search_path = public ${BODY}; ${FENCE}`, ['security-definer']],
    [`${FUNCTION} SET search_path FROM CURRENT ${BODY}; ${FENCE}`, ['security-definer']],
    [`${FUNCTION} SET search_path = pg_temp, public ${BODY}; ${FENCE}`, ['security-definer']],
    [`${FUNCTION} SET search_path = pg_catalog, public, pg_temp ${BODY}; ${FENCE}`, []],
    [`${FUNCTION} SET search_path TO '' ${BODY}; ${FENCE}`, []],
    [`CREATE FUNCTION f() RETURNS int LANGUAGE sql ${BODY}; ${FENCE}`, []],
  ])('a search path: %s', (sql, expected) => {
    expect(rules(sql)).toEqual(expected)
  })

  const create = `CREATE FUNCTION app_f() RETURNS int LANGUAGE sql ${BODY}`
  const loop = `DO $$ DECLARE f text; BEGIN
    FOR f IN SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'app\\_%' LOOP
      EXECUTE 'REVOKE ALL ON FUNCTION ' || f || ' FROM PUBLIC';
    END LOOP; END $$`
  it.each([
    [[create], ['function-public']],
    [[create, 'REVOKE EXECUTE ON FUNCTION app_f() FROM PUBLIC'], []],
    [
      [create, 'REVOKE ALL ON FUNCTION public.g(int, text), public.app_f(numeric(3, 2)) FROM PUBLIC, other'],
      [],
    ],
    [[create, 'REVOKE ALL ON FUNCTION app_f() FROM someone'], ['function-public']],
    [[create, 'REVOKE ALL ON FUNCTION other() FROM PUBLIC'], ['function-public']],
    [[create, 'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC'], []],
    [['ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC', create], []],
    [[create, 'ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC'], ['function-public']],
    [[create, loop], []],
    [[loop, create], ['function-public']],
    [[create.replace('app_f', 'appf'), loop], ['function-public']],
    [[create, loop, create.replace('CREATE', 'CREATE OR REPLACE')], []],
    [[create, loop, 'DROP FUNCTION app_f()', create], ['function-public']],
  ])('no function for everybody: %j', (sql, expected) => {
    expect(rules(...sql)).toEqual(expected)
  })
})

describe('foreign keys want an index that begins with their columns', () => {
  const table = 'CREATE TABLE t (id uuid PRIMARY KEY, a uuid REFERENCES workspaces (id), b uuid)'
  it.each([
    [[table], ['foreign-key-index']],
    [[`${table}; CREATE INDEX i ON t (a)`], []],
    [[`${table}; CREATE INDEX i ON t (a DESC NULLS LAST, b) INCLUDE (id)`], []],
    [[`${table}; CREATE INDEX i ON t (b, a)`], ['foreign-key-index']],
    [[`${table}; CREATE INDEX i ON t (a) WHERE b IS NULL`], ['foreign-key-index']],
    [[`${table}; CREATE INDEX i ON t USING gin (a)`], ['foreign-key-index']],
    [[`${table}; CREATE INDEX i ON t (lower(a))`], ['foreign-key-index']],
    [[`${table}; ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b)`], []],
    [[`${table}; CREATE INDEX i ON t (a)`, 'DROP INDEX i'], ['foreign-key-index']],
    [[`${table}; CREATE INDEX i ON t (a)`, '-- expand/contract: x\nALTER TABLE t RENAME a TO c'], []],
    [['CREATE TABLE t (a uuid, b uuid, PRIMARY KEY (b, a), FOREIGN KEY (a, b) REFERENCES workspaces)'], []],
    [['CREATE TABLE t (a uuid PRIMARY KEY REFERENCES workspaces)'], []],
  ])('%j', (sql, expected) => {
    expect(rules(...sql)).toEqual(expected)
  })
})

describe('allowances', () => {
  const sql = 'ALTER TABLE posts ALTER COLUMN likes TYPE bigint'

  it('exempt one statement from one rule', () => {
    const allowed = `-- lint: allow column-type: the table has ten rows\n${sql}`
    expect(rules(allowed)).toEqual([])
    expect(rules(`${allowed};\n${sql}`)).toEqual(['column-type'])
    expect(rules(`ALTER TABLE posts -- lint: allow column-type: small\n ALTER likes TYPE bigint`)).toEqual([])
  })

  it('exempt from what all migrations together show, where the statement stands', () => {
    const table = 'CREATE TABLE t (id uuid PRIMARY KEY, a uuid REFERENCES workspaces (id))'
    expect(rules(`-- lint: allow foreign-key-index: workspaces are never deleted\n${table}`)).toEqual([])
  })

  it('need a rule, a reason and a use', () => {
    expect(rules(`-- lint: allow column-type:\n${sql}`)).toEqual(['allowance', 'column-type'])
    expect(rules(`-- lint: allow everything: please\n${sql}`)).toEqual(['allowance', 'column-type'])
    expect(rules(`-- lint: allow add-column: please\n${sql}`)).toEqual(['column-type', 'allowance'])
  })
})

it('names the file and the line of the statement', () => {
  const sql = '-- why\nSELECT 1;\n--> statement-breakpoint\n-- and\nLOCK TABLE\n  posts;'
  expect(findings(sql)).toMatchObject([{ file: 'drizzle/0001_test.sql', line: 5 }])
})

it('refuses to judge what it cannot read', () => {
  expect(() => findings("SELECT 'open")).toThrow('drizzle/0001_test.sql: a quotation does not end')
  expect(() => findings('/* open')).toThrow('drizzle/0001_test.sql: a comment does not end')
})

it('can read every migration of this repository', async () => {
  const migrations = await readMigrations()
  expect(migrations.length).toBeGreaterThan(2)
  expect(() => checkMigrations(migrations)).not.toThrow()
})
