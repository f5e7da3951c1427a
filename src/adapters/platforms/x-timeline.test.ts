import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AccountRef, PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { platformFailure, testNetwork } from './test-network.ts'
import {
  misspelt,
  notAuthorized,
  notFound,
  post,
  postsPage,
  suspended,
  USER_ID,
  user,
} from './x.test-answers.ts'
import { createXConnector } from './x.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const ACCOUNT: AccountRef = { externalId: USER_ID, host: null, handle: 'adacharts' }
const SCOPE = { host: null, account: null }
const NEWEST = { id: '1990000000000000001', postedAtMs: NOW - 3_600_000 }

const create = () =>
  createXConnector({
    app: { bearerToken: 'token-of-the-app' },
    apiUrl: 'https://x.example',
    userAgent: 'Tidemark',
    ruleOf: createRules({ 'x.users': 900 }),
  })
const connector = create()
const ref = (id: string) => ({ id, postedAtMs: NOW })

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the posts of an X account', () => {
  it('asks for a page with everything, and pays for what came', async () => {
    const network = testNetwork(() =>
      postsPage([post('3', { attachments: { media_keys: ['3_1'] } }), post('2'), post('2')], {
        includes: {
          media: [{ media_key: '3_1', type: 'photo', url: 'https://pbs.example/p.jpg' }],
          users: [user({ id: '9' })],
          posts: [post('1')],
        },
        meta: { result_count: 3, next_token: '7140dibdnow9c7btw' },
      }),
    )
    const page = await connector.fetchPosts(network.ctx, ACCOUNT, null)
    expect(page.nextCursor).toBe('7140dibdnow9c7btw')
    expect(page.posts.map(({ platformPostId, url }) => [platformPostId, url])).toEqual([
      ['3', 'https://x.com/adacharts/status/3'],
      ['2', 'https://x.com/adacharts/status/2'],
    ])
    expect(page.posts[0]?.media).toEqual([{ type: 'image', url: 'https://pbs.example/p.jpg', alt: null }])
    expect(network.urls).toEqual([
      `https://x.example/2/users/${USER_ID}/tweets?max_results=100` +
        '&tweet.fields=attachments,created_at,entities,in_reply_to_user_id,note_tweet,public_metrics,referenced_tweets,text' +
        '&expansions=attachments.media_keys&media.fields=alt_text,media_key,preview_image_url,type,url',
    ])
    expect(network.admitted).toMatchObject([
      { operation: 'posts.list', items: 100, mostCostMicros: 500_000, rules: [{ key: 'x.timelines' }] },
    ])
    expect(network.outcomes[0]?.paid).toEqual([
      { object: 'post:3', costMicros: 5_000 },
      { object: 'post:2', costMicros: 5_000 },
      { object: 'post:1', costMicros: 5_000 },
      { object: 'user:9', costMicros: 10_000 },
    ])
  })

  it('pays for newer posts alone where one is known, page after page', async () => {
    const asked: (string | null)[][] = []
    const network = testNetwork(({ searchParams }) => {
      asked.push(['since_id', 'pagination_token', 'max_results'].map((name) => searchParams.get(name)))
      const next_token = searchParams.has('pagination_token') ? undefined : 'next'
      return postsPage([post('4')], { meta: { result_count: 1, ...(next_token && { next_token }) } })
    })
    const first = await connector.fetchPosts(network.ctx, ACCOUNT, null, NEWEST)
    expect(first.nextCursor).toBe(`since:${NEWEST.id}:next`)
    // What is newest by then is another question.
    const second = await connector.fetchPosts(network.ctx, ACCOUNT, first.nextCursor, { ...NEWEST, id: '5' })
    expect(second.nextCursor).toBeNull()
    expect(asked).toEqual([
      [NEWEST.id, null, '20'],
      [NEWEST.id, 'next', '20'],
    ])
    expect(network.admitted.map(({ mostCostMicros }) => mostCostMicros)).toEqual([100_000, 100_000])
  })

  it('looks once more for what it could not tell apart among newer posts, which are not listed again', async () => {
    const asked: (string | null)[] = []
    const network = testNetwork(({ searchParams }) => {
      asked.push(searchParams.get('since_id'), searchParams.get('pagination_token'))
      return { data: [post('9'), { text: 'Without an id' }, post('7')], meta: {} }
    })
    const first = await connector.fetchPosts(network.ctx, ACCOUNT, null, NEWEST)
    expect(first.posts.map(({ platformPostId }) => platformPostId)).toEqual(['9', '7'])
    const again = await connector.fetchPosts(network.ctx, ACCOUNT, first.nextCursor, { ...NEWEST, id: '9' })
    expect(again.nextCursor).toBeNull()
    expect(asked).toEqual([NEWEST.id, null, NEWEST.id, null])
    // Without such an end the next listing shows it.
    expect((await connector.fetchPosts(network.ctx, ACCOUNT, null)).nextCursor).toBeNull()
  })

  it('goes by the date of a newest post that X does not know', async () => {
    const network = testNetwork(() => postsPage([]))
    const newest = { id: 'imported-1', postedAtMs: Date.parse('2026-11-20T09:00:00.000Z') }
    await connector.fetchPosts(network.ctx, ACCOUNT, null, newest)
    const sinceId = network.requests[0]?.url.searchParams.get('since_id') ?? ''
    expect(Number(BigInt(sinceId) >> 22n) + 1_288_834_974_657).toBe(newest.postedAtMs)
    await connector.fetchPosts(network.ctx, ACCOUNT, null, { ...newest, postedAtMs: Date.UTC(2009, 0) })
    expect(network.requests[1]?.url.searchParams.has('since_id')).toBe(false)
  })

  it('stops at an empty page, and where the token stands still', async () => {
    const empty = testNetwork(() => ({ meta: { result_count: 0 } }))
    expect(await connector.fetchPosts(empty.ctx, ACCOUNT, 'a')).toEqual({ posts: [], nextCursor: null })
    const stuck = testNetwork(() => postsPage([post('1')], { meta: { next_token: 'a' } }))
    expect((await connector.fetchPosts(stuck.ctx, ACCOUNT, 'a')).nextCursor).toBeNull()
    expect((await connector.fetchPosts(stuck.ctx, ACCOUNT, 'since:7:a')).nextCursor).toBeNull()
  })

  it.each(['', 'a b', 'since:x:a', 'since::a', 'a&ids=1'])(
    'does not follow the cursor %j',
    async (cursor) => {
      const network = testNetwork(() => postsPage([]))
      const failure = await platformFailure(connector.fetchPosts(network.ctx, ACCOUNT, cursor))
      expect([failure.kind, network.urls]).toEqual(['bad_request', []])
    },
  )

  it.each<[string, unknown, PlatformError['kind']]>([
    ['suspended', { errors: [suspended(USER_ID)] }, 'gone'],
    ['gone', { errors: [notFound(USER_ID, 'user', 'id')], meta: { result_count: 0 } }, 'gone'],
    ['protected', { errors: [notAuthorized(USER_ID, 'user')] }, 'permission'],
    ['not explained', {}, 'bad_answer'],
  ])('says what is the matter with an account that is %s', async (_, answer, kind) => {
    const failure = await platformFailure(connector.fetchPosts(testNetwork(() => answer).ctx, ACCOUNT, null))
    expect(failure.kind).toBe(kind)
  })

  it('does not take missing posts for a missing account', async () => {
    const errors = [notFound('1', 'post', 'referenced_posts')]
    const partly = testNetwork(() => ({ ...postsPage([post('2')]), errors }))
    expect((await connector.fetchPosts(partly.ctx, ACCOUNT, null)).posts).toHaveLength(1)
    const wholly = testNetwork(() => ({ errors, meta: { result_count: 0 } }))
    expect((await connector.fetchPosts(wholly.ctx, ACCOUNT, null)).posts).toEqual([])
  })

  it('leaves out a malformed post, but says so when all are', async () => {
    const broken = [7, { id: 'x' }, { ...post('1'), created_at: 'never' }]
    const some = testNetwork(() => ({ ...postsPage([]), data: [...broken, post('2')] }))
    expect((await connector.fetchPosts(some.ctx, ACCOUNT, null)).posts).toHaveLength(1)
    const all = testNetwork(() => ({ ...postsPage([]), data: broken }))
    const failure = await platformFailure(connector.fetchPosts(all.ctx, ACCOUNT, null))
    expect([failure.kind, failure.message]).toEqual(['bad_answer', expect.stringContaining('None of the 3')])
  })
})

