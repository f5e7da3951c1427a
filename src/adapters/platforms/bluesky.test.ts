import { describe, expect, it } from 'vitest'
import type { AccountRef, PlatformError } from '../../ports.ts'
import { createBlueskyConnector } from './bluesky.ts'
import { createRules } from './limits.ts'
import { DID, PROFILE, postView } from './test-answers.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'

const ACCOUNT: AccountRef = { externalId: DID, host: null, handle: 'ada.example.com' }
const newConnector = (appViewUrl: string) =>
  createBlueskyConnector({ appViewUrl, userAgent: 'Tidemark', ruleOf: createRules() })
const connector = newConnector('https://appview.example')
const SCOPE = { host: null, account: null }
const refsOf = (ids: string[]) => ids.map((id) => ({ id, postedAtMs: Date.parse('2026-11-20') }))

const error = (status: number, name: string, message = '') =>
  Response.json({ error: name, message }, { status })

describe('resolving a Bluesky account', () => {
  it.each(['@ada.example.com', 'ada.example.com', DID, `https://bsky.app/profile/${DID}`])(
    'finds %s',
    async (input) => {
      const network = testNetwork(() => PROFILE)
      expect(await connector.resolve(network.ctx, input)).toEqual({
        externalId: DID,
        host: null,
        handle: 'ada.example.com',
        displayName: 'Ada',
        url: 'https://bsky.app/profile/ada.example.com',
        avatarUrl: 'https://cdn.bsky.app/img/avatar/plain/x@jpeg',
        followers: 1204,
        following: 310,
        posts: 842,
      })
      const actor = input.includes('did:') ? DID : 'ada.example.com'
      expect(network.urls).toEqual([`https://appview.example/xrpc/app.bsky.actor.getProfile?actor=${actor}`])
      expect(network.admitted).toEqual([
        {
          operation: 'account.find',
          server: null,
          rules: [{ key: 'bluesky.calls', limit: 3000, windowSeconds: 300 }],
          items: 1,
          mostCostMicros: 0,
        },
      ])
    },
  )

  it('does not ask for what can be no account', async () => {
    const network = testNetwork(() => PROFILE)
    expect((await platformFailure(connector.resolve(network.ctx, '@ada'))).kind).toBe('bad_request')
    expect(network.urls).toEqual([])
  })

  it('says nothing that the platform does not say', async () => {
    const profile = await connector.resolve(
      testNetwork(() => ({
        did: DID,
        handle: 'a.example',
        avatar: 'javascript:alert(1)',
        followersCount: -1,
        displayName: ' ',
      })).ctx,
      'a.example',
    )
    expect(profile).toMatchObject({
      displayName: null,
      avatarUrl: null,
      followers: null,
      following: null,
      posts: null,
    })
  })

  it('goes by the DID while the handle is broken', async () => {
    const profile = await connector.resolve(
      testNetwork(() => ({ ...PROFILE, handle: 'handle.invalid' })).ctx,
      DID,
    )
    expect([profile.handle, profile.url]).toEqual([DID, `https://bsky.app/profile/${DID}`])
  })

  it.each<[string, Response, PlatformError['kind']]>([
    ['an unknown profile', error(400, 'InvalidRequest', 'Profile not found'), 'gone'],
    ['an unknown handle', error(400, 'InvalidRequest', 'Unable to resolve handle'), 'gone'],
    ['a suspended account', error(400, 'AccountTakedown', 'Account has been suspended'), 'gone'],
    ['a deactivated account', error(400, 'AccountDeactivated'), 'gone'],
    [
      'a bad parameter',
      error(400, 'InvalidRequest', 'Error: actor must be a valid did or a handle'),
      'bad_request',
    ],
    ['an expired token', error(400, 'ExpiredToken'), 'auth'],
    ['a refused token', error(401, 'InvalidToken'), 'auth'],
    ['a block', error(400, 'BlockedByActor'), 'permission'],
    ['an address that is no AppView', error(404, 'XRPCNotSupported'), 'bad_answer'],
    ['an outage', error(502, 'UpstreamFailure'), 'transient'],
    ['a page of a proxy', htmlPage(403), 'transient'],
    ['a page instead of data', htmlPage(200), 'transient'],
    ['a broken answer', new Response('{"did":'), 'bad_answer'],
    ['an answer of another shape', Response.json({ handle: 'x' }), 'bad_answer'],
  ])('takes %s for what it is', async (_, response, kind) => {
    expect(
      (await platformFailure(connector.resolve(testNetwork(() => response).ctx, 'ada.example.com'))).kind,
    ).toBe(kind)
  })

  it('waits as long as Bluesky says', async () => {
    const limited = (headers: Record<string, string>) =>
      Response.json({ error: 'RateLimitExceeded', message: 'Rate Limit Exceeded' }, { status: 429, headers })
    const network = testNetwork(() =>
      limited({
        'retry-after': '12',
        'ratelimit-limit': '3000',
        'ratelimit-remaining': '0',
        'ratelimit-reset': '1795338300',
      }),
    )
    const failure = await platformFailure(connector.resolve(network.ctx, 'ada.example.com'))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 12_000])
    expect(network.outcomes).toMatchObject([
      {
        health: 'ok',
        status: 429,
        signal: { limit: 3000, remaining: 0, resetAtMs: 1795338300000 },
        retryAfterMs: 12_000,
      },
    ])
  })
})

