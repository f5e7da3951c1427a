import { isMeasured, NETWORKS } from './networks.ts'
import { createRandom, type Random } from './random.ts'
import { type Account, type FeedKind, METRIC_NAMES, type Media, type Metrics } from './types.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Everything that decides how the counts of one post develop. */
export interface EngagementCurve {
  /** Epoch milliseconds at which the post appeared; nothing before. */
  startAt: number
  /** What each count tends to in the end, not rounded. */
  sizes: Metrics
  /** Where between two whole numbers each count begins, so that the counts do not step together. */
  phases: Metrics
  /** Share of the engagement that belongs to the first hours; the rest is the long tail. */
  fastShare: number
  fastMs: number
  slowMs: number
  /** A later second wave, when somebody large shares the post. */
  wave: { delayMs: number; share: number; spanMs: number } | undefined
  /** When likes are taken back, and how many. */
  unlikes: readonly { at: number; count: number }[]
  /** Local offset of the audience, which sleeps at night. */
  utcOffsetMs: number
}

/** Likes from Sunday to Saturday, relative to the week. */
const WEEKDAY_EFFECT = [0.82, 1.04, 1.1, 1.12, 1.05, 0.96, 0.84]
const MEDIA_EFFECT: Record<Media['type'] | 'none', number> = {
  none: 1,
  images: 1.3,
  video: 1.6,
  audio: 0.9,
  link: 0.8,
  poll: 1.1,
}
const KIND_EFFECT: Record<FeedKind, number> = { post: 1, reply: 0.18, quote: 0.75, repost: 0 }
const VIRAL_CHANCE = 0.013
const NIGHT_DEPTH = 0.6
const BUSIEST_HOUR = 15

export interface CurveRequest {
  account: Account
  kind: FeedKind
  media: Media | undefined
  isTrending: boolean
  startAt: number
  /** Followers when the post appeared. */
  followers: number
}

/** Draws a post's engagement: heavy-tailed in size, quick at first, with a long tail. */
export function drawCurve(request: CurveRequest, ...salt: readonly string[]): EngagementCurve {
  const { account, startAt } = request
  const random = createRandom(...salt, 'engagement')
  const isViral = request.kind !== 'reply' && random.chance(VIRAL_CHANCE)
  const utcOffsetMs = account.utcOffsetHours * HOUR_MS
  const local = new Date(startAt + utcOffsetMs)
  const hourEffect = 1 + 0.3 * Math.cos(((local.getUTCHours() - 13) / 24) * 2 * Math.PI)
  const likes =
    random.logNormal(account.medianLikes, 0.85) *
    (request.followers / Math.max(1, account.followers)) *
    KIND_EFFECT[request.kind] *
    MEDIA_EFFECT[request.media?.type ?? 'none'] *
    (WEEKDAY_EFFECT[local.getUTCDay()] ?? 1) *
    hourEffect *
    (request.isTrending ? 1.8 : 1) *
    (isViral ? random.logNormal(9, 0.6) : 1)
  const reposts = likes * random.logNormal(0.17, 0.5)
  const sizes: Metrics = {
    likes,
    replies: likes * random.logNormal(0.08, 0.6) + random.next() * 1.4,
    reposts,
    quotes: reposts * random.logNormal(0.13, 0.6),
    bookmarks: account.platform === 'bluesky' ? likes * random.logNormal(0.06, 0.6) : 0,
    views: 0,
    reach: 0,
  }
  const hasWave = random.chance(isViral ? 0.6 : 0.04)
  const phases: Metrics = {
    likes: random.next(),
    replies: random.next(),
    reposts: random.next(),
    quotes: random.next(),
    bookmarks: random.next(),
    views: 0,
    reach: 0,
  }
  drawAttention(account, sizes, phases, createRandom(...salt, 'attention'))
  return {
    startAt,
    sizes,
    phases,
    fastShare: 0.5 + 0.25 * random.next(),
    fastMs: random.logNormal(2.1, 0.35) * HOUR_MS,
    slowMs: random.logNormal(16, 0.5) * HOUR_MS,
    wave: hasWave
      ? {
          delayMs: (8 + 52 * random.next()) * HOUR_MS,
          share: 0.25 + 0.9 * random.next(),
          spanMs: (3 + 5 * random.next()) * HOUR_MS,
        }
      : undefined,
    unlikes: drawUnlikes(likes, startAt, random),
    utcOffsetMs,
  }
}

