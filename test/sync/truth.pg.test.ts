import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { NETWORKS } from '../../scripts/local/platforms/networks.ts'
import { PLATFORMS, type Platform } from '../../src/domain/platforms.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { type Engine, HOUR_MS, MINUTE_MS, startEngine } from './engine.ts'
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

/** More than the first delivery reads of whoever writes most, so that older posts follow in messages. */
const castOf = (platform: Platform) => [
  person(platform, 'ada', { postsPerDay: 9 }),
  person(platform, 'bo', { postsPerDay: 1 }),
  // What both of them post in.
  ...(platform === 'reddit' ? [person(platform, 'tidemarks', { isCommunity: true, followers: 52_300 })] : []),
]

async function startConnected(platform: Platform): Promise<Engine> {
  const engine = await startEngine(database, { accounts: castOf(platform), historyDays: 24, ...ROOMY })
  for (const { key } of castOf(platform)) await engine.connect(key)
  await engine.drain()
  return engine
}

/** Reads everything now. */
async function readAll(engine: Engine): Promise<void> {
  const now = new Date(engine.nowMs)
  await database.sql('UPDATE accounts SET next_sync_at = $1', [now])
  await database.sql("UPDATE posts SET next_refresh_at = $1 WHERE deleted_at IS NULL AND kind <> 'repost'", [
    now,
  ])
  await engine.plan()
  await engine.drain()
}

async function expectAllToBeTrue(engine: Engine): Promise<void> {
  for (const { key } of engine.world.accounts()) {
    await expectProfileToBeTrue(database, engine, key)
    await expectPostsToBeTrue(database, engine, key)
  }
  await expectRollupsToMatchPosts(database, engine.workspaceId)
}

function newestPosts(engine: Engine, key: string): string[] {
  return engine.world
    .posts(engine.person(key), { t: engine.nowMs, limit: 40, where: (entry) => entry.kind === 'post' })
    .map(({ post }) => post.id)
}

describe.each(PLATFORMS)('what is stored of %s', (platform) => {
  it('is what it shows, to the last unit: at first, and after everything has changed', async () => {
    const engine = await startConnected(platform)
    await expectAllToBeTrue(engine)
    expect(await database.sql('SELECT 1 FROM accounts WHERE backfilled_at IS NULL')).toEqual([])

    const [liked, changed, removed] = newestPosts(engine, 'ada')
    engine.elapse(2 * HOUR_MS)
    engine.act('like', { platform, post: liked, count: 12 })
    engine.act('adjust', { platform, post: liked, replies: 3, views: 900, reach: 30 })
    engine.act('unlike', { platform, post: newestPosts(engine, 'bo')[0], count: 1 })
    if (NETWORKS[platform].canEdit)
      engine.act('edit', { platform, post: changed, text: 'Said otherwise #ebb' })
    engine.act('publish', { platform, account: 'bo', text: 'A word more #tide', growth: 'organic' })
    for (const { key } of castOf(platform).slice(1))
      engine.act('follow', { platform, account: key, count: 41 })
    engine.act('rename', {
      platform,
      account: 'ada',
      displayName: 'Ada of the Tides',
      ...(NETWORKS[platform].canRename && { handle: platform === 'bluesky' ? 'tide.example.org' : 'tide' }),
    })
    engine.act('delete', { platform, post: removed })
    await readAll(engine)
    // A post is gone once it was left out twice, and its account was there in between.
    for (const minutes of [11, 11]) {
      engine.elapse(minutes * MINUTE_MS)
      await readAll(engine)
    }
    await expectAllToBeTrue(engine)
    expect(
      await database.sql('SELECT DISTINCT platform_post_id AS id FROM posts WHERE deleted_at IS NOT NULL'),
    ).toEqual([{ id: removed }])
    if (NETWORKS[platform].canEdit)
      expect(
        await database.sql(
          "SELECT DISTINCT platform_post_id FROM post_hashtags h JOIN posts p ON p.id = h.post_id WHERE tag = 'ebb'",
        ),
      ).toHaveLength(1)
    expect(engine.stats[platform].snapshot().violations).toEqual({})
    expect(engine.queue.dead).toEqual([])
  })
})
