import type { Metrics } from '../../../scripts/local/platforms/types.ts'
import {
  PLATFORM_FACTS,
  PLATFORMS,
  type Platform,
  POST_METRICS,
  type PostMetric,
} from '../../../src/domain/platforms.ts'
import type { BenchDatabase } from '../database.ts'
import type { StandingWorlds } from './standing-worlds.ts'

/** What is stored, against what the platforms know. */
export interface Comparison {
  /** Posts that are stored and were to be. */
  posts: number
  /** Posts that could be read when their account last was, or at all, and are not stored. */
  missing: number
  /** Posts that nobody wrote, are stored twice, or are taken for deleted. */
  invented: number
  /** Posts of which some count is not what the platform showed at the moment they were read. */
  wrong: number
  /** By how much the daily sums of all counts differ from the platforms' own, added up. */
  sumsOff: number
}

interface StoredPost extends Record<PostMetric, string | null> {
  externalId: string
  platformPostId: string
  metricsAt: Date
  isDeleted: boolean
}

/** Compares every post of every account, and the sums of the rollups, with the truth. */
export async function compareWithTruth(database: BenchDatabase, worlds: StandingWorlds): Promise<Comparison> {
  const total: Comparison = { posts: 0, missing: 0, invented: 0, wrong: 0, sumsOff: 0 }
  for (const platform of PLATFORMS) {
    const { comparison, sums } = await comparePlatform(database, worlds, platform)
    total.posts += comparison.posts
    total.missing += comparison.missing
    total.invented += comparison.invented
    total.wrong += comparison.wrong
    const stored = await rollupSums(database, platform)
    total.sumsOff += POST_METRICS.reduce(
      (off, metric) => off + Math.abs(Number(stored[metric] ?? 0) - sums[metric]),
      Math.abs(Number(stored.posts) - comparison.posts),
    )
  }
  return total
}

async function comparePlatform(database: BenchDatabase, worlds: StandingWorlds, platform: Platform) {
  const world = worlds.truthOf(platform)
  const comparison = { posts: 0, missing: 0, invented: 0, wrong: 0 }
  const sums = zeros()
  const stored = new Map<string, StoredPost>()
  for (const post of await storedPosts(database, platform)) {
    if (stored.has(post.platformPostId)) comparison.invented += 1
    stored.set(post.platformPostId, post)
  }
  for (const { externalId, syncedAt } of await syncedAccounts(database, platform)) {
    const account = world.account(platform, externalId)
    if (account === undefined) throw new Error(`Nobody on ${platform} is ${externalId}`)
    const t = worlds.shownAt(syncedAt?.getTime() ?? Number.POSITIVE_INFINITY)
    const entries = world.posts(account, {
      t,
      limit: Number.POSITIVE_INFINITY,
      where: ({ kind }) => kind !== 'repost',
    })
    for (const { post } of entries) {
      const ours = stored.get(post.id)
      if (ours === undefined || ours.externalId !== externalId) {
        comparison.missing += 1
        continue
      }
      stored.delete(post.id)
      comparison.posts += 1
      if (ours.isDeleted) comparison.invented += 1
      const truth = world.metricsAt(platform, post.id, worlds.shownAt(ours.metricsAt.getTime()))
      const shown = truth === undefined ? zeros() : shownMetrics(platform, truth)
      if (POST_METRICS.some((metric) => asNumber(ours[metric]) !== shown[metric])) comparison.wrong += 1
      for (const metric of POST_METRICS) sums[metric] += shown[metric] ?? 0
    }
  }
  comparison.invented += stored.size
  return { comparison, sums }
}

/** What a platform shows of a post's counts. */
function shownMetrics(platform: Platform, metrics: Metrics): Record<PostMetric, number | null> {
  const { likes, replies, reposts, quotes, bookmarks, views, reach } = metrics
  const known: Record<PostMetric, number> = {
    ...{ likes, comments: replies, shares: reposts, quotes, saves: bookmarks },
    ...{ views, impressions: views, reach },
  }
  const { measures } = PLATFORM_FACTS[platform]
  const shown: Record<PostMetric, number | null> = { ...known }
  for (const metric of POST_METRICS) if (!measures.includes(metric)) shown[metric] = null
  return shown
}

function zeros(): Record<PostMetric, number> {
  return {
    ...{ likes: 0, comments: 0, shares: 0, quotes: 0, saves: 0 },
    ...{ views: 0, impressions: 0, reach: 0 },
  }
}

const asNumber = (value: string | null): number | null => (value === null ? null : Number(value))

function storedPosts(database: BenchDatabase, platform: Platform): Promise<StoredPost[]> {
  return database.ownerSql<StoredPost>(
    `SELECT a.external_id AS "externalId", p.platform_post_id AS "platformPostId", p.metrics_at AS "metricsAt",
       p.deleted_at IS NOT NULL AS "isDeleted", ${POST_METRICS.map((metric) => `p.${metric}`).join(', ')}
     FROM posts p JOIN accounts a ON a.id = p.account_id
     WHERE p.platform = $1 AND p.kind <> 'repost'`,
    [platform],
  )
}

function syncedAccounts(
  database: BenchDatabase,
  platform: Platform,
): Promise<{ externalId: string; syncedAt: Date | null }[]> {
  return database.ownerSql(
    `SELECT external_id AS "externalId", last_synced_at AS "syncedAt" FROM accounts WHERE platform = $1`,
    [platform],
  )
}

/** Of the days, which is what people are shown. */
async function rollupSums(
  database: BenchDatabase,
  platform: Platform,
): Promise<Record<PostMetric | 'posts', string | null>> {
  const sums = ['posts', ...POST_METRICS].map((name) => `sum(d.${name}) AS ${name}`).join(', ')
  const [row] = await database.ownerSql<Record<PostMetric | 'posts', string | null>>(
    `SELECT ${sums} FROM account_days d JOIN accounts a ON a.id = d.account_id WHERE a.platform = $1`,
    [platform],
  )
  if (row === undefined) throw new Error('A sum is one row')
  return row
}
