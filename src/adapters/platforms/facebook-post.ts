import * as z from 'zod'
import { extractHashtags } from '../../domain/hashtags.ts'
import { noMetrics, type PostKind } from '../../domain/platforms.ts'
import type { AccountProfile, PlatformPost, PostMedia } from '../../ports.ts'
import {
  Count,
  cleanText,
  LooseList,
  OptionalName,
  OptionalText,
  readTimestamp,
  WebAddress,
} from './fields.ts'
import { readInsights } from './meta-posts.ts'
import { postedAtOf } from './moments.ts'

const FACEBOOK_BEGAN_MS = Date.UTC(2004, 1, 4)

export const PAGE_FIELDS = 'id,name,username,link,followers_count,picture.type(large){url}'
export const POST_FIELDS = [
  'id,message,story,created_time,permalink_url,status_type,parent_id,is_published,shares',
  'attachments{media_type,type,url,unshimmed_url,title,subattachments{media_type,type,url}}',
  'reactions.limit(0).summary(true)',
  'comments.limit(0).summary(true)',
].join(',')
export const EXTRA_POST_FIELDS = 'insights.metric(post_media_view)'

const Page = z.object({
  id: z.string().regex(/^\d{1,30}$/u),
  name: OptionalName,
  username: OptionalName,
  link: WebAddress,
  followers_count: Count,
  picture: z.object({ data: z.object({ url: WebAddress }) }).catch({ data: { url: null } }),
})

const Attachment = z.object({
  media_type: OptionalText,
  type: OptionalText,
  url: WebAddress,
  unshimmed_url: WebAddress,
  title: OptionalName,
  subattachments: z.object({ data: LooseList }).catch({ data: [] }),
})
type Attachment = z.infer<typeof Attachment>

const Summary = z
  .object({ summary: z.object({ total_count: Count }) })
  .catch({ summary: { total_count: null } })

const Post = z.object({
  id: z.string().regex(/^\d{1,30}_\d{1,30}$/u),
  message: OptionalText,
  story: OptionalText,
  created_time: OptionalText,
  permalink_url: WebAddress,
  status_type: OptionalText,
  attachments: z.object({ data: LooseList }).catch({ data: [] }),
  parent_id: OptionalText,
  is_published: z.boolean().nullable().catch(null),
  shares: z.unknown().optional(),
  reactions: Summary,
  comments: Summary,
  insights: z.unknown().optional(),
})

const Shares = z.object({ count: Count })

/** Reads a page's profile; throws when it is malformed. Pages follow nobody, and do not say how much they post. */
export function readFacebookPage(entry: unknown): AccountProfile {
  const page = Page.parse(entry)
  const handle = page.username ?? page.id
  return {
    externalId: page.id,
    host: null,
    handle: cleanText(handle),
    displayName: page.name,
    url: page.link ?? `https://www.facebook.com/${encodeURIComponent(handle)}`,
    avatarUrl: page.picture.data.url,
    followers: page.followers_count,
    following: null,
    posts: null,
  }
}

const MEDIA_TYPES: Readonly<Record<string, PostMedia['type']>> = {
  photo: 'image',
  image: 'image',
  video: 'video',
  link: 'link',
}

/** The attachments of a post; of an album, its parts. */
function readAttachments(entries: readonly unknown[]): PostMedia[] {
  return entries.flatMap((entry) => {
    const attachment = Attachment.safeParse(entry).data
    if (attachment === undefined) return []
    const parts = readAttachments(attachment.subattachments.data)
    return parts.length > 0 ? parts : [toMedia(attachment)]
  })
}

function toMedia(attachment: Attachment): PostMedia {
  const name = attachment.media_type ?? attachment.type ?? ''
  const type = Object.hasOwn(MEDIA_TYPES, name) ? (MEDIA_TYPES[name] ?? 'other') : 'other'
  const url = attachment.unshimmed_url ?? attachment.url
  return { type: name === 'album' ? 'image' : type, url, alt: type === 'link' ? attachment.title : null }
}

/** Whether an address leads to Facebook itself. */
function isOwnAddress(address: string): boolean {
  const hostname = URL.parse(address)?.hostname ?? ''
  return /(?:^|\.)(?:facebook|fb)\.com$/u.test(hostname) && hostname !== 'l.facebook.com'
}

/**
 * What a page shares of others with words of its own is a quote, without any a repost. Facebook calls it a
 * shared story, too, when a page posts a link that leads elsewhere: that is a post.
 */
function kindOf(post: z.infer<typeof Post>, media: readonly PostMedia[]): PostKind {
  const leadsElsewhere = media.some(({ type, url }) => type === 'link' && url !== null && !isOwnAddress(url))
  const shares = post.parent_id !== null || (post.status_type === 'shared_story' && !leadsElsewhere)
  if (!shares) return 'post'
  return post.message === null ? 'repost' : 'quote'
}

/** A post that nobody has shared has no such count. */
function readShares(shares: unknown): number | null {
  return shares === undefined ? 0 : (Shares.safeParse(shares).data?.count ?? null)
}

/** Reads a post; throws when it is malformed, `null` for one that is not published. */
export function readFacebookPost(json: unknown): PlatformPost | null {
  const post = Post.parse(json)
  if (post.is_published === false) return null
  const media = readAttachments(post.attachments.data)
  const kind = kindOf(post, media)
  const metrics = {
    ...noMetrics(),
    likes: post.reactions.summary.total_count,
    comments: post.comments.summary.total_count,
    shares: readShares(post.shares),
    views: readInsights(post.insights).get('post_media_view') ?? null,
  }
  return {
    platformPostId: post.id,
    kind,
    text: post.message ?? post.story,
    hashtags: extractHashtags(post.message ?? ''),
    url: post.permalink_url,
    postedAt: postedAtOf(
      { id: post.id, sent: post.created_time, atMs: readTimestamp(post.created_time) },
      FACEBOOK_BEGAN_MS,
    ),
    media,
    metrics: kind === 'repost' ? noMetrics() : metrics,
  }
}
