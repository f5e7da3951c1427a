import { Client, escapeIdentifier, escapeLiteral } from 'pg'
import { migrate } from '../../db/migrate.ts'
import { DATABASE, OWNER_ROLE } from './configuration.ts'

export interface DatabaseOptions {
  /** Of the superuser. */
  adminUrl: string
  ownerUrl: string
  ownerPassword: string
  appUrl: string
  log: (line: string) => void
}

/**
 * Makes the database and its owner where they are missing, and brings it up to date. The owner is no
 * superuser, as on Neon.
 * @throws when a migration fails.
 */
export async function prepareDatabase(options: DatabaseOptions): Promise<void> {
  const admin = new Client({ connectionString: options.adminUrl })
  await admin.connect()
  try {
    const owner = escapeIdentifier(OWNER_ROLE)
    const password = escapeLiteral(options.ownerPassword)
    const hasOwner = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [OWNER_ROLE])
    await admin.query(
      `${hasOwner.rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${owner} LOGIN CREATEROLE PASSWORD ${password}`,
    )
    const hasDatabase = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
    if (hasDatabase.rowCount === 0)
      await admin.query(`CREATE DATABASE ${escapeIdentifier(DATABASE)} OWNER ${owner}`)
  } finally {
    await admin.end()
  }
  const { applied, version } = await migrate({ ownerUrl: options.ownerUrl, appUrl: options.appUrl })
  if (applied.length > 0) options.log(`Migrated the database to ${version}`)
}
