import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { Db } from '../../db/client.ts'
import type { Platform } from '../../domain/platforms.ts'
import { newId } from '../../lib/ids.ts'
import type { LiveEvent, QueueMessage } from '../../ports.ts'
import { brandsOf } from '../access/reach.ts'
import { ingest } from '../ingest/ingest.ts'
import { computeTrending, type TrendingInput } from './compute-trending.ts'
import { getTrendingHashtags } from './get-trending-hashtags.ts'
import { RefreshTrendingMessage } from './messages.ts'
import { planTrending } from './plan-trending.ts'
import { refreshTrending } from './refresh-trending.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const NOW = Date.parse('2026-04-02T15:23:17.456Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

type Told = { generation: number; events: LiveEvent[] }

function world(workspaceId: string, accounts: string[]) {
  const state = { nowMs: NOW, told: [] as Told[], raised: [] as number[], rows: [] as number[][] }
  const db: Db = {
    async inWorkspace(...call) {
      const results = await database.db.inWorkspace(...call)
      // Reading alone: events are delivered in the background.
      if (call[2]?.snapshot) state.rows.push(results.map((rows) => rows.length))
      return results
    },
    outside: (...call) => database.db.outside(...call),
  }
  const deps = {
    ...quietDeps(db),
    clock: { now: () => state.nowMs },
    generations: {
      raise: async (_scope: string, generation: number) => void state.raised.push(generation),
      note() {},
    },
    hub: {
      publish: async (_workspaceId: string, batches: Told[]) => void state.told.push(...batches),
      announce: async () => {},
      issueTicket: async () => {},
      revoke: async () => 0,
    },
  }
  const ctx = {
    db,
    clock: deps.clock,
    workspace: { id: workspaceId, timezone: 'UTC' },
    actor: member('viewer'),
  }
  const question = (given: Partial<TrendingInput> = {}): TrendingInput => ({
    window: '24h',
    platforms: [],
    brands: [],
    sort: 'surge',
    limit: 100,
    scope: 'workspace',
    ...given,
  })
  return {
    workspaceId,
    accounts,
    first: accounts[0] ?? '',
    second: accounts[1] ?? '',
    state,
    refresh: () => refreshTrending(deps, workspaceId),
    get: (given?: Partial<TrendingInput>) =>
      getTrendingHashtags({ ...ctx, reach: brandsOf(ctx.actor) }, question(given)),
    compute: (given?: Partial<TrendingInput>) => computeTrending(ctx, question(given)),
    /** Posts with a tag, so many hours ago. */
    use: (accountId: string, tag: string, howMany: number, hoursAgo = 0.5) =>
      ingest(quietDeps(database.db), {
        workspaceId,
        posts: Array.from({ length: howMany }, () =>
          reading(accountId, newId(), {
            postedAt: new Date(NOW - hoursAgo * HOUR).toISOString(),
            observedAt: new Date(NOW).toISOString(),
            hashtags: [{ tag, display: tag }],
            metrics: { likes: 3 },
          }),
        ),
      }),
    generation: async () =>
      Number(
        (
          await database.sql<{ generation: string }>('SELECT generation FROM workspaces WHERE id = $1', [
            workspaceId,
          ])
        )[0]?.generation,
      ),
    /** Whether an answer was at hand: it takes one look, and two to work it out. */
    async wasStored(given?: Partial<TrendingInput>) {
      const before = state.rows.length
      await getTrendingHashtags({ ...ctx, reach: brandsOf(ctx.actor) }, question(given))
      const [trip = [], ...others] = state.rows.slice(before)
      expect(others).toEqual([])
      // The state of the workspace, what was worked out ahead, and what was counted in its place.
      const [, stored = 0, counted = 0] = trip
      expect(stored === 0 || counted === 0).toBe(true)
      return stored === 1
    },
  }
}

async function start(platforms: Platform[] = ['bluesky', 'mastodon']) {
  const workspaceId = await makeWorkspace(database)
  const accounts: string[] = []
  for (const platform of platforms) accounts.push(await makeAccount(database, workspaceId, { platform }))
  return world(workspaceId, accounts)
}

