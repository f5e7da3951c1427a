import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { AccountFilter } from '../../db/queries/overview.ts'
import { type Comparison, periodOf } from '../../domain/periods.ts'
import { ingest } from '../ingest/ingest.ts'
import { getOverview } from './get-overview.ts'
import type { Overview } from './schemas.ts'

/**
 * Expected figures come from plain SQL over raw rows (posts, snapshots, account metrics), never from
 * rollups or the code under test.
 */
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const EVERYTHING: AccountFilter = { accounts: [], platforms: [], brands: [] }
const NOW = '2026-04-02T15:20:00.000Z'

function overview(
  workspaceId: string,
  home: string,
  from: string,
  to: string,
  options: {
    timezone?: string
    basis?: 'published' | 'gained'
    compare?: Comparison
    filter?: Partial<AccountFilter>
    now?: string
  } = {},
): Promise<Overview> {
  return getOverview(
    {
      db: database.db,
      clock: { now: () => Date.parse(options.now ?? NOW) },
      workspace: { id: workspaceId, timezone: home },
    },
    {
      period: periodOf(from, to, options.timezone ?? home),
      compare: options.compare ?? 'previous',
      basis: options.basis ?? 'published',
      filter: { ...EVERYTHING, ...options.filter },
    },
  )
}

/** A small deterministic generator, so that a failure can be looked at again. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** Two months of posts at every quarter of an hour, borders of days and of daylight saving included. */
async function fill(workspaceId: string): Promise<string[]> {
  const next = random(7)
  const accounts = [
    await makeAccount(database, workspaceId, { platform: 'bluesky' }),
    await makeAccount(database, workspaceId, { platform: 'mastodon' }),
    await makeAccount(database, workspaceId, { platform: 'x', trackedSince: '2026-03-20T00:00:00Z' }),
  ]
  for (const [which, accountId] of accounts.entries()) {
    const posts = Array.from({ length: 150 }, (_, i) => {
      const border = i % 5 === 0
      const day = Date.UTC(2026, 1, 20) + Math.floor(next() * 41) * 86_400_000
      const postedAt = new Date(
        border ? day + Math.floor(next() * 96) * 900_000 - (i % 2) : day + Math.floor(next() * 86_400_000),
      )
      return {
        id: `p${i}`,
        postedAt,
        kind: i % 11 === 0 ? ('repost' as const) : i % 4 === 0 ? ('reply' as const) : ('post' as const),
      }
    })
    for (let round = 0; round < 4; round++) {
      const observed = Date.UTC(2026, 1, 25) + round * 12 * 86_400_000 + which * 1_000
      await ingest(quietDeps(database.db), {
        workspaceId,
        profiles: [
          {
            accountId,
            handle: `h${which}`,
            displayName: null,
            url: 'https://example.com',
            avatarUrl: null,
            followers: 1_000 * (which + 1) + round * 17,
            following: null,
            posts: null,
            observedAt: new Date(observed).toISOString(),
          },
        ],
        posts: posts
          .filter((post) => post.postedAt.getTime() <= observed)
          .map((post) =>
            reading(accountId, post.id, {
              kind: post.kind,
              postedAt: post.postedAt.toISOString(),
              observedAt: new Date(observed).toISOString(),
              metrics: {
                likes: Math.floor(next() * 50) + round * 10,
                comments: next() < 0.2 ? null : Math.floor(next() * 5) + round,
                ...(which === 2 ? { impressions: 500 + round * 100 } : { shares: round }),
              },
            }),
          ),
      })
    }
  }
  return accounts
}

const METRICS = ['likes', 'comments', 'shares', 'impressions', 'engagements'] as const