/** The counts of a post that nobody but the control interface touches. */
export function emptyCurve(startAt: number): EngagementCurve {
  return {
    startAt,
    sizes: noMetrics(),
    phases: noMetrics(),
    fastShare: 0.5,
    fastMs: HOUR_MS,
    slowMs: DAY_MS,
    wave: undefined,
    unlikes: [],
    utcOffsetMs: 0,
  }
}

/** The counts at a moment: whole numbers, 0 before the post appeared, falling only where likes are taken back. */
export function metricsOfCurve(curve: EngagementCurve, t: number): Metrics {
  const metrics = noMetrics()
  if (t <= curve.startAt) return metrics
  const share = shareReached(curve, t)
  for (const name of METRIC_NAMES) {
    const reached = curve.sizes[name] * share
    metrics[name] = Math.floor(reached + curve.phases[name] * Math.min(1, reached))
  }
  for (const unlike of curve.unlikes) {
    if (unlike.at <= t) metrics.likes -= unlike.count
  }
  metrics.likes = Math.max(0, metrics.likes)
  return metrics
}

function noMetrics(): Metrics {
  return { likes: 0, replies: 0, reposts: 0, quotes: 0, bookmarks: 0, views: 0, reach: 0 }
}

/** Who saw and kept a post, where the platform says; from a stream of its own, so that nothing else depends on it. */
function drawAttention(account: Account, sizes: Metrics, phases: Metrics, random: Random): void {
  const { viewsPerLike } = NETWORKS[account.platform]
  if (viewsPerLike === 0) return
  sizes.views = (sizes.likes + 2) * random.logNormal(viewsPerLike, 0.55)
  sizes.reach = sizes.views * (0.5 + 0.4 * random.next())
  phases.views = random.next()
  // The same, so that there is never more reach than there are views.
  phases.reach = phases.views
  const saves = sizes.likes * random.logNormal(0.07, 0.6)
  if (isMeasured(account.platform, 'saves')) sizes.bookmarks = saves
}

/** How much of the final engagement has arrived; tends to 1, or more where there was a second wave. */
function shareReached(curve: EngagementCurve, t: number): number {
  const age = activeTime(t + curve.utcOffsetMs) - activeTime(curve.startAt + curve.utcOffsetMs)
  const fast = 1 - Math.exp(-age / curve.fastMs)
  const slow = 1 - (1 + age / curve.slowMs) ** -0.9
  let share = curve.fastShare * fast + (1 - curve.fastShare) * slow
  if (curve.wave && age > curve.wave.delayMs) {
    share += curve.wave.share * (1 - Math.exp(-(age - curve.wave.delayMs) / curve.wave.spanMs))
  }
  return share
}

/** The integral of an activity that swings around 1 over the day: people like less while they sleep. */
function activeTime(localMs: number): number {
  const angle = ((localMs - BUSIEST_HOUR * HOUR_MS) / DAY_MS) * 2 * Math.PI
  return localMs + ((NIGHT_DEPTH * DAY_MS) / (2 * Math.PI)) * Math.sin(angle)
}

function drawUnlikes(likes: number, startAt: number, random: Random): EngagementCurve['unlikes'] {
  if (likes < 6) return []
  const unlikes = Array.from({ length: Math.min(12, random.poisson(likes * 0.012)) }, () => ({
    at: startAt + Math.round(random.logNormal(9, 1.2) * HOUR_MS),
    count: random.chance(0.15) ? 2 : 1,
  }))
  // Spam accounts that liked the post are removed all at once.
  if (random.chance(0.01)) {
    unlikes.push({ at: startAt + random.int(1, 20) * DAY_MS, count: Math.ceil(likes * 0.02) })
  }
  return unlikes
}
