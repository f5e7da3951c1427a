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
import { refuseValue } from './refused-values.ts'

const BEGAN_MS = Date.UTC(2006, 2, 21)

/** Ids are decimal, and longer than what a number holds. */
const X_ID = /^\d{1,19}$/u
export const XId = z.string().regex(X_ID)

/** Whether X may be asked for a post by this id. */
export function isPostId(id: string): boolean {
  return X_ID.test(id)
}

const NO_ENTITIES = { hashtags: [], urls: [] }
const Entities = z.object({ hashtags: LooseList, urls: LooseList }).catch(NO_ENTITIES)
const Hashtag = z.object({ tag: z.string() })
const Link = z.object({
  url: z.string().min(1),
  expanded_url: WebAddress,
  unwound_url: WebAddress,
  title: OptionalName,
  media_key: OptionalText,
})
type Link = z.infer<typeof Link>

/** What lies beyond the 280 characters that `text` is cut to. */
const Note = z.object({ text: OptionalText, entities: z.unknown().optional() }).nullable().catch(null)

const NO_METRICS = {
  retweet_count: null,
  repost_count: null,
  reply_count: null,
  like_count: null,
  quote_count: null,
  bookmark_count: null,
  impression_count: null,
}
const Metrics = z
  .object({
    retweet_count: Count,
    repost_count: Count,
    reply_count: Count,
    like_count: Count,
    quote_count: Count,
    bookmark_count: Count,
    impression_count: Count,
  })
  .catch(NO_METRICS)

/** In both spellings; see `x-api.ts`. */
const Post = z.object({
  id: XId,
  text: OptionalText,
  created_at: OptionalText,
  entities: Entities,
  note_tweet: Note,
  note_post: Note,
  public_metrics: Metrics,
  referenced_tweets: LooseList,
  referenced_posts: LooseList,
  in_reply_to_user_id: OptionalText,
  attachments: z
    .object({ media_keys: LooseList, poll_ids: LooseList })
    .catch({ media_keys: [], poll_ids: [] }),
})
type Post = z.infer<typeof Post>

const Reference = z.object({ type: z.string(), id: z.string().catch('') })
type Reference = z.infer<typeof Reference>

const Media = z.object({
  media_key: z.string().min(1),
  type: z.string().catch(''),
  url: WebAddress,
  preview_image_url: WebAddress,
  alt_text: OptionalName,
})

const MEDIA_TYPES: Readonly<Record<string, PostMedia['type']>> = {
  photo: 'image',
  video: 'video',
  animated_gif: 'gif',
}

/** What came along with a page of posts: its media, by key. */
export function readIncludedMedia(included: readonly unknown[]): Map<string, PostMedia> {
  const media = new Map<string, PostMedia>()
  for (const entry of included) {
    const item = Media.safeParse(entry).data
    if (item === undefined) continue
    const type = MEDIA_TYPES[item.type] ?? 'other'
    media.set(item.media_key, { type, url: item.url ?? item.preview_image_url, alt: item.alt_text })
  }
  return media
}

function kindOf(post: Post, references: Reference[]): PostKind {
  const types = references.map(({ type }) => type)
  if (types.includes('retweeted')) return 'repost'
  // A reply stays one when what it answers is deleted: then only its author is still named.
  if (types.includes('replied_to') || post.in_reply_to_user_id !== null) return 'reply'
  return types.includes('quoted') ? 'quote' : 'post'
}

