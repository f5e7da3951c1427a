import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { createDb, type Db } from '../../src/db/client.ts'
import { APP_PASSWORD, APP_ROLE, TEMPLATE_DATABASE } from './global-setup.ts'

export interface TestDatabase {
  /** As the Worker sees it: the application's role, through the HTTP protocol. */
  db: Db
  appUrl: string
  ownerUrl: string
  /** Plain SQL as the owner, who sees every workspace: for facts computed independently of the code. */
  sql<R extends object>(text: string, params?: unknown[]): Promise<R[]>
  close(): Promise<void>
}

/** A migrated database of the caller's own. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = new Client({ connectionString: inject('postgresAdminUrl') })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`)
  const ownerUrl = new URL(inject('postgresAdminUrl'))
  ownerUrl.pathname = `/${name}`
  const appUrl = new URL(ownerUrl)
  appUrl.username = APP_ROLE
  appUrl.password = APP_PASSWORD
  const owner = new Client({ connectionString: ownerUrl.href })
  await owner.connect()
  return {
    db: createDb({ connectionString: appUrl.href, fetchEndpoint: inject('neonEndpoint') }),
    appUrl: appUrl.href,
    ownerUrl: ownerUrl.href,
    async sql<R extends object>(text: string, params: unknown[] = []) {
      return (await owner.query<R>(text, params)).rows
    },
    async close() {
      await owner.end()
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await admin.end()
    },
  }
}
