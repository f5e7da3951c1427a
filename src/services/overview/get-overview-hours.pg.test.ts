import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import { periodOf } from '../../domain/periods.ts'
import { ingest } from '../ingest/ingest.ts'
import { getOverview } from './get-overview.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

describe('a single day by the hour', () => {
  it.each([
    ['UTC', '2026-04-05', 24],
    ['Asia/Kathmandu', '2026-04-05', 24],
    ['Europe/Berlin', '2026-03-29', 23],
    ['Atlantic/Azores', '2026-10-25', 25],
    // Clocks go back, and forward, by half an hour: hours are counted from the day's start.
    ['Australia/Lord_Howe', '2026-04-05', 25],
    ['Australia/Lord_Howe', '2026-10-04', 24],
  ])('in %s has every post of %s in its hour, of %d', async (timezone, day, hours) => {
    const workspaceId = await makeWorkspace(database, timezone)
    const accountId = await makeAccount(database, workspaceId)
    const period = periodOf(day, day, timezone)
    const [start, end] = [Date.parse(period.start), Date.parse(period.end)]
    // Every quarter of an hour, from an hour before the day to an hour after it.
    const times = Array.from(
      { length: (end - start) / 900_000 + 8 },
      (_, i) => start - 3_600_000 + i * 900_000,
    )
    await ingest(quietDeps(database.db), {
      workspaceId,
      profiles: times.map((at) => ({
        accountId,
        handle: 'h',
        displayName: null,
        url: 'https://example.com',
        avatarUrl: null,
        followers: 10,
        following: null,
        posts: null,
        observedAt: new Date(at).toISOString(),
      })),
      posts: times.map((at, i) =>
        reading(accountId, `p${i}`, {
          postedAt: new Date(at).toISOString(),
          observedAt: new Date(end + 86_400_000).toISOString(),
          metrics: { likes: i },
        }),
      ),
    })
    const answer = await getOverview(
      {
        db: database.db,
        clock: { now: () => end + 10 * 86_400_000 },
        workspace: { id: workspaceId, timezone },
      },
      {
        period,
        compare: 'none',
        basis: 'published',
        filter: { accounts: [], platforms: [], brands: [] },
      },
    )
    const truth = await database.sql<{ posts: number; likes: number }>(
      `SELECT count(p.id)::int AS posts, sum(p.likes)::int AS likes
       FROM generate_series($2::timestamptz, $3::timestamptz - interval '1 second', interval '1 hour') AS hour
       LEFT JOIN posts p ON p.workspace_id = $1 AND p.posted_at >= hour
         AND p.posted_at < LEAST(hour + interval '1 hour', $3)
       GROUP BY hour ORDER BY hour`,
      [workspaceId, period.start, period.end],
    )
    expect(answer.granularity).toBe('hour')
    expect(answer.series).toHaveLength(hours)
    expect(answer.series.map(({ posts, likes }) => ({ posts, likes }))).toEqual(truth)
    expect(answer.series.every(({ posts }) => (posts ?? 0) > 0)).toBe(true)
    expect(answer.totals.posts.value).toBe((end - start) / 900_000)
  })
})
