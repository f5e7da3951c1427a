import { expect } from 'vitest'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import { POST_METRICS } from '../../src/domain/platforms.ts'
import { CELL_METRICS, RATE_BASES } from '../../src/domain/rollup-cell.ts'
import type { TestDatabase } from '../harness/database.ts'
import type { Engine } from './engine.ts'
import { asNumber, METRIC_COLUMNS, publishedBothWays, shownAt, shownPost, shownProfile } from './shown.ts'

/** What is stored, what the platforms know, and what plain SQL makes of it: each without the code under test. */

const ROLLUP = [
  'posts',
  ...CELL_METRICS,
  ...CELL_METRICS.map((m) => `${m}_known`),
  ...CELL_METRICS.map((m) => `gained_${m}`),
  ...RATE_BASES.map((base) => `engagements_by_${base}`),
  'followers_at_posting',
].join(', ')

/** Everything that must not depend on how messages arrived, by the platforms' own ids. */
export async function dump(database: TestDatabase, workspaceId: string) {
  const rows = (text: string) => database.sql<Record<string, unknown>>(text, [workspaceId])
  return {
    accounts: await rows(
      `SELECT external_id, host, handle, status, status_reason, stale_reason, followers, following, posts,
         metrics_at, tracked_since, last_synced_at, backfill_cursor, backfilled_at
       FROM accounts WHERE workspace_id = $1 ORDER BY external_id`,
    ),
    profiles: await rows(
      `SELECT a.external_id, m.observed_at, m.followers, m.following, m.posts FROM account_metrics m
       JOIN accounts a ON a.id = m.account_id WHERE m.workspace_id = $1 ORDER BY 1, 2`,
    ),
    posts: await rows(
      `SELECT a.external_id, p.platform_post_id, p.kind, p.text, p.url, p.posted_at, p.media, ${METRIC_COLUMNS},
         p.engagements, p.followers_at_posting, p.metrics_at, p.still_readings, p.absent_since, p.deleted_at
       FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.workspace_id = $1 ORDER BY 1, 2`,
    ),
    snapshots: await rows(
      `SELECT p.platform_post_id, s.observed_at, ${POST_METRICS.map((m) => `s.${m}`).join(', ')}
       FROM post_snapshots s JOIN posts p ON p.id = s.post_id WHERE s.workspace_id = $1 ORDER BY 1, 2`,
    ),
    hashtags: await rows(
      `SELECT p.platform_post_id, h.tag, h.display, h.posted_at
       FROM post_hashtags h JOIN posts p ON p.id = h.post_id WHERE h.workspace_id = $1 ORDER BY 1, 2`,
    ),
    days: await rows(
      `SELECT a.external_id, d.day::text, ${ROLLUP.replace('posts,', 'd.posts,').replace(
        /, followers_at_posting$/,
        ', d.followers_at_posting',
      )}, d.followers, d.followers_read_at,
         jsonb_path_query_array(d.top_posts, '$[*].engagements') AS top, d.top_posts_stale
       FROM account_days d JOIN accounts a ON a.id = d.account_id WHERE d.workspace_id = $1 ORDER BY 1, 2`,
    ),
    quarters: await rows(
      `SELECT a.external_id, q.quarter, ${ROLLUP.replace('posts,', 'q.posts,')}
       FROM account_quarters q JOIN accounts a ON a.id = q.account_id WHERE q.workspace_id = $1 ORDER BY 1, 2`,
    ),
  }
}

/** Both rollups as plain SQL over the posts makes them, for the readings by publication. */
export async function expectRollupsToMatchPosts(database: TestDatabase, workspaceId: string): Promise<void> {
  const sql = (text: string, params: unknown[]) => database.sql<Record<string, unknown>>(text, params)
  for (const { stored, expected } of await publishedBothWays(sql, workspaceId))
    expect(stored).toEqual(expected)
}

