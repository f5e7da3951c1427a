import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeReader, type Reader } from './reader.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterAll(async () => {
  vi.restoreAllMocks()
  await database.close()
})

let reader: Reader
beforeEach(async () => {
  reader = await makeReader(database)
  return () => reader.close()
})

const OVERVIEW = '/api/v1/dashboard/overview?period=28d'
const TRENDING = '/api/v1/trending/hashtags?window=24h'
/** Asked so that the isolate knows the caller, and about nothing else. */
const OTHER = '/api/v1/dashboard/overview?period=7d'

/**
 * What a read may ask of others before its answer: whatever is beyond is never answered, so that an answer
 * that waits for it never comes.
 */
describe.each([OVERVIEW, TRENDING])('%s', (path) => {
  it('asks nobody on a memory hit, and hardly anybody after it', async () => {
    const one = reader.isolate()
    await one.ask(path)
    await one.settled()
    const network = reader.allow({})
    for (let i = 0; i < 500; i += 1) {
      const answer = await one.ask(path)
      expect([answer.status, answer.tier]).toEqual([200, 'memory'])
    }
    expect(network.sent.length).toBeLessThan(500 / 50)
    expect(new Set(network.sent)).toEqual(new Set(['limit']))
  })

  it('asks nobody when the data centre has the answer', async () => {
    await reader.isolate().ask(path)
    const one = reader.isolate()
    await one.ask(OTHER)
    await one.settled()
    reader.allow({})
    const answer = await one.ask(path)
    expect([answer.status, answer.tier]).toEqual([200, 'colo'])
  })

  it('asks Redis once when the region has the answer, and nobody else', async () => {
    await reader.isolate().ask(path)
    const one = reader.isolate({ elsewhere: true })
    await one.ask(OTHER)
    await one.settled()
    reader.allow({ region: 1 })
    const answer = await one.ask(path)
    expect([answer.status, answer.tier]).toEqual([200, 'region'])
  })

  it('asks Redis and the database once each when nobody has it', async () => {
    const one = reader.isolate()
    await one.ask(OTHER)
    await one.settled()
    reader.allow({ region: 1, database: 1 })
    const answer = await one.ask(path)
    expect([answer.status, answer.tier]).toEqual([200, 'origin'])
  })
})

it('asks one question more where the isolate does not know the caller, and none of the database', async () => {
  await reader.isolate().ask(OVERVIEW)
  const one = reader.isolate({ elsewhere: true })
  reader.allow({ region: 1, caller: 1 })
  const answer = await one.ask(OVERVIEW)
  expect([answer.status, answer.tier]).toEqual([200, 'region'])
})
