import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Platform } from '../../src/domain/platforms.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { allDue, expectPostsToBeTrueAfterReading, readAll, startConnected } from './connected.ts'
import { type Engine, HOUR_MS, MINUTE_MS } from './engine.ts'
import { dump } from './facts.ts'
import { platformAt } from './networks.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
afterEach(() => {
  vi.useRealTimers()
})

const SECOND_MS = 1_000

/** Every row of every table that holds some words. */
async function rowsWith(words: string): Promise<string[]> {
  const tables = await database.sql<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await database.sql(`SELECT 1 FROM "${name}" t WHERE t::text LIKE '%' || $1 || '%'`, [words])
    if (rows.length > 0) found.push(name)
  }
  return found
}

describe('an answer that makes no sense', () => {
  const MARKER = 'Zwiebelfisch-4711'

  it.each(['x', 'instagram', 'tiktok', 'reddit', 'linkedin'] as const)(
    'is noted by its shape alone, changes nothing, and is asked for again (%s)',
    async (platform) => {
      const { engine, read } = await startConnected(database, [platform], 2, 120)
      await database.sql('DELETE FROM malformed_answers')
      engine.elapse(HOUR_MS)
      await allDue(database, engine)
      const before = await dump(database, engine.workspaceId)
      engine.interfere = () => Response.json([{ odd: MARKER, [MARKER]: { deep: [MARKER] } }])
      await engine.plan()
      await engine.drain()
      const noted = await database.sql<{ platform: string; sample: unknown; times: number }>(
        'SELECT platform, sample, times FROM malformed_answers',
      )
      expect(noted.length).toBeGreaterThan(0)
      for (const row of noted)
        expect(row).toMatchObject({ platform, sample: [{ odd: 'string', '…': { deep: ['string'] } }] })
      expect(await rowsWith('"odd"')).toEqual(['malformed_answers'])
      expect(await rowsWith(MARKER)).toEqual([])
      const after = await dump(database, engine.workspaceId)
      for (const table of ['posts', 'profiles', 'snapshots', 'hashtags', 'days', 'quarters'] as const)
        expect(after[table], table).toEqual(before[table])
      expect(await read(`${platform}0`)).toMatchObject({
        status: 'active',
        freshness: { stale: true, reason: 'platform_down' },
      })
      engine.interfere = () => undefined
      await engine.live(17 * MINUTE_MS)
      expect(await read(`${platform}0`)).toMatchObject({ status: 'active', freshness: { stale: false } })
      await expectPostsToBeTrueAfterReading(database, engine, `${platform}0`)
    },
  )

  it('is noted without any token where it should have renewed one, and the account waits for a better one', async () => {
    const { engine, read } = await startConnected(database, ['tiktok'], 1, 600)
    await database.sql('DELETE FROM malformed_answers')
    engine.elapse(30 * MINUTE_MS)
    engine.act('expire-tokens', { platform: 'tiktok', account: engine.person('tiktok0').id })
    engine.elapse(SECOND_MS)
    const token = 'renewedTokenOfLettersAlone'
    const odd = { access_token: { [token]: token }, refresh_token: token, [token]: [token] }
    engine.interfere = ({ pathname }) => (pathname.includes('token') ? Response.json(odd) : undefined)
    await readAll(database, engine)
    expect(await database.sql('SELECT operation, sample FROM malformed_answers')).toEqual([
      {
        operation: 'token.refresh',
        sample: { access_token: { '…': 'string' }, refresh_token: 'string', '…': ['string'] },
      },
    ])
    expect(await rowsWith(token)).toEqual([])
    expect(await read('tiktok0')).toMatchObject({
      status: 'active',
      freshness: { reason: 'platform_down' },
    })
    engine.interfere = () => undefined
    await engine.live(20 * MINUTE_MS)
    expect(await read('tiktok0')).toMatchObject({ status: 'active', freshness: { stale: false } })
  })
})

/** Where the posts stand in an answer of a platform; `null` in an answer of something else. */
const LISTS: Partial<Record<Platform, (url: URL, json: unknown) => unknown[] | null>> = {
  bluesky: ({ pathname }, json) =>
    /getPosts|getAuthorFeed/u.test(pathname) ? listAt(json, pathname.endsWith('s') ? 'posts' : 'feed') : null,
  mastodon: ({ pathname }, json) => (pathname.endsWith('/statuses') && Array.isArray(json) ? json : null),
  x: ({ pathname }, json) => (pathname.endsWith('/tweets') ? listAt(json, 'data') : null),
  reddit: ({ pathname, search }, json) =>
    pathname.endsWith('/submitted') || search.includes('t3_') ? listAt(json, 'data', 'children') : null,
}

function listAt(json: unknown, ...names: string[]): unknown[] | null {
  let found = json
  for (const name of names) found = z.record(z.string(), z.unknown()).safeParse(found).data?.[name]
  return Array.isArray(found) ? found : null
}

describe.each(['bluesky', 'mastodon', 'x', 'reddit'] as const)('%s, with one odd entry', (platform) => {
  const MARKER = 'Zwiebelfisch-4712'

  /** Puts something else in place of the first post in every list, for so many answers. */
  function spoil(engine: Engine, answers: number): void {
    let left = answers
    engine.interfere = async (url, headers) => {
      if (left === 0 || platformAt(url) !== platform) return undefined
      const response = await engine.answerNow(platform, url, { headers })
      const json: unknown = await response.clone().json()
      const list = LISTS[platform]?.(url, json) ?? []
      if (list.length < 2) return response
      list[0] = { odd: MARKER, [MARKER]: [MARKER] }
      left -= 1
      return Response.json(json)
    }
  }

  it('goes on with the others, takes nothing for gone, notes its shape, and reads it later', async () => {
    const { engine, read } = await startConnected(database, [platform], 1)
    await database.sql('DELETE FROM malformed_answers')
    engine.elapse(HOUR_MS)
    spoil(engine, Number.POSITIVE_INFINITY)
    for (let round = 0; round < 3; round++) {
      await readAll(database, engine)
      engine.elapse(11 * MINUTE_MS)
    }
    expect(await database.sql('SELECT 1 FROM posts WHERE deleted_at IS NOT NULL')).toEqual([])
    expect(await database.sql('SELECT 1 FROM posts WHERE absent_since IS NOT NULL')).toEqual([])
    expect((await read(`${platform}0`)).freshness).toMatchObject({ stale: false, reason: null })
    const noted = await database.sql<{ operation: string }>(
      `SELECT operation FROM malformed_answers
       WHERE platform = $1 AND problem LIKE 'An entry could not be understood: %' AND times > 0
         AND sample @> '{"odd":"string"}'`,
      [platform],
    )
    expect(new Set(noted.map(({ operation }) => operation))).toContain('posts.refresh')
    expect(await rowsWith(MARKER)).toEqual([])
    for (const text of ['One of two', 'Two of two']) {
      engine.elapse(MINUTE_MS)
      engine.act('publish', { platform, account: engine.person(`${platform}0`).id, text })
    }
    engine.elapse(HOUR_MS)
    spoil(engine, 1)
    await database.sql('UPDATE posts SET next_refresh_at = NULL')
    await database.sql('UPDATE accounts SET next_sync_at = $1', [new Date(engine.nowMs)])
    await engine.plan()
    await engine.drain()
    engine.interfere = () => undefined
    await engine.live(20 * MINUTE_MS)
    await expectPostsToBeTrueAfterReading(database, engine, `${platform}0`)
  })
})
