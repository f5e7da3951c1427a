import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { CURRENT_KEY, NEXT_KEY, silenceClient, startLocal, TOKEN } from '../../local/qstash/test-support.ts'
import { registerSchedules } from '../schedules.ts'
import { checkDatabase } from './database.ts'
import { examine } from './index.ts'

const PUBLIC_URL = 'http://127.0.0.1:9'

describe('the doctor', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.close())

  const check = async (change: Partial<Parameters<typeof checkDatabase>[0]> = {}) => {
    const results = await checkDatabase({
      url: database.appUrl,
      ownerUrl: database.ownerUrl,
      replicaUrl: undefined,
      fetchEndpoint: inject('neonEndpoint'),
      ...change,
    })
    return results.map(({ status, area, finding }) => `${status} ${area} ${finding}`)
  }

  it('finds a whole deployment in order, but for the Worker that does not run', async () => {
    const { qstash } = await startLocal()
    await registerSchedules({ qstashUrl: qstash.url, token: TOKEN, callbacksUrl: PUBLIC_URL })
    const results = await examine({
      DATABASE_URL: database.appUrl,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      NEON_FETCH_ENDPOINT: inject('neonEndpoint'),
      UPSTASH_REDIS_REST_URL: inject('redisUrl'),
      UPSTASH_REDIS_REST_TOKEN: inject('redisToken'),
      QSTASH_URL: qstash.url,
      QSTASH_TOKEN: TOKEN,
      QSTASH_CURRENT_SIGNING_KEY: CURRENT_KEY,
      QSTASH_NEXT_SIGNING_KEY: NEXT_KEY,
      BETTER_AUTH_SECRET: randomBytes(32).toString('base64'),
      CREDENTIALS_KEY: randomBytes(32).toString('base64'),
      EMAIL_API_KEY: 'a-key-of-the-mail-service',
      EMAIL_FROM: 'Tidemark <mail@example.com>',
      PUBLIC_URL,
    })
    expect(results.filter(({ status }) => status !== 'ok')).toMatchObject([
      { area: 'worker', status: 'warning' },
    ])
    const areas = [
      'configuration',
      'secrets',
      'database',
      'database role',
      'schema',
      'database owner',
      'redis',
    ]
    expect(results.map(({ area }) => area)).toEqual(
      expect.arrayContaining([...areas, 'qstash', 'schedules', 'clock']),
    )
  })

  it('shows no secret, whatever fails', async () => {
    silenceClient()
    const url = new URL(database.appUrl)
    url.password = 'wrong-password'
    const results = await examine({
      DATABASE_URL: url.href,
      MIGRATION_DATABASE_URL: database.ownerUrl.replace('//', '//nobody:hunter2@').replace(/@[^@]*@/, '@'),
      NEON_FETCH_ENDPOINT: inject('neonEndpoint'),
      UPSTASH_REDIS_REST_URL: inject('redisUrl'),
      UPSTASH_REDIS_REST_TOKEN: 'wrong-redis-token',
      PUBLIC_URL,
    })
    const text = JSON.stringify(results)
    for (const secret of ['wrong-password', 'hunter2', 'wrong-redis-token'])
      expect(text).not.toContain(secret)
    const problems = results.filter(({ status }) => status === 'problem').map(({ area }) => area)
    expect(problems).toEqual(expect.arrayContaining(['configuration', 'database', 'redis']))
  })

  it('sees the owner where the Worker should be', async () => {
    const found = (await check({ url: database.ownerUrl })).join('\n')
    expect(found).toMatch(/problem database the Worker would be the owner/)
    expect(found).toMatch(/problem database role \S+ may do what only an administrator should/)
    expect(found).toMatch(/problem database role \S+ may create tables/)
  })

  it('sees what the login owns, also by way of another role', async () => {
    const login = new URL(database.appUrl).username
    await database.sql(`CREATE TABLE owned (); ALTER TABLE owned OWNER TO ${login}`)
    expect(await check()).toContain(
      `problem database role ${login} owns objects (1), and so stands above their policies`,
    )
    await database.sql(`CREATE ROLE doctor_test_owner; GRANT doctor_test_owner TO ${login}`)
    try {
      await database.sql('ALTER TABLE owned OWNER TO doctor_test_owner')
      const found = await check()
      expect(found).toContain(`problem database role ${login} can become the owner of tables`)
      expect(found.join('\n')).not.toContain('owns objects')
    } finally {
      await database.sql('DROP TABLE owned; DROP ROLE doctor_test_owner')
    }
  })

  it('sees a table without a fence, and rights that should not be', async () => {
    const role = new URL(database.appUrl).username
    await database.sql('CREATE TABLE leak (workspace_id uuid)')
    await database.sql(`GRANT CREATE ON SCHEMA public TO ${role}`)
    try {
      const found = await check()
      expect(found).toContain('problem database role without row-level security: leak')
      expect(found).toContain(`problem database role ${role} may create tables or schemas`)
    } finally {
      await database.sql(`REVOKE CREATE ON SCHEMA public FROM ${role}`)
      await database.sql('DROP TABLE leak')
    }
  })

  it('sees what is not applied, and what was edited', async () => {
    const [last] = await database.sql<{ name: string; hash: string }>(
      'DELETE FROM tidemark_migrations WHERE name = (SELECT max(name) FROM tidemark_migrations) RETURNING *',
    )
    await database.sql("UPDATE tidemark_migrations SET hash = 'x' WHERE name = '0000_init'")
    const found = await check()
    expect(found).toContain(`problem schema not yet applied: ${last?.name}`)
    expect(found).toContain('problem schema edited after they were applied: 0000_init')
    await database.sql('DROP TABLE tidemark_migrations')
    expect((await check()).join('\n')).toMatch(/problem schema not yet applied: 0000_init, 0001_/)
  })

  it('says that a new login is made by migrating', async () => {
    const url = new URL(database.appUrl)
    url.username = 'not_made_yet'
    const results = await checkDatabase({
      url: url.href,
      ownerUrl: undefined,
      replicaUrl: url.href,
      fetchEndpoint: inject('neonEndpoint'),
    })
    expect(results).toMatchObject([
      { area: 'database', status: 'problem', isSolvedByDeploying: true },
      { area: 'replica', status: 'problem' },
    ])
  })

  it('asks a replica whether it is one', async () => {
    expect(await check({ replicaUrl: database.appUrl })).toContain(
      'warning replica DATABASE_READ_URL is no replica',
    )
  })
})
