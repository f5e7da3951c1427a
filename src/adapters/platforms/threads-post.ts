import * as z from 'zod'
import { distinctTags } from '../../domain/hashtags.ts'
import { noMetrics, type PostKind, type PostMetrics } from '../../domain/platforms.ts'
import type { PlatformPost, PostMedia } from '../../ports.ts'
import { Count, LooseList, OptionalName, OptionalText, readTimestamp, WebAddress } from './fields.ts'
import { postedAtOf } from './moments.ts'

/** Nobody posted earlier, and the API refuses to be asked of earlier moments. */
export const THREADS_BEGAN_MS = Date.UTC(2023, 6, 5)

const METRICS = 'views,likes,replies,reposts,quotes,shares'

/** What is asked for of each post. One name that Threads does not know would fail the whole call. */
export const POST_FIELDS =
  'id,media_type,media_url,permalink,text,timestamp,alt_text,link_attachment_url,is_quote_post,is_reply,topic_tag,children{media_type,media_url,alt_text}'
/** The same with the counts, which Threads need not give in this way. */
export const POST_FIELDS_WITH_METRICS = `${POST_FIELDS},insights.metric(${METRICS})`
/** The parameters that a post's own counts are asked for with. */
export const METRIC_PARAMETERS = { metric: METRICS }

/** The list that counts come in, of a post or of an account. */
export const Insights = z.object({ data: LooseList })

const Insight = z.object({
  name: z.string(),
  values: z.array(z.object({ value: Count }).catch({ value: null })).catch([]),
  total_value: z.object({ value: Count }).nullable().catch(null),
})

const MediaFields = {
  media_type: z.string().catch(''),
  media_url: WebAddress,
  alt_text: OptionalName,
}

const Child = z.object(MediaFields)

const Post = z.object({
  ...MediaFields,
  id: z.string().regex(/^\d{1,30}$/u),
  permalink: WebAddress,
  text: OptionalText,
  timestamp: OptionalText,
  link_attachment_url: WebAddress,
  is_quote_post: z.boolean().catch(false),
  is_reply: z.boolean().catch(false),
  topic_tag: OptionalText,
  children: Insights.nullable().catch(null),
  insights: Insights.nullable().catch(null),
})
type Post = z.infer<typeof Post>

const MEDIA_TYPES: Readonly<Record<string, PostMedia['type']>> = {
  IMAGE: 'image',
  VIDEO: 'video',
  AUDIO: 'audio',
}

/** Whether an id is one that Threads can be asked of. */
export function isPostId(id: string): boolean {
  return Post.shape.id.safeParse(id).success
}

/** A count by its name; `null` where the platform does not say. */
export function readInsight(insights: z.infer<typeof Insights>, name: string): number | null {
  const found = insights.data
    .flatMap((entry) => Insight.safeParse(entry).data ?? [])
    .find((insight) => insight.name === name)
  return found?.total_value?.value ?? found?.values.at(-1)?.value ?? null
}

/**
 * The counts of a post. What was passed on was reposted, or sent to somebody: older posts are without the
 * second count, which then adds nothing.
 */
export function readMetrics(insights: z.infer<typeof Insights>): PostMetrics {
  const reposts = readInsight(insights, 'reposts')
  return {
    ...noMetrics(),
    likes: readInsight(insights, 'likes'),
    comments: readInsight(insights, 'replies'),
    shares: reposts === null ? null : reposts + (readInsight(insights, 'shares') ?? 0),
    quotes: readInsight(insights, 'quotes'),
    views: readInsight(insights, 'views'),
  }
}

function readMedia(post: Post): PostMedia[] {
  const children = post.children?.data.flatMap((entry) => Child.safeParse(entry).data ?? []) ?? []
  const media: PostMedia[] = (children.length > 0 ? children : [post]).flatMap((item) => {
    const type = MEDIA_TYPES[item.media_type]
    return type === undefined ? [] : [{ type, url: item.media_url, alt: item.alt_text }]
  })
  if (post.link_attachment_url !== null)
    media.push({ type: 'link', url: post.link_attachment_url, alt: null })
  return media
}

function kindOf(post: Post, isReply: boolean): PostKind {
  // What stands in a profile for somebody else's post; it has no counts of its own.
  if (post.media_type === 'REPOST_FACADE') return 'repost'
  if (isReply || post.is_reply) return 'reply'
  return post.is_quote_post ? 'quote' : 'post'
}

/**
 * Reads a post; throws when it is malformed.
 * @param isReply it is known to be one, from where it was found
 */
export function readThreadsPost(entry: unknown, isReply: boolean): PlatformPost {
  const post = Post.parse(entry)
  const kind = kindOf(post, isReply)
  return {
    platformPostId: post.id,
    kind,
    text: post.text,
    hashtags: distinctTags(post.topic_tag === null ? [] : [post.topic_tag]),
    url: post.permalink,
    postedAt: postedAtOf(
      { id: post.id, sent: post.timestamp, atMs: readTimestamp(post.timestamp) },
      THREADS_BEGAN_MS,
    ),
    media: readMedia(post),
    metrics: kind === 'repost' || post.insights === null ? noMetrics() : readMetrics(post.insights),
  }
}
