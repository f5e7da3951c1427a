import { randomUUID } from 'node:crypto'
import type { TestDatabase } from '../harness/database.ts'

/** A table of schema `public` that is nobody's partition, as the catalog has it. */
export interface TableFacts {
  name: string
  /** The column that says whose a row is; `null` for tables outside the workspaces. */
  tenantColumn: 'workspace_id' | 'id' | null
}

interface ColumnFacts {
  table: string
  column: string
  type: string
  /** What it points to, as `table.column`. */
  target: string | null
}

/** The migrations' own table, which is the owner's alone. */
const OWNERS_TABLE = 'tidemark_migrations'

/** Tables that stand outside the workspaces, and what the Worker's role may do there. */
export const OUTSIDE_WORKSPACES: Readonly<Record<string, string>> = {
  // People belong to no workspace.
  auth_accounts: 'SELECT, INSERT, UPDATE, DELETE',
  auth_sessions: 'SELECT, INSERT, UPDATE, DELETE',
  auth_users: 'SELECT, INSERT, UPDATE, DELETE',
  auth_verifications: 'SELECT, INSERT, UPDATE, DELETE',
  deployment: 'SELECT',
  deployment_counters: 'SELECT',
  // What is learnt of platforms is the deployment's, and holds nothing of anybody's.
  malformed_answers: 'SELECT',
  operators: 'SELECT',
  // What anybody may see, and where it stands.
  public_scope: 'SELECT',
  public_trending_hashtags: 'SELECT',
}

/** What the Worker's role may not do to a workspace's own rows. */
export const WITHHELD: Readonly<Record<string, readonly string[]>> = {
  // What was called was called: a function adds to it, whose word is taken for nothing else.
  api_usage: ['INSERT', 'UPDATE', 'DELETE'],
  audit_log: ['UPDATE', 'DELETE'],
  workspaces: ['DELETE'],
}

/** A trigger writes a row of it for each post. */
const TRIGGERED_TABLES = ['post_search']

/** Migrations have written the one row that they may have. */
const SINGLE_ROW_TABLES = ['deployment', 'public_scope']

/** Every table, whatever migrations have made of the schema meanwhile. */
export async function readTables(database: TestDatabase): Promise<TableFacts[]> {
  return database.sql<TableFacts>(
    `SELECT c.relname::text AS name,
       CASE WHEN c.relname = 'workspaces' THEN 'id'
         WHEN EXISTS (SELECT 1 FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped) THEN 'workspace_id'
       END AS "tenantColumn"
     FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> $1
     ORDER BY 1`,
    [OWNERS_TABLE],
  )
}

/** Columns that a row is written with: the generated ones make themselves. */
function readColumns(database: TestDatabase): Promise<ColumnFacts[]> {
  return database.sql<ColumnFacts>(
    `SELECT c.relname::text AS table, a.attname::text AS column, format_type(a.atttypid, NULL) AS type,
       -- Snapshots have no foreign keys, for being partitioned; their workspace is one all the same.
       COALESCE((SELECT t.relname || '.' || ta.attname
        FROM pg_constraint f
        JOIN pg_class t ON t.oid = f.confrelid
        CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS pair (here, there)
        JOIN pg_attribute ta ON ta.attrelid = t.oid AND ta.attnum = pair.there
        WHERE f.contype = 'f' AND f.conrelid = c.oid AND pair.here = a.attnum
        ORDER BY t.relname = 'workspaces' DESC LIMIT 1),
         CASE WHEN a.attname = 'workspace_id' THEN 'workspaces.id' END) AS target
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> ALL ($1::text[]) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     ORDER BY c.relname, a.attnum`,
    [[OWNERS_TABLE, ...SINGLE_ROW_TABLES, ...TRIGGERED_TABLES]],
  )
}

/** A value that fits a type and, where it can, stands nowhere else. */
function valueFor(type: string): string | number | boolean {
  switch (type) {
    case 'uuid':
    case 'text':
      return randomUUID()
    case 'bigint':
    case 'integer':
    case 'smallint':
      return 1
    case 'boolean':
      return false
    case 'jsonb':
    case 'text[]':
    case 'uuid[]':
      return '{}'
    case 'date':
      return '2026-03-01'
    case 'timestamp with time zone':
      return '2026-03-01T12:00:00Z'
    default:
      throw new Error(`no value is known for a column of type ${type}`)
  }
}

/**
 * Writes one row into every table, as the owner, each pointing to the others as its foreign keys say: one
 * whole workspace. Returns the workspace's id.
 */
export async function fillEveryTable(database: TestDatabase): Promise<string> {
  const columns = await readColumns(database)
  const waiting = new Map(Map.groupBy(columns, (column) => column.table))
  const written = new Map<string, unknown>()
  while (waiting.size > 0) {
    const [table, its] =
      [...waiting].find(([, its]) => its.every(({ target }) => target === null || written.has(target))) ?? []
    if (table === undefined || its === undefined)
      throw new Error(`these tables point to each other: ${[...waiting.keys()].join(', ')}`)
    waiting.delete(table)
    const values = its.map(({ column, type, target }) => {
      if (target !== null) return written.get(target)
      return column === 'timezone' ? 'UTC' : valueFor(type)
    })
    const names = its.map(({ column }) => `"${column}"`).join(', ')
    const [row] = await database.sql<Record<string, unknown>>(
      `INSERT INTO ${table} (${names}) VALUES (${its.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING *`,
      values,
    )
    for (const { column } of its) written.set(`${table}.${column}`, row?.[column])
  }
  return String(written.get('workspaces.id'))
}
