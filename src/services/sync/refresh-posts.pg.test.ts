import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount, reading } from '../../../test/harness/factories.ts'
import { noMetrics } from '../../domain/platforms.ts'
import { type PlatformConnector, PlatformError } from '../../ports.ts'
import { makeRig, type Rig } from '../imports/rig.test-helper.ts'
import { ingest } from '../ingest/ingest.ts'
import { RefreshPostsMessage } from './messages.ts'
import { refreshPosts } from './refresh-posts.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const HOUR_MS = 3_600_000

const unused = () => Promise.reject(new Error('Nothing but posts is read here'))

/** A platform that says nothing of some posts, and of which it is written down what it was asked for. */
function platformOf(isOpen: (id: string, time: number) => boolean, more: Partial<PlatformConnector> = {}) {
  const asked: string[][] = []
  const connector: PlatformConnector = {
    ...{ platform: 'youtube', refreshBatchSize: 2, profileBatchSize: 1, batchBy: 'host' },
    ...{ resolve: unused, fetchProfiles: unused, fetchPosts: unused },
    async refreshPosts(ctx, _scope, known) {
      asked.push(known.map(({ id }) => id))
      const times = (id: string) => asked.flat().filter((one) => one === id).length
      for (const { id } of known) if (isOpen(id, times(id))) ctx.leaveOpen(id)
      return known
        .filter(({ id }) => !isOpen(id, times(id)) && id !== 'gone')
        .map(({ id }) => ({
          ...{ platformPostId: id, kind: 'post', text: id, hashtags: [], url: null, media: [] },
          ...{ postedAt: '2026-03-01T12:00:00.000Z', metrics: { ...noMetrics(), likes: 7 } },
        }))
    },
    ...more,
  }
  return { connector, asked }
}

async function deliver(rig: Rig, connector: PlatformConnector, body: unknown): Promise<void> {
  await refreshPosts(
    { ...rig.ctx, connectors: async () => ({ youtube: connector }), fetchFor: () => unused },
    RefreshPostsMessage.parse(body),
  )
}

/** Refreshes posts that are known; each has five likes so far, and is claimed for a quarter of an hour. */
async function refresh(rig: Rig, connector: PlatformConnector, ids: string[]) {
  const { workspace } = rig.ctx
  const accountId = await makeAccount(database, workspace.id, { platform: 'youtube' })
  const known = ids.map((id) => reading(accountId, id, { metrics: { likes: 5 } }))
  await ingest(rig.ctx, { workspaceId: workspace.id, posts: known })
  const claimedUntil = new Date(rig.time.nowMs + HOUR_MS / 4)
  await database.sql('UPDATE posts SET next_refresh_at = $1 WHERE account_id = $2', [claimedUntil, accountId])
  await deliver(rig, connector, {
    platform: 'youtube',
    host: null,
    accounts: [
      {
        ...{ id: accountId, workspaceId: workspace.id, externalId: 'UC1', handle: 'ada' },
        posts: ids.map((id) => ({ id, postedAtMs: 0 })),
      },
    ],
    plannedAt: new Date(rig.time.nowMs).toISOString(),
    round: 0,
  })
  return database.sql<{ id: string; likes: number; missing: boolean; next: Date }>(
    `SELECT platform_post_id AS id, likes::int, absent_since IS NOT NULL AS missing, next_refresh_at AS next
     FROM posts WHERE account_id = $1 ORDER BY platform_post_id`,
    [accountId],
  )
}

it('asks once more, with others, for what a platform said nothing of', async () => {
  const { connector, asked } = platformOf((id, time) => id === 'b' && time === 1)
  const posts = await refresh(await makeRig(database), connector, ['a', 'b', 'c'])
  expect(asked).toEqual([
    ['a', 'b'],
    ['c', 'b'],
  ])
  expect(posts.map(({ id, likes, missing }) => [id, likes, missing])).toEqual([
    ['a', 7, false],
    ['b', 7, false],
    ['c', 7, false],
  ])
})

it('takes a post for missing that is left out, and none of which there is no word: that one rests', async () => {
  const { connector, asked } = platformOf((id) => id === 'b')
  const rig = await makeRig(database)
  const posts = await refresh(rig, connector, ['a', 'b', 'gone'])
  expect(asked).toEqual([
    ['a', 'b'],
    ['gone', 'b'],
  ])
  expect(posts.map(({ id, likes, missing }) => [id, likes, missing])).toEqual([
    ['a', 7, false],
    ['b', 5, false],
    ['gone', 5, true],
  ])
  const restMs = (posts[1]?.next.getTime() ?? 0) - rig.time.nowMs
  expect(restMs).toBeGreaterThanOrEqual(HOUR_MS)
  expect(restMs).toBeLessThan(1.1 * HOUR_MS)
  expect(rig.queue.sent).toEqual([])
})

it('puts posts of one kind into batches together', async () => {
  const { connector, asked } = platformOf(() => false, { refreshKind: (id) => id.charAt(0) })
  await refresh(await makeRig(database), connector, ['s1', 'u1', 's2', 'u2', 's3'])
  expect(asked).toEqual([['s1', 's2'], ['s3', 'u1'], ['u2']])
})

it('leaves its rest to one message, however often it is delivered, until all is read', async () => {
  let room = 1
  const { connector, asked } = platformOf(() => false)
  const limited: PlatformConnector = {
    ...connector,
    async refreshPosts(...call) {
      if (room === 0) throw new PlatformError('rate_limited', 'Later', { retryAfterMs: 30_000 })
      room -= 1
      return connector.refreshPosts(...call)
    },
  }
  const rig = await makeRig(database)
  await refresh(rig, limited, ['a', 'b', 'c', 'd'])
  const idsOf = (body: unknown) =>
    RefreshPostsMessage.parse(body).accounts.flatMap(({ posts }) => posts.map(({ id }) => id))
  const sent = () => rig.queue.sent.map(({ body, delaySeconds }) => [idsOf(body), delaySeconds])
  const rest = [['c', 'd'], 30]
  expect(sent()).toEqual([rest])
  // There is no room twice more, and each message comes twice.
  for (const rests of [2, 3]) {
    const body = rig.queue.sent.at(-1)?.body
    await deliver(rig, limited, body)
    await deliver(rig, limited, body)
    expect(sent()).toEqual(Array.from({ length: rests }, () => rest))
  }
  room = 1
  await deliver(rig, limited, rig.queue.sent.at(-1)?.body)
  expect(sent()).toHaveLength(3)
  expect(asked).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])
})
