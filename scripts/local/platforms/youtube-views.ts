import type { youtube_v3 } from '@googleapis/youtube'
import { hash32 } from './random.ts'
import type { Account, PostView } from './types.ts'
import type { World } from './world.ts'

/** YouTube's JSON for channels, playlist items and videos; whole, before `part` takes from it. */

/** The playlist of all that a channel has uploaded. */
function uploadsOf(account: Account): string {
  return `UU${account.id.slice(2)}`
}

/** @param origin serves the pictures */
export function channelView(
  world: World,
  account: Account,
  origin: string,
  t: number,
): youtube_v3.Schema$Channel {
  const { handle, displayName, followers, posts } = world.profileAt(account, t)
  const views = world
    .posts(account, { t, limit: Number.POSITIVE_INFINITY })
    .reduce((sum, { post }) => sum + post.metrics.views, 0)
  const picture = (size: number) => ({
    url: `${origin}/media/avatar-${account.key}.svg`,
    width: size,
    height: size,
  })
  return {
    kind: 'youtube#channel',
    id: account.id,
    snippet: {
      title: displayName,
      description: account.description,
      customUrl: `@${handle}`,
      publishedAt: secondsTime(Date.parse(account.createdAt)),
      thumbnails: { default: picture(88), medium: picture(240), high: picture(800) },
      localized: { title: displayName, description: account.description },
    },
    contentDetails: { relatedPlaylists: { likes: '', uploads: uploadsOf(account) } },
    statistics: {
      viewCount: String(views),
      subscriberCount: String(roundedDown(followers)),
      hiddenSubscriberCount: false,
      videoCount: String(posts),
    },
    status: { privacyStatus: 'public', isLinked: true, longUploadsStatus: 'longUploadsUnspecified' },
  }
}

export function playlistItemView(
  account: Account,
  post: PostView,
  position: number,
): youtube_v3.Schema$PlaylistItem {
  const playlistId = uploadsOf(account)
  const publishedAt = secondsTime(post.createdAt)
  return {
    kind: 'youtube#playlistItem',
    id: Buffer.from(`${playlistId}.${post.id}`).toString('base64url'),
    snippet: {
      publishedAt,
      channelId: account.id,
      title: post.title ?? '',
      description: post.text,
      playlistId,
      position,
      resourceId: { kind: 'youtube#video', videoId: post.id },
    },
    contentDetails: { videoId: post.id, videoPublishedAt: publishedAt },
    status: { privacyStatus: privacyOf(post) },
  }
}

export function videoView(post: PostView, channelTitle: string): youtube_v3.Schema$Video {
  const { metrics } = post
  const seconds = 30 + (hash32(post.id, 'duration') % 1_500)
  return {
    kind: 'youtube#video',
    id: post.id,
    snippet: {
      publishedAt: secondsTime(post.createdAt),
      channelId: post.account.id,
      title: post.title ?? '',
      description: post.text,
      channelTitle,
      tags: [post.account.topic],
      categoryId: '22',
      liveBroadcastContent: 'none',
      defaultLanguage: post.language,
    },
    contentDetails: {
      duration: `PT${Math.floor(seconds / 60)}M${seconds % 60}S`,
      dimension: '2d',
      definition: 'hd',
      caption: 'false',
    },
    status: {
      uploadStatus: 'processed',
      privacyStatus: privacyOf(post),
      license: 'youtube',
      embeddable: true,
      publicStatsViewable: true,
      madeForKids: false,
    },
    statistics: {
      viewCount: String(metrics.views),
      likeCount: String(metrics.likes),
      favoriteCount: '0',
      commentCount: String(metrics.replies),
    },
  }
}

function privacyOf(post: PostView): 'public' | 'unlisted' {
  return post.isUnlisted ? 'unlisted' : 'public'
}

/** Subscribers are shown with three digits that count. */
function roundedDown(count: number): number {
  const unit = 10 ** Math.max(0, String(count).length - 3)
  return Math.floor(count / unit) * unit
}

/** Whole seconds, as YouTube writes moments. */
function secondsTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z')
}
