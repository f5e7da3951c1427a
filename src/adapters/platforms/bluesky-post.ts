import * as z from 'zod'
import { distinctTags } from '../../domain/hashtags.ts'
import { noMetrics, type PostKind } from '../../domain/platforms.ts'
import type { PlatformPost, PostMedia } from '../../ports.ts'
import {
  Count,
  cleanText,
  LooseList,
  OptionalName,
  OptionalText,
  readTimestamp,
  WebAddress,
} from './fields.ts'
import { isPlausible, postedAtOf } from './moments.ts'

const POST_COLLECTION = 'app.bsky.feed.post'

const Typed = z.object({ $type: z.string().catch('') })

const PostRecord = z.object({
  text: OptionalText,
  createdAt: OptionalText,
  facets: LooseList,
  tags: LooseList,
  reply: z.unknown().optional(),
})

const PostView = z.object({
  uri: z.string().regex(/^at:\/\/[^/]+\/[^/]+\/[^/]+$/u),
  record: PostRecord,
  embed: z.unknown().optional(),
  indexedAt: OptionalText,
  likeCount: Count,
  replyCount: Count,
  repostCount: Count,
  quoteCount: Count,
  bookmarkCount: Count,
})
type PostView = z.infer<typeof PostView>

const FeedEntry = z.object({ post: z.unknown(), reason: z.unknown().optional() })

const RepostReason = z.object({ uri: OptionalText, indexedAt: OptionalText })

const Facet = z.object({
  index: z.object({ byteStart: z.number().catch(0) }).catch({ byteStart: 0 }),
  features: LooseList,
})

const TagFeature = z.object({ $type: z.literal('app.bsky.richtext.facet#tag'), tag: z.string() })

/** The parts of an `at://` URI. */
function parseAtUri(uri: string): { repository: string; collection: string; key: string } | null {
  const match = /^at:\/\/([^/]+)\/([^/]+)\/([^/]+)$/u.exec(uri)
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return null
  return { repository: match[1], collection: match[2], key: match[3] }
}

/** Whether an id is the URI of a post, of which Bluesky can be asked. */
export function isPostUri(id: string): boolean {
  return /^at:\/\/did:[a-z]+:[\w.:%-]+\/app\.bsky\.feed\.post\/[\w.:~-]{1,512}$/u.test(id)
}

function typeOf(value: unknown): string {
  return Typed.safeParse(value).data?.$type ?? ''
}

/** The tags within the text, in its order, then those the author added outside of it. */
function readHashtags(record: z.infer<typeof PostRecord>): string[] {
  const facets = record.facets
    .flatMap((facet) => Facet.safeParse(facet).data ?? [])
    .sort((a, b) => a.index.byteStart - b.index.byteStart)
  const inText = facets.flatMap(({ features }) =>
    features.flatMap((feature) => TagFeature.safeParse(feature).data?.tag ?? []),
  )
  const outside = record.tags.filter((tag) => typeof tag === 'string')
  return distinctTags([...inText, ...outside].map(cleanText))
}

const ImagesView = z.object({ images: LooseList, items: LooseList })
const ImageView = z.object({ fullsize: WebAddress, alt: OptionalName })
const VideoView = z.object({ playlist: WebAddress, alt: OptionalName, presentation: OptionalText })
const ExternalView = z.object({ external: z.object({ uri: WebAddress, title: OptionalName }) })

function readMedia(embed: unknown): PostMedia[] {
  switch (typeOf(embed)) {
    case 'app.bsky.embed.images#view':
    case 'app.bsky.embed.gallery#view': {
      const { images = [], items = [] } = ImagesView.safeParse(embed).data ?? {}
      return [...images, ...items].flatMap((item) => {
        const image = ImageView.safeParse(item).data
        return image === undefined ? [] : [{ type: 'image' as const, url: image.fullsize, alt: image.alt }]
      })
    }
    case 'app.bsky.embed.video#view': {
      const video = VideoView.safeParse(embed).data
      if (video === undefined) return []
      return [{ type: video.presentation === 'gif' ? 'gif' : 'video', url: video.playlist, alt: video.alt }]
    }
    case 'app.bsky.embed.external#view': {
      const link = ExternalView.safeParse(embed).data?.external
      return link === undefined ? [] : [{ type: 'link', url: link.uri, alt: link.title }]
    }
    case 'app.bsky.embed.recordWithMedia#view':
      return readMedia(z.object({ media: z.unknown() }).safeParse(embed).data?.media)
    default:
      return []
  }
}

