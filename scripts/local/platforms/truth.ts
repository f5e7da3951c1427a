import { isMeasured } from './networks.ts'
import type { Account, FeedKind, Metrics, PlatformName } from './types.ts'
import type { World } from './world.ts'

/** What the platforms should be showing of one account at one moment, for comparing with what was measured. */
export interface AccountTruth {
  at: string
  account: {
    platform: PlatformName
    id: string
    handle: string
    displayName: string
    status: string
    followers: number
    following: number
    posts: number
  }
  /** Everything the account wrote, newest first; deleted posts too. */
  posts: PostTruth[]
  reposts: { id: string; originalId: string; at: string }[]
}

export interface PostTruth {
  id: string
  kind: Exclude<FeedKind, 'repost'>
  /** Null where posts have none. */
  title: string | null
  text: string
  /** As the author spelt them. */
  hashtags: readonly string[]
  createdAt: string
  editedAt: string | null
  /** Counts of a deleted post are those of its last moment. */
  deletedAt: string | null
  /** The last three are null where the platform does not show them; `views` are impressions on some. */
  metrics: Omit<Metrics, Shown> & Record<Shown, number | null>
}

type Shown = 'bookmarks' | 'views' | 'reach'

export interface TruthOptions {
  /** Leaves out what appeared before this moment (epoch milliseconds). */
  from?: number
}

/** The exact state of an account at `t` (epoch milliseconds). */
export function truthOf(world: World, account: Account, t: number, options: TruthOptions = {}): AccountTruth {
  const { handle, displayName, status, followers, following, posts } = world.profileAt(account, t)
  const entries = world.posts(account, {
    t,
    limit: Number.POSITIVE_INFINITY,
    includeHidden: true,
    ...(options.from !== undefined && { after: options.from - 1 }),
  })
  const own = entries.filter((entry) => entry.kind !== 'repost')
  return {
    at: isoTime(t),
    account: {
      platform: account.platform,
      id: account.id,
      handle,
      displayName,
      status,
      followers,
      following,
      posts,
    },
    posts: own.map(({ post }) => ({
      id: post.id,
      kind: post.kind,
      title: post.title ?? null,
      text: post.text,
      hashtags: post.hashtags,
      createdAt: isoTime(post.createdAt),
      editedAt: post.editedAt === undefined ? null : isoTime(post.editedAt),
      deletedAt: post.deletedAt === undefined ? null : isoTime(post.deletedAt),
      metrics: shown(account.platform, post.metrics),
    })),
    reposts: entries
      .filter((entry) => entry.kind === 'repost')
      .map((entry) => ({ id: entry.id, originalId: entry.post.id, at: isoTime(entry.at) })),
  }
}

function shown(platform: PlatformName, metrics: Metrics): PostTruth['metrics'] {
  const hasViews = isMeasured(platform, 'views') || isMeasured(platform, 'impressions')
  return {
    ...metrics,
    bookmarks: isMeasured(platform, 'saves') ? metrics.bookmarks : null,
    views: hasViews ? metrics.views : null,
    reach: isMeasured(platform, 'reach') ? metrics.reach : null,
  }
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
