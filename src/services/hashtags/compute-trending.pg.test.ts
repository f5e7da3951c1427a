import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import { publicGeneration } from '../../db/queries/public-generation.ts'
import { normaliseTag } from '../../domain/hashtags.ts'
import { TRENDING_SORTS, TRENDING_WINDOWS } from '../../domain/trending.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { ingest } from '../ingest/ingest.ts'
import { computeTrending, type TrendingInput } from './compute-trending.ts'
import { getPublicTrending } from './get-public-trending.ts'
import { TrendingHashtags } from './schemas.ts'
import { inPublic, inWorkspace, type RawUse, ranked, rawUses, truthOf } from './trending-truth.test-helper.ts'

/** Expected figures come from loops over the raw rows (see the helper), never from the code under test. */
let database: TestDatabase
const NOW = '2026-04-02T15:23:17.456Z'
const nowMs = Date.parse(NOW)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const brandId = newId()
let mine: string
let theirs: string
let uses: RawUse[]

/** A small deterministic generator, so that a failure can be looked at again. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** Spellings of tags in several scripts; the first are used far more than the last. */
const SPELLINGS = [
  ['Tide', 'tide', 'TIDE', 'ｔｉｄｅ'],
  ['海', '海'],
  ['Straße', 'STRASSE', 'strasse'],
  ['مد_وجزر', 'مد_وجزر'],
  ['São', 'SÃO', 'são'],
  ['ज्वार', 'ज्वार'],
  ['Ebb', 'ebb'],
  ['lowwater', 'LowWater'],
  ['nsfw', 'NSFW'],
]

/** Days and hours of great and small interest, in 45 days, and the borders of windows, steps and slices. */
function moment(next: () => number): number {
  const kind = next()
  if (kind < 0.25) return nowMs - Math.floor(next() * 45 * DAY)
  if (kind < 0.45) return nowMs - Math.floor(next() * 2 * HOUR) - Math.floor(next() * 9) * DAY
  if (kind < 0.6) return nowMs - Math.floor(next() * 2 * HOUR)
  if (kind < 0.75) return nowMs - 5 * HOUR - Math.floor(next() * 3 * HOUR)
  if (kind < 0.85) return nowMs - 3 * DAY - Math.floor(next() * 6 * HOUR)
  const step = [5 * MINUTE, HOUR, 6 * HOUR, DAY][Math.floor(next() * 4)] ?? DAY
  const border = next() < 0.5 ? nowMs : Math.floor(nowMs / step) * step
  return border - Math.floor(next() * 30) * step + Math.floor(next() * 3) - 1
}

async function fill(
  workspaceId: string,
  accountId: string,
  options: { seed: number; posts: number; observedAt: string; likes?: number; untagged?: number },
): Promise<void> {
  const next = random(options.seed)
  const posts = Array.from({ length: options.posts }, (_, i) => {
    const chosen = Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
      const spellings = SPELLINGS[Math.floor(next() * next() * SPELLINGS.length)] ?? []
      return spellings[Math.floor(next() * next() * spellings.length)] ?? 'Tide'
    })
    const hashtags = new Map(chosen.map((display) => [normaliseTag(display) ?? '', display]))
    const known = next() < 0.8
    return reading(accountId, `p${i}`, {
      kind: next() < 0.1 ? 'repost' : 'post',
      postedAt: new Date(moment(next)).toISOString(),
      observedAt: options.observedAt,
      hashtags: [...hashtags].map(([tag, display]) => ({ tag, display })),
      metrics: known ? { likes: Math.floor(next() * 100) + (options.likes ?? 0), views: 7 } : { views: 9 },
    })
  })
  for (let from = 0; from < posts.length; from += 200)
    await ingest(quietDeps(database.db), { workspaceId, posts: posts.slice(from, from + 200) })
}

