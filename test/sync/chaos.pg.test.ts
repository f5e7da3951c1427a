import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { PLATFORMS } from '../../src/domain/platforms.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { Chaos } from './chaos.ts'
import { startEngine } from './engine.ts'
import { expectPostsToBeTrue, expectProfileToBeTrue, expectRollupsToMatchPosts } from './facts.ts'
import { ROOMY } from './networks.ts'
import { person } from './people.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

/** Simulated; `CHAOS_HOURS=120` for the long form, which takes about half an hour. */
const HOURS = Number(process.env.CHAOS_HOURS ?? 2)
const SEED = process.env.CHAOS_SEED ?? 'one'
const PEOPLE = PLATFORMS.flatMap((platform) => [
  person(platform, `${platform}a`, { postsPerDay: 6 }),
  person(platform, `${platform}b`, { postsPerDay: 2 }),
])

it(`after ${HOURS} hours in which everything goes wrong, all platforms’ figures are true to the last unit`, {
  timeout: 60_000 + HOURS * 30_000,
}, async () => {
  const engine = await startEngine(database, {
    accounts: PEOPLE,
    historyDays: 3,
    ...ROOMY,
  })
  for (const { key } of PEOPLE) await engine.connect(key)
  // The first readings are part of it.
  const chaos = new Chaos(engine, SEED)
  await chaos.rage(HOURS)
  const lostTokens = await chaos.signInAgain(database)
  await chaos.calm(database)

  for (const [what, times] of Object.entries(chaos.toll)) expect(times, what).toBeGreaterThan(0)
  // Only a token that is good for one renewal can be lost that way.
  expect(lostTokens).toBeLessThanOrEqual(2)
  expect(
    await database.sql(
      "SELECT handle, status, stale_reason FROM accounts WHERE status <> 'active' OR stale_reason IS NOT NULL",
    ),
  ).toEqual([])
  for (const { key } of PEOPLE) {
    await expectProfileToBeTrue(database, engine, key)
    await expectPostsToBeTrue(database, engine, key)
  }
  await expectRollupsToMatchPosts(database, engine.workspaceId)
  expect(await database.sql('SELECT 1 FROM accounts WHERE backfilled_at IS NULL')).toEqual([])
  // Every change was told of.
  expect(await database.sql('SELECT generation FROM outbox WHERE delivered_at IS NULL')).toEqual([])
  const told = engine.heard.get(engine.workspaceId) ?? new Set()
  const raised = await database.sql<{ generation: string }>('SELECT generation FROM outbox')
  expect(raised.length).toBeGreaterThan(20)
  expect(raised.filter(({ generation }) => !told.has(Number(generation)))).toEqual([])
  for (const platform of PLATFORMS) expect(engine.stats[platform].snapshot().violations, platform).toEqual({})
})
