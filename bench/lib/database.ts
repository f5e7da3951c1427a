import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { migrate } from '../../scripts/db/migrate.ts'
import { startNeonHttp } from '../../scripts/local/neon-http/server.ts'
import { startPostgres } from '../../scripts/local/postgres.ts'
import { createDb, type Db } from '../../src/db/client.ts'

/** Plain SQL as the owner, who sees every workspace. */
export type OwnerSql = <R extends object>(text: string, params?: unknown[]) => Promise<R[]>

export interface BenchDatabase {
  /** As the Worker sees it: the application's role, through the HTTP protocol. */
  db: Db
  appUrl: string
  /** Of who migrates, and sees every workspace. */
  ownerUrl: string
  ownerSql: OwnerSql
}

export interface BenchPostgres {
  neonUrl: string
  /** A migrated database. */
  createDatabase(name: string): Promise<BenchDatabase>
}

const APP_ROLE = 'tidemark_bench'
const APP_PASSWORD = 'bench-password'

/** Starts Postgres with the HTTP endpoint in front of it, on data that is thrown away. */
export async function startDatabase(resources: AsyncDisposableStack): Promise<BenchPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const postgres = await startPostgres({ dataDir: join(directory, 'postgres') })
  resources.defer(() => postgres.stop())
  const neon = await startNeonHttp({ postgres: { host: postgres.host, port: postgres.port } })
  resources.defer(() => neon.stop())
  const poolOf = (connectionString: string) => {
    const pool = new Pool({ connectionString, max: 2 })
    pool.on('error', () => {})
    resources.defer(() => pool.end())
    return pool
  }
  const admin = poolOf(postgres.adminUrl)
  return {
    neonUrl: neon.url,
    async createDatabase(name) {
      await admin.query(`CREATE DATABASE ${name}`)
      const ownerUrl = new URL(postgres.adminUrl)
      ownerUrl.pathname = `/${name}`
      const appUrl = new URL(ownerUrl)
      appUrl.username = APP_ROLE
      appUrl.password = APP_PASSWORD
      await migrate({ ownerUrl: ownerUrl.href, appUrl: appUrl.href })
      const owner = poolOf(ownerUrl.href)
      return {
        db: createDb({ connectionString: appUrl.href, fetchEndpoint: neon.url }),
        appUrl: appUrl.href,
        ownerUrl: ownerUrl.href,
        async ownerSql<R extends object>(text: string, params: unknown[] = []) {
          return (await owner.query<R>(text, params)).rows
        },
      }
    },
  }
}