describe('the profiles of Bluesky accounts', () => {
  it('asks for 25 at once, and leaves out who is gone or was not asked for', async () => {
    const accounts = Array.from({ length: 26 }, (_, i) => ({
      externalId: `did:plc:account${i}`,
      host: null,
      handle: `a${i}.example`,
    }))
    const network = testNetwork((url) => ({
      profiles: [
        ...url.searchParams
          .getAll('actors')
          .filter((did) => did !== 'did:plc:account3')
          .map((did) => ({ ...PROFILE, did, handle: 'handle.invalid' })),
        { ...PROFILE, did: 'did:plc:stranger' },
        { handle: 'malformed' },
      ],
    }))
    const profiles = await connector.fetchProfiles(network.ctx, accounts)
    expect(network.requests.map(({ url }) => url.searchParams.getAll('actors').length)).toEqual([25, 1])
    expect(profiles.map((profile) => profile.externalId)).toEqual(
      accounts.map((a) => a.externalId).filter((did) => did !== 'did:plc:account3'),
    )
    // The handle we know stands in for a broken one.
    expect(profiles[0]?.handle).toBe('a0.example')
  })

  it('makes no call for nobody', async () => {
    const network = testNetwork(() => ({ profiles: [] }))
    expect(await connector.fetchProfiles(network.ctx, [])).toEqual([])
    expect(network.urls).toEqual([])
  })

  it('takes nobody for gone when no entry can be understood', async () => {
    const network = testNetwork(() => ({ profiles: [{ handle: 'malformed' }] }))
    const failure = await platformFailure(connector.fetchProfiles(network.ctx, [ACCOUNT]))
    expect([failure.kind, failure.message]).toEqual(['bad_answer', expect.stringContaining('did')])
  })
})

