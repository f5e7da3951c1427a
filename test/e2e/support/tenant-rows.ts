import { z } from 'zod'
import { sql } from './stack.ts'

/** The rows of a workspace, of every table that the database's catalogue says has any. */

/** Columns that change by themselves. */
const RESTLESS: readonly string[] = ['last_used_at', 'delivered_at', 'computed_at']
/** Worked out again in the background while somebody looks, from rows that stand in other tables. */
const RESTLESS_TABLES: readonly string[] = ['trending_hashtags']

const Row = z.record(z.string(), z.unknown())
type Row = z.infer<typeof Row>

/** Every table with a workspace's rows, and the column that says whose they are. */
async function tenantTables(): Promise<{ table: string; column: string }[]> {
  const tables = await sql<{ table: string; column: string }>(
    `SELECT c.relname AS table, a.attname AS column
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND NOT a.attisdropped
       AND a.attname = CASE WHEN c.relname = 'workspaces' THEN 'id' ELSE 'workspace_id' END
     ORDER BY c.relname`,
  )
  if (tables.length < 10) throw new Error('The catalogue shows hardly any table of a workspace')
  return tables
}

/** The rows of a workspace by table. */
export async function rowsOf(workspaceId: string): Promise<Map<string, Row[]>> {
  const tables = await tenantTables()
  const found = await Promise.all(
    tables.map(async ({ table, column }): Promise<[string, Row[]]> => {
      const rows = await sql<{ row: unknown }>(
        `SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${column} = $1 ORDER BY to_jsonb(t)::text`,
        [workspaceId],
      )
      return [table, rows.map(({ row }) => Row.parse(row))]
    }),
  )
  return new Map(found)
}

/** The same rows as text, without what changes by itself: for comparing. */
export async function stillRowsOf(workspaceId: string): Promise<Record<string, string[]>> {
  const rows = await rowsOf(workspaceId)
  return Object.fromEntries(
    [...rows]
      .filter(([table]) => !RESTLESS_TABLES.includes(table))
      .map(([table, all]) => [
        table,
        all
          .map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !RESTLESS.includes(column))))
          .toSorted(),
      ]),
  )
}

/** Shorter texts, and smaller numbers, may be there by chance. */
const MIN_TELLING_LENGTH = 6
const MIN_TELLING_NUMBER = 1_000_000
const MOMENT = /^\d{4}-\d\d-\d\d([T ]|$)/

/** Every text and number in a workspace's rows, and of its people, that means something: ids, names, texts, figures. */
async function valuesOf(workspaceId: string): Promise<Set<string>> {
  const values = new Set<string>()
  const collect = (value: unknown): void => {
    if (typeof value === 'string' && value.length >= MIN_TELLING_LENGTH && !MOMENT.test(value))
      values.add(value)
    else if (typeof value === 'number' && Math.abs(value) >= MIN_TELLING_NUMBER) values.add(String(value))
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(collect)
  }
  collect([...(await rowsOf(workspaceId)).values()])
  collect(
    await sql(
      `SELECT u.id, u.email, u.name FROM auth_users u JOIN workspace_members m ON m.user_id = u.id
       WHERE m.workspace_id = $1`,
      [workspaceId],
    ),
  )
  return values
}

/** What only this workspace's rows say, and not the other's: what the other must never be told. */
export async function secretsOf(workspaceId: string, otherId: string): Promise<string[]> {
  const [own, others] = await Promise.all([valuesOf(workspaceId), valuesOf(otherId)])
  return [...own].filter((value) => !others.has(value))
}
