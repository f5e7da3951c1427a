import * as z from 'zod'
import { distinctTags, extractHashtags, normaliseTag } from '../../domain/hashtags.ts'
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
import { htmlToText } from './html-text.ts'
import { postedAtOf } from './moments.ts'

/** The day on which the first server opened of those that speak with each other; older than Mastodon itself. */
const FEDIVERSE_BEGAN_MS = Date.UTC(2008, 6, 2)

const Unknown = z.unknown().optional()

const Status = z.object({
  id: z.string().min(1),
  created_at: OptionalText,
  content: OptionalText,
  spoiler_text: OptionalText,
  url: WebAddress,
  uri: WebAddress,
  visibility: OptionalText,
  in_reply_to_id: Unknown,
  in_reply_to_account_id: Unknown,
  reblog: Unknown,
  quote: Unknown,
  media_attachments: LooseList,
  poll: Unknown,
  card: Unknown,
  tags: z.array(z.unknown()).nullable().catch(null),
  favourites_count: Count,
  replies_count: Count,
  reblogs_count: Count,
  quotes_count: Count,
})
type Status = z.infer<typeof Status>

const Tag = z.object({ name: z.string() })
const Attachment = z.object({ type: z.string().catch('unknown'), url: WebAddress, description: OptionalName })
const Card = z.object({ url: WebAddress, title: OptionalName })

const MEDIA_TYPES: Readonly<Record<string, PostMedia['type']>> = {
  image: 'image',
  video: 'video',
  gifv: 'gif',
  audio: 'audio',
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null
}

function readMedia(status: Status): PostMedia[] {
  const media: PostMedia[] = status.media_attachments.flatMap((entry) => {
    const attachment = Attachment.safeParse(entry).data
    if (attachment === undefined) return []
    return [
      { type: MEDIA_TYPES[attachment.type] ?? 'other', url: attachment.url, alt: attachment.description },
    ]
  })
  if (isPresent(status.poll)) media.push({ type: 'poll', url: null, alt: null })
  const card = Card.safeParse(status.card).data
  if (card !== undefined) media.push({ type: 'link', url: card.url, alt: card.title })
  return media
}

/** What the author wrote: the content warning, where there is one, and the text. */
function readText(status: Status): string | null {
  if (status.content === null) return null
  const text = htmlToText(status.content)
  const warning = status.spoiler_text?.trim() ?? ''
  return warning === '' ? text : `${warning}\n\n${text}`.trim()
}

/** Latin letters that do not decompose, as Mastodon writes them in the names of tags. */
const FOLDED_LETTERS: Readonly<Record<string, string>> = {
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ı: 'i',
  ĸ: 'k',
  ł: 'l',
  ŋ: 'n',
  ø: 'o',
  ŧ: 't',
}

/** Equal for a tag in its author's spelling and under the name by which Mastodon knows it. */
function serverKey(tag: string): string {
  return (normaliseTag(tag) ?? tag)
    .normalize('NFD')
    .replace(/(\p{Script=Latin})\p{M}+/gu, '$1')
    .replace(/[đðħıĸłŋøŧ]/gu, (letter) => FOLDED_LETTERS[letter] ?? letter)
}

/**
 * The tags that the server says a post has, which it names without capitals and accents: in the author's
 * spelling and order where the text shows them, then those that it does not show.
 */
function readHashtags(status: Status, text: string): string[] {
  const inText = extractHashtags(text)
  if (status.tags === null) return inText
  const names = status.tags.flatMap((entry) => Tag.safeParse(entry).data?.name ?? []).map(cleanText)
  const known = new Set(names.map(serverKey))
  const spelled = inText.filter((tag) => known.has(serverKey(tag)))
  const shown = new Set(spelled.map(serverKey))
  return distinctTags([...spelled, ...names.filter((name) => !shown.has(serverKey(name)))])
}

/** A reply stays one when what it answers is deleted: then only its author is still named. */
function kindOf(status: Status): PostKind {
  if (isPresent(status.in_reply_to_id) || isPresent(status.in_reply_to_account_id)) return 'reply'
  return isPresent(status.quote) ? 'quote' : 'post'
}

/**
 * Reads a status; throws when it is malformed, `null` when it is for chosen readers only. A boost (of
 * one's own posts, too) has an id and a date of its own, and no metrics: those it shows are the original's.
 */
export function readStatus(entry: unknown): PlatformPost | null {
  const status = Status.parse(entry)
  if (status.visibility === 'private' || status.visibility === 'direct') return null
  const isBoost = isPresent(status.reblog)
  const shown = isBoost ? Status.parse(status.reblog) : status
  const text = readText(shown)
  return {
    platformPostId: status.id,
    kind: isBoost ? 'repost' : kindOf(status),
    text,
    hashtags: readHashtags(shown, text ?? ''),
    url: shown.url ?? shown.uri,
    postedAt: postedAtOf(
      { id: status.id, sent: status.created_at, atMs: readTimestamp(status.created_at) },
      FEDIVERSE_BEGAN_MS,
    ),
    media: readMedia(shown),
    metrics: isBoost
      ? noMetrics()
      : {
          ...noMetrics(),
          likes: status.favourites_count,
          comments: status.replies_count,
          shares: status.reblogs_count,
          quotes: status.quotes_count,
        },
  }
}
