import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../scripts/db/migrate.ts'
import { startNeonHttp } from '../../scripts/local/neon-http/server.ts'
import { startPostgres } from '../../scripts/local/postgres.ts'
import { startRedis } from '../../scripts/local/redis.ts'
import { startUpstashRest } from '../../scripts/local/upstash-rest/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresAdminUrl: string
    neonEndpoint: string
    redisUrl: string
    redisToken: string
  }
}

/** The migrated database that every suite's own is copied from. */
export const TEMPLATE_DATABASE = 'tidemark_template'
export const APP_ROLE = 'tidemark_test_app'
export const APP_PASSWORD = 'app-password'

/** Starts what `*.pg.test.ts` need, once for all of them, and hands its addresses to the tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'))
  const postgres = await startPostgres({ dataDir: join(directory, 'postgres') })
  const neon = await startNeonHttp({ postgres: { host: postgres.host, port: postgres.port } })
  const redis = await startRedis({ dataDir: join(directory, 'redis') })
  const token = 'test-token'
  const upstash = await startUpstashRest({ token, redis })
  const admin = new Client({ connectionString: postgres.adminUrl })
  await admin.connect()
  // What is lost with the machine is thrown away anyhow, and waiting for the disk is most of a short transaction.
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
    await admin.query(`ALTER SYSTEM SET ${setting} = off`)
  await admin.query('SELECT pg_reload_conf()')
  await admin.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`)
  await admin.end()
  const ownerUrl = new URL(postgres.adminUrl)
  ownerUrl.pathname = `/${TEMPLATE_DATABASE}`
  const appUrl = new URL(ownerUrl)
  appUrl.username = APP_ROLE
  appUrl.password = APP_PASSWORD
  await migrate({ ownerUrl: ownerUrl.href, appUrl: appUrl.href })
  project.provide('postgresAdminUrl', postgres.adminUrl)
  project.provide('neonEndpoint', neon.url)
  project.provide('redisUrl', upstash.url)
  project.provide('redisToken', token)
  return async () => {
    await upstash.stop()
    await redis.stop()
    await neon.stop()
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
