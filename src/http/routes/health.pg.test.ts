import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeRoutesRig, type RoutesRig } from './rig.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let rig: RoutesRig
beforeEach(async () => {
  rig = await makeRoutesRig(database)
})

describe('/readyz', () => {
  const plain = { status: 'ready', checks: { postgres: 'ok', queue: 'ok' } }

  it('gives details to operators alone', async () => {
    const dependencies = [
      { name: 'postgres', state: 'ok', detail: null, breaker: 'closed' },
      { name: 'queue', state: 'ok', detail: null, breaker: null },
    ]
    const operator = await rig.person('operating', { operator: true })
    expect((await rig.ask('/readyz', operator)).body).toEqual({ ...plain, dependencies })
    const key = await rig.keyOf('operating', ['operator'])
    expect((await rig.ask('/readyz', key)).body).toEqual({ ...plain, dependencies })
    for (const headers of [
      {},
      await rig.person('owning'),
      await rig.keyOf('owning', ['read', 'operator']),
      { authorization: 'Bearer nonsense' },
      { cookie: 'user=nobody' },
    ])
      expect([(await rig.ask('/readyz', headers)).status, (await rig.ask('/readyz', headers)).body]).toEqual([
        200,
        plain,
      ])
  })

  it('answers also while the database cannot say who is asking', async () => {
    rig.setDatabaseUp(false)
    const stranger = await rig.ask('/readyz', await rig.keyOf(null, ['read']))
    expect([stranger.status, stranger.headers.get('retry-after')]).toEqual([503, '10'])
    expect(stranger.body).toEqual({ status: 'degraded', checks: { postgres: 'down', queue: 'ok' } })
  })
})
