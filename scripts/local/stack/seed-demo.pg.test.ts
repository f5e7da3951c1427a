import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createCallGate } from '../../../src/adapters/call-gate.ts'
import { createCredentialVault } from '../../../src/adapters/credential-vault.ts'
import { createRedis } from '../../../src/adapters/redis.ts'
import { PLATFORM_FACTS, PLATFORMS, type Platform } from '../../../src/domain/platforms.ts'
import { parseEnv } from '../../../src/env.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import { createWorld } from '../platforms/index.ts'
import { elementAt } from '../platforms/random.ts'
import { truthOf } from '../platforms/truth.ts'
import { seedDemo } from './seed-demo.ts'
import { bindPlatforms } from './simulated-apps.ts'

const DAY_MS = 86_400_000
/** What another network knows is not simulated. */
const WANTED = PLATFORMS.filter((platform) => platform !== 'bluesky')
/** Nothing is sent there: the platforms answer within this process. */
const PORTS = {
  ...{ bluesky: 1, mastodon: 2, youtube: 3, x: 4, instagram: 5 },
  ...{ threads: 6, facebook: 7, tiktok: 8, linkedin: 9, reddit: 10 },
}
const key = Buffer.alloc(32, 5).toString('base64')
const world = createWorld({
  seed: 'seed-demo',
  now: Date.now,
  accounts: Object.fromEntries(PLATFORMS.map((platform) => [platform, 1])),
})

interface SeededAccount {
  id: string
  platform: Platform
  source: string
  status: string
  trackedSince: Date
  readAt: Date
  /** The platform's id of its newest post that is no repost, and what is known of it. */
  postId: string
  likes: number
}

let database: TestDatabase
let workspaceId: string
let accounts: SeededAccount[]
let startedMs: number

beforeAll(async () => {
  database = await createTestDatabase()
  workspaceId = await makeWorkspace(database)
  startedMs = Date.now()
  const seeded = await seedDemo({
    env: parseEnv({
      ...{ DATABASE_URL: database.appUrl, NEON_FETCH_ENDPOINT: inject('neonEndpoint') },
      ...{ UPSTASH_REDIS_REST_URL: inject('redisUrl'), UPSTASH_REDIS_REST_TOKEN: inject('redisToken') },
      ...{ QSTASH_TOKEN: 'none', QSTASH_CURRENT_SIGNING_KEY: 'none', QSTASH_NEXT_SIGNING_KEY: 'none' },
      BETTER_AUTH_SECRET: 'a'.repeat(32),
      PUBLIC_URL: 'http://127.0.0.1:8787',
      CREDENTIALS_KEY: key,
      ...bindPlatforms({}, PORTS).bindings,
    }),
    workspaceId,
    world,
    platforms: WANTED,
    mastodonHost: '127.0.0.1:2',
    analyse: async () => void (await database.sql('ANALYZE')),
  })
  expect(seeded).toBe(WANTED.length)
  accounts = await database.sql<SeededAccount>(
    `SELECT a.id, a.platform, a.source, a.status, a.tracked_since AS "trackedSince", a.last_synced_at AS "readAt",
       p.platform_post_id AS "postId", p.likes::int AS likes
     FROM accounts a LEFT JOIN LATERAL (
       SELECT * FROM posts WHERE account_id = a.id AND kind <> 'repost' ORDER BY posted_at DESC LIMIT 1) p ON TRUE
     WHERE a.workspace_id = $1`,
    [workspaceId],
  )
}, 120_000)
afterAll(() => database.close())

test('an account of each platform that is wanted is connected since the beginning of the history', () => {
  expect(accounts.map(({ platform }) => platform).toSorted()).toEqual([...WANTED].toSorted())
  for (const { platform, status, trackedSince, readAt } of accounts) {
    expect({ platform, status }).toEqual({ platform, status: 'active' })
    expect(readAt.getTime() - trackedSince.getTime()).toBe(90 * DAY_MS)
    expect(readAt.getTime()).toBeGreaterThanOrEqual(startedMs)
  }
})

test('the last reading is what the platforms show at the present', () => {
  const expected = accounts.map(({ platform, readAt }) => {
    const truth = truthOf(world, elementAt(world.accounts(platform), 0), readAt.getTime())
    const [post] = truth.posts.filter(({ deletedAt }) => deletedAt === null)
    return { platform, postId: post?.id, likes: post?.metrics.likes }
  })
  expect(accounts.map(({ platform, postId, likes }) => ({ platform, postId, likes }))).toEqual(expected)
})

test('what platforms granted is sealed for the account, and for those alone that ask for consent', async () => {
  const rows = await database.sql<{ accountId: string; keyId: string; sealed: string }>(
    'SELECT account_id AS "accountId", key_id AS "keyId", sealed FROM platform_credentials WHERE workspace_id = $1',
    [workspaceId],
  )
  const consented = accounts.filter(({ platform }) => PLATFORM_FACTS[platform].connects === 'oauth')
  expect(rows.map(({ accountId }) => accountId).toSorted()).toEqual(consented.map(({ id }) => id).toSorted())
  const vault = createCredentialVault([key])
  for (const { id: accountId, platform, source } of consented) {
    expect({ platform, source }).toEqual({ platform, source: 'credential' })
    const row = rows.find((one) => one.accountId === accountId)
    if (row === undefined) throw new Error('It has no credential')
    const secret = await vault.open({ workspaceId, accountId, platform }, row)
    expect(secret.accessToken).not.toBe('')
    expect(JSON.stringify(rows)).not.toContain(secret.accessToken)
  }
})

test('no day costs more than a workspace may spend, and no call failed', async () => {
  const days = await database.sql<{ usd: number; failures: number }>(
    `SELECT sum(cost_micros)::float8 / 1e6 AS usd, sum(failures)::int AS failures FROM api_usage
     WHERE workspace_id = $1 AND platform = 'x' GROUP BY (at AT TIME ZONE 'UTC')::date`,
    [workspaceId],
  )
  expect(days.length).toBeGreaterThan(10)
  expect(Math.max(...days.map(({ usd }) => usd))).toBeLessThanOrEqual(5)
  expect(days.every(({ failures }) => failures === 0)).toBe(true)
})

test('what today has cost is taken from the money that the running engine has for today', async () => {
  const [today] = await database.sql<{ micros: number }>(
    `SELECT sum(cost_micros)::int AS micros FROM api_usage
     WHERE workspace_id = $1 AND platform = 'x' AND at >= date_trunc('day', $2::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'`,
    [workspaceId, new Date(startedMs)],
  )
  const redis = createRedis({ url: inject('redisUrl'), token: inject('redisToken'), timeoutMs: 5_000 })
  const gate = createCallGate({ redis, clock: { now: () => startedMs }, waitUntil: () => {} })
  const { spentMicros, leftMicros } = await gate.moneyLeft('x', { workspaceId, dailyMicros: 5_000_000 })
  expect(spentMicros).toBeGreaterThan(0)
  expect(spentMicros).toBe(today?.micros)
  // Some of it is left from the day's first minute on.
  expect(leftMicros).toBeGreaterThan(0)
})