/** Every post of somebody, exactly once and with the platform's own figures, and its reposts without any. */
export async function expectPostsToBeTrue(
  database: TestDatabase,
  engine: Engine,
  key: string,
): Promise<AccountTruth> {
  const truth = truthOf(engine.world, engine.person(key), engine.nowMs)
  const rows = await database.sql<Record<string, unknown> & { posted_at: Date; tags: string[] }>(
    `SELECT p.platform_post_id AS id, p.kind, p.posted_at, ${METRIC_COLUMNS}, p.engagements,
       ARRAY(SELECT h.tag FROM post_hashtags h WHERE h.post_id = p.id ORDER BY h.tag COLLATE "C") AS tags
     FROM posts p JOIN accounts a ON a.id = p.account_id
     WHERE a.workspace_id = $1 AND a.external_id = $2 AND p.deleted_at IS NULL`,
    [engine.workspaceId, truth.account.id],
  )
  const own = rows
    .filter((row) => row.kind !== 'repost')
    .map((row) => ({
      ...row,
      posted_at: row.posted_at.toISOString(),
      ...Object.fromEntries([...POST_METRICS, 'engagements'].map((m) => [m, asNumber(row[m])])),
    }))
  const readable = truth.posts.filter((post) => post.deletedAt === null)
  const ids = new Set(rows.map((row) => row.id))
  expect(
    readable.flatMap(({ id, createdAt }) => (ids.has(id) ? [] : [createdAt])),
    'not stored',
  ).toEqual([])
  expect(byId(own)).toEqual(byId(readable.map((post) => shownPost(truth.account.platform, post))))
  const reposts = rows.filter((row) => row.kind === 'repost')
  expect(reposts.map((row) => row.posted_at.toISOString()).toSorted()).toEqual(
    truth.reposts.map((repost) => shownAt(truth.account.platform, repost.at)).toSorted(),
  )
  for (const repost of reposts) {
    expect(repost).toMatchObject({ likes: null, comments: null, shares: null, engagements: null, tags: [] })
  }
  return truth
}

function byId<T>(items: T[]): Map<string, T> {
  const found = new Map<string, T>()
  for (const item of items) {
    const { id } = item as T & { id: string }
    expect(found.has(id), `${id} is there twice`).toBe(false)
    found.set(id, item)
  }
  return found
}

/** What the platforms' own figures add up to on each local day of an account. */
export function truthByDay(truth: AccountTruth, timezone: string) {
  const dayOf = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' })
  const days = new Map<string, { day: string; posts: number; likes: number; engagements: number }>()
  for (const post of truth.posts.filter(({ deletedAt }) => deletedAt === null)) {
    const day = dayOf.format(Date.parse(post.createdAt))
    const sums = days.get(day) ?? { day, posts: 0, likes: 0, engagements: 0 }
    const { engagements, likes } = shownPost(truth.account.platform, post)
    days.set(day, {
      day,
      posts: sums.posts + 1,
      likes: sums.likes + (likes ?? 0),
      engagements: sums.engagements + engagements,
    })
  }
  return [...days.values()].sort((a, b) => a.day.localeCompare(b.day))
}

/** The same, as the rollup has it. */
export async function storedByDay(database: TestDatabase, engine: Engine, externalId: string) {
  return database.sql(
    `SELECT d.day::text, d.posts, d.likes::int, d.engagements::int FROM account_days d
     JOIN accounts a ON a.id = d.account_id
     WHERE a.workspace_id = $1 AND a.external_id = $2 AND d.posts <> 0 ORDER BY d.day`,
    [engine.workspaceId, externalId],
  )
}

/** Name and counts of somebody, as their platform gives them. */
export async function expectProfileToBeTrue(
  database: TestDatabase,
  engine: Engine,
  key: string,
): Promise<void> {
  const { account } = truthOf(engine.world, engine.person(key), engine.nowMs)
  const [row] = await database.sql<Record<string, unknown>>(
    'SELECT display_name, followers, following, posts FROM accounts WHERE workspace_id = $1 AND external_id = $2',
    [engine.workspaceId, account.id],
  )
  expect({ ...row, ...countsOf(row ?? {}) }, key).toEqual(shownProfile(account))
}

const countsOf = ({ followers, following, posts }: Record<string, unknown>) => ({
  followers: asNumber(followers),
  following: asNumber(following),
  posts: asNumber(posts),
})