describe('refreshing X posts', () => {
  it('asks for 100 at once, by decimal ids, and gives those that are still there', async () => {
    const ids = Array.from({ length: 102 }, (_, i) => String(2_000 + i))
    const network = testNetwork((url) => {
      const asked = (url.searchParams.get('ids') ?? '').split(',')
      const data = asked.filter((id) => id !== '2002').map((id) => post(id))
      return { data: [...data.reverse(), post('1')], errors: [notFound('2002', 'post')] }
    })
    const posts = await connector.refreshPosts(
      network.ctx,
      SCOPE,
      [...ids, 'imported-1', '', ...ids].map(ref),
    )
    expect(network.admitted.map(({ items, mostCostMicros }) => [items, mostCostMicros])).toEqual([
      [100, 500_000],
      [2, 10_000],
    ])
    expect(network.admitted[0]).toMatchObject({ operation: 'posts.refresh', rules: [{ key: 'x.posts' }] })
    expect(new Set(posts.map(({ platformPostId }) => platformPostId))).toEqual(
      new Set(ids.filter((id) => id !== '2002')),
    )
    // The address is known from the list; who wrote a post would be paid for again.
    expect(posts.every(({ url }) => url === null)).toBe(true)
  })

  it('finds nothing where all is gone, and makes no call for nothing', async () => {
    const network = testNetwork(() => ({ errors: [notFound('1', 'post'), notAuthorized('2', 'post')] }))
    expect(await connector.refreshPosts(network.ctx, SCOPE, [ref('1'), ref('2')])).toEqual([])
    expect(await connector.refreshPosts(network.ctx, SCOPE, [ref('imported-1')])).toEqual([])
    expect(network.urls).toHaveLength(1)
  })
})

