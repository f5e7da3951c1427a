import { ASPECT_RATIO, isGallery, type Records } from './bluesky-record.ts'
import { cidOf } from './identity.ts'
import type { Account, FeedEntry, Media, PostView } from './types.ts'
import type { World } from './world.ts'

const LABELS: readonly never[] = []

/** Bluesky's JSON for accounts and posts, at one moment and for one address of the server. */
export interface BlueskyViews {
  profile(account: Account): object
  post(post: PostView): object
  feedEntry(entry: FeedEntry): object
  /** The same post once more, at the top of a feed. */
  pinned(post: PostView): object
}

/** Makes the views of a world as it was at `t` (epoch milliseconds); `origin` serves the pictures. */
export function createBlueskyViews(world: World, records: Records, origin: string, t: number): BlueskyViews {
  const author = (account: Account) => {
    const { handle, displayName } = world.namesAt(account, t)
    return {
      did: account.id,
      handle,
      displayName,
      avatar: `${origin}/media/avatar-${account.key}.svg`,
      labels: LABELS,
      createdAt: account.createdAt,
    }
  }

  const counts = ({ metrics }: PostView) => ({
    bookmarkCount: metrics.bookmarks,
    replyCount: metrics.replies,
    repostCount: metrics.reposts,
    likeCount: metrics.likes,
    quoteCount: metrics.quotes,
  })

  const post = (view: PostView): object => {
    const embed = embedView(view)
    return {
      uri: view.id,
      cid: records.cid(view),
      author: author(view.account),
      record: records.record(view),
      ...(embed && { embed }),
      ...counts(view),
      indexedAt: isoTime(view.indexedAt),
      labels: LABELS,
    }
  }

  const embedView = (view: PostView): object | undefined => {
    const media = view.media && mediaView(records, view, view.media, origin)
    if (view.quotedId === undefined) return media
    const record = quotedView(view.quotedId)
    return media
      ? { $type: 'app.bsky.embed.recordWithMedia#view', record: { record }, media }
      : { $type: 'app.bsky.embed.record#view', record }
  }

  const quotedView = (id: string): object => {
    const quoted = world.post('bluesky', id, t)
    if (!quoted || !world.isReadable(quoted, t)) {
      return { $type: 'app.bsky.embed.record#viewNotFound', uri: id, notFound: true }
    }
    const embed = quoted.media && mediaView(records, quoted, quoted.media, origin)
    return {
      $type: 'app.bsky.embed.record#viewRecord',
      uri: quoted.id,
      cid: records.cid(quoted),
      author: author(quoted.account),
      value: records.record(quoted),
      labels: LABELS,
      ...counts(quoted),
      embeds: embed ? [embed] : [],
      indexedAt: isoTime(quoted.indexedAt),
    }
  }

  const threadPost = (id: string): object => {
    const found = world.post('bluesky', id, t)
    return found && world.isReadable(found, t)
      ? { $type: 'app.bsky.feed.defs#postView', ...post(found) }
      : { $type: 'app.bsky.feed.defs#notFoundPost', uri: id, notFound: true }
  }

  return {
    profile: (account) => {
      const profile = world.profileAt(account, t)
      const pinnedPost = profile.pinnedPostId === undefined ? undefined : records.ref(profile.pinnedPostId, t)
      return {
        ...author(account),
        description: account.description,
        ...(account.website !== undefined && { website: account.website }),
        banner: `${origin}/media/banner-${account.key}.svg`,
        followersCount: profile.followers,
        followsCount: profile.following,
        postsCount: profile.posts,
        associated: { lists: 0, feedgens: 0, starterPacks: 0, labeler: false },
        indexedAt: account.createdAt,
        ...(pinnedPost && { pinnedPost }),
      }
    },
    post,
    feedEntry: (entry) => {
      if (entry.kind === 'repost') {
        const uri = entry.id.replace('/app.bsky.feed.post/', '/app.bsky.feed.repost/')
        const by = author(entry.account)
        const indexedAt = isoTime(entry.at)
        return {
          post: post(entry.post),
          reason: { $type: 'app.bsky.feed.defs#reasonRepost', by, uri, cid: cidOf(uri), indexedAt },
        }
      }
      if (entry.post.replyToId === undefined) return { post: post(entry.post) }
      const parent = threadPost(entry.post.replyToId)
      return { post: post(entry.post), reply: { root: parent, parent } }
    },
    pinned: (view) => ({ post: post(view), reason: { $type: 'app.bsky.feed.defs#reasonPin' } }),
  }
}

function mediaView(records: Records, post: PostView, media: Media, origin: string): object | undefined {
  const picture = (index: number, size: string): string =>
    `${origin}/media/${records.blobCid(post, index)}/${size}.svg`
  switch (media.type) {
    case 'images': {
      if (isGallery(media)) {
        const items = media.alts.map((alt, index) => ({
          $type: 'app.bsky.embed.gallery#viewImage',
          thumbnail: picture(index, 'thumbnail'),
          fullsize: picture(index, 'fullsize'),
          alt,
          aspectRatio: ASPECT_RATIO,
        }))
        return { $type: 'app.bsky.embed.gallery#view', items }
      }
      const images = media.alts.map((alt, index) => ({
        thumb: picture(index, 'thumbnail'),
        fullsize: picture(index, 'fullsize'),
        alt,
        aspectRatio: ASPECT_RATIO,
      }))
      return { $type: 'app.bsky.embed.images#view', images }
    }
    case 'video':
      return {
        $type: 'app.bsky.embed.video#view',
        cid: records.blobCid(post, 0),
        playlist: `${origin}/media/${records.blobCid(post, 0)}/playlist.m3u8`,
        thumbnail: picture(0, 'thumbnail'),
        alt: media.alt,
        aspectRatio: ASPECT_RATIO,
        ...(media.isGif && { presentation: 'gif' }),
      }
    case 'link': {
      const { url, title, description } = media
      return {
        $type: 'app.bsky.embed.external#view',
        external: { uri: url, title, description, thumb: picture(0, 'thumbnail') },
      }
    }
    case 'audio':
    case 'poll':
      return undefined
  }
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
