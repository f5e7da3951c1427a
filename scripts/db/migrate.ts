import { Client, escapeIdentifier, escapeLiteral } from 'pg'
import { type Migration, readMigrations } from './migrations.ts'

export interface MigrateOptions {
  /** The owner's address, direct (not pooled). */
  ownerUrl: string
  /** The Worker's address: the login it names is made, and made to own nothing. */
  appUrl: string
  migrations?: Migration[]
  log?: (line: string) => void
}

export interface MigrateResult {
  applied: string[]
  /** Name of the newest migration in the database. */
  version: string
}

/** Two runs at once wait for each other on this. */
const ADVISORY_LOCK = 7_243_001

/** A migration that cannot have its lock soon gives up, rather than queueing every reader behind it. */
const LOCK_TIMEOUT = '5s'

/**
 * Brings a database up to date, forward only. Each file is one transaction together with its bookkeeping,
 * so a crash leaves it applied or not; files marked otherwise run statement by statement, which must then be
 * repeatable. Repeating the whole changes nothing.
 * @throws when a file that was applied has been edited since, or when a statement fails.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const log = options.log ?? (() => {})
  const migrations = options.migrations ?? (await readMigrations())
  const client = new Client({ connectionString: options.ownerUrl })
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK])
    await client.query(`CREATE TABLE IF NOT EXISTS tidemark_migrations (
      name text PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`)
    const { rows } = await client.query<{ name: string; hash: string }>(
      'SELECT name, hash FROM tidemark_migrations',
    )
    const done = new Map(rows.map((row) => [row.name, row.hash]))
    const applied: string[] = []
    for (const migration of migrations) {
      const hash = done.get(migration.name)
      if (hash === migration.hash) continue
      if (hash !== undefined)
        throw new Error(`Migration ${migration.name} was edited after it was applied. Add a new one instead.`)
      log(`applying ${migration.name}`)
      await apply(client, migration)
      applied.push(migration.name)
    }
    await prepareAppRole(client, new URL(options.appUrl))
    return { applied, version: migrations.at(-1)?.name ?? 'none' }
  } finally {
    await client.end()
  }
}

async function apply(client: Client, migration: Migration): Promise<void> {
  const record = 'INSERT INTO tidemark_migrations (name, hash) VALUES ($1, $2)'
  if (!migration.inTransaction) {
    for (const statement of migration.statements) await client.query(statement)
    await client.query(record, [migration.name, migration.hash])
    return
  }
  await client.query('BEGIN')
  try {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`)
    for (const statement of migration.statements) await client.query(statement)
    await client.query(record, [migration.name, migration.hash])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw new Error(`Migration ${migration.name} failed and changed nothing: ${String(error)}`, {
      cause: error,
    })
  }
}

/** Limits stand at the role, so that no client can forget them. */
const APP_ROLE_SETTINGS = {
  statement_timeout: '30s',
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '60s',
  timezone: 'UTC',
}

async function prepareAppRole(client: Client, appUrl: URL): Promise<void> {
  // By default anybody may make temporary objects, which stand before others of their name.
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name')
  for (const { name: database } of rows)
    await client.query(`REVOKE TEMPORARY ON DATABASE ${escapeIdentifier(database)} FROM PUBLIC`)
  const name = decodeURIComponent(appUrl.username)
  const role = escapeIdentifier(name)
  const password = escapeLiteral(decodeURIComponent(appUrl.password))
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name])
  if (rowCount === 0) await client.query(`CREATE ROLE ${role} LOGIN PASSWORD ${password} NOINHERIT`)
  else await client.query(`ALTER ROLE ${role} LOGIN PASSWORD ${password}`)
  // With INHERIT per membership the login has the rights of the group without SET ROLE.
  await client.query(`GRANT tidemark_app TO ${role} WITH INHERIT TRUE, SET FALSE`)
  for (const [setting, value] of Object.entries(APP_ROLE_SETTINGS))
    await client.query(`ALTER ROLE ${role} SET ${setting} = '${value}'`)
}