/** X escapes these three in texts, and no others. */
function unescapeText(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

/** When ids began to hold the moment of their making, in milliseconds above their lowest 22 bits. */
const ID_EPOCH_MS = 1_288_834_974_657
const ID_TIME_SHIFT = 22n
/** Ids below were counted up, and hold none. */
const FIRST_ID_WITH_TIME = 29_700_859_247n

/**
 * When a post was written; by its id where its date cannot be true. A post that was left out instead would never
 * be listed again, as only those newer than the newest known are asked for.
 */
function postedAt({ id, created_at }: Post): string {
  const atMs = readTimestamp(created_at)
  const number = BigInt(id)
  if (isPlausible(atMs, BEGAN_MS, created_at) || number < FIRST_ID_WITH_TIME)
    return postedAtOf({ id, sent: created_at, atMs }, BEGAN_MS)
  if (created_at === null) refuseValue(undefined, 'the date of the post is missing')
  return new Date(Number(number >> ID_TIME_SHIFT) + ID_EPOCH_MS).toISOString()
}

/** The lowest id of posts written at a moment, in milliseconds since 1970; `null` where ids held none yet. */
export function lowestIdAt(atMs: number): string | null {
  const sinceMs = Math.floor(atMs) - ID_EPOCH_MS
  return sinceMs > 0 ? String(BigInt(sinceMs) << ID_TIME_SHIFT) : null
}

/** What the author wrote: without the short addresses that X puts for links, and adds for media and quotes. */
function readText(text: string, links: Link[], references: Reference[]): string {
  const quoted = references.filter(({ type }) => type === 'quoted').map(({ id }) => id)
  const isQuoted = (address: string): boolean =>
    quoted.includes(/\/status\/(\d+)$/u.exec(address)?.[1] ?? '-')
  const written = new Map<string, string | null>()
  for (const { url, expanded_url, media_key } of links)
    written.set(url, media_key !== null || isQuoted(expanded_url ?? '') ? '' : expanded_url)
  const whole = text.replace(/https?:\/\/t\.co\/\w+/gu, (short) => written.get(short) ?? short)
  return unescapeText(whole).trim()
}

/** A link that is shown as a card has a title. */
function readCards(links: Link[]): PostMedia[] {
  return links.flatMap(({ media_key, title, unwound_url, expanded_url }) =>
    media_key === null && title !== null
      ? [{ type: 'link' as const, url: unwound_url ?? expanded_url, alt: title }]
      : [],
  )
}

function readMedia(post: Post, included: ReadonlyMap<string, PostMedia>): PostMedia[] {
  const { media_keys, poll_ids } = post.attachments
  const media = media_keys
    .filter((key) => typeof key === 'string')
    .map((key): PostMedia => included.get(key) ?? { type: 'other', url: null, alt: null })
  if (poll_ids.length > 0) media.push({ type: 'poll', url: null, alt: null })
  return media
}

/**
 * Reads a post; throws when it is malformed. A repost has an id and a date of its own, and no metrics: those
 * that it shows are partly the original's.
 * @param included media that came along, see `readIncludedMedia`
 * @param profileUrl the author's page; `null` where the author is not known, and then the post has no address
 */
export function readPost(
  entry: unknown,
  included: ReadonlyMap<string, PostMedia>,
  profileUrl: string | null,
): PlatformPost {
  const post = Post.parse(entry)
  const note = post.note_tweet ?? post.note_post
  const isLong = note?.text != null
  const text = isLong ? note.text : post.text
  const entities = isLong ? Entities.parse(note.entities) : post.entities
  const links = entities.urls.flatMap((link) => Link.safeParse(link).data ?? [])
  const tags = entities.hashtags.flatMap((hashtag) => Hashtag.safeParse(hashtag).data?.tag ?? [])
  const references = [...post.referenced_tweets, ...post.referenced_posts].flatMap(
    (reference) => Reference.safeParse(reference).data ?? [],
  )
  const kind = kindOf(post, references)
  const counts = post.public_metrics
  return {
    platformPostId: post.id,
    kind,
    text: text === null ? null : readText(text, links, references),
    hashtags: distinctTags(tags.map(cleanText)),
    url: profileUrl === null ? null : `${profileUrl}/status/${post.id}`,
    postedAt: postedAt(post),
    media: [...readMedia(post, included), ...readCards(links)],
    metrics:
      kind === 'repost'
        ? noMetrics()
        : {
            ...noMetrics(),
            likes: counts.like_count,
            comments: counts.reply_count,
            shares: counts.repost_count ?? counts.retweet_count,
            quotes: counts.quote_count,
            saves: counts.bookmark_count,
            impressions: counts.impression_count,
          },
  }
}
