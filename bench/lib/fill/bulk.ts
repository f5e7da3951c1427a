import { setTimeout as sleep } from 'node:timers/promises'
import type { OwnerSql } from '../database.ts'

/** For as long as rows are loaded: what makes writing safe, and is of no use for data that are thrown away. */
const LOADING = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  max_wal_size: '32GB',
  checkpoint_timeout: '1h',
  maintenance_work_mem: '1GB',
  work_mem: '512MB',
  /** No triggers: foreign keys hold by construction, and `fillWorkspace` does what the others would. */
  session_replication_role: 'replica',
}

const POLL_MS = 20

/**
 * Does something with Postgres set for loading much at once: the whole server, so nothing else may go on there.
 * What was set is as before afterwards, whatever happens.
 */
export async function whileLoading<T>(sql: OwnerSql, act: () => Promise<T>): Promise<T> {
  const settings = Object.entries(LOADING)
  const before = await readSettings(sql)
  for (const [name, value] of settings) await sql(`ALTER SYSTEM SET ${name} = '${value}'`)
  await reload(sql, (now) => now.get('session_replication_role') === LOADING.session_replication_role)
  try {
    return await act()
  } finally {
    for (const [name] of settings) await sql(`ALTER SYSTEM RESET ${name}`)
    await reload(sql, (now) => settings.every(([name]) => now.get(name) === before.get(name)))
    // What is still to be written is not to be written while something is measured.
    await sql('CHECKPOINT')
  }
}

async function readSettings(sql: OwnerSql): Promise<Map<string, string>> {
  const rows = await sql<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)',
    [Object.keys(LOADING)],
  )
  return new Map(rows.map(({ name, setting }) => [name, setting]))
}

/** Sessions learn of it between two statements. */
async function reload(sql: OwnerSql, isDone: (now: Map<string, string>) => boolean): Promise<void> {
  await sql('SELECT pg_reload_conf()')
  while (!isDone(await readSettings(sql))) await sleep(POLL_MS)
  await sleep(10 * POLL_MS)
}

/** An index or a constraint that has one, and how it is taken away and made again. */
interface Removable {
  name: string
  drop: string
  make: string
}

/** The primary keys that others refer to stay. Of a partitioned table, the parts' go and come with it. */
async function removableOf(sql: OwnerSql, tables: string[]): Promise<Removable[]> {
  const constraints = await sql<Removable>(
    `SELECT conname AS name, format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, conname) AS drop,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, conname, pg_get_constraintdef(k.oid)) AS make
     FROM pg_constraint k WHERE k.conrelid = ANY ($1::regclass[]) AND k.contype IN ('p', 'u')
       AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = k.conindid)`,
    [tables],
  )
  const indexes = await sql<Removable>(
    `SELECT c.relname AS name, format('DROP INDEX %I', c.relname) AS drop,
       replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS make
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = ANY ($1::regclass[])
       AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)`,
    [tables],
  )
  return [...indexes, ...constraints]
}

/**
 * Does something with tables that have hardly any index, and makes the very same ones again, also when it
 * fails.
 */
export async function withoutIndexes(
  sql: OwnerSql,
  tables: string[],
  act: () => Promise<void>,
  log: (line: string) => void,
): Promise<void> {
  const removed = await removableOf(sql, tables)
  for (const { drop } of removed) await sql(drop)
  try {
    await act()
  } finally {
    const startedMs = performance.now()
    await inTurn(removed, ({ make }) => sql(make))
    log(`${removed.length} indexes made again in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`)
  }
}

/** As many as connections of `OwnerSql`. */
const AT_ONCE = 2

/** Does something with each item, two at a time, in order. */
export async function inTurn<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  const work = async () => {
    for (const item of left) await act(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
