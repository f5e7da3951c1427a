import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { limitedToBrands, statement } from '../../src/db/client.ts'
import { newId } from '../../src/lib/ids.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeAccount, makeWorkspace } from '../harness/factories.ts'
import { type AppConnection, connectAsApp, REFUSED } from './as-app.ts'

let database: TestDatabase
let app: AppConnection
beforeAll(async () => {
  database = await createTestDatabase()
  app = await connectAsApp(database)
})
afterAll(async () => {
  await app.end()
  await database.close()
})

let workspaceId: string
let seen: string
let hidden: string
/** Accounts of the brand that is seen, of the one that is not, and of none. */
let inSeen: string
let inHidden: string
let inNone: string
beforeEach(async () => {
  workspaceId = await makeWorkspace(database)
  seen = await makeBrand(workspaceId)
  hidden = await makeBrand(workspaceId)
  inSeen = await makeAccountOf(workspaceId, seen)
  inHidden = await makeAccountOf(workspaceId, hidden)
  inNone = await makeAccount(database, workspaceId)
})

async function makeBrand(ofWorkspace: string): Promise<string> {
  const id = newId()
  await database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [id, ofWorkspace, id])
  return id
}

async function makeAccountOf(ofWorkspace: string, brandId: string): Promise<string> {
  const id = await makeAccount(database, ofWorkspace)
  await database.sql('UPDATE accounts SET brand_id = $2 WHERE id = $1', [id, brandId])
  return id
}

const limited = (text: string, params: unknown[] = [], brands = [seen]) =>
  app.run({ workspaceId, brands }, text, params)

const idsOf = async (brands: string[]) =>
  (await limited('SELECT id FROM accounts ORDER BY id', [], brands)).rows.map(({ id }) => id)

describe('a member who is limited to brands', () => {
  it('reads the accounts of those alone', async () => {
    expect(await idsOf([seen])).toEqual([inSeen])
    expect(await idsOf([seen, hidden])).toEqual([inSeen, inHidden].sort())
    expect((await app.run({ workspaceId }, 'SELECT id FROM accounts')).rowCount).toBe(3)
  })

  it.each([
    ['no brand', []],
    ['a brand that is not there', [newId()]],
  ])('reads none where that is %s', async (_, brands) => {
    expect(await idsOf(brands)).toEqual([])
  })

  it('reads no other workspace’s, whichever brand is named', async () => {
    const elsewhere = await makeWorkspace(database)
    const theirs = await makeBrand(elsewhere)
    await makeAccountOf(elsewhere, theirs)
    expect(await idsOf([theirs])).toEqual([])
    expect((await app.run({ workspaceId: null, brands: [theirs] }, 'SELECT 1 FROM accounts')).rowCount).toBe(
      0,
    )
  })

  it('changes and removes those alone', async () => {
    const named = "UPDATE accounts SET display_name = 'changed'"
    expect((await limited(named)).rowCount).toBe(1)
    for (const id of [inHidden, inNone]) {
      expect((await limited(`${named} WHERE id = $1`, [id])).rowCount).toBe(0)
      expect((await limited('DELETE FROM accounts WHERE id = $1', [id])).rowCount).toBe(0)
      expect((await limited('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE', [id])).rowCount).toBe(0)
    }
    expect((await limited('DELETE FROM accounts')).rowCount).toBe(1)
  })

  it('moves none out of the brands, and none in', async () => {
    for (const brand of [hidden, null])
      await expect(limited('UPDATE accounts SET brand_id = $1', [brand])).rejects.toMatchObject(REFUSED)
    for (const id of [inHidden, inNone])
      expect((await limited('UPDATE accounts SET brand_id = $1 WHERE id = $2', [seen, id])).rowCount).toBe(0)
    // From one of theirs to another of theirs is their own affair.
    const both = [seen, hidden]
    expect((await limited('UPDATE accounts SET brand_id = $1', [hidden], both)).rowCount).toBe(2)
  })

  it('adds some to those alone', async () => {
    const add = (brand: string | null) =>
      limited(
        `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status, brand_id)
         VALUES (gen_random_uuid(), $1, 'bluesky', gen_random_uuid()::text, 'new', 'public', 'active', $2)`,
        [workspaceId, brand],
      )
    expect((await add(seen)).rowCount).toBe(1)
    for (const brand of [hidden, null]) await expect(add(brand)).rejects.toMatchObject(REFUSED)
  })

  it('is not told by an upsert of an account that is hidden', async () => {
    for (const id of [inHidden, inNone])
      await expect(
        limited(
          `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status, brand_id)
           VALUES ($1, $2, 'bluesky', 'another', 'new', 'public', 'active', $3)
           ON CONFLICT (id) DO UPDATE SET handle = excluded.handle RETURNING handle`,
          [id, workspaceId, seen],
        ),
      ).rejects.toMatchObject(REFUSED)
  })

  it('gets an error, and not everything, where the limit cannot be understood', async () => {
    for (const brands of ['*', "'", 'null,x'])
      await expect(limited('SELECT 1 FROM accounts', [], [brands])).rejects.toMatchObject({ code: '22P02' })
    expect(await idsOf(['NULL'])).toEqual([])
  })
})

describe('the limit', () => {
  it('is forgotten with the transaction, and holds in it for every statement', async () => {
    const count = statement<{ n: number }>(sql`SELECT count(*)::int AS n FROM accounts`)
    const db = limitedToBrands(database.db, [seen])
    for (let round = 0; round < 5; round++) {
      expect(await db.inWorkspace(workspaceId, [count, count])).toEqual([[{ n: 1 }], [{ n: 1 }]])
      expect(await database.db.inWorkspace(workspaceId, [count])).toEqual([[{ n: 3 }]])
    }
  })

  it('cannot be taken off by what a statement asks for', async () => {
    const db = limitedToBrands(database.db, [seen])
    const count = statement<{ n: number }>(sql`SELECT count(*)::int AS n FROM accounts`)
    const options = [{}, { brands: [seen, hidden] }, { snapshot: true }, { timeoutMs: 1_000 }]
    for (const option of options)
      expect(await db.inWorkspace(workspaceId, [count], option)).toEqual([[{ n: 1 }]])
  })
})