describe('refreshing the trends of a workspace', () => {
  it('tells once of every window that changed, with the generation that it raised', async () => {
    const w = await start()
    await w.use(w.first, 'tide', 5)
    await w.use(w.second, 'ebb', 4, 30)
    const before = await w.generation()
    expect(await w.refresh()).toEqual({ changedWindows: ['1h', '24h', '7d'], generation: before + 1 })
    expect(w.state.told.at(-1)).toEqual({
      generation: before + 1,
      events: [{ type: 'trending.updated', data: { scope: 'workspace', windows: ['1h', '24h', '7d'] } }],
    })
    expect(w.state.raised.at(-1)).toBe(before + 1)

    await w.use(w.second, 'neap', 3, 40)
    expect(await w.refresh()).toEqual({ changedWindows: ['7d'], generation: before + 3 })
  })

  it('tells nothing when only time has passed, and nothing of a workspace without tags', async () => {
    const w = await start()
    expect(await w.refresh()).toEqual({ changedWindows: [], generation: null })
    await w.use(w.first, 'tide', 5)
    await w.refresh()
    const [told, generation] = [w.state.told.length, await w.generation()]
    const first = await w.get()
    w.state.nowMs += 4 * MINUTE
    expect(await w.refresh()).toEqual({ changedWindows: [], generation: null })
    expect(await w.generation()).toBe(generation)
    expect(w.state.told).toHaveLength(told)
    const second = await w.get()
    expect(second.generatedAt).not.toBe(first.generatedAt)
    expect(second.generation).toBe(generation)
  })

  it('tells when a tag has left the window', async () => {
    const w = await start()
    await w.use(w.first, 'tide', 5)
    await w.refresh()
    w.state.nowMs += HOUR
    expect((await w.refresh()).changedWindows).toEqual(['1h'])
    expect((await w.get({ window: '1h' })).items).toEqual([])
  })

  it('does no harm twice at once, or in a workspace that is gone', async () => {
    const w = await start()
    await w.use(w.first, 'tide', 5)
    await Promise.all([w.refresh(), w.refresh()])
    expect((await w.get()).items.map((item) => item.tag)).toEqual(['tide'])
    expect(await w.refresh()).toEqual({ changedWindows: [], generation: null })
    expect(await refreshTrending({ ...quietDeps(database.db), clock: { now: () => NOW } }, newId())).toEqual({
      changedWindows: [],
      generation: null,
    })
  })

  it('keeps what was worked out later', async () => {
    const w = await start()
    await w.use(w.first, 'tide', 5)
    await w.refresh()
    w.state.nowMs -= MINUTE
    await w.use(w.first, 'tide', 1)
    await w.refresh()
    const rows = await database.sql<{ at: string }>(
      'SELECT DISTINCT computed_at::text AS at FROM trending_hashtags WHERE workspace_id = $1',
      [w.workspaceId],
    )
    expect(rows.map((row) => Date.parse(row.at))).toEqual([NOW])
  })
})

