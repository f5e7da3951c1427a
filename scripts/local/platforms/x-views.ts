import type { Account, FeedEntry, Media, PostView } from './types.ts'
import type { World } from './world.ts'
import { project, type Wanted, type XWords } from './x-fields.ts'
import { type AppendedLink, type Card, cutText, shownText, type XText } from './x-text.ts'

const SITE = 'https://x.com'
const REPOST_CHARACTERS = 140
const VIDEO_MS = 31_400
/** How many followers put an account on one list. */
const FOLLOWERS_PER_LIST = 400

/** X's JSON at one moment, in one spelling, with what one call wants of it. */
export interface XViews {
  user(account: Account, isProtected: boolean): Record<string, unknown>
  post(entry: FeedEntry): Record<string, unknown>
  /** The media of an entry, for `includes`. */
  media(entry: FeedEntry): Record<string, unknown>[]
}

interface Reference {
  type: 'replied_to' | 'quoted' | 'retweeted'
  id: string
}

/** The posts that an entry points at, whether they are still there or not. */
export function referencesOf({ kind, post }: FeedEntry): Reference[] {
  if (kind === 'repost') return [{ type: 'retweeted', id: post.id }]
  return [
    ...(post.quotedId === undefined ? [] : [{ type: 'quoted' as const, id: post.quotedId }]),
    ...(post.replyToId === undefined ? [] : [{ type: 'replied_to' as const, id: post.replyToId }]),
  ]
}

/** Makes the views of a world as it was at `t` (epoch milliseconds); `origin` is where images are. */
export function createXViews(
  world: World,
  options: { origin: string; t: number; words: XWords; wanted: Wanted },
): XViews {
  const { origin, t, words, wanted } = options

  const addressOf = (post: PostView): string =>
    `${SITE}/${world.namesAt(post.account, t).handle}/status/${post.id}`

  const ownText = (post: PostView): XText => {
    const mediaKeys = keysOf(post)
    const appended: AppendedLink[] = []
    const quoted = post.quotedId === undefined ? undefined : world.post('x', post.quotedId, t)
    if (quoted) appended.push({ address: addressOf(quoted), mediaKeys: [] })
    if (mediaKeys.length > 0) {
      const what = post.media?.type === 'video' ? 'video' : 'photo'
      appended.push({ address: `${addressOf(post)}/${what}/1`, mediaKeys })
    }
    return shownText(post.text, appended, cardOf(post.media))
  }

  const textOf = (entry: FeedEntry): { shown: XText; whole: XText | undefined } => {
    const { kind, post } = entry
    if (kind === 'repost') {
      const { handle } = world.namesAt(post.account, t)
      const text = [...`RT @${handle}: ${post.text}`].slice(0, REPOST_CHARACTERS).join('')
      return { shown: shownText(text, [], undefined), whole: undefined }
    }
    const whole = ownText(post)
    const cut = cutText(whole)
    return cut ? { shown: cut, whole } : { shown: whole, whole: undefined }
  }

  const repliedToAuthor = (post: PostView): string | undefined =>
    post.replyToId === undefined ? undefined : world.post('x', post.replyToId, t)?.account.id

  return {
    user: (account, isProtected) => {
      const profile = world.profileAt(account, t)
      const whole = {
        id: account.id,
        name: profile.displayName,
        username: profile.handle,
        created_at: secondTime(Date.parse(account.createdAt)),
        description: account.description,
        url: account.website ?? '',
        profile_image_url: `${origin}/media/avatar-${account.key}_normal.svg`,
        protected: isProtected,
        verified: false,
        public_metrics: {
          followers_count: profile.followers,
          following_count: profile.following,
          [words.postCount]: profile.posts,
          listed_count: Math.floor(profile.followers / FOLLOWERS_PER_LIST),
        },
      }
      return project(whole, ['id', 'name', 'username'], wanted.user)
    },

    post: (entry) => {
      const { id, kind, post } = entry
      const { shown, whole } = textOf(entry)
      const references = referencesOf(entry)
      const mediaKeys = keysOf(post)
      const isPoll = kind !== 'repost' && post.media?.type === 'poll'
      const attachments = {
        ...(mediaKeys.length > 0 && { media_keys: mediaKeys }),
        ...(isPoll && { poll_ids: [id] }),
      }
      const view = {
        id,
        text: shown.text,
        [words.editHistory]: [id],
        author_id: entry.account.id,
        attachments: isEmpty(attachments) ? undefined : attachments,
        conversation_id: post.replyToId ?? id,
        created_at: secondTime(entry.kind === 'repost' ? entry.at : post.createdAt),
        entities: isEmpty(shown.entities) ? undefined : shown.entities,
        in_reply_to_user_id: kind === 'repost' ? undefined : repliedToAuthor(post),
        lang: post.language,
        [words.note]: whole && {
          text: whole.text,
          ...(!isEmpty(whole.entities) && { entities: whole.entities }),
        },
        public_metrics: metricsOf(entry, words),
        [words.references]: references.length === 0 ? undefined : references,
      }
      // An expansion names what it brings along, whether that was asked for as a field or not.
      const asked = new Set(wanted.post)
      if (wanted.expansions.has(words.referenceExpansion)) asked.add(words.references)
      if (wanted.expansions.has('author_id')) asked.add('author_id')
      if (wanted.expansions.has('attachments.media_keys')) asked.add('attachments')
      return project(view, ['id', 'text', words.editHistory], asked)
    },

    media: ({ post }) =>
      keysOf(post).map((key, index) => {
        const whole = mediaView(key, index, post, origin)
        return project(whole, ['media_key', 'type'], wanted.media)
      }),
  }
}

/** A repost shows its original's reposts, and nothing else. */
function metricsOf({ kind, post }: FeedEntry, words: XWords): Record<string, number> {
  const { likes, replies, reposts, quotes, bookmarks, views } = post.metrics
  const isOwn = kind !== 'repost'
  return {
    [words.reposts]: reposts,
    reply_count: isOwn ? replies : 0,
    like_count: isOwn ? likes : 0,
    quote_count: isOwn ? quotes : 0,
    bookmark_count: isOwn ? bookmarks : 0,
    impression_count: isOwn ? views : 0,
  }
}

function keysOf({ id, media }: PostView): string[] {
  switch (media?.type) {
    case 'images':
      return media.alts.map((_, index) => `3_${BigInt(id) + BigInt(index + 1)}`)
    case 'video':
      return [`${media.isGif ? 16 : 7}_${BigInt(id) + 1n}`]
    default:
      return []
  }
}

function mediaView(key: string, index: number, post: PostView, origin: string): Record<string, unknown> {
  const { media } = post
  const image = `${origin}/media/${post.id}-${index}/original.svg`
  const size = { width: 1600, height: 1200 }
  if (media?.type !== 'video') {
    const alt = media?.type === 'images' ? media.alts[index] : undefined
    return { media_key: key, type: 'photo', url: image, alt_text: alt || undefined, ...size }
  }
  return {
    media_key: key,
    type: media.isGif ? 'animated_gif' : 'video',
    preview_image_url: image,
    alt_text: media.alt || undefined,
    ...(!media.isGif && {
      duration_ms: VIDEO_MS,
      public_metrics: { view_count: Math.floor(post.metrics.views / 2) },
    }),
    ...size,
  }
}

function cardOf(media: Media | undefined): Card | undefined {
  return media?.type === 'link' ? media : undefined
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0
}

/** X gives whole seconds. */
function secondTime(atMs: number): string {
  return new Date(atMs - (atMs % 1_000)).toISOString()
}
