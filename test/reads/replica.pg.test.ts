import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Db, limitedToBrands, readingAtLeast, statement } from '../../src/db/client.ts'
import { withReplica } from '../../src/db/replica.ts'
import { newId } from '../../src/lib/ids.ts'
import { Breaker } from '../../src/resilience/breaker.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { silentLogger } from '../harness/deps.ts'
import { type Isolate, makeReader, type Reader } from './reader.ts'

let primary: TestDatabase
let replica: TestDatabase
beforeAll(async () => {
  ;[primary, replica] = await Promise.all([createTestDatabase(), createTestDatabase()])
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterAll(async () => {
  vi.restoreAllMocks()
  await Promise.all([primary.close(), replica.close()])
})

/** Asked of the primary, so that Redis knows the generation and the isolate the caller. */
const FIRST = '/api/v1/dashboard/overview?period=7d'
const OVERVIEW = '/api/v1/dashboard/overview?period=28d'

let reader: Reader | null = null
beforeEach(() => () => {
  reader?.close()
  reader = null
})

/**
 * A Worker beside whose database there is a replica that holds the same workspace at another generation. By the
 * handle of its account everybody can tell who answered.
 */
async function start(
  at: { primary: number; replica: number },
  variables: Record<string, string> = {},
): Promise<Isolate> {
  reader = await makeReader(primary, { DATABASE_READ_URL: replica.appUrl, ...variables })
  const { workspaceId } = reader
  await replica.sql('INSERT INTO workspaces (id, name, timezone) VALUES ($1, $2, $3)', [
    ...[workspaceId, 'Test', 'UTC'],
  ])
  await replica.sql(
    `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status)
     VALUES ($1, $2, 'bluesky', 'did:x', 'of the replica', 'public', 'active')`,
    [newId(), workspaceId],
  )
  await primary.sql(`UPDATE accounts SET handle = 'of the primary' WHERE workspace_id = $1`, [workspaceId])
  await setGenerations(at)
  const one = reader.isolate()
  expect(whoAnswered(await one.ask(FIRST))).toEqual(['primary'])
  await one.settled()
  return one
}

async function setGenerations(at: { primary?: number; replica?: number }): Promise<void> {
  for (const [database, generation] of [
    [primary, at.primary],
    [replica, at.replica],
  ] as const)
    if (generation !== undefined)
      await database.sql('UPDATE workspaces SET generation = $2 WHERE id = $1', [
        ...[reader?.workspaceId, generation],
      ])
}

const whoAnswered = ({ status, body }: { status: number; body: string }) => {
  expect(status, body).toBe(200)
  return ['primary', 'replica'].filter((who) => body.includes(`of the ${who}`))
}
/** What is asked of others from now on. */
const watch = () =>
  reader?.allow({ region: 9, database: 9, replica: 9, caller: 9, limit: 9, other: 9 }) ?? { sent: [] }
const databasesIn = (sent: readonly string[]) =>
  sent.filter((purpose) => purpose === 'replica' || purpose === 'database')

describe('a replica that has what is known of', () => {
  it.each([
    OVERVIEW,
    '/api/v1/accounts',
    '/api/v1/posts',
    '/api/v1/trending/hashtags?window=24h',
    '/api/v1/trending/hashtags/tide',
  ])('answers %s alone', async (path) => {
    const one = await start({ primary: 3, replica: 3 })
    const network = watch()
    const { status, tier } = await one.ask(path)
    expect([status, tier]).toEqual([200, 'origin'])
    expect(databasesIn(network.sent)).toEqual(['replica'])
  })

  it('is believed, and its answer kept', async () => {
    const one = await start({ primary: 3, replica: 4 })
    // More than is known to exist is asked for in vain, and causes no work.
    expect(whoAnswered(await one.ask(`${OVERVIEW}&minGeneration=99`))).toEqual(['replica'])
    await one.settled()
    const again = await one.ask(OVERVIEW)
    expect([again.tier, ...whoAnswered(again)]).toEqual(['memory', 'replica'])
  })

  it('is not asked for what nobody labels, nor for further pages', async () => {
    const one = await start({ primary: 3, replica: 3 })
    const { workspaceId } = reader ?? expect.fail()
    for (const database of [primary, replica])
      await database.sql(
        `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status)
         VALUES ($1, $2, 'bluesky', 'did:z', 'zed', 'public', 'active')`,
        [newId(), workspaceId],
      )
    const page: { nextCursor: string } = JSON.parse((await one.ask('/api/v1/accounts?limit=1')).body)
    const network = watch()
    for (const path of [`/api/v1/accounts?limit=1&cursor=${page.nextCursor}`, '/api/v1/brands'])
      expect((await one.ask(path)).status).toBe(200)
    expect(databasesIn(network.sent)).toEqual(['database', 'database'])
  })
})

describe('a replica that lags behind', () => {
  it('is passed over, and not asked about the workspace again for a while', async () => {
    const one = await start({ primary: 3, replica: 2 })
    const network = watch()
    expect(whoAnswered(await one.ask(OVERVIEW))).toEqual(['primary'])
    expect(whoAnswered(await one.ask('/api/v1/accounts'))).toEqual(['primary'])
    expect(databasesIn(network.sent)).toEqual(['replica', 'database', 'database'])
  })

  it('hides from nobody a change that was just made, wherever they ask', async () => {
    const writer = await start({ primary: 3, replica: 3 })
    const elsewhere = reader?.isolate({ elsewhere: true }) ?? expect.fail()
    expect(whoAnswered(await elsewhere.ask('/api/v1/accounts'))).toEqual(['replica'])
    await elsewhere.settled()
    await setGenerations({ primary: 4 })
    await writer.deps.http.cache.raise(reader?.workspaceId ?? '', 4)
    for (const isolate of [writer, elsewhere])
      for (const path of ['/api/v1/accounts', OVERVIEW])
        expect(whoAnswered(await isolate.ask(path))).toEqual(['primary'])
    // It has caught up.
    await setGenerations({ replica: 4 })
    const later = reader?.isolate({ elsewhere: true }) ?? expect.fail()
    expect(whoAnswered(await later.ask('/api/v1/dashboard/overview?period=90d'))).toEqual(['replica'])
  })

  it('is not asked where Redis does not say what is known', async () => {
    const one = await start({ primary: 3, replica: 2 }, { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9' })
    const network = watch()
    expect(whoAnswered(await one.ask(OVERVIEW))).toEqual(['primary'])
    expect(databasesIn(network.sent)).toEqual(['database'])
  })
})

describe('a replica that does not answer', () => {
  it('costs nobody more than half a second', async () => {
    const one = await start({ primary: 3, replica: 3 })
    reader?.allow({ region: 9, database: 1 })
    const begun = performance.now()
    expect(whoAnswered(await one.ask(OVERVIEW))).toEqual(['primary'])
    expect(performance.now() - begun).toBeLessThan(1_000)
  })

  it('is left alone, which operators see, until it is back', async () => {
    const nowhere = new URL(replica.appUrl)
    nowhere.pathname = '/nowhere'
    const one = await start({ primary: 3, replica: 3 }, { DATABASE_READ_URL: nowhere.href })
    const network = watch()
    for (const path of [OVERVIEW, '/api/v1/accounts', '/api/v1/posts'])
      expect((await one.ask(path)).status).toBe(200)
    // A probe finds out before the fifth request does.
    await vi.waitFor(() =>
      expect(one.deps.http.breakers()).toContainEqual(
        expect.objectContaining({ name: 'replica', state: 'open', mode: 'enforce' }),
      ),
    )
    await one.settled()
    const before = network.sent.length
    expect(whoAnswered(await one.ask('/api/v1/dashboard/overview?period=90d'))).toEqual(['primary'])
    expect(databasesIn(network.sent.slice(before))).toEqual(['database'])
    expect(one.deps.http.breakers()).toMatchObject([
      { name: 'postgres', state: 'closed', failures: 0 },
      { name: 'redis', state: 'closed' },
      { name: 'replica', state: 'open' },
    ])
  })
})

describe('the rights of whoever reads', () => {
  const account = (handle: string) => ({ id: newId(), handle })
  const handles = statement<{ handle: string }>(sql`SELECT handle FROM accounts ORDER BY handle`)
  const generation = statement<{ generation: number }>(sql`SELECT generation FROM workspaces`)

  it('are the same on a replica: their workspace, and in it the accounts of their brands', async () => {
    const [workspaceId, other, brandId] = [newId(), newId(), newId()]
    for (const id of [workspaceId, other]) {
      await replica.sql(
        `INSERT INTO workspaces (id, name, timezone, generation) VALUES ($1, 'Test', 'UTC', 1)`,
        [id],
      )
      for (const { id: accountId, handle } of [account('loose'), account('branded')])
        await replica.sql(
          `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status)
           VALUES ($1, $2, 'x', $3, $3, 'public', 'active')`,
          [accountId, id, handle],
        )
    }
    await replica.sql(`INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, 'North')`, [
      ...[brandId, workspaceId],
    ])
    await replica.sql(`UPDATE accounts SET brand_id = $1 WHERE workspace_id = $2 AND handle = 'branded'`, [
      ...[brandId, workspaceId],
    ])
    const db = withReplica(primary.db, {
      ...{ db: replica.db, breaker: new Breaker('replica', { now: Date.now }), clock: { now: Date.now } },
      log: silentLogger,
    })
    const read = (by: Db, first = generation) =>
      readingAtLeast(by, 1).inWorkspace(workspaceId, [first, handles], { snapshot: true })
    expect((await read(db))[1]).toEqual([{ handle: 'branded' }, { handle: 'loose' }])
    expect((await read(limitedToBrands(db, [brandId])))[1]).toEqual([{ handle: 'branded' }])
    expect((await read(limitedToBrands(db, [])))[1]).toEqual([])
    // What does not say how new it is, is not taken from there; nor is what may write.
    expect((await read(db, statement(sql`SELECT 1 AS one`)))[1]).toEqual([])
    expect((await readingAtLeast(db, 1).inWorkspace(workspaceId, [generation, handles]))[1]).toEqual([])
  })
})

it('without a replica there is no breaker of one', async () => {
  reader = await makeReader(primary)
  expect(
    reader
      .isolate()
      .deps.http.breakers()
      .map(({ name }) => name),
  ).toEqual(['postgres', 'redis'])
})
