import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noMetrics } from '../../domain/platforms.ts'
import {
  connector,
  KNOWN,
  listed,
  NONE,
  NOW,
  page,
  pageWith,
  post,
  SHARE,
  signedIn,
  statistics,
  UGC,
} from './test-linkedin.ts'
import { platformFailure } from './test-network.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('posts of a page', () => {
  it('come with what the statistics of both kinds say', async () => {
    const asked = pageWith([post(UGC), post(SHARE)], [statistics(SHARE), statistics(UGC, { likeCount: 7 })])
    const { posts, nextCursor } = await connector.fetchPosts(asked.ctx, page, null)
    expect(posts).toEqual([
      {
        platformPostId: UGC,
        kind: 'post',
        text: 'New study #dataviz',
        hashtags: ['dataviz'],
        url: `https://www.linkedin.com/feed/update/${UGC}`,
        postedAt: '2026-11-21T09:00:01.000Z',
        media: [],
        metrics: { ...KNOWN, likes: 7 },
      },
      expect.objectContaining({ platformPostId: SHARE, metrics: KNOWN }),
    ])
    expect(nextCursor).toBeNull()
    expect(asked.requests.map(({ url }) => url.pathname + url.search)).toEqual([
      '/rest/posts?q=author&author=urn%3Ali%3Aorganization%3A123456&count=20&start=0&sortBy=LAST_MODIFIED',
      `/rest/organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity=urn%3Ali%3Aorganization%3A123456&ugcPosts=List(${encodeURIComponent(UGC)})&count=20`,
      `/rest/organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity=urn%3Ali%3Aorganization%3A123456&shares=List(${encodeURIComponent(SHARE)})&count=20`,
    ])
  })

  it('are asked for in the version and protocol that are spoken, for the member and the app', async () => {
    const asked = pageWith([post(SHARE)], [])
    await connector.fetchPosts(asked.ctx, page, null)
    for (const { headers } of asked.requests)
      expect([
        headers.get('authorization'),
        headers.get('linkedin-version'),
        headers.get('x-restli-protocol-version'),
        headers.get('x-restli-method'),
      ]).toEqual(['Bearer token-1', expect.stringMatching(/^20\d{4}$/), '2.0.0', 'FINDER'])
    for (const call of asked.admitted)
      expect(call.rules.map(({ key, limit, dayIn }) => [key, limit, dayIn])).toEqual([
        ['linkedin.member:member-1', 100, 'UTC'],
        ['linkedin.app', 500, 'UTC'],
      ])
    expect(asked.admitted.map(({ operation, items }) => [operation, items])).toEqual([
      ['posts.list', 20],
      ['posts.list', 1],
    ])
  })

  it('are paged by position, in larger pages than the first', async () => {
    const many = Array.from({ length: 20 }, (_, i) => post(`urn:li:share:${7_000 + i}`))
    const asked = pageWith(many, [])
    const first = await connector.fetchPosts(asked.ctx, page, null)
    expect(first.nextCursor).toBe('20')
    const second = await connector.fetchPosts(asked.ctx, page, first.nextCursor)
    expect(second.nextCursor).toBeNull()
    const pages = asked.requests.flatMap(({ url: { searchParams } }) =>
      searchParams.has('author') ? [[searchParams.get('start'), searchParams.get('count')]] : [],
    )
    expect(pages).toEqual([
      ['0', '20'],
      ['20', '100'],
    ])
    expect((await platformFailure(connector.fetchPosts(asked.ctx, page, 'x'))).kind).toBe('bad_request')
  })

  it('go on after a short page that names a next one, and end with an empty one', async () => {
    const next = { rel: 'next', href: '/posts?start=1', type: 'application/json' }
    const short = signedIn((url) =>
      url.pathname === '/rest/posts' ? listed([post(SHARE)], [next]) : listed([]),
    )
    expect((await connector.fetchPosts(short.ctx, page, '3')).nextCursor).toBe('4')
    const empty = signedIn(() => listed([], [next]))
    expect((await connector.fetchPosts(empty.ctx, page, '3')).nextCursor).toBeNull()
  })

  it('have had no activity when recent statistics leave them out, and unknown activity when old ones do', async () => {
    const old = post('urn:li:share:1', { publishedAt: NOW - 400 * 86_400_000 })
    const asked = pageWith([post(SHARE), old], [])
    const { posts } = await connector.fetchPosts(asked.ctx, page, null)
    expect(posts.map(({ metrics }) => metrics)).toEqual([NONE, noMetrics()])
  })

  it.each([
    ['full to its own measure', { elements: [statistics('urn:li:share:9')], paging: { start: 0, count: 1 } }],
    ['broken in part', listed([statistics('urn:li:share:9'), { share: 5 }])],
    [
      'of an unknown shape',
      listed([statistics('urn:li:share:9'), { share: SHARE, totalShareStatistics: 1 }]),
    ],
  ])('are not taken for idle where the statistics are %s', async (_, answer) => {
    const asked = signedIn((url) => (url.pathname === '/rest/posts' ? listed([post(SHARE)]) : answer))
    const { posts } = await connector.fetchPosts(asked.ctx, page, null)
    expect(posts[0]?.metrics).toEqual(noMetrics())
  })

  it.each([-1, 1.5, 2 ** 53, '51', null])('do not say how many likes they have as %j', async (likeCount) => {
    const asked = pageWith([post(SHARE)], [statistics(SHARE, { likeCount })])
    const { posts } = await connector.fetchPosts(asked.ctx, page, null)
    expect(posts[0]?.metrics).toEqual({ ...KNOWN, likes: null })
  })

  it.each([
    ['a reshare', { commentary: '', reshareContext: { parent: SHARE, root: SHARE } }, 'repost'],
    ['a reshare with words', { commentary: 'See this', reshareContext: { parent: SHARE } }, 'quote'],
    ['a post of its own', { reshareContext: null }, 'post'],
  ])('know %s', async (_, changes, kind) => {
    const asked = pageWith([post(SHARE, changes)], [statistics(SHARE)])
    const { posts } = await connector.fetchPosts(asked.ctx, page, null)
    expect(posts[0]).toMatchObject({ kind, metrics: kind === 'repost' ? noMetrics() : KNOWN })
  })

  it.each([
    ['an image', { media: { id: 'urn:li:image:C4', altText: 'A map' } }, 'image', null, 'A map'],
    ['a video', { media: { id: 'urn:li:video:C4', title: 'Maps' } }, 'video', null, 'Maps'],
    ['a document', { media: { id: 'urn:li:document:C4' } }, 'other', null, null],
    [
      'an article',
      { article: { source: 'https://a.example/', title: 'On maps' } },
      'link',
      'https://a.example/',
      'On maps',
    ],
    ['a script', { article: { source: 'javascript:alert(1)' } }, 'link', null, null],
    ['a poll', { poll: { question: 'Maps?', options: [] } }, 'poll', null, 'Maps?'],
    [
      'images',
      { multiImage: { images: [{ id: 'urn:li:image:1', altText: 'One' }, 7] } },
      'image',
      null,
      'One',
    ],
  ])('show %s', async (_, content, type, url, alt) => {
    const asked = pageWith([post(SHARE, { content })], [])
    const { posts } = await connector.fetchPosts(asked.ctx, page, null)
    expect(posts[0]?.media).toEqual([{ type, url, alt }])
  })

  it('leave out drafts and what has no date that can be true', async () => {
    const broken = [
      post('urn:li:share:1', { lifecycleState: 'DRAFT' }),
      post('urn:li:share:2', { publishedAt: undefined, createdAt: undefined }),
      post('urn:li:share:3', { publishedAt: Date.UTC(1999, 0) }),
      post('urn:li:share:4', { publishedAt: NOW + 2 * 86_400_000 }),
      post('urn:li:activity:5'),
      post(SHARE, { publishedAt: undefined }),
    ]
    const { posts } = await connector.fetchPosts(pageWith(broken, []).ctx, page, null)
    expect(posts.map((one) => [one.platformPostId, one.postedAt])).toEqual([
      [SHARE, '2026-11-21T09:00:00.000Z'],
    ])
  })
})
