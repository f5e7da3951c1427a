import type { TestDatabase } from '../../../test/harness/database.ts'
import type { TrendingScope, TrendingSort, TrendingWindow } from '../../domain/trending.ts'

/**
 * Trending hashtags by plain loops over the raw rows: shares no code and no idea of speed with what it is
 * compared with.
 */
export interface RawUse {
  tag: string
  display: string
  /** Milliseconds since 1970. */
  at: number
  workspaceId: string
  accountId: string
  brandId: string | null
  platform: string
  /** The account and the post as their platform knows them. */
  person: string
  post: string
  source: string
  status: string
  accountDeleted: boolean
  postDeleted: boolean
  publiclyRead: boolean
  readAt: number
  engagements: number | null
}

/** Every use of a hashtag in the database, whoever's it is. */
export async function rawUses(database: TestDatabase): Promise<RawUse[]> {
  const rows = await database.sql<
    Omit<RawUse, 'engagements' | 'at' | 'readAt'> & { engagements: string | null; at: string; readAt: string }
  >(
    `SELECT h.tag, h.display, h.posted_at::text AS at, a.workspace_id AS "workspaceId", a.id AS "accountId",
       a.brand_id AS "brandId", a.platform, a.platform || '/' || coalesce(a.host, '') || '/' || a.external_id AS person,
       p.platform_post_id AS post, a.source, a.status, a.deleted_at IS NOT NULL AS "accountDeleted",
       p.deleted_at IS NOT NULL AS "postDeleted", p.publicly_read AS "publiclyRead",
       p.metrics_at::text AS "readAt", p.engagements
     FROM post_hashtags h JOIN posts p ON p.id = h.post_id JOIN accounts a ON a.id = p.account_id`,
  )
  return rows.map((row) => ({
    ...row,
    at: Date.parse(row.at),
    readAt: Date.parse(row.readAt),
    engagements: row.engagements === null ? null : Number(row.engagements),
  }))
}

/** The uses that a workspace's question is about. */
export function inWorkspace(
  uses: RawUse[],
  workspaceId: string,
  filter: { platforms?: string[]; brands?: string[] } = {},
): RawUse[] {
  return uses.filter(
    (use) =>
      use.workspaceId === workspaceId &&
      !use.accountDeleted &&
      !use.postDeleted &&
      (filter.platforms === undefined || filter.platforms.includes(use.platform)) &&
      (filter.brands === undefined || filter.brands.includes(use.brandId ?? '')),
  )
}