describe('an answer that was worked out ahead', () => {
  it('is the one that would be worked out now, for all platforms and for one, in any order', async () => {
    const w = await start(['bluesky', 'mastodon', 'youtube'])
    for (const [i, accountId] of w.accounts.entries())
      for (let tag = 0; tag < 12; tag++)
        await w.use(accountId, `tag${tag}`, ((tag * 7 + i) % 5) + 1, (tag % 4) * 9 + 0.5)
    await w.refresh()
    for (const window of ['1h', '24h', '7d'] as const)
      for (const sort of ['surge', 'volume', 'engagement'] as const)
        for (const platforms of [[], ['mastodon'], ['youtube']] satisfies Platform[][]) {
          const given = { window, sort, platforms, limit: 5 }
          expect(await w.wasStored(given)).toBe(true)
          expect(await w.get(given)).toEqual(await w.compute(given))
        }
  })

  it('serves until it is 5 minutes old', async () => {
    const w = await start(['bluesky'])
    await w.use(w.first, 'tide', 5)
    await w.refresh()
    w.state.nowMs += 5 * MINUTE - 1
    expect(await w.wasStored()).toBe(true)
    expect(await w.wasStored({ platforms: ['bluesky'] })).toBe(true)
    expect((await w.get()).generatedAt).toBe('2026-04-02T15:23:17.456Z')
    w.state.nowMs += 1
    expect(await w.wasStored()).toBe(false)
    expect((await w.get()).generatedAt).toBe('2026-04-02T15:28:17.456Z')
  })

  it('gives way to what has changed since', async () => {
    const w = await start()
    await w.use(w.first, 'tide', 5)
    await w.refresh()
    expect(await w.wasStored()).toBe(true)
    await w.use(w.first, 'tide', 1)
    expect(await w.wasStored()).toBe(false)
    const answer = await w.get()
    expect(answer.items.map((item) => item.uses)).toEqual([6])
    expect(answer.generation).toBe(await w.generation())
  })

  it('is never taken for current when the workspace changed while it was worked out', async () => {
    const w = await start(['bluesky'])
    await w.use(w.first, 'tide', 5)
    const changing: Db = {
      ...database.db,
      async inWorkspace(workspaceId, statements, options) {
        const results = await database.db.inWorkspace(workspaceId, statements, options)
        // Between the reading of the counts (four statements) and the writing of the lists.
        if (options?.snapshot && statements.length === 4) await w.use(w.first, 'ebb', 5)
        return results
      },
    }
    await refreshTrending({ ...quietDeps(changing), clock: { now: () => NOW } }, w.workspaceId)
    expect(await w.wasStored()).toBe(false)
    expect((await w.get()).items.map((item) => item.tag)).toEqual(['ebb', 'tide'])
  })

  it('is not asked for where filters are its own, or in public', async () => {
    const w = await start()
    await w.use(w.first, 'tide', 5)
    await w.refresh()
    expect((await w.get({ platforms: ['bluesky', 'mastodon'] })).items).toHaveLength(1)
    expect((await w.get({ platforms: ['mastodon'] })).items).toEqual([])
    expect((await w.get({ brands: [newId()] })).items).toEqual([])
    expect((await w.get({ scope: 'public' })).scope).toBe('public')
  })

  it('is worked out anew where an earlier version stored something else', async () => {
    const w = await start()
    await w.use(w.first, 'tide', 5)
    await w.refresh()
    await database.sql(`UPDATE trending_hashtags SET items = '[{"tag": "tide"}]' WHERE workspace_id = $1`, [
      w.workspaceId,
    ])
    expect((await w.get()).items.map((item) => item.uses)).toEqual([5])
    expect((await w.refresh()).changedWindows).toEqual(['1h', '24h', '7d'])
  })
})

describe('planning', () => {
  it('queues one refresh for each workspace that used a hashtag lately, and one of the public, once in 5 minutes', async () => {
    const other = await createTestDatabase()
    try {
      const ids: string[] = []
      for (const daysAgo of [1, 7.9, 8.1, null]) {
        const workspaceId = await makeWorkspace(other)
        ids.push(workspaceId)
        const accountId = await makeAccount(other, workspaceId)
        if (daysAgo === null) continue
        await ingest(quietDeps(other.db), {
          workspaceId,
          posts: [
            reading(accountId, 'a', {
              postedAt: new Date(NOW - daysAgo * 24 * HOUR).toISOString(),
              hashtags: [{ tag: 'tide', display: 'Tide' }],
            }),
          ],
        })
      }
      const queued: QueueMessage[] = []
      const plan = (nowMs: number) =>
        planTrending(
          {
            db: other.db,
            clock: { now: () => nowMs },
            queue: { publish: async (messages) => void queued.push(...messages) },
          },
          // So that there is more than one page.
          1,
        )
      expect(await plan(NOW)).toEqual({ workspaces: 2 })
      const [ofPublic, ...others] = queued
      expect(ofPublic).toMatchObject({ topic: 'trending/refresh-public', body: {} })
      expect(others.map((message) => RefreshTrendingMessage.parse(message.body).workspaceId).sort()).toEqual(
        ids.slice(0, 2).sort(),
      )
      expect(new Set(others.map((message) => message.topic))).toEqual(new Set(['trending/refresh']))
      await plan(NOW + 10_000)
      expect(new Set(queued.map((message) => message.deduplicationId)).size).toBe(3)
      await plan(NOW + 5 * MINUTE)
      expect(new Set(queued.map((message) => message.deduplicationId)).size).toBe(6)
    } finally {
      await other.close()
    }
  })
})
