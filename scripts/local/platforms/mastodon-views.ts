import { escapeHtml } from '../../../src/lib/escape-html.ts'
import { contentHtml, foldHashtag } from './mastodon-html.ts'
import { findSpans } from './rich-text.ts'
import type { Account, FeedEntry, Media, PostView } from './types.ts'
import type { World } from './world.ts'

/** Mastodon's JSON for accounts and statuses, at one moment and for one address of the server. */
export interface MastodonViews {
  account(account: Account): object
  /** A status, or a boost with the original inside. */
  status(entry: FeedEntry): object
}

const NONE: readonly never[] = []

/** Makes the views of a world as it was at `t` (epoch milliseconds); `origin` is the server's address. */
export function createMastodonViews(world: World, origin: string, t: number): MastodonViews {
  // A page repeats the same few accounts in every status.
  const accounts = new Map<Account, object>()

  const accountView = (account: Account): object => {
    let view = accounts.get(account)
    if (!view) {
      view = { ...accountWithoutMove(account), ...movedTo(account) }
      accounts.set(account, view)
    }
    return view
  }

  const movedTo = (account: Account): object => {
    const id = world.profileAt(account, t).movedToId
    const target = id === undefined ? undefined : world.account('mastodon', id, t)
    return target ? { moved: accountWithoutMove(target) } : {}
  }

  const accountWithoutMove = (account: Account): object => {
    const profile = world.profileAt(account, t)
    const isSuspended = profile.status === 'suspended'
    const missing = `${origin}/media/avatar-missing.svg`
    const avatar = isSuspended ? missing : `${origin}/media/avatar-${account.key}.svg`
    const header = isSuspended ? missing : `${origin}/media/header-${account.key}.svg`
    return {
      id: account.id,
      username: account.handle,
      acct: account.handle,
      display_name: isSuspended ? '' : profile.displayName,
      locked: false,
      bot: account.isBot ?? false,
      discoverable: !isSuspended,
      indexable: !isSuspended,
      group: false,
      created_at: `${account.createdAt.slice(0, 10)}T00:00:00.000Z`,
      note: isSuspended ? '' : contentHtml(account.description, origin),
      url: `${origin}/@${account.handle}`,
      uri: userUri(account),
      avatar,
      avatar_static: avatar,
      header,
      header_static: header,
      followers_count: isSuspended ? 0 : profile.followers,
      following_count: isSuspended ? 0 : profile.following,
      statuses_count: isSuspended ? 0 : profile.posts,
      last_status_at:
        isSuspended || profile.lastPostAt === undefined ? null : isoTime(profile.lastPostAt).slice(0, 10),
      hide_collections: false,
      noindex: false,
      ...(isSuspended && { suspended: true }),
      emojis: NONE,
      roles: NONE,
      fields: account.website === undefined || isSuspended ? NONE : [websiteField(account.website)],
    }
  }

  const userUri = (account: Account): string => `${origin}/users/${account.handle}`

  const status = (post: PostView, depth: number): object => {
    const { account, metrics } = post
    const repliedTo = post.replyToId === undefined ? undefined : world.post('mastodon', post.replyToId, t)
    return {
      id: post.id,
      created_at: isoTime(post.createdAt),
      in_reply_to_id: repliedTo?.id ?? null,
      in_reply_to_account_id: repliedTo?.account.id ?? null,
      sensitive: post.contentWarning !== '',
      spoiler_text: post.contentWarning,
      visibility: post.isUnlisted ? 'unlisted' : 'public',
      language: post.language,
      uri: `${userUri(account)}/statuses/${post.id}`,
      url: `${origin}/@${account.handle}/${post.id}`,
      replies_count: metrics.replies,
      reblogs_count: metrics.reposts,
      favourites_count: metrics.likes,
      quotes_count: metrics.quotes,
      edited_at: post.editedAt === undefined ? null : isoTime(post.editedAt),
      content: contentHtml(post.text, origin),
      reblog: null,
      quote: post.quotedId === undefined || depth > 0 ? null : quote(post.quotedId),
      application: { name: 'Web', website: null },
      account: accountView(account),
      media_attachments: attachments(post, origin),
      mentions: mentions(post),
      tags: tags(post),
      emojis: NONE,
      card: post.media?.type === 'link' ? card(post.media) : null,
      poll: post.media?.type === 'poll' ? poll(post, post.media) : null,
    }
  }

  const quote = (id: string): object => {
    const quoted = world.post('mastodon', id, t)
    return quoted && world.isReadable(quoted, t)
      ? { state: 'accepted', quoted_status: status(quoted, 1) }
      : { state: 'deleted', quoted_status: null }
  }

  const tags = (post: PostView): object[] =>
    [...new Set(post.hashtags.map(foldHashtag))].map((name) => ({
      name,
      url: `${origin}/tags/${encodeURIComponent(name)}`,
    }))

  const mentions = (post: PostView): object[] =>
    findSpans(post.text).flatMap((span) => {
      const account = span.type === 'mention' ? world.account('mastodon', span.value, t) : undefined
      if (!account) return []
      const { id, handle } = account
      return [{ id, username: handle, url: `${origin}/@${handle}`, acct: handle }]
    })

  return {
    account: accountView,
    status: (entry) => {
      const original = status(entry.post, 0)
      if (entry.kind !== 'repost') return original
      const uri = `${userUri(entry.account)}/statuses/${entry.id}/activity`
      return {
        ...original,
        id: entry.id,
        created_at: isoTime(entry.at),
        edited_at: null,
        uri,
        url: uri,
        replies_count: 0,
        // The other outer counts are not the booster's either: a reader has to look inside.
        account: accountView(entry.account),
        media_attachments: NONE,
        mentions: NONE,
        quote: null,
        card: null,
        poll: null,
        reblog: original,
      }
    },
  }
}

function attachments(post: PostView, origin: string): object[] {
  const attach = (type: string, alt: string, index: number): object => ({
    id: String(BigInt(post.id) + BigInt(index + 1)),
    type,
    url: `${origin}/media/${post.id}-${index}/original.svg`,
    preview_url: `${origin}/media/${post.id}-${index}/small.svg`,
    remote_url: null,
    meta: { original: { width: 1600, height: 1200, size: '1600x1200', aspect: 1.3333333333333333 } },
    description: alt,
    blurhash: 'UeKUpFxuo~R%0nW;WCnhF6RjaJt757oJodS$',
  })
  const { media } = post
  switch (media?.type) {
    case 'images':
      return media.alts.map((alt, index) => attach('image', alt, index))
    case 'video':
      return [attach(media.isGif ? 'gifv' : 'video', media.alt, 0)]
    case 'audio':
      return [attach('audio', media.alt, 0)]
    default:
      return []
  }
}

function card(media: Extract<Media, { type: 'link' }>): object {
  const { url, title, description } = media
  return {
    url,
    title,
    description,
    type: 'link',
    image: null,
    provider_name: new URL(url).hostname,
    html: '',
  }
}

function poll(post: PostView, media: Extract<Media, { type: 'poll' }>): object {
  // Votes stay out of the world: nothing reads them.
  const options = media.options.map((title) => ({ title, votes_count: 0 }))
  const expiresAt = isoTime(post.createdAt + 86_400_000)
  return {
    id: post.id,
    expires_at: expiresAt,
    expired: false,
    multiple: false,
    votes_count: 0,
    options,
    emojis: NONE,
  }
}

function websiteField(url: string): object {
  return {
    name: 'Website',
    value: `<a href="${escapeHtml(url)}" rel="me nofollow noopener">${escapeHtml(url)}</a>`,
    verified_at: null,
  }
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
