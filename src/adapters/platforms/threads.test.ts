import { describe, expect, it } from 'vitest'
import { noMetrics } from '../../domain/platforms.ts'
import type { AccountRef, ConnectorContext, PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { htmlPage, platformFailure, type TestNetwork, testNetwork } from './test-network.ts'
import { createThreadsConnector } from './threads.ts'
import { THREADS_API_URL } from './threads-api.ts'

// No package has types of this API (Meta's own know Facebook and Instagram): the answers are as its
// documents show them.

const ID = '26000000000000001'
const ACCOUNT: AccountRef = { externalId: ID, host: null, handle: 'adacharts' }
const TOKEN = 'THAA-secret-token'
/** Each has its own memory of what was refused. */
const newConnector = () =>
  createThreadsConnector({
    app: { id: 'app-id', secret: 'app-secret' },
    apiUrl: THREADS_API_URL,
    userAgent: 'Tidemark',
    ruleOf: createRules(),
  })
const connector = newConnector()

const PROFILE = {
  id: ID,
  username: 'adacharts',
  name: 'Ada',
  threads_profile_picture_url: 'https://scontent.example/x.jpg',
  is_verified: false,
}
const FOLLOWERS = { data: [{ name: 'followers_count', period: 'day', total_value: { value: 980 } }] }
const insights = (counts: Record<string, unknown>) => ({
  data: Object.entries(counts).map(([name, value]) => ({ name, period: 'lifetime', values: [{ value }] })),
})
const COUNTS = { views: 830, likes: 41, replies: 3, reposts: 4, quotes: 2, shares: 5 }

const post = (changes: Record<string, unknown> = {}) => ({
  id: '18010000000000001',
  media_product_type: 'THREADS',
  media_type: 'TEXT_POST',
  permalink: 'https://www.threads.net/@adacharts/post/Dexample',
  username: 'adacharts',
  text: 'Numbers day #notatag',
  timestamp: '2026-11-20T09:00:00+0000',
  shortcode: 'Dexample',
  is_quote_post: false,
  topic_tag: 'dataviz',
  insights: insights(COUNTS),
  ...changes,
})

const refusal = (code: number, more: object = {}, status = 400) =>
  Response.json({ error: { message: `It has ${TOKEN}`, type: 'OAuthException', code, ...more } }, { status })
const signedIn = ({ ctx }: TestNetwork): ConnectorContext => ({
  ...ctx,
  accessToken: { value: TOKEN, host: 'graph.threads.net', allowance: 'account' },
})
/** The account's posts, and no replies. */
const listing = (data: unknown[], paging?: object) =>
  testNetwork((url) =>
    url.pathname.endsWith('/threads') ? { data, ...(paging && { paging }) } : { data: [] },
  )

describe('a Threads account', () => {
  const answer = (url: URL) => (url.pathname.endsWith('/threads_insights') ? FOLLOWERS : PROFILE)

  it('is read with its own token, which goes into no address', async () => {
    const network = testNetwork(answer)
    expect(await connector.fetchProfiles(signedIn(network), [ACCOUNT])).toEqual([
      {
        externalId: ID,
        host: null,
        handle: 'adacharts',
        displayName: 'Ada',
        url: 'https://www.threads.net/@adacharts',
        avatarUrl: 'https://scontent.example/x.jpg',
        followers: 980,
        following: null,
        posts: null,
      },
    ])
    expect(network.urls).toEqual([
      `https://graph.threads.net/v1.0/${ID}?fields=id,username,name,threads_profile_picture_url`,
      `https://graph.threads.net/v1.0/${ID}/threads_insights?metric=followers_count`,
    ])
    for (const { headers } of network.requests) expect(headers.get('authorization')).toBe(`Bearer ${TOKEN}`)
    expect(network.admitted).toMatchObject([
      { operation: 'profiles.read', items: 1, rules: [{ key: `threads.account:${ID}`, limit: 48_000 }] },
      { operation: 'profiles.read', items: 1, rules: [{ key: `threads.account:${ID}`, limit: 48_000 }] },
    ])
  })

  it.each(['@adacharts', 'https://www.threads.com/@AdaCharts/post/x', 'threads.net/@adacharts'])(
    'is found by %s',
    async (input) => {
      expect(await connector.resolve(signedIn(testNetwork(answer)), input)).toMatchObject({ externalId: ID })
    },
  )

  it('is told apart from others, from one of another platform, and from what names nobody', async () => {
    const network = testNetwork(answer)
    const failure = async (input: string) => {
      const { kind, message } = await platformFailure(connector.resolve(signedIn(network), input))
      return [kind, message]
    }
    expect(await failure('@bob')).toEqual(['permission', 'The sign-in is one of @adacharts, not of @bob.'])
    network.urls.length = 0
    expect(await failure('https://bsky.app/profile/ada.example.com')).toEqual([
      'bad_request',
      'This looks like a Bluesky address: choose Bluesky.',
    ])
    expect((await failure('two words'))[0]).toBe('bad_request')
    expect(network.urls).toEqual([])
  })

  it('is connected by signing in: without a token, or with another server’s, nothing is asked', async () => {
    const network = testNetwork(answer)
    const foreign = { ...network.ctx, accessToken: { value: TOKEN, host: 'evil.example', allowance: 'a' } }
    for (const ctx of [network.ctx, foreign]) {
      expect((await platformFailure(connector.resolve(ctx, '@adacharts'))).kind).toBe('auth')
      expect((await platformFailure(connector.fetchPosts(ctx, ACCOUNT, null))).kind).toBe('auth')
    }
    expect(network.urls).toEqual([])
  })

  it.each<[string, unknown]>([
    ['has no such count', refusal(100)],
    ['has no count yet', { data: [] }],
    ['has one that cannot be', { data: [{ name: 'followers_count', total_value: { value: -4 } }] }],
  ])('may have followers that nobody knows: it %s', async (_, answered) => {
    const network = testNetwork((url) => (url.pathname.endsWith('/threads_insights') ? answered : PROFILE))
    expect(await connector.fetchProfiles(signedIn(network), [ACCOUNT])).toMatchObject([{ followers: null }])
  })

  it('is missing when Threads does not have it', async () => {
    const network = testNetwork(() => refusal(100, { error_subcode: 33 }))
    expect(await connector.fetchProfiles(signedIn(network), [ACCOUNT])).toEqual([])
  })

  it.each<[string, Response, PlatformError['kind']]>([
    ['an ended token', refusal(190, { error_subcode: 463 }), 'auth'],
    ['a removed app', refusal(190, { error_subcode: 458 }, 401), 'auth'],
    ['a missing right', refusal(10), 'permission'],
    ['another missing right', refusal(200, {}, 403), 'permission'],
    ['too many calls', refusal(4), 'rate_limited'],
    ['too many calls of a user', refusal(17), 'rate_limited'],
    ['an outage', refusal(2, { is_transient: true }, 500), 'transient'],
    ['an unknown error', refusal(1), 'transient'],
    ['a page of a proxy', htmlPage(403), 'transient'],
    ['an error within a success', refusal(190, {}, 200), 'auth'],
    ['a broken answer', new Response('{"id":'), 'bad_answer'],
    ['an answer of another shape', Response.json({ id: 7 }), 'bad_answer'],
  ])('takes %s for what it is, and quotes no secret', async (_, response, kind) => {
    const network = testNetwork(() => response)
    const failure = await platformFailure(connector.fetchProfiles(signedIn(network), [ACCOUNT]))
    expect([failure.kind, failure.message.includes(TOKEN)]).toEqual([kind, false])
  })

  it('tells the gate how much is used, and waits as long as Meta estimates', async () => {
    const usage = (call_count: number, minutes: number) => ({
      'x-app-usage': JSON.stringify({ call_count, total_time: 1, total_cputime: 1 }),
      'x-business-use-case-usage': JSON.stringify({
        [ID]: [{ type: 'threads', call_count: 1, estimated_time_to_regain_access: minutes }],
      }),
    })
    const error = { error: { code: 4, message: '' } }
    const network = testNetwork(() => Response.json(error, { status: 400, headers: usage(100, 12) }))
    const failure = await platformFailure(connector.fetchProfiles(signedIn(network), [ACCOUNT]))
    expect(failure.retryAfterMs).toBe(720_000)
    expect(network.outcomes).toMatchObject([
      { health: 'ok', retryAfterMs: 720_000, signal: { remaining: 0 } },
    ])
    const calm = testNetwork((url) => Response.json(answer(url), { headers: usage(25, 0) }))
    await connector.fetchProfiles(signedIn(calm), [ACCOUNT])
    expect(calm.outcomes[0]?.signal).toMatchObject({ remaining: 36_000 })
  })
})

describe('the posts of a Threads account', () => {
  it('are read with all that is known of them', async () => {
    const network = listing([post()])
    expect(await connector.fetchPosts(signedIn(network), ACCOUNT, null)).toEqual({
      nextCursor: null,
      posts: [
        {
          platformPostId: '18010000000000001',
          kind: 'post',
          text: 'Numbers day #notatag',
          hashtags: ['dataviz'],
          url: 'https://www.threads.net/@adacharts/post/Dexample',
          postedAt: '2026-11-20T09:00:00.000Z',
          media: [],
          metrics: { ...noMetrics(), views: 830, likes: 41, comments: 3, shares: 9, quotes: 2 },
        },
      ],
    })
    expect(network.admitted).toMatchObject([
      { operation: 'posts.list', items: 100 },
      { operation: 'posts.list', items: 100 },
    ])
    expect(network.urls.join()).toContain('insights.metric(views,likes,replies,reposts,quotes,shares)')
  })

  const image = { media_type: 'IMAGE', media_url: 'https://scontent.example/1.jpg', alt_text: 'A chart' }
  it.each<[string, Record<string, unknown>, object]>([
    ['quotes', { is_quote_post: true }, { kind: 'quote' }],
    ['replies', { is_reply: true, is_quote_post: true }, { kind: 'reply' }],
    ['reposts', { media_type: 'REPOST_FACADE' }, { kind: 'repost', metrics: noMetrics() }],
    ['pictures', image, { media: [{ type: 'image', url: image.media_url, alt: 'A chart' }] }],
    [
      'albums',
      { media_type: 'CAROUSEL_ALBUM', media_url: 'https://x.example', children: { data: [image, 7] } },
      { media: [{ type: 'image', url: image.media_url, alt: 'A chart' }] },
    ],
    [
      'links',
      { link_attachment_url: 'https://example.com/' },
      { media: [{ type: 'link', url: 'https://example.com/', alt: null }] },
    ],
    ['posts without words', { text: undefined, topic_tag: undefined }, { text: null, hashtags: [] }],
    ['posts that are not counted', { insights: undefined }, { metrics: noMetrics() }],
    [
      'posts with counts that cannot be',
      { insights: insights({ ...COUNTS, views: -1, likes: 1.5, quotes: '3' }) },
      { metrics: { ...noMetrics(), comments: 3, shares: 9 } },
    ],
    [
      'posts older than the count of shares',
      { insights: insights({ reposts: 4 }) },
      { metrics: { ...noMetrics(), shares: 4 } },
    ],
    [
      'posts of which only sending is counted',
      { insights: insights({ shares: 5 }) },
      { metrics: noMetrics() },
    ],
  ])('may be %s', async (_, changes, expected) => {
    const { posts } = await connector.fetchPosts(signedIn(listing([post(changes)])), ACCOUNT, null)
    expect(posts).toMatchObject([expected])
  })

  it.each([
    ['a date before Threads', { timestamp: '2023-07-04T23:59:59+0000' }],
    ['a date to come', { timestamp: new Date(Date.now() + 2 * 86_400_000).toISOString() }],
    ['no date', { timestamp: undefined }],
    ['an id that is a number', { id: 18010000 }],
  ])('are left out with %s, and all of them are none', async (_, changes) => {
    const some = listing([post(changes), post()])
    expect((await connector.fetchPosts(signedIn(some), ACCOUNT, null)).posts).toHaveLength(1)
    const all = platformFailure(connector.fetchPosts(signedIn(listing([post(changes)])), ACCOUNT, null))
    expect((await all).kind).toBe('bad_answer')
  })

  it('follow empty pages behind which there are more, but not for ever', async () => {
    const paging = { cursors: { after: 'B' }, next: 'https://graph.threads.net/next' }
    const network = testNetwork((url) => {
      if (!url.pathname.endsWith('/threads')) return { data: [] }
      return url.searchParams.get('after') === 'B' ? { data: [post()] } : { data: [], paging }
    })
    expect((await connector.fetchPosts(signedIn(network), ACCOUNT, null)).posts).toHaveLength(1)
    const endless = listing([], paging)
    const failure = await platformFailure(connector.fetchPosts(signedIn(endless), ACCOUNT, null))
    expect([failure.kind, endless.urls.length < 10]).toEqual(['bad_answer', true])
  })

  it('end at the second down to which both lists were read, which comes again with the next page', async () => {
    const at = (second: number, id: number) =>
      post({ id: `1801${id}`, timestamp: new Date(second * 1_000).toISOString() })
    const paging = { cursors: { after: 'B' }, next: 'https://graph.threads.net/next' }
    const network = testNetwork((url) => {
      const until = Number(url.searchParams.get('until') ?? Number.POSITIVE_INFINITY)
      if (!url.pathname.endsWith('/threads')) return { data: [at(1_700_000_005, 5), at(1_700_000_001, 1)] }
      const posts = [9, 7, 7, 3].map((second, index) => ({ second: 1_700_000_000 + second, id: 20 + index }))
      const found = posts.filter(({ second }) => second <= until).slice(0, 2)
      const isLast = found.at(-1)?.second === 1_700_000_003
      return { data: found.map(({ second, id }) => at(second, id)), ...(isLast ? {} : { paging }) }
    })
    const pages: (readonly string[])[] = []
    let cursor: string | null = null
    do {
      const page = await connector.fetchPosts(signedIn(network), ACCOUNT, cursor)
      pages.push(page.posts.map((one) => one.platformPostId.slice(4)))
      cursor = page.nextCursor
    } while (cursor !== null && pages.length < 9)
    // The second page is of one second alone: it is given out, and the list goes on below.
    expect(pages).toEqual([['20'], ['21', '22'], [], ['5', '23', '1']])
  })

  it('refuse a cursor that is none of theirs', async () => {
    const failure = await platformFailure(connector.fetchPosts(signedIn(listing([])), ACCOUNT, 'QVFI'))
    expect(failure.kind).toBe('bad_request')
  })
})

describe('counts that Threads does not give with lists', () => {
  const answer = (url: URL): unknown => {
    if (url.searchParams.get('fields')?.includes('insights')) return refusal(100)
    if (url.pathname.endsWith('/insights'))
      return url.pathname.includes('18010000000000002')
        ? refusal(100, { error_subcode: 33 })
        : insights(COUNTS)
    const data = [post(), post({ id: '18010000000000002' }), post({ id: '3', media_type: 'REPOST_FACADE' })]
    return url.pathname.endsWith('/threads')
      ? { data: data.map(({ insights: _, ...rest }) => rest) }
      : { data: [] }
  }

  it('are asked for post by post, and what was refused is not asked again for an hour', async () => {
    const fresh = newConnector()
    const network = testNetwork(answer)
    const { posts } = await fresh.fetchPosts(signedIn(network), ACCOUNT, null)
    // The second was deleted in between, and the third stands for somebody else's.
    expect(posts.map(({ platformPostId, metrics }) => [platformPostId, metrics.views])).toEqual([
      ['18010000000000001', 830],
      ['3', null],
    ])
    expect(network.admitted.map(({ operation, items }) => `${operation} ${items}`)).toEqual([
      'posts.list 100',
      'posts.list 25',
      'posts.list 25',
      'posts.insights 1',
      'posts.insights 1',
    ])
    network.admitted.length = 0
    await fresh.fetchPosts(signedIn(network), ACCOUNT, null)
    expect(network.admitted[0]).toMatchObject({ operation: 'posts.list', items: 25 })
  })

  it('are not taken for refused where something else is', async () => {
    const fresh = newConnector()
    const broken = testNetwork(() => refusal(100))
    expect((await platformFailure(fresh.fetchPosts(signedIn(broken), ACCOUNT, null))).kind).toBe(
      'bad_request',
    )
    const network = listing([post()])
    await fresh.fetchPosts(signedIn(network), ACCOUNT, null)
    expect(network.urls[0]).toContain('insights.metric')
  })
})
