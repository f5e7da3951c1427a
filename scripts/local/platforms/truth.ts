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
  text: string
  /** As the author spelt them. */
  hashtags: readonly string[]
  createdAt: string
  editedAt: string | null
  /** Counts of a deleted post are those of its last moment. */
  deletedAt: string | null
  /** `bookmarks` is null where the platform does not show it. */
  metrics: Omit<Metrics, 'bookmarks'> & { bookmarks: number | null }
}

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
      text: post.text,
      hashtags: post.hashtags,
      createdAt: isoTime(post.createdAt),
      editedAt: post.editedAt === undefined ? null : isoTime(post.editedAt),
      deletedAt: post.deletedAt === undefined ? null : isoTime(post.deletedAt),
      metrics: { ...post.metrics, bookmarks: account.platform === 'bluesky' ? post.metrics.bookmarks : null },
    })),
    reposts: entries
      .filter((entry) => entry.kind === 'repost')
      .map((entry) => ({ id: entry.id, originalId: entry.post.id, at: isoTime(entry.at) })),
  }
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
