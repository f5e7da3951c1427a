import * as z from 'zod'
import type { Platform } from '../../domain/platforms.ts'
import type { AccountRef } from '../../ports.ts'

/** For the tests of what all ten do: the least that each answers, of an account and its posts. */

/** When posts were written, where nothing else is said. */
export const WRITTEN_MS = Date.parse('2026-11-20T09:00:00Z')

export interface Values {
  likes: number
  comments: number
  /** Milliseconds since 1970. */
  atMs: number
}

/** A post as it is answered, under the id that it is asked for by. */
export type Answered = readonly [id: string, post: unknown]

interface Case {
  account: AccountRef
  /** Where tokens are sent; none where there are none. */
  host?: string
  /** The nth id of a post. */
  idOf(n: number): string
  post(id: string, values: Values): unknown
  /** A post that is no post but for its id; missing where that is all a post must have. */
  broken?: (id: string) => unknown
  /** The platform, with these posts and this account with so many followers. */
  answer(posts: readonly Answered[], followers: number, url: URL, body: string): unknown
  /** Something else tells when a post was written whose date cannot be true. */
  keepsUndated?: true
  /** Every post is asked for by itself, too, so that what is gone is known to be. */
  asksEach?: true
}

const iso = (ms: number) => new Date(ms).toISOString()
const objects = (posts: readonly Answered[]) => posts.map(([, post]) => post)
const insight = (name: string, value: number) => ({ name, period: 'lifetime', values: [{ value }] })
const gone = () => Response.json({ error: { code: 100, error_subcode: 33 } }, { status: 400 })
const Batch = z.array(z.object({ relative_url: z.string() }))

/** The Graph API: an account, a list, a post, and batches of them. */
function graph(edge: string, profile: (followers: number) => object): Case['answer'] {
  return (posts, followers, url, body) => {
    if (url.pathname.endsWith(`/${edge}`)) return { data: objects(posts) }
    const byId = new Map(posts)
    if (body === '') return byId.get(url.pathname.split('/').at(-1) ?? '') ?? profile(followers)
    return Batch.parse(JSON.parse(new URLSearchParams(body).get('batch') ?? '')).map(({ relative_url }) => {
      const id = relative_url.split('?')[0] ?? ''
      const found = byId.get(id)
      return found === undefined
        ? { code: 400, body: '{"error":{"code":100,"error_subcode":33}}' }
        : { code: 200, body: JSON.stringify(found) }
    })
  }
}

const ok = (data: unknown) => ({ data, error: { code: 'ok' } })
const children = (things: unknown[]) => ({ kind: 'Listing', data: { after: null, children: things } })
const DID = 'did:plc:abc123exampleexample1'
const CHANNEL = `UC${'a'.repeat(22)}`

