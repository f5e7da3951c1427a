import * as z from 'zod'
import { distinctTags, extractHashtags } from '../../domain/hashtags.ts'
import { noMetrics } from '../../domain/platforms.ts'
import type { PlatformPost, PostMedia } from '../../ports.ts'
import { Count, LooseList, OptionalName, OptionalText, refuseCount, WebAddress } from './fields.ts'
import { postedAtOf } from './moments.ts'

/** No post is older: Reddit opened on this day. */
const REDDIT_SINCE_MS = Date.UTC(2005, 5, 23)
const DELETED = '[deleted]'

const Flag = z.boolean().catch(false)
const Unknown = z.unknown().optional()

/** It may be below 0, which no count is: not known then. */
const Score = z
  .int()
  .nullable()
  .catch(({ value }) => refuseCount(value))
  .transform((score) => (score !== null && score < 0 ? null : score))

const Post = z.object({
  name: z.string().regex(/^t3_[a-z0-9]{1,13}$/u),
  author: OptionalText,
  title: OptionalName,
  selftext: OptionalName,
  created_utc: z.number().nullable().catch(null),
  permalink: OptionalText,
  subreddit: OptionalName,
  link_flair_text: OptionalName,
  removed_by_category: Unknown,
  crosspost_parent: OptionalText,
  is_self: Flag,
  is_video: Flag,
  is_gallery: Flag,
  hide_score: Flag,
  post_hint: OptionalText,
  url: WebAddress,
  poll_data: Unknown,
  gallery_data: z.object({ items: LooseList }).catch({ items: [] }),
  media_metadata: z.record(z.string(), z.unknown()).catch({}),
  score: Score,
  num_comments: Count,
  num_crossposts: Count,
})
type Post = z.infer<typeof Post>

/** A thing with the name of its kind: `t2` a user, `t3` a post, `t5` a community. */
export const Thing = z.object({ kind: z.string(), data: z.unknown() })

const GalleryItem = z.object({ media_id: z.string(), caption: OptionalName })
const GalleryPicture = z.object({ s: z.object({ u: WebAddress, gif: WebAddress }) })

/** Whether an id is one of a post, of which Reddit can be asked. */
export function isPostName(id: string): boolean {
  return /^t3_[a-z0-9]{1,13}$/u.test(id)
}

/** Markdown as it reads: editors there write a backslash before whatever might mean something. */
function unescapeMarkdown(text: string): string {
  return text.replace(/\\([!-/:-@[-`{-~])/gu, '$1')
}

/**
 * Few write hashtags on Reddit: the community, and the label that it sorts its posts by, say what a post is
 * about. In Markdown `#` begins a heading, with or without a space.
 */
function readHashtags({ title, selftext, subreddit, link_flair_text }: Post): string[] {
  const body = unescapeMarkdown((selftext ?? '').replace(/^ {0,3}#{1,6}/gmu, ''))
  const label = link_flair_text?.replace(/:[\w-]+:/gu, '').trim() ?? ''
  // What stands on a person's own page is in no community.
  const community = subreddit === null || subreddit.startsWith('u_') ? '' : subreddit
  return distinctTags([...extractHashtags(`${title ?? ''}\n${body}`), label, community])
}

function readGallery(post: Post): PostMedia[] {
  return post.gallery_data.items.flatMap((entry) => {
    const item = GalleryItem.safeParse(entry).data
    if (item === undefined) return []
    const source = GalleryPicture.safeParse(post.media_metadata[item.media_id]).data?.s
    const type = source?.gif ? 'gif' : 'image'
    return [{ type, url: source?.gif ?? source?.u ?? null, alt: item.caption }]
  })
}

function readMedia(post: Post): PostMedia[] {
  const { url, post_hint: hint } = post
  // Its address is that of the other post.
  if (post.crosspost_parent !== null) return []
  if (post.is_gallery) return readGallery(post)
  if (post.poll_data !== undefined && post.poll_data !== null) return [{ type: 'poll', url: null, alt: null }]
  if (post.is_self || url === null) return []
  if (post.is_video || hint === 'hosted:video' || hint === 'rich:video')
    return [{ type: 'video', url, alt: null }]
  const { hostname, pathname } = new URL(url)
  if (hint === 'image' || hostname === 'i.redd.it')
    return [{ type: pathname.endsWith('.gif') ? 'gif' : 'image', url, alt: null }]
  return [{ type: 'link', url, alt: null }]
}

/**
 * Reads a post as listings give it; throws when it is malformed. `null` for what is no post, and for a post
 * that its author or a moderator took away.
 */
export function readPost(entry: unknown): PlatformPost | null {
  const thing = Thing.parse(entry)
  if (thing.kind !== 't3') return null
  const post = Post.parse(thing.data)
  if ((post.removed_by_category ?? null) !== null || post.author === DELETED) return null
  const isCrosspost = post.crosspost_parent !== null
  const body = post.selftext === null ? null : unescapeMarkdown(post.selftext)
  const text = [post.title, body].filter((part) => part !== null).join('\n\n')
  return {
    platformPostId: post.name,
    kind: isCrosspost ? 'repost' : 'post',
    text: text === '' ? null : text,
    hashtags: readHashtags(post),
    url: post.permalink?.startsWith('/') ? `https://www.reddit.com${post.permalink}` : null,
    postedAt: postedAtOf(
      {
        id: post.name,
        sent: post.created_utc,
        atMs: post.created_utc === null ? null : Math.round(post.created_utc * 1_000),
      },
      REDDIT_SINCE_MS,
    ),
    media: readMedia(post),
    metrics: isCrosspost
      ? noMetrics()
      : {
          ...noMetrics(),
          // Up minus down votes, blurred by Reddit: it falls, too.
          likes: post.hide_score ? null : post.score,
          comments: post.num_comments,
          shares: post.num_crossposts,
        },
  }
}