async function publishedTruth(workspaceId: string, fromLocal: string, untilLocal: string, timezone: string) {
  const [row] = await database.sql<Record<string, string | null>>(
    `SELECT count(*) AS posts, ${METRICS.map((m) => `sum(${m}) AS ${m}`).join(', ')},
       sum(engagements) FILTER (WHERE impressions IS NOT NULL) AS by_impressions
     FROM posts WHERE workspace_id = $1 AND kind <> 'repost' AND deleted_at IS NULL
       AND posted_at >= ($2::timestamp AT TIME ZONE $4) AND posted_at < ($3::timestamp AT TIME ZONE $4)`,
    [workspaceId, fromLocal, untilLocal, timezone],
  )
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([key, value]) => [key, value === null ? null : Number(value)]),
  )
}

/** Gains by differences of a post's snapshots; the first counts whole where its account was already tracked. */
async function gainedTruth(workspaceId: string, fromLocal: string, untilLocal: string, timezone: string) {
  const [row] = await database.sql<{ likes: string | null }>(
    `SELECT sum(gain) AS likes FROM (
       SELECT s.observed_at, s.likes - COALESCE(
         LAG(s.likes) OVER (PARTITION BY s.post_id ORDER BY s.observed_at),
         CASE WHEN p.posted_at >= a.tracked_since THEN 0 END) AS gain
       FROM post_snapshots s JOIN posts p ON p.id = s.post_id JOIN accounts a ON a.id = p.account_id
       WHERE s.workspace_id = $1
     ) g WHERE observed_at >= ($2::timestamp AT TIME ZONE $4) AND observed_at < ($3::timestamp AT TIME ZONE $4)`,
    [workspaceId, fromLocal, untilLocal, timezone],
  )
  return row?.likes == null ? null : Number(row.likes)
}

const nextDay = (day: string) => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)