beforeAll(async () => {
  database = await createTestDatabase()
  mine = await makeWorkspace(database)
  theirs = await makeWorkspace(database)
  await database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [
    brandId,
    mine,
    'Client',
  ])
  const set = (accountId: string, column: string, value: unknown) =>
    database.sql(`UPDATE accounts SET ${column} = $2 WHERE id = $1`, [accountId, value])

  const OBSERVED = '2026-04-02T15:30:00.000Z'
  const own = [
    { platform: 'bluesky' },
    { platform: 'mastodon' },
    { platform: 'youtube', source: 'credential' },
    { platform: 'bluesky', source: 'import' },
  ]
  for (const [i, account] of own.entries()) {
    const id = await makeAccount(database, mine, account)
    if (i < 2) await set(id, 'brand_id', brandId)
    await fill(mine, id, { seed: i + 1, posts: 260, observedAt: OBSERVED })
  }
  const hidden = await makeAccount(database, mine)
  await fill(mine, hidden, { seed: 20, posts: 60, observedAt: OBSERVED })
  await set(hidden, 'deleted_at', NOW)

  // Accounts that only the public scope brings together.
  for (let i = 0; i < 8; i++) {
    const id = await makeAccount(database, theirs, {
      platform: ['bluesky', 'mastodon', 'youtube'][i % 3] ?? 'x',
    })
    await set(id, 'status', ['active', 'paused'][i % 2])
    await fill(theirs, id, { seed: 40 + i, posts: 70, observedAt: OBSERVED })
  }
  for (const status of ['needs_auth', 'gone', 'error'] as const) {
    const id = await makeAccount(database, theirs)
    await set(id, 'status', status)
    await fill(theirs, id, { seed: 60, posts: 40, observedAt: OBSERVED })
  }
  // The same account in two workspaces, read at different times; and two that share an id on different servers.
  for (const [workspaceId, observedAt, likes] of [
    [mine, '2026-04-02T15:31:00.000Z', 0],
    [theirs, '2026-04-02T15:32:00.000Z', 1_000],
  ] as const) {
    const id = await makeAccount(database, workspaceId)
    await set(id, 'external_id', 'did:plc:shared')
    await fill(workspaceId, id, { seed: 70, posts: 150, observedAt, likes })
  }
  for (const [workspaceId, host] of [
    [mine, 'one.example'],
    [theirs, 'two.example'],
  ] as const) {
    const id = await makeAccount(database, workspaceId, { platform: 'mastodon' })
    await database.sql("UPDATE accounts SET external_id = '1', host = $2 WHERE id = $1", [id, host])
    await fill(workspaceId, id, { seed: 80, posts: 50, observedAt: OBSERVED })
  }
  // Some posts are found deleted; of the shared account's, some in one workspace alone, now first, now last.
  await database.sql(
    `UPDATE posts SET deleted_at = m.at, metrics_at = m.at
     FROM (SELECT id, metrics_at + (CASE WHEN hashtext(id::text) % 2 = 0 THEN interval '1 hour' ELSE interval '-1 hour' END) AS at
       FROM posts WHERE hashtext(platform_post_id || workspace_id) % 9 = 0) m
     WHERE posts.id = m.id`,
  )
  // Some were last read from a file: the workspace's own.
  await database.sql("UPDATE posts SET publicly_read = FALSE WHERE hashtext(id::text || 'file') % 7 = 0")
  uses = await rawUses(database)
})
afterAll(() => database.close())

function ask(given: Partial<TrendingInput> = {}, workspaceId = mine) {
  return computeTrending(
    { db: database.db, clock: { now: () => nowMs }, workspace: { id: workspaceId, timezone: 'UTC' } },
    { window: '24h', platforms: [], brands: [], sort: 'surge', limit: 100, scope: 'workspace', ...given },
  )
}

const notBlocked = (use: RawUse) => use.tag !== 'nsfw'
const notSeparate = (platform: string) => platform !== 'youtube'

