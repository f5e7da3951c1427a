import { describe, expect, it } from 'vitest'
import { readStatus } from './mastodon-status.ts'
import { status } from './test-answers.ts'

describe('a status of Mastodon', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['a reply', 'reply', { in_reply_to_id: '1', in_reply_to_account_id: '2' }],
    ['a reply to a deleted post', 'reply', { in_reply_to_account_id: '2' }],
    ['a quote', 'quote', { quote: { state: 'accepted', quoted_status: {} } }],
    ['a quote that was revoked', 'quote', { quote: { state: 'revoked', quoted_status: null } }],
    ['a reply that quotes', 'reply', { in_reply_to_id: '1', quote: { state: 'accepted' } }],
    ['a post', 'post', { quote: null }],
  ])('knows %s', (_, kind, changes) => {
    const post = readStatus(status('1', changes))
    expect(post?.kind).toBe(kind)
  })

  it('gives a boost its own id and date, the text of the original, and no metrics', () => {
    const original = status('90', {
      url: 'https://other.example/@bo/90',
      content: '<p>Theirs #Maps</p>',
      tags: [{ name: 'maps' }],
      favourites_count: 999,
    })
    const boost = status('116', {
      url: null,
      content: '',
      created_at: '2026-11-22T08:00:00.000Z',
      reblog: original,
    })
    const post = readStatus(boost)
    expect([post]).toEqual([
      {
        platformPostId: '116',
        kind: 'repost',
        text: 'Theirs #Maps',
        hashtags: ['Maps'],
        url: 'https://other.example/@bo/90',
        postedAt: '2026-11-22T08:00:00.000Z',
        media: [],
        metrics: {
          likes: null,
          comments: null,
          shares: null,
          quotes: null,
          saves: null,
          views: null,
          impressions: null,
          reach: null,
        },
      },
    ])
  })

  it.each<[string, unknown, string[]]>([
    ['<p>#<span>DataViz</span> and #maps</p>', [{ name: 'maps' }, { name: 'dataviz' }], ['DataViz', 'maps']],
    ['<p>#Café #cafe</p>', [{ name: 'cafe' }], ['Café', 'cafe']],
    [
      '<p>#Żółć #Straße #Ørsted</p>',
      [{ name: 'zolc' }, { name: 'straße' }, { name: 'orsted' }],
      ['Żółć', 'Straße', 'Ørsted'],
    ],
    ['<p>#हिन्दी</p>', [{ name: 'हिन्दी' }], ['हिन्दी']],
    ['<p>#one</p>', [{ name: 'one' }, { name: 'hidden' }, { nothing: 1 }], ['one', 'hidden']],
    ['<p>#notatag</p>', [], []],
    ['<p>#only #Text</p>', undefined, ['only', 'Text']],
    ['<p>It&#39;s</p>', undefined, []],
  ])('reads the hashtags of %s as their author wrote them', (content, tags, expected) => {
    const post = readStatus(status('1', { content, tags }))
    expect(post?.hashtags).toEqual(expected)
  })

  it('puts the content warning before the text, and finds its tags', () => {
    const changes = { spoiler_text: 'Politics #Vote', content: '<p>Go <br>now</p>', tags: [{ name: 'vote' }] }
    const post = readStatus(status('1', changes))
    expect([post?.text, post?.hashtags]).toEqual(['Politics #Vote\n\nGo\nnow', ['Vote']])
  })

  it('reads media of every type, polls and cards', () => {
    const types = ['image', 'video', 'gifv', 'audio', 'unknown', 'hologram']
    const changes = {
      media_attachments: [
        ...types.map((type) => ({
          type,
          url: `https://m.example/${type}`,
          description: type === 'image' ? 'alt' : null,
        })),
        'malformed',
      ],
      poll: { id: '1' },
      card: { url: 'https://blog.example/', title: 'Blog' },
    }
    const post = readStatus(status('1', changes))
    expect(post?.media.map(({ type, alt }) => [type, alt])).toEqual([
      ['image', 'alt'],
      ['video', null],
      ['gif', null],
      ['audio', null],
      ['other', null],
      ['other', null],
      ['poll', null],
      ['link', 'Blog'],
    ])
  })

  it('takes a missing or negative count for unknown', () => {
    const changes = { quotes_count: undefined, favourites_count: -1, replies_count: '2' }
    const post = readStatus(status('1', changes))
    expect(post?.metrics).toMatchObject({ quotes: null, likes: null, comments: null, shares: 7 })
  })

  it('keeps what everybody can read', () => {
    const page = ['public', 'unlisted', 'private', 'direct'].map((visibility, i) =>
      status(String(i), { visibility }),
    )
    expect(page.map((entry) => readStatus(entry)?.platformPostId)).toEqual(['0', '1', undefined, undefined])
  })
})
