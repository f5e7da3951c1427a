import type { Platform } from '../../../src/domain/platforms.ts'
import type { TopicName } from './content/topics.ts'

export type PlatformName = Platform

/** What an author wrote; a `repost` is a feed entry that points at somebody's post. */
export type PostKind = 'post' | 'reply' | 'quote'

export type FeedKind = PostKind | 'repost'

export type AccountStatus = 'active' | 'suspended' | 'deactivated' | 'deleted'

/** What makes a simulated account the one it is. Numbers describe the epoch of the world. */
export interface AccountSpec {
  /** Unique on its platform, and constant: all randomness of the account is named after it. */
  key: string
  platform: PlatformName
  /** In lower case. Bluesky: the full handle. Elsewhere the name alone, without `@`, server or path. */
  handle: string
  displayName: string
  description: string
  website?: string
  topic: TopicName
  /** Own top-level posts a day, on average; replies and reposts come on top. */
  postsPerDay: number
  utcOffsetHours: number
  /** Hours of the account's own day around which it posts. */
  peakHours: readonly number[]
  /** Relative activity from Sunday to Saturday. */
  weekdayWeights: readonly [number, number, number, number, number, number, number]
  followers: number
  following: number
  /** Relative growth of the followers a day, such as 0.001. */
  followerGrowthPerDay: number
  /** Median of the likes that a post has gathered in the end. */
  medianLikes: number
  /** RFC 3339. */
  createdAt: string
  isBot?: boolean
  /** Reddit: writes nothing itself; people post in it. Followers are its members, posts a day theirs. */
  isCommunity?: boolean
}

export interface Account extends AccountSpec {
  /** In the platform's own format (see `accountIdOf`), unique among all platforms. */
  id: string
  /** Position within its platform. */
  index: number
}

export interface Metrics {
  likes: number
  replies: number
  reposts: number
  quotes: number
  /** Saves; 0 and never shown where the platform does not give them. */
  bookmarks: number
  /** Views or impressions; 0 on Bluesky and Mastodon. */
  views: number
  /** People that the post was shown to; never more than its views. */
  reach: number
}

export const METRIC_NAMES = ['likes', 'replies', 'reposts', 'quotes', 'bookmarks', 'views', 'reach'] as const

export type Media =
  | { type: 'images'; alts: readonly string[] }
  | { type: 'video'; alt: string; isGif: boolean }
  | { type: 'audio'; alt: string }
  | { type: 'link'; url: string; title: string; description: string }
  | { type: 'poll'; options: readonly string[] }

/** A post as the world knows it at one moment. */
export interface PostView {
  /** In the platform's own format, see `postIdOf`. */
  id: string
  account: Account
  kind: PostKind
  /** YouTube and Reddit only. */
  title: string | undefined
  text: string
  /** As the author spelt them, without `#`, in order of appearance, then `extraTags`, then the community. */
  hashtags: readonly string[]
  /** Tags that are not in the text (Bluesky's `record.tags`). */
  extraTags: readonly string[]
  language: string
  media: Media | undefined
  /** Mastodon's content warning, or empty. */
  contentWarning: string
  isUnlisted: boolean
  /** Reddit: what it was posted in; `undefined` on the page of its author. */
  community: Account | undefined
  /** The post this one answers; it is always the root of its thread. */
  replyToId: string | undefined
  quotedId: string | undefined
  /** Epoch milliseconds at which the platform took the post in. */
  indexedAt: number
  /** Epoch milliseconds that the author's client declared; may be off. */
  declaredAt: number
  /** The earlier of the two: what a reader should show. */
  createdAt: number
  editedAt: number | undefined
  deletedAt: number | undefined
  metrics: Metrics
}

/** One line of an account's feed, newest first; `post` is somebody else's when `kind` is `repost`. */
export interface FeedEntry {
  /** The entry's own id (Mastodon gives boosts one of their own). */
  id: string
  account: Account
  kind: FeedKind
  /** Epoch milliseconds at which the entry appeared. */
  at: number
  post: PostView
}

/** An account as the world knows it at one moment. */
export interface Profile {
  account: Account
  handle: string
  displayName: string
  status: AccountStatus
  /** Mastodon: the account that this one moved to. */
  movedToId: string | undefined
  followers: number
  following: number
  /** Posts, replies and quotes; on Mastodon and X reposts too. */
  posts: number
  /** Epoch milliseconds of the newest feed entry. */
  lastPostAt: number | undefined
  pinnedPostId: string | undefined
}