describe.each(TRENDING_WINDOWS)('trending hashtags of %s', (window) => {
  it.each(TRENDING_SORTS)('are what counting a workspace’s posts one by one gives, by %s', async (sort) => {
    const answer = await ask({ window, sort })
    const truth = truthOf(inWorkspace(uses, mine).filter(notBlocked), window, 'workspace', nowMs, notSeparate)
    expect(answer.items).toEqual(ranked(truth, sort, window, 100))
    expect(answer.items.filter((item) => item.score > 0).length).toBeGreaterThan(2)
    for (const item of answer.items) expect(item.sparkline.reduce((sum, n) => sum + n, 0)).toBe(item.uses)
  })

  it.each(TRENDING_SORTS)('are what counting the public’s accounts one by one gives, by %s', async (sort) => {
    const answer = await ask({ window, sort, scope: 'public' })
    const truth = truthOf(inPublic(uses).filter(notBlocked), window, 'public', nowMs, notSeparate)
    expect(answer.items).toEqual(ranked(truth, sort, window, 100))
    expect(answer.items.filter((item) => item.score > 0).length).toBeGreaterThan(0)
    expect(answer.items.some((item) => item.accounts < item.uses)).toBe(true)
    const [{ generation } = { generation: 0 }] = await database.db.outside(publicGeneration())
    expect({ generation: answer.generation, scope: answer.scope }).toEqual({ generation, scope: 'public' })
  })

  it('count only what the filters name', async () => {
    for (const filter of [{ platforms: ['bluesky' as const] }, { brands: [brandId] }]) {
      const answer = await ask({ window, ...filter })
      const truth = truthOf(inWorkspace(uses, mine, filter).filter(notBlocked), window, 'workspace', nowMs)
      expect(answer.items).toEqual(ranked(truth, 'surge', window, 100))
      expect(answer.items.length).toBeGreaterThan(2)
    }
    const both = await ask({ window, platforms: ['mastodon', 'youtube'], scope: 'public' })
    const truth = truthOf(
      inPublic(uses, ['mastodon', 'youtube']).filter(notBlocked),
      window,
      'public',
      nowMs,
      notSeparate,
    )
    expect(both.items).toEqual(ranked(truth, 'surge', window, 100))
  })

  it('are cut after as many as were asked for', async () => {
    const [all, three] = [await ask({ window }), await ask({ window, limit: 3 })]
    expect(three.items).toEqual(all.items.slice(0, 3))
  })
})

describe('an answer', () => {
  it('has the form that is promised, says its generation, and ends with stale', async () => {
    const answer = await ask()
    const [row] = await database.sql<{ generation: string }>(
      'SELECT generation FROM workspaces WHERE id = $1',
      [mine],
    )
    expect(answer.generation).toBe(Number(row?.generation))
    expect(answer.generatedAt).toBe(NOW)
    expect(TrendingHashtags.parse(answer)).toEqual(answer)
    expect(JSON.stringify(answer)).toMatch(/"stale":false}$/)
    expect(JSON.stringify(TrendingHashtags.parse(answer))).toMatch(/"stale":false}$/)
  })

  it('sums YouTube’s engagements when it is asked for alone', async () => {
    const alone = await ask({ platforms: ['youtube'] })
    const truth = truthOf(
      inWorkspace(uses, mine, { platforms: ['youtube'] }).filter(notBlocked),
      '24h',
      'workspace',
      nowMs,
    )
    expect(alone.items).toEqual(ranked(truth, 'surge', '24h', 100))
    expect(alone.items.some((item) => (item.engagements ?? 0) > 0)).toBe(true)
    const inPublicAlone = await ask({ platforms: ['youtube'], scope: 'public' })
    expect(inPublicAlone.items.some((item) => (item.engagements ?? 0) > 0)).toBe(true)
  })

  it('shows a workspace nothing of another', async () => {
    const empty = await makeWorkspace(database)
    expect((await ask({}, empty)).items).toEqual([])
    expect((await ask({ brands: [brandId] }, theirs)).items).toEqual([])
  })

  it('is not found for a workspace that is gone', async () => {
    await expect(ask({}, newId())).rejects.toMatchObject({ code: 'not_found' })
  })

  it('refuses brands in the public scope, and needs no workspace there', async () => {
    await expect(ask({ scope: 'public', brands: [brandId] })).rejects.toBeInstanceOf(AppError)
    const ctx = { db: database.db, clock: { now: () => nowMs } }
    const question = { window: '24h' as const, platforms: [], sort: 'surge' as const, limit: 100 }
    expect(await getPublicTrending(ctx, question)).toEqual(await ask({ scope: 'public' }))
  })
})