describe('the two spellings of X', () => {
  const asksForTweets = (url: URL) => url.searchParams.has('tweet.fields')
  const spellingsOf = (network: ReturnType<typeof testNetwork>) =>
    network.requests.map(({ url }) => (asksForTweets(url) ? 'tweet' : 'post'))

  it.each([
    ['refuses the name', () => misspelt('tweet.fields')],
    ['passes over it in silence', () => postsPage([{ id: '1', text: 'bare' }])],
  ])('are tried once each where X %s, and the one that it takes is kept', async (_, answerToTweets) => {
    const network = testNetwork((url) => (asksForTweets(url) ? answerToTweets() : postsPage([post('1')])))
    const fresh = create()
    expect(await fresh.refreshPosts(network.ctx, SCOPE, [ref('1')])).toHaveLength(1)
    expect((await fresh.fetchPosts(network.ctx, ACCOUNT, null)).posts).toHaveLength(1)
    expect(spellingsOf(network)).toEqual(['tweet', 'post', 'post'])
    // In this spelling a post may bring two others along.
    expect(network.admitted.map(({ mostCostMicros }) => mostCostMicros)).toEqual([5_000, 15_000, 1_500_000])
  })

  it('are not tried for any other fault, nor for ever', async () => {
    const other = testNetwork(() => misspelt('pagination_token'))
    const failure = await platformFailure(create().fetchPosts(other.ctx, ACCOUNT, 'a'))
    expect([failure.kind, spellingsOf(other)]).toEqual(['bad_request', ['tweet']])
    const neither = testNetwork((url) => misspelt(asksForTweets(url) ? 'tweet.fields' : 'post.fields'))
    const fresh = create()
    expect((await platformFailure(fresh.fetchPosts(neither.ctx, ACCOUNT, null))).kind).toBe('bad_request')
    await platformFailure(fresh.fetchPosts(neither.ctx, ACCOUNT, null))
    expect(spellingsOf(neither)).toEqual(['tweet', 'post', 'tweet', 'post'])
  })

  it('go back to the first when X changes its mind', async () => {
    let taken = 'post.fields'
    const network = testNetwork((url) =>
      url.searchParams.has(taken)
        ? postsPage([post('1')])
        : misspelt(asksForTweets(url) ? 'tweet.fields' : 'post.fields'),
    )
    const fresh = create()
    await fresh.fetchPosts(network.ctx, ACCOUNT, null)
    taken = 'tweet.fields'
    await fresh.fetchPosts(network.ctx, ACCOUNT, null)
    await fresh.fetchPosts(network.ctx, ACCOUNT, null)
    expect(spellingsOf(network)).toEqual(['tweet', 'post', 'post', 'tweet', 'tweet'])
  })
})