/** The uses that the public is about: of each post's copies the one read last, unless that found it deleted. */
export function inPublic(uses: RawUse[], platforms?: string[]): RawUse[] {
  const newest = new Map<string, RawUse>()
  for (const use of uses) {
    if (use.source !== 'public' || use.accountDeleted || !use.publiclyRead) continue
    if (use.status !== 'active' && use.status !== 'paused') continue
    if (platforms !== undefined && !platforms.includes(use.platform)) continue
    const key = `${use.tag} ${use.person} ${use.post}`
    const known = newest.get(key)
    if (known === undefined || use.readAt > known.readAt) newest.set(key, use)
  }
  return [...newest.values()].filter((use) => !use.postDeleted)
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const LENGTH = { '1h': HOUR, '24h': DAY, '7d': 7 * DAY }
const STEP = { '1h': 5 * MINUTE, '24h': HOUR, '7d': 6 * HOUR }
const HALF_LIFE = { '1h': 30 * MINUTE, '24h': 4 * HOUR, '7d': 24 * HOUR }
const SLICES = { '1h': 12, '24h': 24, '7d': 28 }

function baselineEnds(window: TrendingWindow, t: number): number[] {
  return window === '7d'
    ? [1, 2, 3, 4].map((j) => t - j * 7 * DAY)
    : [1, 2, 3, 4, 5, 6, 7].map((j) => t - j * DAY)
}

export interface TruthItem {
  key: string
  tag: string
  score: number
  observed: number
  expected: number
  uses: number
  accounts: number
  engagements: number | null
  peakAt: string
  sparkline: number[]
}

/** @param summed whether a platform's engagements are added up */
export function truthOf(
  uses: RawUse[],
  window: TrendingWindow,
  scope: TrendingScope,
  now: number,
  summed: (platform: string) => boolean = () => true,
): TruthItem[] {
  const length = LENGTH[window]
  const points = [now]
  for (let t = Math.floor(now / STEP[window]) * STEP[window]; t > now - length; t -= STEP[window])
    points.push(t)
  const items: TruthItem[] = []
  for (const key of new Set(
    uses.filter((use) => use.at > now - length && use.at <= now).map((use) => use.tag),
  )) {
    const ofTag = uses.filter((use) => use.tag === key)
    const during = (t: number) => ofTag.filter((use) => use.at > t - length && use.at <= t)
    const measure = (t: number) =>
      scope === 'workspace' ? during(t).length : new Set(during(t).map((use) => use.person)).size
    const expectedAt = (t: number) => {
      const before = baselineEnds(window, t).map(measure)
      return Math.max(1, before.reduce((sum, n) => sum + n, 0) / before.length)
    }
    let best = { score: 0, at: now, observed: measure(now), expected: expectedAt(now) }
    for (const t of points) {
      const [observed, expected] = [measure(t), expectedAt(t)]
      const stands = observed >= (scope === 'workspace' ? 3 : 5) && observed > expected
      const score = stands
        ? ((observed - expected) ** 2 / expected) * 0.5 ** ((now - t) / HALF_LIFE[window])
        : 0
      if (score > best.score) best = { score, at: t, observed, expected }
    }
    const recent = during(now)
    const known = recent.filter((use) => summed(use.platform) && use.engagements !== null)
    const slice = length / SLICES[window]
    items.push({
      key,
      tag: usualSpelling(recent),
      score: best.score,
      observed: best.observed,
      expected: best.expected,
      uses: recent.length,
      accounts: new Set(recent.map((use) => use.person)).size,
      engagements: known.length === 0 ? null : known.reduce((sum, use) => sum + (use.engagements ?? 0), 0),
      peakAt: new Date(best.at).toISOString(),
      sparkline: Array.from({ length: SLICES[window] }, (_, i) => {
        const end = now - (SLICES[window] - 1 - i) * slice
        return recent.filter((use) => use.at > end - slice && use.at <= end).length
      }),
    })
  }
  return items
}

function usualSpelling(uses: RawUse[]): string {
  const spellings = [...new Set(uses.map((use) => use.display))].map((display) => {
    const same = uses.filter((use) => use.display === display)
    return { display, n: same.length, latest: Math.max(...same.map((use) => use.at)) }
  })
  spellings.sort((a, b) => b.n - a.n || b.latest - a.latest)
  return spellings[0]?.display ?? ''
}

const ranking = {
  surge: (i: TruthItem) => [i.score, i.uses],
  volume: (i: TruthItem) => [i.uses, i.score],
  engagement: (i: TruthItem) => [i.engagements ?? -1, i.uses, i.score],
}

/** The items of an answer, as they should be. */
export function ranked(items: TruthItem[], sort: TrendingSort, window: TrendingWindow, limit: number) {
  const sorted = [...items].sort((a, b) => {
    const [left, right] = [ranking[sort](a), ranking[sort](b)]
    const difference = right.findIndex((value, i) => value !== left[i])
    if (difference >= 0) return (right[difference] ?? 0) - (left[difference] ?? 0)
    return a.key < b.key ? -1 : 1
  })
  return sorted.slice(0, limit).map(({ key: _key, ...item }, index) => ({
    ...item,
    rank: index + 1,
    halfLifeSeconds: HALF_LIFE[window] / 1_000,
  }))
}
