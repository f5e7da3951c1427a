import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noMetrics } from '../../domain/platforms.ts'
import type { AccountRef, PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { createRedditConnector } from './reddit.ts'
import { htmlPage, platformFailure, type TestNetwork, testNetwork } from './test-network.ts'

/** No package with types of Reddit's answers is kept: these have the shapes of its documents. */

const NOW = Date.parse('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const API = 'https://oauth.reddit.example'
const SITE = 'https://www.reddit.example'
const ADA: AccountRef = { externalId: 't2_abc12', host: null, handle: 'u/ada' }
const MAPS: AccountRef = { externalId: 't5_maps1', host: null, handle: 'r/dataisbeautiful' }
const SCOPE = { host: null, account: null }
const RULE = { key: 'reddit.client', limit: 1_000, windowSeconds: 600 }

const newConnector = () =>
  createRedditConnector({
    app: { id: 'app-id', secret: 'app-secret' },
    apiUrl: API,
    siteUrl: SITE,
    userAgent: 'Tidemark (+https://tidemark.example)',
    ruleOf: createRules(),
  })

const user = (changes: object = {}) => ({
  kind: 't2',
  data: {
    id: 'abc12',
    name: 'ada',
    created_utc: 1500000000,
    link_karma: 1200,
    comment_karma: 3400,
    total_karma: 4600,
    icon_img: 'https://styles.redditmedia.com/ada.png',
    subreddit: { title: 'Ada draws', subscribers: 21 },
    ...changes,
  },
})

const community = (changes: object = {}) => ({
  kind: 't5',
  data: {
    name: 't5_maps1',
    display_name: 'dataisbeautiful',
    title: 'Data is beautiful',
    subscribers: 22000000,
    created_utc: 1330000000,
    community_icon: '',
    icon_img: 'https://b.thumbs.redditmedia.com/maps.png',
    ...changes,
  },
})

const post = (id: string, changes: object = {}) => ({
  kind: 't3',
  data: {
    name: `t3_${id}`,
    id,
    title: 'My map',
    selftext: '',
    author: 'ada',
    subreddit: 'dataisbeautiful',
    created_utc: 1795165200.0,
    permalink: `/r/dataisbeautiful/comments/${id}/my_map/`,
    url: 'https://i.redd.it/x.png',
    is_self: false,
    is_video: false,
    score: 340,
    upvote_ratio: 0.94,
    num_comments: 28,
    num_crossposts: 1,
    link_flair_text: 'OC',
    removed_by_category: null,
    view_count: null,
    ...changes,
  },
})

const listing = (children: unknown[], after: string | null = null) => ({
  kind: 'Listing',
  data: { after, before: null, children },
})

const refused = (status: number, reason?: string, headers: Record<string, string> = {}) =>
  Response.json({ message: 'No', error: status, ...(reason && { reason }) }, { status, headers })

/** A network that grants `token-1`, `token-2`, … and answers the calls of the API. */
function reddit(answer: (url: URL, call: number) => unknown): TestNetwork {
  let grants = 0
  let calls = 0
  return testNetwork((url) => {
    if (url.origin === API) {
      calls++
      return answer(url, calls)
    }
    grants++
    return { access_token: `token-${grants}`, token_type: 'bearer', expires_in: 86_400, scope: '*' }
  })
}

const tokensUsed = (network: TestNetwork) =>
  network.requests.filter(({ url }) => url.origin === API).map(({ headers }) => headers.get('authorization'))
const operations = (network: TestNetwork) => network.admitted.map(({ operation }) => operation)

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe("the token of Reddit's app", () => {
  it('is asked for once, with the name of the app, and sent with every call', async () => {
    const network = reddit(() => user())
    const connector = newConnector()
    await connector.resolve(network.ctx, 'u/ada')
    await connector.resolve(network.ctx, 'u/ada')
    const [grant, call] = network.requests
    expect([grant?.method, grant?.url.href, grant?.body]).toEqual([
      'POST',
      `${SITE}/api/v1/access_token`,
      'grant_type=client_credentials',
    ])
    expect(grant?.headers.get('authorization')).toBe(`Basic ${btoa('app-id:app-secret')}`)
    expect(grant?.headers.get('user-agent')).toMatch(
      /^web:app-id:v\d+\.\d+\.\d+ \(Tidemark \+https:\/\/tidemark\.example\)$/u,
    )
    expect(call?.headers.get('user-agent')).toBe(grant?.headers.get('user-agent'))
    expect(tokensUsed(network)).toEqual(['Bearer token-1', 'Bearer token-1'])
    expect(operations(network)).toEqual(['token.grant', 'account.find', 'account.find'])
    expect(network.admitted.flatMap(({ rules }) => rules)).toEqual([RULE, RULE, RULE])
  })

  it('is renewed five minutes before its end', async () => {
    const network = reddit(() => user())
    const connector = newConnector()
    await connector.resolve(network.ctx, 'u/ada')
    vi.setSystemTime(NOW + DAY_MS - 300_001)
    await connector.resolve(network.ctx, 'u/ada')
    vi.setSystemTime(NOW + DAY_MS - 300_000)
    await connector.resolve(network.ctx, 'u/ada')
    expect(tokensUsed(network)).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
  })

  it('is renewed once when it is refused', async () => {
    const network = reddit((_, call) => (call === 1 ? refused(401) : user()))
    expect((await newConnector().resolve(network.ctx, 'u/ada')).externalId).toBe('t2_abc12')
    expect(tokensUsed(network)).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it('is given up when a new one is refused, too, until the operator has mended it', async () => {
    const network = reddit(() => refused(401))
    const failure = await platformFailure(newConnector().resolve(network.ctx, 'u/ada'))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['auth', 3_600_000])
    expect(tokensUsed(network)).toHaveLength(2)
  })

  it.each<[string, () => unknown, PlatformError['kind']]>([
    ['a bad secret', () => refused(401), 'auth'],
    ['a refusal with a success', () => ({ error: 'invalid_grant' }), 'auth'],
    [
      'a grant that is not known',
      () => Response.json({ error: 'unsupported_grant_type' }, { status: 400 }),
      'auth',
    ],
    ['nothing', () => ({}), 'bad_answer'],
    ['an outage', () => refused(503), 'transient'],
    ['a page', () => htmlPage(403), 'transient'],
    ['too many calls', () => refused(429), 'rate_limited'],
  ])('is not had after %s', async (_, answer, kind) => {
    const network = testNetwork(answer)
    const failure = await platformFailure(newConnector().resolve(network.ctx, 'u/ada'))
    expect(failure.kind).toBe(kind)
    expect(failure.message).not.toContain('app-secret')
    expect(operations(network)).toEqual(['token.grant'])
  })
})

describe('resolving a Reddit account', () => {
  it.each(['u/ada', '/u/ada', 'https://www.reddit.com/user/ada/', 'reddit.com/u/ada/submitted'])(
    'finds the person behind %s',
    async (input) => {
      const network = reddit(() => user())
      expect(await newConnector().resolve(network.ctx, input)).toEqual({
        externalId: 't2_abc12',
        host: null,
        handle: 'u/ada',
        displayName: 'Ada draws',
        url: 'https://www.reddit.com/user/ada',
        avatarUrl: 'https://styles.redditmedia.com/ada.png',
        followers: 21,
        following: null,
        posts: null,
      })
      expect(network.urls[1]).toBe(`${API}/user/ada/about?raw_json=1`)
    },
  )

  it.each(['r/dataisbeautiful', 'https://old.reddit.com/r/dataisbeautiful/top'])(
    'finds the community behind %s',
    async (input) => {
      const network = reddit(() => community())
      expect(await newConnector().resolve(network.ctx, input)).toEqual({
        externalId: 't5_maps1',
        host: null,
        handle: 'r/dataisbeautiful',
        displayName: 'Data is beautiful',
        url: 'https://www.reddit.com/r/dataisbeautiful',
        avatarUrl: 'https://b.thumbs.redditmedia.com/maps.png',
        followers: 22000000,
        following: null,
        posts: null,
      })
      expect(network.urls[1]).toBe(`${API}/r/dataisbeautiful/about?raw_json=1`)
    },
  )

  it.each([
    ['https://x.com/ada', 'This looks like an X address: choose X.'],
    ['ada', expect.stringContaining('u/ada')],
    ['u/ada/../../api', expect.stringContaining('u/ada')],
  ])('does not ask for %s', async (input, message) => {
    const network = reddit(() => user())
    const failure = await platformFailure(newConnector().resolve(network.ctx, input))
    expect([failure.kind, failure.message]).toEqual(['bad_request', message])
    expect(network.urls).toEqual([])
  })

  it.each<[string, string, () => unknown, PlatformError['kind']]>([
    ['an unknown person', 'u/ada', () => refused(404), 'gone'],
    ['a suspended person', 'u/ada', () => user({ is_suspended: true, id: undefined }), 'gone'],
    ['a banned community', 'r/maps', () => refused(404, 'banned'), 'gone'],
    ['a private community', 'r/maps', () => refused(403, 'private'), 'permission'],
    ['a search in place of a community', 'r/maps', () => listing([community()]), 'gone'],
    ['a right that is missing', 'u/ada', () => refused(403), 'permission'],
    ['an outage', 'u/ada', () => refused(502), 'transient'],
    ['a page that blocks us', 'u/ada', () => htmlPage(403), 'transient'],
    ['a page for what is not there', 'u/ada', () => htmlPage(404), 'transient'],
    ['a broken answer', 'u/ada', () => new Response('{"kind":'), 'bad_answer'],
    ['an answer of another shape', 'u/ada', () => user({ id: 7 }), 'bad_answer'],
    ['somebody in place of a community', 'r/maps', () => user(), 'bad_answer'],
  ])('takes %s for what it is', async (_, input, answer, kind) => {
    expect((await platformFailure(newConnector().resolve(reddit(answer).ctx, input))).kind).toBe(kind)
  })

  it('waits for the seconds that Reddit says are left', async () => {
    const headers = {
      'x-ratelimit-used': '600',
      'x-ratelimit-remaining': '0.0',
      'x-ratelimit-reset': '137',
    }
    const network = reddit(() => refused(429, undefined, headers))
    const failure = await platformFailure(newConnector().resolve(network.ctx, 'u/ada'))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 137_000])
    expect(network.outcomes.at(-1)).toMatchObject({
      health: 'ok',
      retryAfterMs: 137_000,
      signal: { limit: null, remaining: 0, resetAtMs: NOW + 137_000 },
    })
  })
})

describe('the profiles of Reddit accounts', () => {
  it('asks for communities together and for people one by one, and leaves out who is gone', async () => {
    const network = reddit((url) => {
      if (url.pathname === '/api/info') return listing([community(), community({ name: 't5_stranger' })])
      if (url.pathname === '/user/gone/about') return refused(404)
      // Somebody else has the name now.
      return url.pathname === '/user/other/about' ? user({ id: 'new1', name: 'other' }) : user()
    })
    const profiles = await newConnector().fetchProfiles(network.ctx, [
      ADA,
      MAPS,
      { externalId: 't2_gone1', host: null, handle: 'u/gone' },
      { externalId: 't2_old1', host: null, handle: 'u/other' },
      { externalId: 't5_closed', host: null, handle: 'r/closed' },
    ])
    expect(profiles.map(({ externalId }) => externalId)).toEqual(['t5_maps1', 't2_abc12'])
    expect(network.urls[1]).toBe(`${API}/api/info?id=t5_maps1,t5_closed&raw_json=1`)
    expect(network.admitted.map(({ operation, items }) => [operation, items])).toEqual([
      ['token.grant', 1],
      ['profiles.read', 2],
      ['profiles.read', 1],
      ['profiles.read', 1],
      ['profiles.read', 1],
    ])
  })

  it('hides no outage', async () => {
    const network = reddit(() => refused(503))
    expect((await platformFailure(newConnector().fetchProfiles(network.ctx, [ADA]))).kind).toBe('transient')
  })
})

describe('the posts of a Reddit account', () => {
  const read = async (...children: unknown[]) =>
    (await newConnector().fetchPosts(reddit(() => listing(children)).ctx, ADA, null)).posts

  it('reads a post with all that is known of it', async () => {
    const network = reddit(() =>
      listing([post('1exampl', { selftext: 'Made with *love* \\& R\\_lang.' })], 't3_1exampl'),
    )
    expect(await newConnector().fetchPosts(network.ctx, ADA, null)).toEqual({
      nextCursor: 't3_1exampl',
      posts: [
        {
          platformPostId: 't3_1exampl',
          kind: 'post',
          text: 'My map\n\nMade with *love* & R_lang.',
          hashtags: ['OC', 'dataisbeautiful'],
          url: 'https://www.reddit.com/r/dataisbeautiful/comments/1exampl/my_map/',
          postedAt: new Date(1795165200000).toISOString(),
          media: [{ type: 'image', url: 'https://i.redd.it/x.png', alt: null }],
          metrics: { ...noMetrics(), likes: 340, comments: 28, shares: 1 },
        },
      ],
    })
    expect(network.urls[1]).toBe(`${API}/user/ada/submitted?limit=100&sort=new&raw_json=1`)
    expect(network.admitted[1]).toMatchObject({ operation: 'posts.list', items: 100, rules: [RULE] })
  })

  it('asks a community for its newest', async () => {
    const network = reddit(() => listing([post('a')]))
    await newConnector().fetchPosts(network.ctx, MAPS, 't3_z')
    expect(network.urls[1]).toBe(`${API}/r/dataisbeautiful/new?limit=100&after=t3_z&raw_json=1`)
  })

  it('reads tags where people write them, and no headings', async () => {
    const selftext = '#Heading\n\n\\#Maps of #rivers, #MAPS\n## Sources'
    const [own, flaired] = await read(
      post('a', { selftext, subreddit: 'u_ada', link_flair_text: null, title: 'About #Water' }),
      post('b', { link_flair_text: ':sparkles: Tutorial' }),
    )
    expect(own?.hashtags).toEqual(['Water', 'Maps', 'rivers'])
    expect(own?.text).toBe('About #Water\n\n#Heading\n\n#Maps of #rivers, #MAPS\n## Sources')
    expect(flaired?.hashtags).toEqual(['Tutorial', 'dataisbeautiful'])
  })

  it('takes what is hidden, negative or absurd for unknown', async () => {
    const posts = await read(
      post('a', { score: -12 }),
      post('b', { hide_score: true }),
      post('c', { score: 1.5, num_comments: '3', num_crossposts: 2 ** 53 }),
    )
    expect(posts.map(({ metrics }) => [metrics.likes, metrics.comments, metrics.shares])).toEqual([
      [null, 28, 1],
      [null, 28, 1],
      [null, null, null],
    ])
  })

  it('keeps a crosspost apart: it counts nowhere', async () => {
    const [crosspost] = await read(post('a', { crosspost_parent: 't3_original' }))
    expect(crosspost).toMatchObject({ kind: 'repost', media: [], metrics: noMetrics() })
  })

  it('leaves out what was taken away, what is no post, and what has no date that can be true', async () => {
    const posts = await read(
      post('a', { author: '[deleted]' }),
      post('b', { removed_by_category: 'moderator' }),
      { kind: 't1', data: { name: 't1_comment' } },
      post('c', { created_utc: 1_000_000_000 }),
      post('d', { created_utc: (NOW + 2 * DAY_MS) / 1_000 }),
      post('e', { created_utc: 'today' }),
      post('f'),
      post('f', { score: 1 }),
    )
    expect(posts.map(({ platformPostId, metrics }) => [platformPostId, metrics.likes])).toEqual([
      ['t3_f', 340],
    ])
  })

  it.each<[object, object[]]>([
    [{ is_self: true, url: 'https://www.reddit.com/r/x/comments/a/' }, []],
    [
      { is_video: true, url: 'https://v.redd.it/v1' },
      [{ type: 'video', url: 'https://v.redd.it/v1', alt: null }],
    ],
    [
      { post_hint: 'rich:video', url: 'https://youtu.be/x' },
      [{ type: 'video', url: 'https://youtu.be/x', alt: null }],
    ],
    [
      { post_hint: 'image', url: 'https://img.example/a.gif' },
      [{ type: 'gif', url: 'https://img.example/a.gif', alt: null }],
    ],
    [{ url: 'https://example.com/' }, [{ type: 'link', url: 'https://example.com/', alt: null }]],
    [{ url: 'javascript:alert(1)' }, []],
    [{ is_self: true, poll_data: { options: [] } }, [{ type: 'poll', url: null, alt: null }]],
    [
      {
        is_gallery: true,
        gallery_data: { items: [{ media_id: 'm1', caption: 'A chart' }, { media_id: 'm2' }, 7] },
        media_metadata: {
          m1: { s: { u: 'https://preview.redd.it/m1.png' } },
          m2: { s: { gif: 'https://i.redd.it/m2.gif' } },
        },
      },
      [
        { type: 'image', url: 'https://preview.redd.it/m1.png', alt: 'A chart' },
        { type: 'gif', url: 'https://i.redd.it/m2.gif', alt: null },
      ],
    ],
  ])('reads the media of %j', async (changes, media) => {
    const [read_] = await read(post('a', changes))
    expect(read_?.media).toEqual(media)
  })

  it('stops where the cursor ends or stands still', async () => {
    const network = reddit((url) =>
      listing([post('a')], url.searchParams.get('after') === 't3_z' ? 't3_z' : null),
    )
    const connector = newConnector()
    expect((await connector.fetchPosts(network.ctx, ADA, 't3_z')).nextCursor).toBeNull()
    expect((await connector.fetchPosts(network.ctx, ADA, 't3_y')).nextCursor).toBeNull()
  })

  it('says so when nothing can be understood', async () => {
    const failures = [{ kind: 'Listing', data: {} }, listing([{ kind: 't3', data: { name: 'x' } }])].map(
      (answer) => platformFailure(newConnector().fetchPosts(reddit(() => answer).ctx, ADA, null)),
    )
    expect((await Promise.all(failures)).map(({ kind }) => kind)).toEqual(['bad_answer', 'bad_answer'])
  })
})

describe('refreshing Reddit posts', () => {
  const refs = (ids: string[]) => ids.map((id) => ({ id, postedAtMs: NOW }))

  it('asks for 100 at once, only for posts, and gives those that are still there', async () => {
    const ids = Array.from({ length: 101 }, (_, i) => `p${i}`)
    const network = reddit((url) => {
      const asked = (url.searchParams.get('id') ?? '').split(',').map((name) => name.slice(3))
      const children = asked.toReversed().map((id) => post(id, id === 'p1' ? { author: '[deleted]' } : {}))
      return listing([...children, post('notasked')])
    })
    const names = ids.map((id) => `t3_${id}`)
    const posts = await newConnector().refreshPosts(network.ctx, SCOPE, refs([...names, 't3_p0', 'import:7']))
    expect(posts.map(({ platformPostId }) => platformPostId).toSorted()).toEqual(
      names.filter((name) => name !== 't3_p1').toSorted(),
    )
    expect(network.admitted.map(({ operation, items }) => [operation, items])).toEqual([
      ['token.grant', 1],
      ['posts.refresh', 100],
      ['posts.refresh', 1],
    ])
  })

  it('makes no call where there is no post to ask for', async () => {
    const network = reddit(() => listing([]))
    expect(await newConnector().refreshPosts(network.ctx, SCOPE, refs(['import:7']))).toEqual([])
    expect(network.urls).toEqual([])
  })
})
