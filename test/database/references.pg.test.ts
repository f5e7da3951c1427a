import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { type AppConnection, connectAsApp } from './as-app.ts'
import { fillEveryTable, readTables } from './rows.ts'

/** A foreign key from one table of the workspaces to another. */
interface Reference {
  name: string
  table: string
  column: string
  target: string
  targetColumn: string
  /** Whether the key names the workspace as well. */
  fenced: boolean
}

let database: TestDatabase
let app: AppConnection
let references: Reference[]
let ours: string
let theirs: string

beforeAll(async () => {
  database = await createTestDatabase()
  const tenants = (await readTables(database)).filter((table) => table.tenantColumn === 'workspace_id')
  references = await database.sql<Reference>(
    `SELECT f.conname::text AS name, f.conrelid::regclass::text AS table, a.attname::text AS column,
       f.confrelid::regclass::text AS target, ta.attname::text AS "targetColumn",
       EXISTS (SELECT 1 FROM unnest(f.conkey, f.confkey) AS pair (here, there)
         JOIN pg_attribute w ON w.attrelid = f.conrelid AND w.attnum = pair.here AND w.attname = 'workspace_id'
         JOIN pg_attribute tw ON tw.attrelid = f.confrelid AND tw.attnum = pair.there AND tw.attname = 'workspace_id'
       ) AS fenced
     FROM pg_constraint f
     CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS pair (here, there)
     JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = pair.here AND a.attname <> 'workspace_id'
     JOIN pg_attribute ta ON ta.attrelid = f.confrelid AND ta.attnum = pair.there
     WHERE f.contype = 'f' AND f.conparentid = 0 AND f.conrelid::regclass::text = ANY ($1)
       AND f.confrelid::regclass::text = ANY ($1)
     ORDER BY 2, 3`,
    [tenants.map(({ name }) => name)],
  )
  ours = await fillEveryTable(database)
  theirs = await fillEveryTable(database)
  app = await connectAsApp(database)
})
afterAll(async () => {
  await app.end()
  await database.close()
})

/** Keys that do not name the workspace. What they point to is looked up under row-level security beforehand. */
const UNFENCED = [
  'account_days.account_id',
  'account_metrics.account_id',
  'account_quarters.account_id',
  'import_errors.import_id',
  'imports.id',
  'post_hashtags.account_id',
  'post_hashtags.post_id',
  'post_search.post_id',
  'posts.account_id',
]

describe('references between the tables of a workspace', () => {
  it('name the workspace, but for those that are known not to', () => {
    const unfenced = references.filter(({ fenced }) => !fenced)
    expect(unfenced.map(({ table, column }) => `${table}.${column}`)).toEqual(UNFENCED)
    expect(references.filter(({ fenced }) => fenced).map(({ name }) => name)).toEqual([
      'account_authorizations_account',
      'account_authorizations_brand',
      'accounts_brand_in_workspace',
      'member_brands_brand',
      'member_brands_member',
      'platform_credentials_account',
    ])
  })

  it('cannot point to a brand, an account or a member of another workspace', async () => {
    for (const { name, table, column, target, targetColumn } of references.filter(({ fenced }) => fenced)) {
      const [{ value } = { value: null }] = await database.sql<{ value: unknown }>(
        `SELECT ${targetColumn} AS value FROM ${target} WHERE workspace_id = $1`,
        [theirs],
      )
      expect(value, name).not.toBeNull()
      const point = `UPDATE ${table} SET ${column} = $1`
      await expect(app.run({ workspaceId: ours }, point, [value]), name).rejects.toMatchObject({
        code: '23503',
        constraint: name,
      })
      // The same to what is one's own is nothing special.
      const own = `UPDATE ${table} SET ${column} = (SELECT ${targetColumn} FROM ${target})`
      expect((await app.run({ workspaceId: ours }, own)).rowCount, name).toBe(1)
    }
  })

  it('cannot be made to by a new row either', async () => {
    const columns = [
      ['account_authorizations', 'account_id'],
      ['account_authorizations', 'brand_id'],
      ['accounts', 'brand_id'],
      ['platform_credentials', 'account_id'],
      ['member_brands', 'brand_id'],
    ] as const
    for (const [table, column] of columns) {
      const [{ value, copy } = { value: '', copy: {} }] = await database.sql<{ value: string; copy: object }>(
        `SELECT theirs.${column} AS value, to_jsonb(ours) AS copy FROM ${table} theirs, ${table} ours
         WHERE theirs.workspace_id = $1 AND ours.workspace_id = $2`,
        [theirs, ours],
      )
      const another = { external_id: 'another', state_hash: 'another', id: crypto.randomUUID() }
      const fresh = { ...copy, ...another, [column]: value }
      await expect(
        app.run(
          { workspaceId: ours },
          `INSERT INTO ${table} SELECT (jsonb_populate_record(NULL::${table}, $1)).*`,
          [JSON.stringify(fresh)],
        ),
        table,
      ).rejects.toMatchObject({ code: '23503' })
    }
  })
})
