import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noMetrics } from '../../domain/platforms.ts'
import type { PostMedia } from '../../ports.ts'
import { post } from './x.test-answers.ts'
import { isPostId, readIncludedMedia, readPost } from './x-post.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const NO_MEDIA: ReadonlyMap<string, PostMedia> = new Map()
const ID = '1990000000000000001'
const read = (entry: unknown, media = NO_MEDIA) => readPost(entry, media, 'https://x.com/adacharts')

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a post of X', () => {
  it('is read with all that is known of it', () => {
    expect(read(post(ID))).toEqual({
      platformPostId: ID,
      kind: 'post',
      text: 'Fresh numbers #dataviz',
      hashtags: ['dataviz'],
      url: `https://x.com/adacharts/status/${ID}`,
      postedAt: '2026-11-20T09:00:00.000Z',
      media: [],
      metrics: {
        likes: 120,
        comments: 3,
        shares: 14,
        quotes: 2,
        saves: 18,
        views: null,
        impressions: 9400,
        reach: null,
      },
    })
  })

  it('has no address where its author is not known', () => {
    expect(readPost(post(ID), NO_MEDIA, null).url).toBeNull()
  })

  it('is the same in the spelling of tweets', () => {
    const quoted = [{ type: 'quoted', id: '1' }]
    const { public_metrics, edit_history_post_ids, ...rest } = post(ID)
    const { repost_count, ...metrics } = public_metrics
    const tweet = {
      ...rest,
      edit_history_tweet_ids: edit_history_post_ids,
      referenced_tweets: quoted,
      note_tweet: { text: 'All of it #long', entities: { hashtags: [{ start: 10, end: 15, tag: 'long' }] } },
      public_metrics: { ...metrics, retweet_count: repost_count },
    }
    const same = post(ID, {
      referenced_posts: [{ type: 'quoted', id: '1' }],
      note_post: { text: 'All of it #long', entities: { hashtags: [{ start: 10, end: 15, tag: 'long' }] } },
    })
    expect(read(tweet)).toEqual(read(same))
    expect(read(tweet)).toMatchObject({ kind: 'quote', text: 'All of it #long', metrics: { shares: 14 } })
  })

  it('says nothing that X does not say, and nothing senseless', () => {
    const senseless = {
      repost_count: -1,
      reply_count: 1.5,
      like_count: '3',
      quote_count: 2 ** 53,
      bookmark_count: 0,
    }
    expect(read({ ...post(ID), public_metrics: senseless }).metrics).toEqual({ ...noMetrics(), saves: 0 })
    const { public_metrics: _, ...without } = post(ID)
    expect(read(without).metrics).toEqual(noMetrics())
  })

  it.each([
    ['a reply', 'reply', { referenced_posts: [{ type: 'replied_to' as const, id: '1' }] }],
    ['a reply to what is gone', 'reply', { in_reply_to_user_id: '7' }],
    [
      'a reply that quotes',
      'reply',
      {
        referenced_posts: [
          { type: 'quoted' as const, id: '1' },
          { type: 'replied_to' as const, id: '2' },
        ],
      },
    ],
    ['a quote', 'quote', { referenced_posts: [{ type: 'quoted' as const, id: '1' }] }],
  ])('is told to be %s', (_, kind, changes) => {
    expect(read(post(ID, changes)).kind).toBe(kind)
  })

  it('has no metrics of its own as a repost', () => {
    const repost = read(post(ID, { referenced_posts: [{ type: 'retweeted', id: '1' }] }))
    expect([repost.kind, repost.metrics]).toEqual(['repost', noMetrics()])
  })

  it('has its whole text and its tags where it is long, and what is beyond the cut is not lost', () => {
    const long = read(
      post(ID, {
        text: 'The beginning… https://t.co/cut',
        entities: { hashtags: [{ start: 0, end: 4, tag: 'early' }] },
        note_post: {
          text: 'The beginning and the end. #Early #späte',
          entities: {
            hashtags: [
              { start: 27, end: 33, tag: 'Early' },
              { start: 34, end: 40, tag: 'späte' },
            ],
          },
        },
      }),
    )
    expect([long.text, long.hashtags]).toEqual([
      'The beginning and the end. #Early #späte',
      ['Early', 'späte'],
    ])
    expect(read(post(ID, { note_post: { text: 'No entities' } })).hashtags).toEqual([])
  })

  it('shows links as they were written, and not what X adds for media and quotes', () => {
    const links = [
      { url: 'https://t.co/ab', expanded_url: 'https://example.org/a?b=1&c=2', start: 0, end: 5 },
      { url: 'https://t.co/abc', expanded_url: 'https://x.com/other/status/77', start: 0, end: 5 },
      {
        url: 'https://t.co/pic',
        expanded_url: 'https://x.com/adacharts/status/1/photo/1',
        media_key: '3_1',
        start: 0,
        end: 5,
      },
    ]
    const { text, media } = read(
      post(ID, {
        text: 'R&amp;D &lt;3 https://t.co/ab &amp;lt; https://t.co/zz https://t.co/abc https://t.co/pic',
        entities: { urls: links },
        referenced_posts: [{ type: 'quoted', id: '77' }],
      }),
    )
    expect(text).toBe('R&D <3 https://example.org/a?b=1&c=2 &lt; https://t.co/zz')
    expect(media).toEqual([])
  })

  it('shows its media in order, its poll, and the card of a link', () => {
    const included = readIncludedMedia([
      { media_key: '7_2', type: 'video', preview_image_url: 'https://pbs.example/v.jpg', duration_ms: 10 },
      { media_key: '3_1', type: 'photo', url: 'https://pbs.example/p.jpg', alt_text: 'chart' },
      { media_key: '16_3', type: 'animated_gif', preview_image_url: 'javascript:alert(1)' },
      { type: 'photo' },
      7,
    ])
    const card = {
      start: 0,
      end: 5,
      url: 'https://t.co/c',
      expanded_url: 'https://example.org/',
      title: 'A page',
    }
    const { media } = read(
      post(ID, {
        attachments: { media_keys: ['3_1', '7_2', '16_3', '3_9'], poll_ids: ['1'] },
        entities: { urls: [card] },
      }),
      included,
    )
    expect(media).toEqual([
      { type: 'image', url: 'https://pbs.example/p.jpg', alt: 'chart' },
      { type: 'video', url: 'https://pbs.example/v.jpg', alt: null },
      { type: 'gif', url: null, alt: null },
      { type: 'other', url: null, alt: null },
      { type: 'poll', url: null, alt: null },
      { type: 'link', url: 'https://example.org/', alt: 'A page' },
    ])
  })

  const DATES = [
    ['no date', { created_at: undefined }],
    ['a date before X', { created_at: '2006-03-20T23:59:59.000Z' }],
    ['a date far ahead', { created_at: '2026-11-24T00:00:00.000Z' }],
  ] as const
  it.each(DATES)('with %s was written when its id was made', (_, changes) => {
    const id = String(BigInt(Date.parse('2026-11-20T09:00:00.123Z') - 1_288_834_974_657) << 22n)
    expect(read({ ...post(id), ...changes }).postedAt).toBe('2026-11-20T09:00:00.123Z')
  })

  it.each<[string, object]>([
    ...DATES.map(([date, changes]): [string, object] => [
      `${date} and an id of before ids had one`,
      { id: '20', ...changes },
    ]),
    ['an id that is a number', { id: 1990 }],
    ['an id with letters', { id: 'imported-1' }],
  ])('is malformed with %s', (_, changes) => {
    expect(() => read({ ...post(ID), ...changes })).toThrow()
  })

  it('is asked for by decimal ids alone', () => {
    expect(['1', ID, '12345678901234567890', 'at://x', '', '１'].map(isPostId)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