describe.each(['UTC', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland', 'Australia/Lord_Howe'])(
  'a workspace in %s',
  (home) => {
    let workspaceId: string
    let accounts: string[]
    beforeAll(async () => {
      workspaceId = await makeWorkspace(database, home)
      accounts = await fill(workspaceId)
    })

    it.each([home, 'Europe/Berlin', 'America/St_Johns'])(
      'agrees with the raw rows to the last unit, read in %s',
      async (timezone) => {
        const answer = await overview(workspaceId, home, '2026-03-04', '2026-03-31', { timezone })
        const truth = await publishedTruth(workspaceId, '2026-03-04', '2026-04-01', timezone)
        const before = await publishedTruth(workspaceId, '2026-02-04', '2026-03-04', timezone)
        expect(answer.totals.posts.value).toBe(truth.posts)
        expect(answer.totals.posts.previous).toBe(before.posts)
        for (const metric of METRICS) {
          expect(answer.totals[metric].value).toBe(truth[metric])
          expect(answer.totals[metric].previous).toBe(before[metric])
          expect(answer.totals[metric].change).toBeCloseTo(
            (Number(truth[metric]) - Number(before[metric])) / Number(before[metric]),
            12,
          )
          expect(answer.series.reduce((sum, entry) => sum + (entry[metric] ?? 0), 0)).toBe(truth[metric])
          expect(answer.accounts.reduce((sum, account) => sum + (account.totals[metric].value ?? 0), 0)).toBe(
            truth[metric],
          )
          expect(
            answer.platforms.reduce((sum, platform) => sum + (platform.totals[metric].value ?? 0), 0),
          ).toBe(truth[metric])
        }
        expect(answer.totals.engagementRateByImpressions.value).toBeCloseTo(
          Number(truth.by_impressions) / Number(truth.impressions),
          12,
        )
        expect(answer.series).toHaveLength(28)
        for (const entry of answer.series) {
          const day = await publishedTruth(workspaceId, entry.start, nextDay(entry.start), timezone)
          expect({ posts: entry.posts, likes: entry.likes }).toEqual({
            posts: day.posts,
            likes: day.likes ?? 0,
          })
        }
      },
    )

    it('books gains on the day of their observation', async () => {
      const answer = await overview(workspaceId, home, '2026-03-04', '2026-04-02', { basis: 'gained' })
      expect(answer.totals.likes.value).toBe(await gainedTruth(workspaceId, '2026-03-04', '2026-04-03', home))
      expect(answer.series.reduce((sum, entry) => sum + (entry.likes ?? 0), 0)).toBe(
        answer.totals.likes.value,
      )
    })

    it('gives a single day by the hour, also when the clocks change', async () => {
      for (const day of ['2026-03-08', '2026-03-29', '2026-04-05']) {
        const answer = await overview(workspaceId, home, day, day, { now: '2026-05-01T00:00:00Z' })
        const truth = await publishedTruth(workspaceId, day, nextDay(day), home)
        expect(answer.granularity).toBe('hour')
        expect(answer.totals.posts.value).toBe(truth.posts)
        expect(answer.series.reduce((sum, entry) => sum + (entry.posts ?? 0), 0)).toBe(truth.posts)
        expect(answer.series.reduce((sum, entry) => sum + (entry.likes ?? 0), 0)).toBe(truth.likes ?? 0)
      }
    })

    it('cuts the comparison of a running period at the same local time of day', async () => {
      const answer = await overview(workspaceId, home, '2026-03-27', '2026-04-02', {
        now: '2026-04-02T10:07:00Z',
      })
      expect(answer.comparison).not.toBeNull()
      const [local] = await database.sql<{ until: string }>(
        `SELECT to_char(date_bin('15 minutes', ('2026-03-26 ' || to_char('2026-04-02T10:07:00Z'::timestamptz AT TIME ZONE $1, 'HH24:MI:SS'))::timestamp AT TIME ZONE $1, '2000-01-01T00:00:00Z') AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS until`,
        [home],
      )
      const before = await publishedTruth(workspaceId, '2026-03-20', local?.until ?? '', home)
      expect(answer.totals.posts.previous).toBe(before.posts)
      expect(answer.totals.likes.previous).toBe(before.likes)
    })

    it('counts followers at the borders, and null without an earlier reading', async () => {
      const answer = await overview(workspaceId, home, '2026-03-04', '2026-03-31')
      // Readings of 1,000, 2,000 and 3,000 + 17 a round: round 0 is before the period, round 2 the last in it.
      expect(answer.totals.followers.value).toBe(6_000 + 3 * 34)
      expect(answer.totals.followersGained.value).toBe(3 * 34)
      expect(answer.series.reduce((sum, entry) => sum + (entry.followersGained ?? 0), 0)).toBe(3 * 34)
      expect(answer.series.at(-1)?.followers).toBe(6_000 + 3 * 34)
      const first = await overview(workspaceId, home, '2026-02-20', '2026-03-02')
      expect(first.totals.followersGained.value).toBeNull()
    })

    it('finds the top posts that plain SQL finds', async () => {
      const truth = await database.sql<{ id: string }>(
        `SELECT id FROM posts WHERE workspace_id = $1 AND kind <> 'repost' AND engagements IS NOT NULL
         AND posted_at >= ('2026-03-04'::timestamp AT TIME ZONE $2) AND posted_at < ('2026-04-01'::timestamp AT TIME ZONE $2)
       ORDER BY engagements DESC, id LIMIT 5`,
        [workspaceId, home],
      )
      const answer = await overview(workspaceId, home, '2026-03-04', '2026-03-31')
      expect(answer.topPosts.map((post) => post.id)).toEqual(truth.map((post) => post.id))
      const abroad = await overview(workspaceId, home, '2026-03-04', '2026-03-31', {
        timezone: home === 'UTC' ? 'Asia/Tokyo' : 'UTC',
      })
      expect(abroad.topPosts).toHaveLength(5)
    })

    it('counts only what the filter names', async () => {
      const one = await overview(workspaceId, home, '2026-03-04', '2026-03-31', {
        filter: { accounts: accounts.slice(0, 1) },
      })
      const all = await overview(workspaceId, home, '2026-03-04', '2026-03-31')
      expect(one.accounts.map((account) => account.id)).toEqual(accounts.slice(0, 1))
      expect(one.totals.likes.value).toBe(
        all.accounts.find((account) => account.id === accounts[0])?.totals.likes.value,
      )
    })
  },
)

describe('what is unknown or may not be mixed', () => {
  it('is null for a metric that no platform gives, and 0 for one that could have been', async () => {
    const workspaceId = await makeWorkspace(database)
    await makeAccount(database, workspaceId, { platform: 'mastodon' })
    const answer = await overview(workspaceId, 'UTC', '2026-03-01', '2026-03-28')
    expect(answer.totals.posts).toEqual({ value: 0, previous: 0, change: null })
    expect(answer.totals.likes).toEqual({ value: 0, previous: 0, change: null })
    expect(answer.totals.views.value).toBeNull()
    expect(answer.totals.saves.value).toBeNull()
  })

  it('says for how many posts a metric is known', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [
        reading(accountId, 'a', { metrics: { likes: 3, saves: 1 } }),
        reading(accountId, 'b', { metrics: { likes: 4 } }),
      ],
    })
    const answer = await overview(workspaceId, 'UTC', '2026-03-01', '2026-03-28')
    expect(answer.coverage.saves).toEqual({ known: 1, total: 2 })
    expect(answer.coverage.likes).toBeUndefined()
    expect(answer.totals.saves.value).toBe(1)
    expect(answer.totals.comments.value).toBeNull()
  })

  it('keeps YouTube out of the mixed totals, says so, and gives it its own', async () => {
    const workspaceId = await makeWorkspace(database)
    const tube = await makeAccount(database, workspaceId, { platform: 'youtube' })
    const sky = await makeAccount(database, workspaceId, { platform: 'bluesky' })
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [
        reading(tube, 'v', { metrics: { likes: 100, views: 900 } }),
        reading(sky, 'a', { metrics: { likes: 4 } }),
      ],
    })
    const answer = await overview(workspaceId, 'UTC', '2026-03-01', '2026-03-28')
    expect(answer.excluded.map((e) => e.platform)).toEqual(['youtube'])
    expect(answer.totals.likes.value).toBe(4)
    expect(answer.series.reduce((sum, entry) => sum + (entry.likes ?? 0), 0)).toBe(4)
    expect(answer.topPosts).toHaveLength(1)
    expect(answer.platforms.find((p) => p.platform === 'youtube')?.totals.likes.value).toBe(100)
    const alone = await overview(workspaceId, 'UTC', '2026-03-01', '2026-03-28', {
      filter: { accounts: [tube] },
    })
    expect(alone.excluded).toEqual([])
    expect(alone.totals.views.value).toBe(900)
    expect(alone.topPosts).toHaveLength(1)
  })

  it('leaves a hidden account out of everything', async () => {
    const workspaceId = await makeWorkspace(database)
    const accountId = await makeAccount(database, workspaceId)
    await ingest(quietDeps(database.db), {
      workspaceId,
      posts: [reading(accountId, 'a', { metrics: { likes: 3 } })],
    })
    await database.sql('UPDATE accounts SET deleted_at = now() WHERE id = $1', [accountId])
    const answer = await overview(workspaceId, 'UTC', '2026-03-01', '2026-03-28')
    expect(answer.totals.posts.value).toBe(0)
    expect(answer.accounts).toEqual([])
    expect(answer.topPosts).toEqual([])
  })

  it('shows one workspace nothing of another', async () => {
    const mine = await makeWorkspace(database)
    const theirs = await makeWorkspace(database)
    const accountId = await makeAccount(database, theirs)
    await ingest(quietDeps(database.db), {
      workspaceId: theirs,
      posts: [reading(accountId, 'a', { metrics: { likes: 3 } })],
    })
    const answer = await overview(mine, 'UTC', '2026-03-01', '2026-03-28', {
      filter: { accounts: [accountId] },
    })
    expect(answer.accounts).toEqual([])
    expect(answer.totals.posts.value).toBe(0)
  })
})
