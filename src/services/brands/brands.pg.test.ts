import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount } from '../../../test/harness/factories.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { dbWithinReach } from '../access/reach.ts'
import { codeOf, doneBy, type Person, Team } from '../access/team.test-helper.ts'
import { changeBrand, createBrand, getBrands, removeBrand } from './brands.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let team: Team
let admin: Person
beforeEach(async () => {
  team = await Team.make(database)
  admin = await team.member('admin')
})

const make = (name: string) => createBrand(team.as(admin), { name })
const rename = (id: string, name: string) => changeBrand(team.as(admin), id, { name })
/** As requests see it: row-level security applies. */
const ctxOf = (person: Person) => ({ ...team.as(person), db: dbWithinReach(team.ctx.db, person) })
const names = async (person: Person = admin) => (await getBrands(ctxOf(person))).map(({ name }) => name)
const generation = async () =>
  (
    await database.sql<{ n: number }>('SELECT generation::int AS n FROM workspaces WHERE id = $1', [
      team.workspaceId,
    ])
  )[0]?.n

async function accountIn(brandId: string): Promise<string> {
  const id = await makeAccount(database, team.workspaceId)
  await database.sql('UPDATE accounts SET brand_id = $1 WHERE id = $2', [brandId, id])
  return id
}

const standingInTheWay = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => (error instanceof AppError && error.code === 'conflict' ? error.existingId : error),
  )

describe('a brand', () => {
  it('is made, renamed and removed, and each is written down once', async () => {
    const made = await make('Harbour')
    expect(made).toEqual({
      id: expect.any(String),
      name: 'Harbour',
      accounts: 0,
      createdAt: expect.any(String),
    })
    expect(await rename(made.id, 'Quay')).toEqual({ ...made, name: 'Quay' })
    expect(await rename(made.id, 'Quay')).toEqual({ ...made, name: 'Quay' })
    await removeBrand(team.as(admin), made.id)
    expect(await names()).toEqual([])
    const target = { ...doneBy(admin), target_kind: 'brand', target_id: made.id }
    expect(await team.log()).toEqual([
      { action: 'brand.created', ...target, target_name: 'Harbour', details: {} },
      {
        action: 'brand.changed',
        ...target,
        target_name: 'Harbour',
        details: { from: { name: 'Harbour' }, to: { name: 'Quay' } },
      },
      { action: 'brand.removed', ...target, target_name: 'Quay', details: { accounts: 0 } },
    ])
  })

  it('counts its accounts, but for those that are removed', async () => {
    const { id } = await make('Harbour')
    const [, gone] = [await accountIn(id), await accountIn(id)]
    await makeAccount(database, team.workspaceId)
    await database.sql('UPDATE accounts SET deleted_at = now() WHERE id = $1', [gone])
    expect(await getBrands(team.as(admin))).toMatchObject([{ id, accounts: 1 }])
    expect(await rename(id, 'Quay')).toMatchObject({ accounts: 1 })
  })

  it('has a name of its own, upper and lower case being the same', async () => {
    const [first, second] = [await make('Harbour'), await make('Quay')]
    for (const name of ['Harbour', 'harbour', 'HARBOUR']) {
      expect(await standingInTheWay(make(name))).toBe(first.id)
      expect(await standingInTheWay(rename(second.id, name))).toBe(first.id)
    }
    expect((await rename(first.id, 'HARBOUR')).name).toBe('HARBOUR')
    expect(await names()).toEqual(['HARBOUR', 'Quay'])
    expect(await team.log()).toHaveLength(3)
    // Another workspace may have one of the same name.
    const there = await Team.make(database)
    expect((await createBrand(there.as(await there.member('owner')), { name: 'Harbour' })).name).toBe(
      'Harbour',
    )
  })

  it('is made once of many that are made at once', async () => {
    const codes = await Promise.all(
      Array.from({ length: 6 }, (_, i) => codeOf(make(i % 2 ? 'quay' : 'Quay'))),
    )
    expect(codes.sort()).toEqual([...Array.from({ length: 5 }, () => 'conflict'), 'none'])
    expect(await team.log()).toHaveLength(1)
  })

  it('is renamed as one chain, however many do so at once', async () => {
    const { id } = await make('Quay 0')
    await Promise.all([1, 2, 3, 4].map((n) => rename(id, `Quay ${n}`)))
    let name: unknown = 'Quay 0'
    for (const { details } of (await team.log()).slice(1)) {
      expect(details).toMatchObject({ from: { name } })
      name = Reflect.get(Object(details.to), 'name')
    }
    expect(await names()).toEqual([name])
  })

  it('is one of two hundred at most, also of many that are made at once', async () => {
    for (let i = 0; i < 197; i++) await team.brand()
    const codes = await Promise.all(Array.from({ length: 6 }, (_, i) => codeOf(make(`New ${i}`))))
    expect(codes.filter((code) => code === 'none')).toHaveLength(3)
    expect(codes.filter((code) => code === 'conflict')).toHaveLength(3)
    expect(await team.log()).toHaveLength(3)
  })

  it('leaves its accounts behind when it is removed, and tells those who look', async () => {
    const { id } = await make('Harbour')
    const account = await accountIn(id)
    const limited = await team.member('viewer', [id])
    expect(await generation()).toBe(0)
    await removeBrand(team.as(admin), id)
    expect(
      await database.sql('SELECT id, brand_id, deleted_at FROM accounts WHERE id = $1', [account]),
    ).toEqual([{ id: account, brand_id: null, deleted_at: null }])
    expect(await generation()).toBe(1)
    expect(
      await database.sql('SELECT events FROM outbox WHERE workspace_id = $1', [team.workspaceId]),
    ).toEqual([{ events: [{ type: 'metrics.updated', data: { accounts: [], posts: [] } }] }])
    // Whoever saw that brand alone sees nothing, and not everything.
    expect(await database.sql('SELECT brand_ids FROM app_person($1, $2)', [limited.userId, ''])).toEqual([
      { brand_ids: [] },
    ])
  })

  it('is removed once, and raises nothing where it is gone', async () => {
    const { id } = await make('Harbour')
    const codes = await Promise.all(Array.from({ length: 4 }, () => codeOf(removeBrand(team.as(admin), id))))
    expect(codes.sort()).toEqual(['none', 'not_found', 'not_found', 'not_found'])
    expect(await generation()).toBe(1)
    expect(await team.log()).toHaveLength(2)
  })

  it('has to be one of the workspace', async () => {
    const there = await Team.make(database)
    const theirs = await there.brand()
    for (const id of [theirs, newId(), '', 'nothing', 'a\0b']) {
      expect(await codeOf(rename(id, 'Mine'))).toBe('not_found')
      expect(await codeOf(removeBrand(team.as(admin), id))).toBe('not_found')
    }
    expect(await database.sql('SELECT id FROM brands WHERE id = $1', [theirs])).toHaveLength(1)
    expect(await names()).toEqual([])
  })
})

describe('who is limited to brands', () => {
  it('sees those alone, with their accounts', async () => {
    const [one, two] = [await make('One'), await make('Two')]
    await accountIn(one.id)
    await accountIn(two.id)
    const limited = await team.member('analyst', [two.id])
    expect(await getBrands(ctxOf(limited))).toMatchObject([{ id: two.id, accounts: 1 }])
    expect(await names(await team.member('viewer', []))).toEqual([])
    expect(await names(await team.member('viewer'))).toEqual(['One', 'Two'])
  })
})