export const CASES: Record<Platform, Case> = {
  bluesky: {
    account: { externalId: DID, host: null, handle: 'ada.example.com' },
    idOf: (n) => `at://${DID}/app.bsky.feed.post/${n}`,
    post: (uri, { likes, comments, atMs }) => ({
      ...{ uri, record: { text: 'x', createdAt: iso(atMs) }, indexedAt: iso(WRITTEN_MS) },
      ...{ likeCount: likes, replyCount: comments },
    }),
    broken: (uri) => ({ uri, record: 7 }),
    answer: (posts, followersCount, { pathname }) =>
      pathname.endsWith('getProfiles')
        ? { profiles: [{ did: DID, handle: 'ada.example.com', followersCount }] }
        : { posts: objects(posts), feed: objects(posts).map((post) => ({ post })) },
    keepsUndated: true,
  },
  mastodon: {
    account: { externalId: '109', host: 'social.example', handle: 'ada@social.example' },
    idOf: (n) => String(1_000 + n),
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, created_at: iso(atMs), content: 'x', favourites_count: likes, replies_count: comments },
    }),
    broken: (id) => ({ id, reblog: 7 }),
    answer: (posts, followers_count, { pathname }) =>
      pathname.endsWith('/accounts')
        ? [{ id: '109', username: 'ada', acct: 'ada', followers_count }]
        : objects(posts),
  },
  youtube: {
    account: { externalId: CHANNEL, host: null, handle: '@ada' },
    idOf: (n) => `video-${String(n).padStart(5, '0')}`,
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, snippet: { publishedAt: iso(atMs), title: 'x' }, status: { privacyStatus: 'public' } },
      statistics: { likeCount: String(likes), commentCount: String(comments) },
    }),
    broken: (id) => ({ id, snippet: 7 }),
    answer: (posts, followers, { pathname }) => {
      if (pathname.endsWith('/channels'))
        return {
          items: [{ id: CHANNEL, snippet: {}, statistics: { subscriberCount: String(followers) } }],
        }
      if (pathname.endsWith('/videos')) return { items: objects(posts) }
      return { items: posts.map(([videoId]) => ({ contentDetails: { videoId } })) }
    },
  },
  x: {
    account: { externalId: '77', host: null, handle: 'ada' },
    idOf: (n) => String((BigInt(WRITTEN_MS - 1_288_834_974_657) << 22n) + BigInt(n)),
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, text: 'x', created_at: iso(atMs) },
      public_metrics: { like_count: likes, reply_count: comments },
    }),
    answer: (posts, followers_count, { pathname }) =>
      pathname.endsWith('/users')
        ? { data: [{ id: '77', username: 'ada', public_metrics: { followers_count } }] }
        : { data: objects(posts), meta: {} },
    keepsUndated: true,
  },
  instagram: {
    account: { externalId: '17', host: null, handle: 'ada' },
    host: 'graph.facebook.com',
    idOf: (n) => String(1_800 + n),
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, timestamp: iso(atMs), like_count: likes, comments_count: comments },
    }),
    answer: graph('media', (followers_count) => ({ id: '17', username: 'ada', followers_count })),
  },
  facebook: {
    account: { externalId: '10', host: null, handle: 'ada' },
    host: 'graph.facebook.com',
    idOf: (n) => `10_${n}`,
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, created_time: iso(atMs), reactions: { summary: { total_count: likes } } },
      comments: { summary: { total_count: comments } },
    }),
    answer: graph('published_posts', (followers_count) => ({ id: '10', name: 'Ada', followers_count })),
  },
  threads: {
    account: { externalId: '26', host: null, handle: 'ada' },
    host: 'graph.threads.net',
    idOf: (n) => String(1_801 + n),
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, media_type: 'TEXT_POST', timestamp: iso(atMs) },
      insights: { data: [insight('likes', likes), insight('replies', comments)] },
    }),
    answer: (posts, followers, { pathname }) => {
      if (pathname.endsWith('/threads')) return { data: objects(posts) }
      if (pathname.endsWith('/replies')) return { data: [] }
      if (pathname.endsWith('/threads_insights'))
        return { data: [{ name: 'followers_count', total_value: { value: followers } }] }
      if (pathname.endsWith('/26')) return { id: '26', username: 'ada' }
      return new Map(posts).get(pathname.split('/').at(-1) ?? '') ?? gone()
    },
    asksEach: true,
  },
  tiktok: {
    account: { externalId: 'open', host: null, handle: 'ada' },
    host: 'open.tiktokapis.com',
    idOf: (n) => String(7_400 + n),
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, create_time: atMs / 1_000, like_count: likes, comment_count: comments },
    }),
    answer: (posts, follower_count, { pathname }) =>
      pathname.includes('/user/')
        ? ok({ user: { open_id: 'open', username: 'ada', follower_count } })
        : ok({ videos: objects(posts), has_more: false, cursor: 0 }),
  },
  linkedin: {
    account: { externalId: '12', host: null, handle: 'ada' },
    host: 'api.linkedin.com',
    idOf: (n) => `urn:li:share:${7_000 + n}`,
    post: (id, { likes, comments, atMs }) => ({
      ...{ id, commentary: 'x', publishedAt: atMs, lifecycleState: 'PUBLISHED' },
      statistics: { share: id, totalShareStatistics: { likeCount: likes, commentCount: comments } },
    }),
    answer: (posts, firstDegreeSize, { pathname, searchParams }) => {
      if (pathname.includes('/networkSizes/')) return { firstDegreeSize }
      if (pathname.includes('/organizations/')) return { id: 12, vanityName: 'ada' }
      const WithStatistics = z.object({ statistics: z.unknown() })
      if (pathname.endsWith('Statistics'))
        return {
          elements: objects(posts).flatMap((post) => WithStatistics.safeParse(post).data?.statistics ?? []),
        }
      return searchParams.has('ids')
        ? { results: Object.fromEntries(posts), errors: {} }
        : { elements: objects(posts) }
    },
  },
  reddit: {
    account: { externalId: 't5_ada', host: null, handle: 'r/ada' },
    idOf: (n) => `t3_a${n}`,
    post: (name, { likes, comments, atMs }) => ({
      kind: 't3',
      data: { name, title: 'x', created_utc: atMs / 1_000, score: likes, num_comments: comments },
    }),
    answer: (posts, subscribers, { pathname, searchParams }) => {
      if (pathname.includes('access_token')) return { access_token: 'token', expires_in: 3_600 }
      return searchParams.get('id') === 't5_ada'
        ? children([{ kind: 't5', data: { name: 't5_ada', display_name: 'ada', subscribers } }])
        : children(objects(posts))
    },
  },
}