describe('the posts of a Bluesky account', () => {
  it('reads a post with all that is known of it', async () => {
    const entry = {
      post: postView(
        '3lbexample22x',
        {
          embed: {
            $type: 'app.bsky.embed.images#view',
            images: [{ thumb: 'https://cdn/t', fullsize: 'https://cdn.example/f', alt: 'chart' }],
          },
        },
        {
          text: 'Größe! #DataViz #maps',
          facets: [
            {
              index: { byteStart: 18, byteEnd: 23 },
              features: [{ $type: 'app.bsky.richtext.facet#tag', tag: 'maps' }],
            },
            {
              index: { byteStart: 9, byteEnd: 17 },
              features: [{ $type: 'app.bsky.richtext.facet#tag', tag: 'DataViz' }],
            },
            {
              index: { byteStart: 0, byteEnd: 3 },
              features: [{ $type: 'app.bsky.richtext.facet#link', uri: 'https://x.example' }],
            },
            'malformed',
          ],
          tags: ['OpenData', 'DATAVIZ', 7],
        },
      ),
    }
    const network = testNetwork(() => ({ cursor: 'next', feed: [entry] }))
    expect(await connector.fetchPosts(network.ctx, ACCOUNT, null)).toEqual({
      nextCursor: 'next',
      posts: [
        {
          platformPostId: `at://${DID}/app.bsky.feed.post/3lbexample22x`,
          kind: 'post',
          text: 'Größe! #DataViz #maps',
          hashtags: ['DataViz', 'maps', 'OpenData'],
          url: `https://bsky.app/profile/${DID}/post/3lbexample22x`,
          postedAt: '2026-11-20T08:00:00.000Z',
          media: [{ type: 'image', url: 'https://cdn.example/f', alt: 'chart' }],
          metrics: {
            likes: 88,
            comments: 3,
            shares: 12,
            quotes: 2,
            saves: 5,
            views: null,
            impressions: null,
            reach: null,
          },
        },
      ],
    })
    expect(network.urls).toEqual([
      `https://appview.example/xrpc/app.bsky.feed.getAuthorFeed?actor=${DID}&limit=100&filter=posts_with_replies&includePins=false`,
    ])
  })

  it('keeps a post and its repost apart, and leaves out the pinned copy and what comes twice', async () => {
    const feed = [
      { post: postView('pinned'), reason: { $type: 'app.bsky.feed.defs#reasonPin' } },
      {
        post: postView('a'),
        reason: { $type: 'app.bsky.feed.defs#reasonRepost', indexedAt: '2026-11-21T09:00:00.000Z' },
      },
      { post: postView('a') },
      { post: postView('a', { likeCount: 1 }) },
      { post: postView('pinned') },
    ]
    const { posts } = await connector.fetchPosts(testNetwork(() => ({ feed })).ctx, ACCOUNT, null)
    expect(
      posts.map((post) => [post.kind, post.platformPostId.split('/').at(-1), post.metrics.likes]),
    ).toEqual([
      ['repost', 'a', null],
      ['post', 'a', 88],
      ['post', 'pinned', 88],
    ])
  })

  it('leaves out a malformed post, but says so when all are', async () => {
    const broken = [
      { post: { uri: 'nonsense' } },
      { post: postView('a', { indexedAt: 'never' }, { createdAt: 'never' }) },
      7,
    ]
    const page = await connector.fetchPosts(
      testNetwork(() => ({ feed: [...broken, { post: postView('b') }] })).ctx,
      ACCOUNT,
      null,
    )
    expect(page.posts).toHaveLength(1)
    const failure = await platformFailure(
      connector.fetchPosts(testNetwork(() => ({ feed: broken })).ctx, ACCOUNT, null),
    )
    expect([failure.kind, failure.message]).toEqual([
      'bad_answer',
      expect.stringContaining('None of the 3 entries'),
    ])
  })

  it('follows the cursor over short and empty pages, and stops where it ends or stands still', async () => {
    const network = testNetwork((url) => {
      const cursor = url.searchParams.get('cursor')
      if (cursor === null) return { feed: [{ post: postView('a') }], cursor: 'two' }
      if (cursor === 'two') return { feed: [], cursor: 'three' }
      return cursor === 'three' ? { feed: [{ post: postView('b') }] } : { feed: [], cursor }
    })
    const cursors: (string | null)[] = []
    let cursor: string | null = null
    do {
      cursor = (await connector.fetchPosts(network.ctx, ACCOUNT, cursor)).nextCursor
      cursors.push(cursor)
    } while (cursor !== null)
    expect(cursors).toEqual(['two', 'three', null])
    expect((await connector.fetchPosts(network.ctx, ACCOUNT, 'stuck')).nextCursor).toBeNull()
  })
})

describe('refreshing Bluesky posts', () => {
  it('asks for 25 at once, only for posts, and gives those that are still there', async () => {
    const uris = Array.from({ length: 27 }, (_, i) => `at://${DID}/app.bsky.feed.post/p${i}`)
    const others = [`at://${DID}/app.bsky.feed.repost/r`, `repost:${uris[0]}`, 'imported-1', '']
    const network = testNetwork((url) => ({
      posts: url.searchParams
        .getAll('uris')
        .filter((uri) => !uri.endsWith('/p2'))
        .reverse()
        .map((uri) => postView(uri.split('/').at(-1) ?? '', { likeCount: 1 })),
    }))
    const posts = await connector.refreshPosts(network.ctx, SCOPE, refsOf([...others, ...uris, ...uris]))
    expect(network.requests.map(({ url }) => url.searchParams.getAll('uris').length)).toEqual([25, 2])
    expect(new Set(posts.map((post) => post.platformPostId))).toEqual(
      new Set(uris.filter((uri) => !uri.endsWith('/p2'))),
    )
    expect(posts).toHaveLength(26)
    expect(network.admitted.map(({ operation, items }) => [operation, items])).toEqual([
      ['posts.refresh', 25],
      ['posts.refresh', 2],
    ])
  })

  it('makes no call when there is nothing to ask for', async () => {
    const network = testNetwork(() => ({ posts: [] }))
    expect(await connector.refreshPosts(network.ctx, SCOPE, refsOf(['imported-1']))).toEqual([])
    expect(network.admitted).toEqual([])
  })
})

describe('the address of the AppView', () => {
  it.each([
    ['http://127.0.0.1:2584', 'http://127.0.0.1:2584/xrpc/'],
    ['https://appview.example/', 'https://appview.example/xrpc/'],
    ['https://appview.example/base', 'https://appview.example/base/xrpc/'],
  ])('%s may be configured', async (appViewUrl, prefix) => {
    const network = testNetwork(() => PROFILE)
    await newConnector(appViewUrl).resolve(network.ctx, 'ada.example.com')
    expect(network.urls[0]?.startsWith(prefix)).toBe(true)
  })
})