const QuotedRecord = z.object({ record: z.object({ uri: z.string() }) })
const QuoteWithMedia = z.object({ record: QuotedRecord })

/** Whether the embed is a post; feeds, lists and starter packs are cards. Also of a post that is gone or hidden. */
function isQuote(embed: unknown): boolean {
  const type = typeOf(embed)
  const quoted =
    type === 'app.bsky.embed.record#view'
      ? QuotedRecord.safeParse(embed).data
      : type === 'app.bsky.embed.recordWithMedia#view'
        ? QuoteWithMedia.safeParse(embed).data?.record
        : undefined
  return quoted !== undefined && parseAtUri(quoted.record.uri)?.collection === POST_COLLECTION
}

function kindOf(post: PostView): PostKind {
  if (post.record.reply !== undefined && post.record.reply !== null) return 'reply'
  return isQuote(post.embed) ? 'quote' : 'post'
}

/** The network's first posts are of this month. */
const BLUESKY_BEGAN_MS = Date.UTC(2022, 10, 1)

/** The earlier of the moments given: a client may declare a date that lies ahead, or none at all. */
function earliest(id: string, ...sent: (string | null)[]): string {
  const moments = sent
    .map((text) => ({ id, sent: text, atMs: readTimestamp(text) }))
    .filter(({ sent, atMs }) => isPlausible(atMs, BLUESKY_BEGAN_MS, sent))
    .sort((a, b) => Number(a.atMs) - Number(b.atMs))
  return postedAtOf(moments[0] ?? { id, sent: null, atMs: null }, BLUESKY_BEGAN_MS)
}

function permalink(uri: string): string | null {
  const parts = parseAtUri(uri)
  return parts === null ? null : `https://bsky.app/profile/${parts.repository}/post/${parts.key}`
}

/** Reads a post as `getPosts` gives it; throws when it is malformed. */
export function readPost(entry: unknown): PlatformPost {
  const post = PostView.parse(entry)
  return {
    platformPostId: post.uri,
    kind: kindOf(post),
    text: post.record.text,
    hashtags: readHashtags(post.record),
    url: permalink(post.uri),
    postedAt: earliest(post.uri, post.record.createdAt, post.indexedAt),
    media: readMedia(post.embed),
    metrics: {
      ...noMetrics(),
      likes: post.likeCount,
      comments: post.replyCount,
      shares: post.repostCount,
      quotes: post.quoteCount,
      saves: post.bookmarkCount,
    },
  }
}

/**
 * Reads an entry of a feed; throws when it is malformed. A repost (of one's own posts, too) has an id and
 * a date of its own, and no metrics: those it shows belong to the original. `null` for a pinned post,
 * which comes again in its place.
 */
export function readFeedEntry(entry: unknown): PlatformPost | null {
  const { post, reason } = FeedEntry.parse(entry)
  switch (typeOf(reason)) {
    case 'app.bsky.feed.defs#reasonPin':
      return null
    case 'app.bsky.feed.defs#reasonRepost': {
      const original = readPost(post)
      const repost = RepostReason.parse(reason)
      const repostedAtMs = readTimestamp(repost.indexedAt)
      return {
        ...original,
        platformPostId: repost.uri ?? `repost:${original.platformPostId}`,
        kind: 'repost',
        postedAt: isPlausible(repostedAtMs, BLUESKY_BEGAN_MS, repost.indexedAt)
          ? new Date(repostedAtMs).toISOString()
          : original.postedAt,
        metrics: noMetrics(),
      }
    }
    default:
      return readPost(post)
  }
}
