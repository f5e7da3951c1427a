import { Account } from '../../../src/services/accounts/schemas.ts'
import { Post } from '../../../src/services/posts/schemas.ts'
import type { Client } from './client.ts'
import { stack } from './stack.ts'
import { until } from './wait.ts'

/** The handle by which somebody connects an account of the simulated platforms. */
export const typedHandle = (platform: 'bluesky' | 'mastodon', handle: string) =>
  platform === 'bluesky' ? handle : `${handle}@${stack.mastodonHost}`

export function connect(by: Client, platform: 'bluesky' | 'mastodon', handle: string): Promise<Account> {
  return by.make(Account, '/api/v1/accounts', { platform, handle: typedHandle(platform, handle) })
}

/** Resolves when an account was read and its older posts are in. */
export function untilComplete(by: Client, id: string, timeoutMs = 60_000): Promise<Account> {
  return until(
    `the account ${id} is complete`,
    async () => {
      const account = await by.read(Account, `/api/v1/accounts/${id}`)
      const { lastSyncedAt, backfilling } = account.freshness
      return lastSyncedAt !== null && !backfilling ? account : null
    },
    { timeoutMs },
  )
}

export function postsOf(by: Client, accountId: string): Promise<Post[]> {
  return by.readAll(Post, `/api/v1/posts?accounts=${accountId}&limit=100`)
}

/** Posts as `expectedPosts` has them, for comparing. */
export function comparable(posts: Post[]) {
  return posts
    .map(({ platformPostId, kind, postedAt, metrics: { likes, comments, shares, quotes, saves } }) => ({
      id: platformPostId,
      kind: kind as string,
      // Times may leave zeros at the end of their fractions out.
      postedAt: new Date(postedAt).toISOString(),
      likes,
      comments,
      shares,
      quotes,
      saves,
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
