import type { IGMedia, IGUser } from 'facebook-nodejs-business-sdk'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import type { AccountRef, PostRef } from '../../ports.ts'
import { createInstagramConnector } from './instagram.ts'
import { createRules } from './limits.ts'
import { htmlPage, platformFailure, type TestNetwork, testNetwork } from './test-network.ts'

/** Meta's types name the fields and say nothing of their values; insights and children are edges. */
type MediaAnswer = Partial<Record<keyof (typeof IGMedia)['Fields'] | 'children' | 'insights', unknown>>
type UserAnswer = Partial<Record<keyof (typeof IGUser)['Fields'], unknown>>

const ACCOUNT: AccountRef = { externalId: '17841400000000001', host: null, handle: 'adacharts' }
const SCOPE = { host: null, account: ACCOUNT }
const TOKEN = 'EAABpagetoken'
const APP = { id: '1234', secret: 'app-secret' }
/** HMAC-SHA256 of the token with the secret. */
const PROOF = '6db79ba8b87234b70cc8b8fa7651262d3caa5d2496023f67afe0b193310b3616'
const connector = createInstagramConnector({ app: APP, userAgent: 'Tidemark', ruleOf: createRules() })

const USER = {
  id: ACCOUNT.externalId,
  username: 'adacharts',
  name: 'Ada',
  followers_count: 5210,
  follows_count: 180,
  media_count: 340,
  profile_picture_url: 'https://scontent.example/x.jpg',
} satisfies UserAnswer

const insight = (name: string, value: unknown) => ({ name, period: 'lifetime', values: [{ value }] })

const media = (id: string, changes: MediaAnswer = {}) =>
  ({
    id,
    caption: 'Colours #DataViz',
    media_type: 'IMAGE',
    media_product_type: 'FEED',
    permalink: 'https://www.instagram.com/p/Cexample1/',
    timestamp: '2026-11-20T09:00:00+0000',
    like_count: 210,
    comments_count: 12,
    insights: {
      data: [insight('views', 4100), insight('reach', 3000), insight('saved', 33), insight('shares', 7)],
    },
    ...changes,
  }) satisfies MediaAnswer

const graphError = (code: number, subcode?: number) => ({
  error: { message: `About ${TOKEN}`, type: 'OAuthException', code, error_subcode: subcode },
})
const failed = (code: number, subcode?: number) => Response.json(graphError(code, subcode), { status: 400 })
const page = (data: unknown[], after?: string) => ({
  data,
  paging: {
    cursors: { before: 'b', after: after ?? 'end' },
    ...(after && { next: 'https://graph.example/n' }),
  },
})

function signedIn(network: TestNetwork, host = 'graph.facebook.com') {
  return { ...network.ctx, accessToken: { value: TOKEN, host, allowance: 'a' } }
}

const refs = (ids: string[]): PostRef[] => ids.map((id) => ({ id, postedAtMs: 0 }))

const SubRequests = z.array(z.object({ method: z.literal('GET'), relative_url: z.string() }))

/** A network that answers batches, request by request; `null` and what is no JSON stand for themselves. */
function batchNetwork(answer: (id: string, fields: string) => unknown) {
  return testNetwork((asked, body) => {
    const answerTo = (url: URL) => {
      const answered = answer(url.pathname.split('/').at(-1) ?? '', url.searchParams.get('fields') ?? '')
      if (answered === null) return null
      const code = JSON.stringify(answered).startsWith('{"error"') ? 400 : 200
      return { code, body: JSON.stringify(answered) }
    }
    const batch = new URLSearchParams(body).get('batch')
    if (batch === null) {
      const alone = answerTo(asked)
      return new Response(alone?.body, { status: alone?.code ?? 503 })
    }
    const requests = SubRequests.parse(JSON.parse(batch))
    return requests.map(({ relative_url }) => answerTo(new URL(relative_url, 'https://graph.example/')))
  })
}

afterEach(() => {
  vi.useRealTimers()
})

