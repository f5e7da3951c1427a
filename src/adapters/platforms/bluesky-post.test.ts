import { describe, expect, it } from 'vitest'
import { readFeedEntry } from './bluesky-post.ts'
import { DID, postView } from './test-answers.ts'

describe('a post of Bluesky', () => {
  it('takes a missing count for unknown, and a senseless one too', () => {
    const post = readFeedEntry({
      post: postView('a', {
        likeCount: undefined,
        repostCount: -1,
        replyCount: '3',
        quoteCount: 1.5,
        bookmarkCount: 0,
      }),
    })
    expect(post?.metrics).toEqual({
      likes: null,
      comments: null,
      shares: null,
      quotes: null,
      saves: 0,
      views: null,
      impressions: null,
      reach: null,
    })
  })

  const quoteOf = (uri: string) => ({
    $type: 'app.bsky.embed.record#view',
    record: { $type: 'app.bsky.embed.record#viewRecord', uri },
  })
  const reply = { root: { uri: 'at://x/y/z' }, parent: { uri: 'at://x/y/z' } }
  it.each<[string, string, Record<string, unknown>, Record<string, unknown>]>([
    ['a reply', 'reply', {}, { reply }],
    ['a quote', 'quote', { embed: quoteOf('at://did:plc:b/app.bsky.feed.post/1') }, {}],
    ['a reply that quotes', 'reply', { embed: quoteOf('at://did:plc:b/app.bsky.feed.post/1') }, { reply }],
    [
      'a quote of a deleted post',
      'quote',
      {
        embed: {
          $type: 'app.bsky.embed.record#view',
          record: {
            $type: 'app.bsky.embed.record#viewNotFound',
            uri: 'at://did:plc:b/app.bsky.feed.post/1',
            notFound: true,
          },
        },
      },
      {},
    ],
    [
      'a quote with a picture',
      'quote',
      {
        embed: {
          $type: 'app.bsky.embed.recordWithMedia#view',
          record: { record: { uri: 'at://did:plc:b/app.bsky.feed.post/1' } },
          media: {
            $type: 'app.bsky.embed.images#view',
            images: [{ fullsize: 'https://cdn.example/f', alt: '' }],
          },
        },
      },
      {},
    ],
    ['a card of a feed', 'post', { embed: quoteOf('at://did:plc:b/app.bsky.feed.generator/1') }, {}],
    ['a post without more', 'post', {}, {}],
  ])('knows %s', (_, kind, changes, record) => {
    expect(readFeedEntry({ post: postView('a', changes, record) })?.kind).toBe(kind)
  })

  it.each<[unknown, unknown]>([
    [
      {
        $type: 'app.bsky.embed.gallery#view',
        items: [
          { fullsize: 'https://cdn.example/1', alt: 'one' },
          { fullsize: 'https://cdn.example/2', alt: '' },
        ],
      },
      [
        { type: 'image', url: 'https://cdn.example/1', alt: 'one' },
        { type: 'image', url: 'https://cdn.example/2', alt: null },
      ],
    ],
    [
      { $type: 'app.bsky.embed.video#view', playlist: 'https://video.example/p.m3u8', alt: 'clip' },
      [{ type: 'video', url: 'https://video.example/p.m3u8', alt: 'clip' }],
    ],
    [
      { $type: 'app.bsky.embed.video#view', playlist: 'https://video.example/p.m3u8', presentation: 'gif' },
      [{ type: 'gif', url: 'https://video.example/p.m3u8', alt: null }],
    ],
    [
      { $type: 'app.bsky.embed.external#view', external: { uri: 'https://blog.example/', title: 'Blog' } },
      [{ type: 'link', url: 'https://blog.example/', alt: 'Blog' }],
    ],
    [
      { $type: 'app.bsky.embed.external#view', external: { uri: 'javascript:alert(1)', title: 'x' } },
      [{ type: 'link', url: null, alt: 'x' }],
    ],
    [
      {
        $type: 'app.bsky.embed.recordWithMedia#view',
        media: { $type: 'app.bsky.embed.video#view', playlist: 'https://v.example/' },
      },
      [{ type: 'video', url: 'https://v.example/', alt: null }],
    ],
    [{ $type: 'app.bsky.embed.hologram#view' }, []],
    [{ $type: 'app.bsky.embed.images#view', images: 'none' }, []],
  ])('reads the media of %j', (embed, media) => {
    expect(readFeedEntry({ post: postView('a', { embed }) })?.media).toEqual(media)
  })

  it.each<[string, unknown, unknown, string]>([
    ['the earlier one', '2026-11-19T23:00:00+01:00', '2026-11-20T08:00:01.000Z', '2026-11-19T22:00:00.000Z'],
    [
      'not one that lies ahead',
      '2099-01-01T00:00:00Z',
      '2026-11-20T08:00:01.000Z',
      '2026-11-20T08:00:01.000Z',
    ],
    ['not one that is none', 'yesterday', '2026-11-20T08:00:01.000Z', '2026-11-20T08:00:01.000Z'],
    [
      'not one before there were posts',
      '0001-01-01T00:00:00Z',
      '2026-11-20T08:00:01.000Z',
      '2026-11-20T08:00:01.000Z',
    ],
    [
      'the declared one where there is no other',
      '2026-11-20T08:00:00Z',
      undefined,
      '2026-11-20T08:00:00.000Z',
    ],
    ['UTC where no offset is given', '2026-11-20T08:00:00', undefined, '2026-11-20T08:00:00.000Z'],
  ])('dates a post by %s', (_, createdAt, indexedAt, expected) => {
    expect(readFeedEntry({ post: postView('a', { indexedAt }, { createdAt }) })?.postedAt).toBe(expected)
  })

  it('gives a repost an id and a date of its own, the text of the original, and no metrics', () => {
    const reason = {
      $type: 'app.bsky.feed.defs#reasonRepost',
      by: { did: DID },
      uri: `at://${DID}/app.bsky.feed.repost/3r`,
      indexedAt: '2026-11-21T09:00:00.000Z',
    }
    const repost = readFeedEntry({ post: postView('a'), reason })
    expect(repost).toMatchObject({
      platformPostId: `at://${DID}/app.bsky.feed.repost/3r`,
      kind: 'repost',
      text: 'New chart!',
      postedAt: '2026-11-21T09:00:00.000Z',
      url: `https://bsky.app/profile/${DID}/post/a`,
    })
    expect(Object.values(repost?.metrics ?? {})).toEqual(Array(8).fill(null))
    const older = readFeedEntry({ post: postView('a'), reason: { ...reason, uri: undefined } })
    expect(older?.platformPostId).toBe(`repost:at://${DID}/app.bsky.feed.post/a`)
  })

  it('stores no text that Postgres would refuse', () => {
    const post = readFeedEntry({ post: postView('a', {}, { text: 'a\u0000b\ud800' }) })
    expect(post?.text).toBe('ab\ufffd')
  })
})
