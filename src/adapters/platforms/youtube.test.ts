import type { youtube_v3 } from '@googleapis/youtube'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noMetrics } from '../../domain/platforms.ts'
import type { AccountRef, PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { htmlPage, platformFailure, type TestNetwork, testNetwork } from './test-network.ts'
import { createYoutubeConnector } from './youtube.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const CHANNEL_ID = 'UCexampleexampleexample1'
const ACCOUNT: AccountRef = { externalId: CHANNEL_ID, host: null, handle: '@adacharts' }

const connector = createYoutubeConnector({
  app: { apiKey: 'key-of-the-app' },
  apiUrl: 'https://youtube.example',
  userAgent: 'Tidemark',
  ruleOf: createRules(),
})

function channel(changes: youtube_v3.Schema$Channel = {}) {
  return {
    kind: 'youtube#channel',
    id: CHANNEL_ID,
    snippet: {
      title: 'Ada Charts',
      description: '…',
      customUrl: '@adacharts',
      publishedAt: '2019-03-01T12:00:00Z',
      thumbnails: { default: { url: 'https://yt3.ggpht.com/x' } },
      country: 'FR',
    },
    statistics: {
      viewCount: '1203344',
      subscriberCount: '15400',
      hiddenSubscriberCount: false,
      videoCount: '212',
    },
    contentDetails: { relatedPlaylists: { uploads: 'UUexampleexampleexample1' } },
    ...changes,
  } satisfies youtube_v3.Schema$Channel
}

function video(id: string, changes: youtube_v3.Schema$Video = {}) {
  return {
    kind: 'youtube#video',
    id,
    snippet: {
      publishedAt: '2026-11-18T16:00:00Z',
      channelId: CHANNEL_ID,
      title: 'Maps in 5 minutes #maps',
      description: 'How to draw one. #Kartografie #MAPS https://example.com/#top',
      tags: ['charts'],
      liveBroadcastContent: 'none',
    },
    status: { privacyStatus: 'public', uploadStatus: 'processed' },
    statistics: { viewCount: '9120', likeCount: '410', favoriteCount: '0', commentCount: '37' },
    ...changes,
  } satisfies youtube_v3.Schema$Video
}

const channels = (...items: youtube_v3.Schema$Channel[]) =>
  ({ kind: 'youtube#channelListResponse', items }) satisfies youtube_v3.Schema$ChannelListResponse
const videos = (...items: youtube_v3.Schema$Video[]) =>
  ({ kind: 'youtube#videoListResponse', items }) satisfies youtube_v3.Schema$VideoListResponse
const playlist = (ids: string[], nextPageToken?: string) =>
  ({
    kind: 'youtube#playlistItemListResponse',
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    items: ids.map((videoId) => ({ contentDetails: { videoId, videoPublishedAt: '2026-11-18T16:00:00Z' } })),
  }) satisfies youtube_v3.Schema$PlaylistItemListResponse

const idOf = (number: number) => `video${String(number).padStart(6, '0')}`

/** As Google's APIs say no; the newer reasons stand in `details`. */
function error(status: number, reason: string, detail?: string): Response {
  const message = 'The request cannot be completed: key-of-the-app.'
  const details =
    detail === undefined ? {} : { details: [{ '@type': 'type.example/ErrorInfo', reason: detail }] }
  const body = {
    error: { code: status, message, errors: [{ message, domain: 'youtube', reason }], ...details },
  }
  return Response.json(body, { status })
}

function spentUnits(network: TestNetwork): number {
  return network.admitted.flatMap(({ rules }) => rules).reduce((sum, { units = 1 }) => sum + units, 0)
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('resolving a YouTube channel', () => {
  it.each([
    ['@adacharts', 'forHandle=@adacharts'],
    ['adacharts', 'forHandle=@adacharts'],
    ['@ada.charts', 'forHandle=@ada.charts'],
    ['https://www.youtube.com/@adacharts/videos', 'forHandle=@adacharts'],
    ['https://www.youtube.com/@%E6%97%A5%E6%9C%AC', 'forHandle=@日本'],
    ['m.youtube.com/c/AdaCharts', 'forHandle=@AdaCharts'],
    ['https://youtube.com/user/adaold', 'forUsername=adaold'],
    [`https://www.youtube.com/channel/${CHANNEL_ID}`, `id=${CHANNEL_ID}`],
    [CHANNEL_ID, `id=${CHANNEL_ID}`],
  ])('asks for %s', async (input, filter) => {
    const network = testNetwork(() => channels(channel()))
    expect(await connector.resolve(network.ctx, input)).toEqual({
      externalId: CHANNEL_ID,
      host: null,
      handle: '@adacharts',
      displayName: 'Ada Charts',
      url: 'https://www.youtube.com/@adacharts',
      avatarUrl: 'https://yt3.ggpht.com/x',
      followers: 15400,
      following: null,
      posts: 212,
    })
    expect(network.urls).toEqual([
      `https://youtube.example/youtube/v3/channels?part=snippet,statistics,contentDetails&${filter}`,
    ])
  })

  it('sends the key in a header alone, and counts a unit of the Pacific day', async () => {
    const network = testNetwork(() => channels(channel()))
    await connector.resolve(network.ctx, '@adacharts')
    expect(network.requests[0]?.headers.get('x-goog-api-key')).toBe('key-of-the-app')
    expect(network.urls[0]).not.toContain('key-of-the-app')
    expect(network.admitted).toEqual([
      {
        operation: 'account.find',
        server: null,
        rules: [{ key: 'youtube.units', limit: 10_000, windowSeconds: 86_400, dayIn: 'America/Los_Angeles' }],
        items: 1,
        mostCostMicros: 0,
      },
    ])
    expect(network.outcomes).toMatchObject([
      { health: 'ok', status: 200, signal: null, retryAfterMs: null, paid: [] },
    ])
  })

  it('says nothing that YouTube does not say', async () => {
    const bare = { id: CHANNEL_ID, snippet: { title: ' ', customUrl: 'legacyname' } }
    expect(await connector.resolve(testNetwork(() => channels(bare)).ctx, CHANNEL_ID)).toMatchObject({
      handle: CHANNEL_ID,
      url: `https://www.youtube.com/channel/${CHANNEL_ID}`,
      displayName: null,
      avatarUrl: null,
      followers: null,
      posts: null,
    })
    const hidden = channel({
      statistics: { subscriberCount: '0', hiddenSubscriberCount: true, videoCount: '9007199254740993' },
    })
    expect(await connector.resolve(testNetwork(() => channels(hidden)).ctx, CHANNEL_ID)).toMatchObject({
      followers: null,
      posts: null,
    })
  })

  it.each([
    ['https://x.com/ada', 'This looks like an X address: choose X.'],
    ['ada@social.example', 'This looks like a Mastodon address: choose Mastodon.'],
    [
      'https://www.youtube.com/watch?v=abcdEFGH123',
      'A YouTube channel is named like @ada, by its id (UC…), or by the address of its page.',
    ],
  ])('does not ask for %s', async (input, message) => {
    const network = testNetwork(() => channels(channel()))
    const failure = await platformFailure(connector.resolve(network.ctx, input))
    expect([failure.kind, failure.message]).toEqual(['bad_request', message])
    expect(network.urls).toEqual([])
  })

  it.each<[string, () => unknown, PlatformError['kind'], number | null]>([
    ['nothing found', () => channels(), 'gone', null],
    ['nothing found, without a list', () => ({ kind: 'youtube#channelListResponse' }), 'gone', null],
    ['a closed channel', () => error(403, 'channelClosed'), 'gone', null],
    ['a bad key', () => error(400, 'badRequest', 'API_KEY_INVALID'), 'auth', 3_600_000],
    ['a bad key, as it was', () => error(400, 'keyInvalid'), 'auth', 3_600_000],
    ['an API that is not switched on', () => error(403, 'accessNotConfigured'), 'auth', 3_600_000],
    ['a refused credential', () => error(401, 'authError'), 'auth', 3_600_000],
    ['a right that is missing', () => error(403, 'insufficientPermissions'), 'permission', null],
    ['going too fast', () => error(403, 'userRateLimitExceeded'), 'rate_limited', 60_000],
    ['going too fast, as 429', () => error(429, 'rateLimitExceeded'), 'rate_limited', 60_000],
    ['a bad parameter', () => error(400, 'invalidParameter'), 'bad_request', null],
    ['an address that is no API', () => error(404, 'notFound'), 'bad_answer', null],
    ['an outage', () => error(503, 'backendError'), 'transient', null],
    ['a page of a proxy', () => htmlPage(403), 'transient', null],
    ['a broken answer', () => new Response('{"items":'), 'bad_answer', null],
    ['an answer of another shape', () => ({ items: {} }), 'bad_answer', null],
    ['a channel of another shape', () => channels({ id: 'nonsense' }), 'bad_answer', null],
    [
      'videos that are kept elsewhere',
      () => channels(channel({ contentDetails: { relatedPlaylists: { uploads: 'PLelsewhere' } } })),
      'bad_answer',
      null,
    ],
  ])('takes %s for what it is', async (_, answer, kind, retryAfterMs) => {
    const failure = await platformFailure(connector.resolve(testNetwork(answer).ctx, '@adacharts'))
    expect([failure.kind, failure.retryAfterMs]).toEqual([kind, retryAfterMs])
    expect(failure.message).not.toContain('key-of-the-app')
  })

  it.each([
    ['2026-11-22T12:00:00Z', '2026-11-23T08:00:00Z'],
    ['2026-11-22T07:59:59Z', '2026-11-22T08:00:00Z'],
    // The clocks go forward: a day of 23 hours; and back: one of 25.
    ['2026-03-08T08:00:00Z', '2026-03-09T07:00:00Z'],
    ['2026-11-01T07:00:00Z', '2026-11-02T08:00:00Z'],
  ])('at %s, waits for the quota until midnight in California: %s', async (now, midnight) => {
    vi.setSystemTime(Date.parse(now))
    const network = testNetwork(() => error(403, 'quotaExceeded'))
    const failure = await platformFailure(connector.resolve(network.ctx, '@adacharts'))
    const waitMs = Date.parse(midnight) - Date.parse(now)
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', waitMs])
    expect(network.outcomes).toMatchObject([
      { health: 'ok', status: 403, signal: null, retryAfterMs: waitMs, paid: [] },
    ])
  })
})

describe('the profiles of YouTube channels', () => {
  it('asks for 50 at once, in any order, and leaves out who is gone or was not asked for', async () => {
    const ids = Array.from({ length: 51 }, (_, i) => `UC${String(i).padStart(22, '0')}`)
    const accounts = ids.map((externalId) => ({ externalId, host: null, handle: externalId }))
    const network = testNetwork((url) => {
      const asked = (url.searchParams.get('id') ?? '').split(',').filter((id) => id !== ids[3])
      return channels(...asked.toReversed().map((id) => channel({ id })), channel(), { id: 'malformed' })
    })
    const profiles = await connector.fetchProfiles(network.ctx, accounts)
    expect(profiles.map(({ externalId }) => externalId).toSorted()).toEqual(ids.filter((id) => id !== ids[3]))
    expect(network.admitted.map(({ operation, items }) => [operation, items])).toEqual([
      ['profiles.read', 50],
      ['profiles.read', 1],
    ])
    // Without this, five are given.
    expect(network.requests[0]?.url.searchParams.get('maxResults')).toBe('50')
  })

  it('makes no call for nobody', async () => {
    const network = testNetwork(() => channels())
    expect(await connector.fetchProfiles(network.ctx, [])).toEqual([])
    expect(network.urls).toEqual([])
  })
})

describe('the videos of a YouTube channel', () => {
  const fetchFirst = (...items: youtube_v3.Schema$Video[]) => {
    const ids = items.map(({ id }) => id ?? '')
    const network = testNetwork((url) =>
      url.pathname.endsWith('/playlistItems') ? playlist(ids) : videos(...items),
    )
    return connector.fetchPosts(network.ctx, ACCOUNT, null)
  }

  it('reads a video with all that is known of it, for two units a page', async () => {
    const network = testNetwork((url) =>
      url.pathname.endsWith('/playlistItems')
        ? playlist(['abcdEFGH123'], 'CAUQAA')
        : videos(video('abcdEFGH123')),
    )
    expect(await connector.fetchPosts(network.ctx, ACCOUNT, null)).toEqual({
      nextCursor: 'CAUQAA',
      posts: [
        {
          platformPostId: 'abcdEFGH123',
          kind: 'post',
          text: 'Maps in 5 minutes #maps\n\nHow to draw one. #Kartografie #MAPS https://example.com/#top',
          hashtags: ['maps', 'Kartografie'],
          url: 'https://www.youtube.com/watch?v=abcdEFGH123',
          postedAt: '2026-11-18T16:00:00.000Z',
          media: [{ type: 'video', url: 'https://www.youtube.com/watch?v=abcdEFGH123', alt: null }],
          metrics: { ...noMetrics(), likes: 410, comments: 37, views: 9120 },
        },
      ],
    })
    const base = 'https://youtube.example/youtube/v3'
    expect(network.urls).toEqual([
      `${base}/playlistItems?part=contentDetails&playlistId=UUexampleexampleexample1&maxResults=50`,
      `${base}/videos?part=snippet,statistics,status,liveStreamingDetails&id=abcdEFGH123`,
    ])
    expect(spentUnits(network)).toBe(2)
    expect(network.admitted.map(({ items }) => items)).toEqual([50, 1])
  })

  it('takes what is hidden or absurd for unknown', async () => {
    const { posts } = await fetchFirst(
      video('hidden00001', { statistics: { viewCount: '12' } }),
      video('absurd00001', {
        statistics: { viewCount: '-3', likeCount: '9007199254740993', commentCount: '1.5' },
      }),
      { id: 'silent00001', snippet: video('x').snippet, status: { privacyStatus: 'public' } },
    )
    expect(posts.map(({ metrics }) => metrics)).toEqual([
      { ...noMetrics(), views: 12 },
      noMetrics(),
      noMetrics(),
    ])
  })

  it('leaves out what not everybody can watch', async () => {
    const live = (liveBroadcastContent: string) => ({ ...video('x').snippet, liveBroadcastContent })
    const { posts } = await fetchFirst(
      video('private0001', { status: { privacyStatus: 'private' } }),
      video('unlisted001', { status: { privacyStatus: 'unlisted' } }),
      video('upcoming001', { snippet: live('upcoming') }),
      video('streamed001', {
        snippet: live('none'),
        liveStreamingDetails: { actualStartTime: '2026-11-20T19:00:03Z' },
      }),
    )
    // A stream is posted when it begins, not when it is announced.
    expect(posts.map(({ platformPostId, postedAt }) => [platformPostId, postedAt])).toEqual([
      ['streamed001', '2026-11-20T19:00:03.000Z'],
    ])
  })

  it.each(['2004-12-31T00:00:00Z', '2026-11-24T12:00:00Z', 'yesterday', null])(
    'leaves out a video that says it is of %s',
    async (publishedAt) => {
      const strange = video('strange0001', { snippet: { ...video('x').snippet, publishedAt } })
      const { posts } = await fetchFirst(strange, video('abcdEFGH123'))
      expect(posts.map(({ platformPostId }) => platformPostId)).toEqual(['abcdEFGH123'])
    },
  )

  it('gives the newest first, whatever order the answers have', async () => {
    const at = (id: string, publishedAt: string) =>
      video(id, { snippet: { ...video('x').snippet, publishedAt } })
    const { posts } = await fetchFirst(
      at('middle00001', '2026-11-10T00:00:00Z'),
      at('oldest00001', '2026-11-09T00:00:00Z'),
      at('newest00001', '2026-11-11T00:00:00Z'),
    )
    expect(posts.map(({ platformPostId }) => platformPostId)).toEqual([
      'newest00001',
      'middle00001',
      'oldest00001',
    ])
  })

  it('follows the page tokens, and stops where they end or stand still', async () => {
    const network = testNetwork((url) => {
      if (!url.pathname.endsWith('/playlistItems')) return videos(video('abcdEFGH123'))
      const token = url.searchParams.get('pageToken')
      return token === null
        ? playlist([], 'two')
        : playlist(['abcdEFGH123'], token === 'stuck' ? token : undefined)
    })
    const first = await connector.fetchPosts(network.ctx, ACCOUNT, null)
    expect(first).toEqual({ posts: [], nextCursor: 'two' })
    // A page without videos needs no second call.
    expect(network.urls).toHaveLength(1)
    expect(await connector.fetchPosts(network.ctx, ACCOUNT, 'two')).toMatchObject({ nextCursor: null })
    expect(await connector.fetchPosts(network.ctx, ACCOUNT, 'stuck')).toMatchObject({ nextCursor: null })
  })

  it('takes a channel without a playlist for one without videos', async () => {
    const network = testNetwork(() => error(404, 'playlistNotFound'))
    expect(await connector.fetchPosts(network.ctx, ACCOUNT, null)).toEqual({ posts: [], nextCursor: null })
  })
})

describe('refreshing YouTube videos', () => {
  const refs = (ids: string[]) => ids.map((id) => ({ id, postedAtMs: NOW }))
  const SCOPE = { host: null, account: null }

  it('asks for 50 at once, only for videos, and gives those that are still there', async () => {
    const ids = Array.from({ length: 52 }, (_, i) => idOf(i))
    const network = testNetwork((url) => {
      const asked = (url.searchParams.get('id') ?? '').split(',').filter((id) => id !== ids[1])
      return videos(...asked.toReversed().map((id) => video(id)), video('notasked001'), { id: 'malformed' })
    })
    const posts = await connector.refreshPosts(network.ctx, SCOPE, refs([...ids, ids[0] ?? '', 'import:7']))
    expect(posts.map(({ platformPostId }) => platformPostId).toSorted()).toEqual(
      ids.filter((id) => id !== ids[1]),
    )
    expect(network.admitted.map(({ operation, items }) => [operation, items])).toEqual([
      ['posts.refresh', 50],
      ['posts.refresh', 2],
    ])
    // It is refused beside ids.
    expect(network.requests[0]?.url.searchParams.has('maxResults')).toBe(false)
  })

  it('makes no call where there is no video to ask for', async () => {
    const network = testNetwork(() => videos())
    expect(await connector.refreshPosts(network.ctx, SCOPE, refs(['import:7']))).toEqual([])
    expect(network.urls).toEqual([])
  })
})