describe('an account of Instagram', () => {
  it.each(['adacharts', '@adacharts', 'https://www.instagram.com/adacharts/?hl=en'])(
    'is connected by signing in, and not by its name (%s)',
    async (input) => {
      const network = testNetwork(() => USER)
      const failure = await platformFailure(connector.resolve(network.ctx, input))
      expect([failure.kind, failure.message]).toEqual(['auth', expect.stringContaining('signing in')])
      expect(network.urls).toEqual([])
    },
  )

  it.each([
    ['https://www.youtube.com/@ada', 'choose YouTube'],
    ['ada charts', 'named like adacharts'],
  ])('is not %s', async (input, hint) => {
    const failure = await platformFailure(connector.resolve(testNetwork(() => USER).ctx, input))
    expect([failure.kind, failure.message]).toEqual(['bad_request', expect.stringContaining(hint)])
  })

  it('is read with its token, the proof that it is ours, and the secret in no address', async () => {
    const network = testNetwork(() => USER)
    expect(await connector.fetchProfiles(signedIn(network), [ACCOUNT])).toEqual([
      {
        ...ACCOUNT,
        displayName: 'Ada',
        url: 'https://www.instagram.com/adacharts/',
        avatarUrl: 'https://scontent.example/x.jpg',
        followers: 5210,
        following: 180,
        posts: 340,
      },
    ])
    expect(network.urls).toEqual([
      `https://graph.facebook.com/v26.0/17841400000000001?fields=id,username,name,profile_picture_url,followers_count,follows_count,media_count&appsecret_proof=${PROOF}`,
    ])
    expect(network.requests[0]?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`)
    expect(network.admitted).toMatchObject([
      { items: 1, rules: [{ key: 'instagram.account:17841400000000001', limit: 4_800 }] },
    ])
  })

  it('is not read without a token, or with one that is for another host', async () => {
    const network = testNetwork(() => USER)
    for (const ctx of [network.ctx, signedIn(network, 'graph.example')])
      expect((await platformFailure(connector.fetchProfiles(ctx, [ACCOUNT]))).kind).toBe('auth')
    expect(network.urls).toEqual([])
  })

  it('says nothing that the platform does not say, and is no other account', async () => {
    const absurd = {
      id: USER.id,
      username: 'adacharts',
      followers_count: -1,
      media_count: 2.5,
      follows_count: '3',
    }
    const [profile] = await connector.fetchProfiles(signedIn(testNetwork(() => absurd)), [ACCOUNT])
    expect(profile).toMatchObject({ displayName: null, followers: null, following: null, posts: null })
    const other = signedIn(testNetwork(() => ({ ...USER, id: '1' })))
    expect((await platformFailure(connector.fetchProfiles(other, [ACCOUNT]))).kind).toBe('bad_answer')
  })
})

describe('the posts of an account of Instagram', () => {
  it('are read with all that is known of them', async () => {
    const album = media('18000000000000001', {
      media_type: 'CAROUSEL_ALBUM',
      children: {
        data: [{ media_type: 'IMAGE', alt_text: 'A map' }, { media_type: 'VIDEO' }, 'malformed'],
      },
    })
    const network = testNetwork(() => page([album], 'QVFI2'))
    expect(await connector.fetchPosts(signedIn(network), ACCOUNT, 'QVFI1')).toEqual({
      nextCursor: 'QVFI2',
      posts: [
        {
          platformPostId: '18000000000000001',
          kind: 'post',
          text: 'Colours #DataViz',
          hashtags: ['DataViz'],
          url: 'https://www.instagram.com/p/Cexample1/',
          postedAt: '2026-11-20T09:00:00.000Z',
          media: [
            { type: 'image', url: 'https://www.instagram.com/p/Cexample1/', alt: 'A map' },
            { type: 'video', url: 'https://www.instagram.com/p/Cexample1/', alt: null },
          ],
          metrics: {
            likes: 210,
            comments: 12,
            shares: 7,
            quotes: null,
            saves: 33,
            views: 4100,
            impressions: null,
            reach: 3000,
          },
        },
      ],
    })
    const query = network.requests[0]?.url.searchParams
    expect([query?.get('after'), query?.get('limit')]).toEqual(['QVFI1', '50'])
  })

  it('have no figure that is hidden, missing or senseless', async () => {
    const data = [
      media('1', { like_count: undefined, comments_count: -3, insights: { data: [] } }),
      media('2', {
        insights: {
          data: [
            insight('views', 2 ** 53),
            { name: 'reach', period: 'day', values: [{ value: 3 }] },
            { name: 'saved', total_value: { value: 4 } },
            insight('shares', '7'),
            7,
          ],
        },
      }),
      media('3', { media_product_type: 'STORY' }),
      media('4', { timestamp: '2009-01-01T00:00:00+0000' }),
      media('5', { timestamp: '2099-01-01T00:00:00+0000' }),
      media('6', { caption: undefined }),
    ]
    const { posts } = await connector.fetchPosts(signedIn(testNetwork(() => page(data))), ACCOUNT, null)
    expect(posts.map(({ platformPostId }) => platformPostId)).toEqual(['1', '2', '6'])
    const nothing = { likes: null, comments: null, shares: null, saves: null, views: null, reach: null }
    expect(posts[0]?.metrics).toMatchObject(nothing)
    expect(posts[1]?.metrics).toMatchObject({ views: null, reach: null, saves: 4, shares: null })
    expect([posts[2]?.text, posts[2]?.hashtags]).toEqual([null, []])
  })

  it('end where there is no next page, or the cursor stands still', async () => {
    const read = async (answer: unknown, cursor: string | null) =>
      (await connector.fetchPosts(signedIn(testNetwork(() => answer)), ACCOUNT, cursor)).nextCursor
    expect(await read(page([media('1')]), null)).toBeNull()
    expect(await read({ data: [] }, 'x')).toBeNull()
    expect(await read(page([], 'more'), 'x')).toBe('more')
    expect(await read(page([], 'x'), 'x')).toBeNull()
  })

  it.each([
    ['a metric that does not exist', 100, undefined],
    ['a right that is lacking', 10, undefined],
  ])('are read without insights after %s, which is remembered for an hour', async (_, code, subcode) => {
    const fresh = createInstagramConnector({ app: APP, userAgent: 'Tidemark', ruleOf: createRules() })
    const network = testNetwork((url) =>
      url.searchParams.get('fields')?.includes('insights')
        ? failed(code, subcode)
        : page([media('1', { insights: undefined })]),
    )
    const { posts } = await fresh.fetchPosts(signedIn(network), ACCOUNT, null)
    expect(posts[0]?.metrics).toMatchObject({ likes: 210, views: null })
    expect(network.urls).toHaveLength(2)
    await fresh.fetchPosts(signedIn(network), ACCOUNT, null)
    expect(network.urls).toHaveLength(3)
    await fresh.fetchPosts(signedIn(network), { ...ACCOUNT, externalId: '17841400000000002' }, null)
    expect(network.urls).toHaveLength(5)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_001 })
    await fresh.fetchPosts(signedIn(network), ACCOUNT, null)
    expect(network.urls).toHaveLength(7)
  })

  it.each<[string, Response, string]>([
    ['an account that is gone', failed(100, 33), 'gone'],
    ['a cursor that is refused', failed(100), 'bad_request'],
    ['a token that has ended', failed(190, 463), 'auth'],
    ['too many calls', failed(80002), 'rate_limited'],
    ['a page of a proxy', htmlPage(502), 'transient'],
    ['another shape', Response.json({ data: 'none' }), 'bad_answer'],
    ['an error with status 200', Response.json(graphError(190)), 'auth'],
  ])('take %s for what it is', async (_, response, kind) => {
    const network = testNetwork(() => response.clone())
    const failure = await platformFailure(connector.fetchPosts(signedIn(network), ACCOUNT, null))
    expect([failure.kind, failure.message.includes(TOKEN)]).toEqual([kind, false])
  })
})

describe('refreshing posts of Instagram', () => {
  it('asks for 50 at once, each of which counts, and leaves out those that are gone', async () => {
    const ids = Array.from({ length: 52 }, (_, i) => String(18_000 + i))
    const network = batchNetwork((id) =>
      id === '18001' ? graphError(100, 33) : id === '18002' ? graphError(803) : media(id),
    )
    const posts = await connector.refreshPosts(
      signedIn(network),
      SCOPE,
      refs([...ids, ...ids, 'imported-1', '']),
    )
    expect(posts.map(({ platformPostId }) => platformPostId)).toEqual(
      ids.filter((id) => id !== '18001' && id !== '18002'),
    )
    expect(network.admitted.map(({ items, rules }) => [items, rules[0]?.units])).toEqual([
      [50, 50],
      [2, 2],
    ])
    const [request] = network.requests
    const form = new URLSearchParams(request?.body)
    expect([request?.method, request?.url.href]).toEqual(['POST', 'https://graph.facebook.com/v26.0/'])
    expect([form.get('access_token'), form.get('appsecret_proof'), form.get('include_headers')]).toEqual([
      TOKEN,
      PROOF,
      'false',
    ])
  })

  it('leaves open what was not answered in time, and takes nothing at all for a failure', async () => {
    const late = batchNetwork((id) => (id === '2' ? null : media(id)))
    expect(await connector.refreshPosts(signedIn(late), SCOPE, refs(['1', '2']))).toHaveLength(1)
    expect([late.open, late.urls.length]).toEqual([['2'], 1])
    const never = batchNetwork(() => null)
    const failure = await platformFailure(connector.refreshPosts(signedIn(never), SCOPE, refs(['1', '2'])))
    expect([failure.kind, never.urls.length]).toEqual(['transient', 1])
  })

  it('asks for one alone without a batch', async () => {
    const network = batchNetwork((id) => media(id))
    expect(await connector.refreshPosts(signedIn(network), SCOPE, refs(['7']))).toHaveLength(1)
    expect(network.requests.map(({ method, url }) => [method, url.pathname])).toEqual([['GET', '/v26.0/7']])
    expect(network.admitted).toMatchObject([{ operation: 'posts.refresh', items: 1 }])
  })

  it('leaves open those whose insights are refused, and asks for them without from then on', async () => {
    const network = batchNetwork((id, fields) =>
      id === '77' && fields.includes('insights') ? graphError(100, 2_108_006) : media(id),
    )
    const fresh = createInstagramConnector({ app: APP, userAgent: 'Tidemark', ruleOf: createRules() })
    const refresh = async () =>
      (await fresh.refreshPosts(signedIn(network), SCOPE, refs(['76', '77']))).map(
        (post) => post.platformPostId,
      )
    expect(await refresh()).toEqual(['76'])
    expect(network.open).toEqual(['77'])
    expect(await refresh()).toEqual(['76', '77'])
    expect(await refresh()).toEqual(['76', '77'])
    expect([network.open, network.urls.length]).toEqual([['77'], 3])
  })

  it('asks for insights again where the answer is no better without them', async () => {
    const asked: boolean[] = []
    const network = batchNetwork((id, fields) => {
      if (id === '76') return media(id)
      asked.push(fields.includes('insights'))
      return graphError(asked.length === 1 ? 100 : 2)
    })
    const fresh = createInstagramConnector({ app: APP, userAgent: 'Tidemark', ruleOf: createRules() })
    for (let round = 0; round < 3; round++)
      expect(await fresh.refreshPosts(signedIn(network), SCOPE, refs(['76', '77']))).toHaveLength(1)
    expect([asked, network.open]).toEqual([
      [true, false, true],
      ['77', '77', '77'],
    ])
  })

  it.each([
    ['out of order', 2, 'transient'],
    ['not allowed', 200, 'permission'],
    ['not understood', 100, 'bad_request'],
  ])(
    'takes no post for gone of which the answer is %s, and all others as they are',
    async (_, code, kind) => {
      const network = batchNetwork((id) => (id === '2' ? graphError(code) : media(id)))
      // Insights may be at fault first.
      await connector.refreshPosts(signedIn(network), SCOPE, refs(['1', '2', '3']))
      const posts = await connector.refreshPosts(signedIn(network), SCOPE, refs(['1', '2', '3']))
      expect([posts.map(({ platformPostId }) => platformPostId), network.open]).toEqual([
        ['1', '3'],
        ['2', '2'],
      ])
      const failing = connector.refreshPosts(signedIn(network), SCOPE, refs(['2']))
      const failure = await platformFailure(
        kind === 'transient'
          ? failing
          : failing.then(() => connector.refreshPosts(signedIn(network), SCOPE, refs(['2']))),
      )
      expect(failure.kind).toBe(kind)
    },
  )

  it.each([
    ['one too many', 80002, 'rate_limited', 300_000],
    ['of a token that has ended', 190, 'auth', null],
  ])('fails as a whole where one answer is %s', async (_, code, kind, waitMs) => {
    const network = batchNetwork((id) => (id === '2' ? graphError(code) : media(id)))
    const failing = connector.refreshPosts(signedIn(network), SCOPE, refs(['1', '2', '3']))
    expect((await platformFailure(failing)).kind).toBe(kind)
    expect(network.outcomes.at(-1)?.retryAfterMs).toBe(waitMs)
  })

  it('takes a batch of another length for no answer', async () => {
    const network = testNetwork(() => [])
    const failure = await platformFailure(connector.refreshPosts(signedIn(network), SCOPE, refs(['1', '2'])))
    expect(failure.kind).toBe('bad_answer')
  })

  it('makes no call when there is nothing to ask for', async () => {
    const network = testNetwork(() => [])
    expect(await connector.refreshPosts(signedIn(network), SCOPE, refs(['imported-1', '1?x=y']))).toEqual([])
    expect(network.admitted).toEqual([])
  })
})
