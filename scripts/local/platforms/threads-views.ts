import { hash32 } from './random.ts'
import type { Account, FeedEntry, Metrics } from './types.ts'
import type { World } from './world.ts'

type View = Record<string, unknown>

/** The counts of a post that can be asked for. */
export const POST_METRICS = ['views', 'likes', 'replies', 'reposts', 'quotes', 'shares']
/** And of an account; of all but the followers the world keeps no daily counts. */
export const ACCOUNT_METRICS = ['views', 'likes', 'replies', 'reposts', 'quotes', 'clicks', 'followers_count']

/** One in so many times that a post is passed on, it is sent to somebody instead of reposted. */
const SENT_EVERY = 4

/** The fields of an account. */
export function profileView(world: World, account: Account, origin: string, t: number): View {
  const { handle, displayName } = world.namesAt(account, t)
  return {
    id: account.id,
    username: handle,
    name: displayName,
    threads_profile_picture_url: `${origin}/media/avatar-${account.key}.svg`,
    threads_biography: account.description,
    is_verified: false,
  }
}

/** The fields of a post, or of what stands for a repost; those that Threads would leave out are missing. */
export function postView(world: World, entry: FeedEntry, origin: string, t: number): View {
  const { handle } = world.namesAt(entry.account, t)
  const code = shortcodeOf(entry.id)
  const common = {
    id: entry.id,
    media_product_type: 'THREADS',
    permalink: `https://www.threads.net/@${handle}/post/${code}`,
    owner: { id: entry.account.id },
    username: handle,
    timestamp: new Date(entry.at).toISOString().replace(/\.\d+Z$/u, '+0000'),
    shortcode: code,
  }
  const { post } = entry
  if (entry.kind === 'repost')
    return { ...common, media_type: 'REPOST_FACADE', reposted_post: { id: post.id }, is_quote_post: false }
  return {
    ...common,
    ...mediaView(entry, origin),
    text: post.text,
    is_quote_post: post.quotedId !== undefined,
    ...(post.quotedId !== undefined && { quoted_post: { id: post.quotedId } }),
    is_reply: post.replyToId !== undefined,
    ...(post.replyToId !== undefined && { replied_to: { id: post.replyToId } }),
    has_replies: post.metrics.replies > 0,
    ...(post.hashtags[0] !== undefined && { topic_tag: post.hashtags[0] }),
  }
}

/** Counts by their names, as lists of such come. What stands for a repost has none. */
export function insightsView(entry: FeedEntry, names: readonly string[]): object {
  if (entry.kind === 'repost') return { data: [] }
  const counts = countsOf(entry.post.metrics)
  return {
    data: names.map((name) => ({
      name,
      period: 'lifetime',
      values: [{ value: counts[name] ?? 0 }],
      id: `${entry.id}/insights/${name}/lifetime`,
    })),
  }
}

export function accountInsightsView(
  world: World,
  account: Account,
  names: readonly string[],
  t: number,
): object {
  const { followers } = world.profileAt(account, t)
  return {
    data: names
      .filter((name) => name === 'followers_count')
      .map((name) => ({ name, period: 'day', total_value: { value: followers } })),
  }
}

function countsOf(metrics: Metrics): Record<string, number> {
  const shares = Math.floor(metrics.reposts / SENT_EVERY)
  return {
    views: metrics.views,
    likes: metrics.likes,
    replies: metrics.replies,
    reposts: metrics.reposts - shares,
    quotes: metrics.quotes,
    shares,
  }
}

function mediaView({ id, post: { media } }: FeedEntry, origin: string): View {
  const file = (name: string): string => `${origin}/media/${id}/${name}`
  switch (media?.type) {
    case 'images': {
      const images = media.alts.map((alt, index) => ({
        id: `${id}${index}`,
        media_type: 'IMAGE',
        media_url: file(`${index}.svg`),
        alt_text: alt,
      }))
      const [first] = images
      if (images.length > 1)
        return {
          media_type: 'CAROUSEL_ALBUM',
          media_url: first?.media_url,
          children: { data: images },
        }
      return { media_type: 'IMAGE', media_url: first?.media_url, alt_text: first?.alt_text }
    }
    case 'video':
      return {
        media_type: 'VIDEO',
        media_url: file('video.mp4'),
        thumbnail_url: file('thumbnail.svg'),
        alt_text: media.alt,
      }
    case 'audio':
      return { media_type: 'AUDIO', media_url: file('audio.mp3'), alt_text: media.alt }
    case 'link':
      return { media_type: 'TEXT_POST', link_attachment_url: media.url }
    default:
      // Polls and animated pictures are texts as well.
      return { media_type: 'TEXT_POST' }
  }
}

function shortcodeOf(id: string): string {
  return `D${hash32(id, 'a').toString(36)}${hash32(id, 'b').toString(36)}`
}
