import * as z from 'zod'
import { noMetrics, type PostKind, type PostMetrics } from '../../domain/platforms.ts'
import { PlatformError, type PlatformPost, type PostMedia } from '../../ports.ts'
import { Count, LooseList, OptionalName, OptionalText, WebAddress } from './fields.ts'
import { readCommentary } from './linkedin-commentary.ts'
import { postedAtOf } from './moments.ts'

/** The day on which LinkedIn began. */
const BEGAN_MS = Date.UTC(2003, 4, 5)
const DAY_MS = 86_400_000

const POST_URN = /^urn:li:(share|ugcPost):\d{1,20}$/u

/** The two kinds of posts, which statistics are asked for apart. */
export type PostUrnKind = 'share' | 'ugcPost'

/** Which kind of post an id names; `null` when it is none of LinkedIn's. */
export function postUrnKind(id: string): PostUrnKind | null {
  const kind = POST_URN.exec(id)?.[1]
  return kind === 'share' || kind === 'ugcPost' ? kind : null
}

/** Milliseconds since 1970. */
const Moment = z.number().nullable().catch(null)

const Media = z.object({ id: OptionalText, altText: OptionalName, title: OptionalName })
const Article = z.object({ source: WebAddress, title: OptionalName })

const Content = z
  .object({
    media: Media.nullable().catch(null),
    article: Article.nullable().catch(null),
    multiImage: z.object({ images: LooseList }).nullable().catch(null),
    poll: z.object({ question: OptionalName }).nullable().catch(null),
  })
  .partial()

const Post = z.object({
  id: z.string().regex(POST_URN),
  commentary: OptionalText,
  publishedAt: Moment,
  createdAt: Moment,
  lifecycleState: OptionalText,
  content: z.unknown().optional(),
  reshareContext: z.unknown().optional(),
})

function toMedia({ id, altText, title }: z.infer<typeof Media>): PostMedia {
  const kind = /^urn:li:(image|video):/u.exec(id ?? '')?.[1]
  // Its address is not in the answer: it would be a call for each.
  return {
    type: kind === 'image' || kind === 'video' ? kind : 'other',
    url: null,
    alt: altText ?? title,
  }
}

function readMedia(content: unknown): PostMedia[] {
  const { media, article, multiImage, poll } = Content.safeParse(content).data ?? {}
  const found: PostMedia[] = []
  if (media != null) found.push(toMedia(media))
  for (const image of multiImage?.images ?? []) {
    const parsed = Media.safeParse(image).data
    if (parsed !== undefined) found.push({ ...toMedia(parsed), type: 'image' })
  }
  if (article != null) found.push({ type: 'link', url: article.source, alt: article.title })
  if (poll != null) found.push({ type: 'poll', url: null, alt: poll.question })
  return found
}

function kindOf(post: z.infer<typeof Post>, text: string): PostKind {
  if (post.reshareContext === undefined || post.reshareContext === null) return 'post'
  return text.trim() === '' ? 'repost' : 'quote'
}

/**
 * Reads a post, whose metrics stand elsewhere; throws when it is malformed. `null` for one that is not
 * published. A reshare with words of its own is a quote, one without a repost.
 */
export function readPost(entry: unknown): PlatformPost | null {
  const post = Post.parse(entry)
  if (post.lifecycleState !== null && post.lifecycleState !== 'PUBLISHED') return null
  const sent = post.publishedAt ?? post.createdAt
  const { text, hashtags } = readCommentary(post.commentary ?? '')
  return {
    platformPostId: post.id,
    kind: kindOf(post, text),
    text: post.commentary === null ? null : text,
    hashtags,
    url: `https://www.linkedin.com/feed/update/${post.id}`,
    postedAt: postedAtOf({ id: post.id, sent, atMs: sent }, BEGAN_MS),
    media: readMedia(post.content),
    metrics: noMetrics(),
  }
}

const Totals = z.object({
  impressionCount: Count,
  uniqueImpressionsCount: Count,
  likeCount: Count,
  commentCount: Count,
  shareCount: Count,
})

const Statistics = z.object({
  share: OptionalText,
  ugcPost: OptionalText,
  totalShareStatistics: Totals.nullable().catch(null),
})

/** What share statistics say of the posts that were asked for. */
export interface ShareStatistics {
  byId: Map<string, PostMetrics>
  /** Whether a post that is left out has had no activity; else nothing is known of it. */
  isWhole: boolean
}

/**
 * Reads an answer's statistics.
 * @param pageSize how many the answer may hold, as it says itself
 */
export function readStatistics(elements: readonly unknown[], pageSize: number | null): ShareStatistics {
  const byId = new Map<string, PostMetrics>()
  for (const element of elements) {
    const { share, ugcPost, totalShareStatistics: totals } = Statistics.safeParse(element).data ?? {}
    const id = share ?? ugcPost
    if (id == null) continue
    byId.set(id, totals == null ? noMetrics() : toMetrics(totals))
  }
  if (elements.length > 0 && byId.size === 0)
    throw new PlatformError('bad_answer', 'The statistics of LinkedIn could not be understood.')
  const isWhole = byId.size === elements.length && (pageSize === null || elements.length < pageSize)
  return { byId, isWhole }
}

function toMetrics(totals: z.infer<typeof Totals>): PostMetrics {
  return {
    ...noMetrics(),
    likes: totals.likeCount,
    comments: totals.commentCount,
    shares: totals.shareCount,
    impressions: totals.impressionCount,
    reach: totals.uniqueImpressionsCount,
  }
}

/** Statistics reach this far back. */
const STATISTICS_REACH_MS = 365 * DAY_MS

/** What a post's metrics are by the statistics that were asked for it. */
export function metricsOf(post: PlatformPost, statistics: ShareStatistics, nowMs: number): PostMetrics {
  const known = statistics.byId.get(post.platformPostId)
  if (known !== undefined) return known
  const isRecent = nowMs - Date.parse(post.postedAt) < STATISTICS_REACH_MS
  if (!statistics.isWhole || !isRecent) return noMetrics()
  return { ...noMetrics(), likes: 0, comments: 0, shares: 0, impressions: 0, reach: 0 }
}
