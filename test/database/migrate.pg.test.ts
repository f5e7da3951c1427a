import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { migrate } from '../../scripts/db/migrate.ts'
import { readMigrations } from '../../scripts/db/migrations.ts'

/** Of this file alone: logins are shared by all databases of the server. */
const LOGIN = `tidemark_test_${randomBytes(6).toString('hex')}`

let admin: Client
let database: string
let owner: Client
let directory: string
beforeAll(async () => {
  admin = new Client({ connectionString: inject('postgresAdminUrl') })
  await admin.connect()
})
beforeEach(async () => {
  database = `test_${randomBytes(6).toString('hex')}`
  await admin.query(`CREATE DATABASE ${database}`)
  owner = new Client({ connectionString: urlOf() })
  await owner.connect()
  directory = await mkdtemp(join(tmpdir(), 'tidemark-migrations-'))
  onTestFinished(async () => {
    await owner.end()
    await admin.query(`DROP DATABASE ${database} WITH (FORCE)`)
    await rm(directory, { recursive: true })
  })
})
afterAll(async () => {
  await admin.query(`DROP ROLE IF EXISTS ${LOGIN}`)
  await admin.end()
})

function urlOf(user?: string, password = ''): string {
  const url = new URL(inject('postgresAdminUrl'))
  url.pathname = `/${database}`
  if (user !== undefined) {
    url.username = user
    url.password = password
  }
  return url.href
}

/** Migrates to what files say, as they would stand in the migrations' folder. */
async function migrateTo(files: Record<string, string>, password = 'first') {
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return migrate({
    ownerUrl: urlOf(),
    appUrl: urlOf(LOGIN, password),
    migrations: await readMigrations(directory),
  })
}

const applied = async () =>
  (await owner.query<{ name: string }>('SELECT name FROM tidemark_migrations ORDER BY name')).rows.map(
    ({ name }) => name,
  )

const exists = async (relation: string) =>
  (await owner.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [relation])).rows[0]
    ?.there

const BOATS = {
  '0000_boats.sql': 'CREATE TABLE boats (id int);\n--> statement-breakpoint\nINSERT INTO boats VALUES (1);\n',
}

