import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { Db } from '../../db/client.ts'
import type { Platform } from '../../domain/platforms.ts'
import { TRENDING_SORTS, TRENDING_WINDOWS } from '../../domain/trending.ts'
import { newId } from '../../lib/ids.ts'
import { type LiveEvent, PUBLIC_SCOPE } from '../../ports.ts'
import { ingest } from '../ingest/ingest.ts'
import { getPublicHashtagCourse } from './get-hashtag-course.ts'
import { getPublicTrending, type PublicTrendingInput } from './get-public-trending.ts'
import { refreshPublicTrending } from './refresh-public-trending.ts'
import type { TrendingHashtags } from './schemas.ts'

const NOW = Date.parse('2026-04-02T15:23:17.456Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
// There is one public.
beforeEach(async () => {
  await database.sql('TRUNCATE workspaces CASCADE')
  await database.sql('TRUNCATE public_trending_hashtags')
})

/** What the caches and the public's hub are told, in order. */
type Told = ['raised', number] | ['told', number, LiveEvent[]]

function world() {
  const state = { nowMs: NOW, told: [] as Told[], counted: [] as boolean[], isHubThere: true }
  const db: Db = {
    ...database.db,
    async outside(query, options) {
      const rows = await database.db.outside(query, options)
      const [row] = rows
      if (typeof row === 'object' && row !== null && 'counts' in row) state.counted.push(row.counts !== null)
      return rows
    },
  }
  const quiet = quietDeps(db)
  const background: Promise<unknown>[] = []
  const deps = {
    ...quiet,
    clock: { now: () => state.nowMs },
    waitUntil: (work: Promise<unknown>) => void background.push(work),
    generations: {
      ...quiet.generations,
      raise: async (scope: string, generation: number) => {
        expect(scope).toBe(PUBLIC_SCOPE)
        state.told.push(['raised', generation])
      },
    },
    hub: {
      ...quiet.hub,
      publish: async (scope: string, batches: { generation: number; events: LiveEvent[] }[]) => {
        expect(scope).toBe(PUBLIC_SCOPE)
        if (!state.isHubThere) throw new Error('the hub is away')
        for (const { generation, events } of batches) state.told.push(['told', generation, events])
      },
    },
  }
  const ask = (given: Partial<PublicTrendingInput> = {}) =>
    getPublicTrending(deps, { window: '24h', platforms: [], sort: 'surge', limit: 100, ...given })
  return {
    state,
    ask,
    refresh: async (given: { nowMs?: number } = {}) => {
      const result = await refreshPublicTrending({
        ...deps,
        clock: { now: () => given.nowMs ?? state.nowMs },
      })
      await Promise.all(background)
      return result
    },
    /** Whether an answer was at hand, rather than counted. */
    async wasStored(given: Partial<PublicTrendingInput> = {}) {
      const before = state.counted.length
      await ask(given)
      expect(state.counted.slice(before)).toHaveLength(1)
      return state.counted.at(-1) === false
    },
    generation: async () => (await ask()).generation,
  }
}

/** So many accounts that anybody can read, each in a workspace with others of them. */
async function makeReaders(howMany: number, platform: Platform = 'bluesky') {
  const workspaceId = await makeWorkspace(database)
  const ids: string[] = []
  for (let i = 0; i < howMany; i++) ids.push(await makeAccount(database, workspaceId, { platform }))
  return {
    ids,
    /** A post of each with a tag, so many hours ago. */
    use: (tag: string, hoursAgo = 0.5) =>
      ingest(quietDeps(database.db), {
        workspaceId,
        posts: ids.map((id) =>
          reading(id, newId(), {
            postedAt: new Date(NOW - hoursAgo * HOUR).toISOString(),
            observedAt: new Date(NOW).toISOString(),
            hashtags: [{ tag, display: tag }],
            metrics: { likes: 3 },
          }),
        ),
      }),
  }
}

const told = (generation: number, windows: string[]): Told[] => [
  ['raised', generation],
  ['told', generation, [{ type: 'trending.updated', data: { scope: 'public', windows } }]],
]

const toldRow = async () =>
  (
    await database.sql<{ told: boolean; windows: string[]; since: string | null }>(
      'SELECT told_generation = generation AS told, untold_windows AS windows, untold_since::text AS since FROM public_scope',
    )
  )[0]

describe('refreshing the trends of the public', () => {
  it('tells the caches and then the listeners, once, of every window that changed', async () => {
    const w = world()
    const before = await w.generation()
    const readers = await makeReaders(5)
    await readers.use('tide')
    const { generation, changedWindows } = await w.refresh()
    expect(changedWindows).toEqual(['1h', '24h', '7d'])
    expect(generation).toBeGreaterThan(before)
    expect(w.state.told).toEqual(told(generation ?? 0, ['1h', '24h', '7d']))
    expect(await toldRow()).toEqual({ told: true, windows: [], since: null })
    expect(await w.generation()).toBe(generation)
    const course = await getPublicHashtagCourse({ db: database.db, clock: { now: () => NOW } }, 'tide')
    expect(course.generation).toBe(generation)

    await readers.use('ebb', 40)
    const next = await w.refresh()
    expect(next.changedWindows).toEqual(['7d'])
    expect(next.generation).toBeGreaterThan(generation ?? 0)
    expect(w.state.told.slice(2)).toEqual(told(next.generation ?? 0, ['7d']))
  })

  it('tells nothing when only time has passed, and of no posts at all', async () => {
    const w = world()
    const nothing = { changedWindows: [], generation: null }
    expect(await w.refresh()).toEqual(nothing)
    await (await makeReaders(5)).use('tide')
    await w.refresh()
    const [{ length }, first] = [w.state.told, await w.ask()]
    w.state.nowMs += 4 * MINUTE
    expect(await w.refresh()).toEqual(nothing)
    expect(w.state.told).toHaveLength(length)
    const second = await w.ask()
    expect([first.generatedAt, second.generatedAt]).toEqual(
      [NOW, NOW + 4 * MINUTE].map((ms) => new Date(ms).toISOString()),
    )
    expect(second.generation).toBe(first.generation)
    expect(await w.wasStored()).toBe(true)
  })

  it('tells that a tag has left the window, and that a platform’s accounts cannot be read any more', async () => {
    const w = world()
    await (await makeReaders(5)).use('tide')
    const { ids, use } = await makeReaders(5, 'mastodon')
    await use('ebb')
    await w.refresh()
    w.state.nowMs += HOUR
    expect((await w.refresh()).changedWindows).toEqual(['1h'])
    expect((await w.ask({ window: '1h' })).items).toEqual([])

    await database.sql("UPDATE accounts SET status = 'gone' WHERE id = ANY ($1)", [ids])
    expect((await w.refresh()).changedWindows).toEqual(['24h', '7d'])
    expect(await w.wasStored({ platforms: ['mastodon'] })).toBe(true)
    expect((await w.ask({ platforms: ['mastodon'] })).items).toEqual([])
    expect((await w.ask()).items.map(({ tag }) => tag)).toEqual(['tide'])
    expect(await w.refresh()).toEqual({ changedWindows: [], generation: null })
  })

  it('does no harm twice at once, and keeps what was worked out later', async () => {
    const w = world()
    const readers = await makeReaders(5)
    await readers.use('tide')
    await Promise.all([w.refresh(), w.refresh()])
    expect((await w.ask()).items.map(({ tag }) => tag)).toEqual(['tide'])
    const [generation, { length }] = [await w.generation(), w.state.told]

    // Overtaken: begun before the other, and stored after it.
    await readers.use('ebb')
    expect(await w.refresh({ nowMs: NOW - MINUTE })).toEqual({ changedWindows: [], generation: null })
    expect(await w.generation()).toBe(generation)
    expect(w.state.told).toHaveLength(length)
    expect((await w.ask()).generatedAt).toBe(new Date(NOW).toISOString())
  })

  it('leaves what the hub did not take to the sweeper, also what came after it', async () => {
    const w = world()
    const readers = await makeReaders(5)
    await readers.use('tide', 40)
    w.state.isHubThere = false
    const { generation } = await w.refresh()
    // The caches know: whoever asks is answered anew, told or not.
    expect(w.state.told).toEqual([['raised', generation]])
    expect(await toldRow()).toMatchObject({ told: false, windows: ['7d'], since: expect.any(String) })

    w.state.isHubThere = true
    await readers.use('ebb', 20)
    const next = await w.refresh()
    expect(next.changedWindows).toEqual(['24h', '7d'])
    expect(w.state.told.slice(1)).toEqual(told(next.generation ?? 0, ['24h', '7d']))
    expect(await toldRow()).toEqual({ told: true, windows: [], since: null })
  })
})

describe('an answer for the public that was worked out ahead', () => {
  it('is the one that would be counted now, for all platforms and for one, in any order', async () => {
    const w = world()
    for (const [i, platform] of (['bluesky', 'mastodon', 'youtube'] as const).entries()) {
      const readers = await makeReaders(6, platform)
      for (let tag = 0; tag < 4; tag++) await readers.use(`tag${(tag * 7 + i) % 5}`, tag * 9 + 0.5)
    }
    await w.refresh()
    const questions = TRENDING_WINDOWS.flatMap((window) =>
      TRENDING_SORTS.flatMap((sort) =>
        ([[], ['mastodon'], ['youtube']] satisfies Platform[][]).map((platforms) => ({
          window,
          sort,
          platforms,
        })),
      ),
    )
    const answers = async () => {
      const given: TrendingHashtags[] = []
      for (const question of questions) given.push(await w.ask({ ...question, limit: 3 }))
      return { given, counted: w.state.counted.splice(0) }
    }
    const stored = await answers()
    expect(stored.counted).toEqual(questions.map(() => false))
    await database.sql('UPDATE public_trending_hashtags SET generation = generation - 1')
    expect(await answers()).toEqual({ given: stored.given, counted: questions.map(() => true) })
    expect(stored.given.every(({ items }) => items.length > 0)).toBe(true)

    await database.sql('UPDATE public_trending_hashtags SET generation = generation + 1')
    expect(await w.wasStored({ platforms: ['bluesky', 'mastodon'] })).toBe(false)
  })

  it('is that of the only platform there is, unless its figures stand aside among others', async () => {
    const w = world()
    await (await makeReaders(5, 'youtube')).use('tide')
    await w.refresh()
    expect((await w.ask()).items[0]?.engagements).toBeNull()
    expect((await w.ask({ platforms: ['youtube'] })).items[0]?.engagements).toBe(15)
    expect(await w.wasStored({ platforms: ['youtube'] })).toBe(true)
  })

  it('serves until it is 10 minutes old', async () => {
    const w = world()
    await (await makeReaders(5)).use('tide')
    await w.refresh()
    w.state.nowMs += 10 * MINUTE - 1
    expect(await w.wasStored()).toBe(true)
    w.state.nowMs += 1
    expect(await w.wasStored()).toBe(false)
  })

  it('is counted anew where an earlier version stored something else', async () => {
    const w = world()
    await (await makeReaders(5)).use('tide')
    await w.refresh()
    await database.sql(`UPDATE public_trending_hashtags SET trends = '[{"tag": "tide"}]'`)
    expect((await w.ask()).items.map(({ uses }) => uses)).toEqual([5])
    expect((await w.refresh()).changedWindows).toEqual(['1h', '24h', '7d'])
  })
})
