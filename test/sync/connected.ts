import type { Platform } from '../../src/domain/platforms.ts'
import { getAccount } from '../../src/services/accounts/manage-accounts.ts'
import type { ServiceContext } from '../../src/services/context.ts'
import { member } from '../harness/actors.ts'
import type { TestDatabase } from '../harness/database.ts'
import { type Engine, startEngine } from './engine.ts'
import { expectPostsToBeTrue } from './facts.ts'
import { platformAt, ROOMY } from './networks.ts'
import { person } from './people.ts'

/** Some people on some platforms, connected and read. */

const castOf = (platform: Platform, many = 3) =>
  Array.from({ length: many }, (_, i) => person(platform, `${platform}${i}`, { postsPerDay: 2 }))

export async function startConnected(
  database: TestDatabase,
  platforms: readonly Platform[],
  many = 3,
  syncIntervalSeconds = 60,
) {
  const accounts = platforms.flatMap((platform) => castOf(platform, many))
  const engine = await startEngine(database, { accounts, historyDays: 4, syncIntervalSeconds, ...ROOMY })
  const ids = new Map<string, string>()
  for (const { key } of accounts) ids.set(key, (await engine.connect(key)).id)
  await engine.drain()
  const read = (key: string) => getAccount(engine.ctx, ids.get(key) ?? '')
  const operator: ServiceContext = { ...engine.ctx, actor: member('viewer', { operator: true }) }
  return { engine, ids, read, operator }
}

/** Calls of a platform that are made while something goes on. */
export async function callsDuring(
  engine: Engine,
  platform: Platform,
  act: () => Promise<unknown>,
): Promise<number> {
  const from = engine.calls.length
  await act()
  return engine.calls.slice(from).filter((url) => platformAt(url) === platform).length
}

/** Makes everything due. */
export async function allDue(database: TestDatabase, engine: Engine): Promise<void> {
  const now = new Date(engine.nowMs)
  await database.sql("UPDATE accounts SET next_sync_at = $1, not_before = NULL WHERE status = 'active'", [
    now,
  ])
  await database.sql("UPDATE posts SET next_refresh_at = $1 WHERE kind <> 'repost' AND deleted_at IS NULL", [
    now,
  ])
}

export async function readAll(database: TestDatabase, engine: Engine): Promise<void> {
  await allDue(database, engine)
  await engine.plan()
  await engine.drain()
}

export async function expectPostsToBeTrueAfterReading(
  database: TestDatabase,
  engine: Engine,
  key: string,
): Promise<void> {
  await readAll(database, engine)
  await expectPostsToBeTrue(database, engine, key)
}