describe('migrating', () => {
  it('leaves the Worker’s login no way to make objects, temporary ones included', async () => {
    await migrate({ ownerUrl: urlOf(), appUrl: urlOf(LOGIN, 'first') })
    const app = new Client({ connectionString: urlOf(LOGIN, 'first') })
    await app.connect()
    onTestFinished(() => app.end())
    for (const text of [
      'CREATE TEMP TABLE posts (id int)',
      'CREATE TABLE mine (id int)',
      'CREATE SCHEMA mine',
    ])
      await expect(app.query(text), text).rejects.toMatchObject({ code: '42501' })
  })

  it('applies the repository’s own migrations, and changes nothing the second time', async () => {
    const run = () => migrate({ ownerUrl: urlOf(), appUrl: urlOf(LOGIN, 'first') })
    const names = (await readMigrations()).map(({ name }) => name)
    expect(await run()).toEqual({ applied: names, version: names.at(-1) })
    const before = await owner.query('SELECT * FROM tidemark_migrations ORDER BY name')
    expect(await run()).toEqual({ applied: [], version: names.at(-1) })
    expect((await owner.query('SELECT * FROM tidemark_migrations ORDER BY name')).rows).toEqual(before.rows)
  })

  it('applies what is new, in the order of the names, and nothing else again', async () => {
    await migrateTo(BOATS)
    const second = {
      '0002_last.sql': 'INSERT INTO boats SELECT 10 * max(id) FROM boats;',
      '0001_next.sql': 'INSERT INTO boats VALUES (2);',
      'notes.sql': 'DROP TABLE boats;',
    }
    expect(await migrateTo(second)).toEqual({ applied: ['0001_next', '0002_last'], version: '0002_last' })
    expect((await owner.query('SELECT id FROM boats ORDER BY id')).rows).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 20 },
    ])
  })

  it('refuses a migration that was edited after it was applied, and does nothing more', async () => {
    await migrateTo(BOATS)
    const edited = {
      '0000_boats.sql': 'CREATE TABLE boats (id bigint);',
      '0001_next.sql': 'CREATE TABLE oars (id int);',
    }
    await expect(migrateTo(edited)).rejects.toThrow('0000_boats was edited after it was applied')
    expect(await exists('oars')).toBe(false)
  })

  it('leaves nothing of a migration that fails, keeps those before it, and goes on when it is mended', async () => {
    const broken = {
      ...BOATS,
      '0001_oars.sql':
        'CREATE TABLE oars (id int);\n--> statement-breakpoint\nINSERT INTO boats VALUES (2);\n--> statement-breakpoint\nSELECT 1 / 0;',
      '0002_sails.sql': 'CREATE TABLE sails (id int);',
    }
    await expect(migrateTo(broken)).rejects.toThrow(
      /0001_oars failed and changed nothing: .*division by zero/,
    )
    expect(await applied()).toEqual(['0000_boats'])
    expect(await exists('oars')).toBe(false)
    expect(await exists('sails')).toBe(false)
    expect((await owner.query('SELECT id FROM boats')).rows).toEqual([{ id: 1 }])

    const mended = await migrateTo({ '0001_oars.sql': 'CREATE TABLE oars (id int);' })
    expect(mended.applied).toEqual(['0001_oars', '0002_sails'])
  })

  it('gives up a table that somebody else holds, rather than stopping every reader', {
    timeout: 20_000,
  }, async () => {
    await migrateTo(BOATS)
    await owner.query('BEGIN')
    await owner.query('LOCK TABLE boats IN ACCESS SHARE MODE')
    await expect(migrateTo({ '0001_more.sql': 'ALTER TABLE boats ADD COLUMN name text;' })).rejects.toThrow(
      'lock timeout',
    )
    await owner.query('COMMIT')
    expect(await applied()).toEqual(['0000_boats'])
  })

  it('runs a file so marked outside a transaction, which some statements need', async () => {
    const concurrently =
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS boats_id ON boats (id);\n--> statement-breakpoint\nANALYZE boats;'
    await migrateTo(BOATS)
    await expect(migrateTo({ '0001_index.sql': concurrently })).rejects.toThrow('transaction block')
    const marked = { '0001_index.sql': `-- tidemark: no transaction\n${concurrently}` }
    expect((await migrateTo(marked)).applied).toEqual(['0001_index'])
    expect(
      (await owner.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'boats_id'::regclass")).rows,
    ).toEqual([{ indisvalid: true }])
    expect((await migrateTo(marked)).applied).toEqual([])
  })

  it('repeats a file so marked that broke off half-way', async () => {
    await migrateTo(BOATS)
    const create =
      '-- tidemark: no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS boats_id ON boats (id);\n'
    await expect(
      migrateTo({ '0001_index.sql': `${create}--> statement-breakpoint\nSELECT 1 / 0;` }),
    ).rejects.toThrow('division by zero')
    expect(await applied()).toEqual(['0000_boats'])
    expect((await migrateTo({ '0001_index.sql': create })).applied).toEqual(['0001_index'])
  })

  it('waits for another run, and then finds nothing to do', async () => {
    const files = {
      '0000_slow.sql': 'SELECT pg_sleep(0.3);\n--> statement-breakpoint\nCREATE TABLE boats (id int);',
    }
    const runs = await Promise.all([migrateTo(files), migrateTo(files), migrateTo(files)])
    expect(runs.map((run) => run.applied).filter((names) => names.length > 0)).toEqual([['0000_slow']])
    expect(runs.map((run) => run.version)).toEqual(['0000_slow', '0000_slow', '0000_slow'])
  })

  it('makes the Worker’s login, and gives it a new password when the address has one', async () => {
    await admin.query(`DROP ROLE IF EXISTS ${LOGIN}`)
    const login = async (password: string) => {
      const client = new Client({ connectionString: urlOf(LOGIN, password) })
      await client.connect()
      await client.end()
    }
    await migrateTo(BOATS)
    await login('first')
    await migrateTo(BOATS, "it's a \\ new one")
    await login("it's a \\ new one")
    await expect(login('first')).rejects.toMatchObject({ code: '28P01' })
  })
})
