import { z } from 'zod'
import { stack } from './stack.ts'

/** The simulated platforms, by their control interface. */

const PostTruth = z.object({
  id: z.string(),
  kind: z.enum(['post', 'reply', 'quote']),
  text: z.string(),
  hashtags: z.array(z.string()),
  createdAt: z.string(),
  deletedAt: z.string().nullable(),
  metrics: z.object({
    likes: z.number(),
    replies: z.number(),
    reposts: z.number(),
    quotes: z.number(),
    bookmarks: z.number().nullable(),
  }),
})
const AccountTruth = z.object({
  account: z.object({ id: z.string(), followers: z.number(), following: z.number(), posts: z.number() }),
  posts: z.array(PostTruth),
  reposts: z.array(z.object({ id: z.string(), at: z.string() })),
})
export type AccountTruth = z.infer<typeof AccountTruth>

/** What a platform should be showing of an account at this moment. @param account its handle there */
export async function truthOf(platform: 'bluesky' | 'mastodon', account: string): Promise<AccountTruth> {
  const query = new URLSearchParams({ platform, account })
  const response = await fetch(`${stack.controlUrl}/control/truth?${query}`)
  if (!response.ok) throw new Error(await response.text())
  return AccountTruth.parse(await response.json())
}

/** Changes the world: `act('like', { post, count: 3 })`. */
export async function act(verb: string, body: object): Promise<void> {
  const response = await fetch(`${stack.controlUrl}/control/${verb}`, {
    method: 'POST',
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${verb}: ${await response.text()}`)
  await response.body?.cancel()
}

/** What the posts of an account have, as Tidemark names it; sorted, for comparing. */
export function expectedPosts(truth: AccountTruth, platform: 'bluesky' | 'mastodon') {
  const own = truth.posts
    .filter((post) => post.deletedAt === null)
    .map(({ id, kind, createdAt, metrics }) => {
      const { likes, replies, reposts, quotes, bookmarks } = metrics
      const saves = platform === 'bluesky' ? bookmarks : null
      return {
        id,
        kind: kind as string,
        postedAt: createdAt,
        likes,
        comments: replies,
        shares: reposts,
        quotes,
        saves,
      }
    })
  const unknown = { likes: null, comments: null, shares: null, quotes: null, saves: null }
  const reposts = truth.reposts.map(({ id, at }) => ({
    // The truth knows entries of a feed; Bluesky shows reposts as records of their own collection.
    id: id.replace('/app.bsky.feed.post/', '/app.bsky.feed.repost/'),
    kind: 'repost',
    postedAt: at,
    ...unknown,
  }))
  return [...own, ...reposts].toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
