import type { Page, PagePost } from 'facebook-nodejs-business-sdk'
import { describe, expect, it } from 'vitest'
import { readFacebookPage, readFacebookPost } from './facebook-post.ts'

/** Meta's types name the fields and say nothing of their values; the edges that are read along are not in them. */
type PostAnswer = Partial<
  Record<keyof (typeof PagePost)['Fields'] | 'attachments' | 'reactions' | 'comments' | 'insights', unknown>
>
type PageAnswer = Partial<Record<keyof (typeof Page)['Fields'] | 'picture', unknown>>

const post = (changes: PostAnswer = {}) =>
  ({
    id: '100000000000001_200000000000002',
    message: 'New report #DataViz',
    created_time: '2026-11-20T09:00:00+0000',
    permalink_url: 'https://www.facebook.com/100000000000001/posts/200000000000002',
    status_type: 'added_photos',
    attachments: { data: [{ media_type: 'photo', type: 'photo', url: 'https://www.facebook.com/photo/x' }] },
    shares: { count: 4 },
    reactions: { data: [], summary: { total_count: 56 } },
    comments: { data: [], summary: { total_count: 9 } },
    insights: { data: [{ name: 'post_media_view', period: 'lifetime', values: [{ value: 812 }] }] },
    ...changes,
  }) satisfies PostAnswer

const linkTo = (url: string) => ({ data: [{ media_type: 'link', type: 'share', url, title: 'Maps' }] })

describe('a post of a page', () => {
  it('is read with all that is known of it', () => {
    expect(readFacebookPost(post())).toEqual({
      platformPostId: '100000000000001_200000000000002',
      kind: 'post',
      text: 'New report #DataViz',
      hashtags: ['DataViz'],
      url: 'https://www.facebook.com/100000000000001/posts/200000000000002',
      postedAt: '2026-11-20T09:00:00.000Z',
      media: [{ type: 'image', url: 'https://www.facebook.com/photo/x', alt: null }],
      metrics: {
        likes: 56,
        comments: 9,
        shares: 4,
        quotes: null,
        saves: null,
        views: 812,
        impressions: null,
        reach: null,
      },
    })
  })

  it.each<[string, unknown, number | null]>([
    ['nobody has shared it', undefined, 0],
    ['it was shared twice', { count: 2 }, 2],
    ['the number is senseless', { count: -2 }, null],
    ['the shape is another', 'two', null],
  ])('counts shares where %s', (_, shares, expected) => {
    expect(readFacebookPost(post({ shares }))?.metrics.shares).toBe(expected)
  })

  it('has no figure that the platform does not give', () => {
    const changes = {
      reactions: { data: [] },
      comments: { summary: { total_count: 1.5 } },
      insights: undefined,
    }
    expect(readFacebookPost(post(changes))?.metrics).toMatchObject({
      likes: null,
      comments: null,
      views: null,
    })
  })

  it.each<[string, string, PostAnswer]>([
    [
      'a link that leads elsewhere',
      'post',
      { status_type: 'shared_story', attachments: linkTo('https://blog.example/') },
    ],
    [
      'what another wrote',
      'repost',
      {
        status_type: 'shared_story',
        message: undefined,
        attachments: linkTo('https://www.facebook.com/other/posts/1'),
      },
    ],
    [
      'what another wrote, with a word on it',
      'quote',
      { status_type: 'shared_story', attachments: linkTo('https://www.facebook.com/other/posts/1') },
    ],
    ['a post with a parent', 'repost', { parent_id: '7_8', message: undefined }],
    [
      'a story that is shared without more',
      'repost',
      { status_type: 'shared_story', message: undefined, attachments: undefined },
    ],
    ['an update', 'post', { status_type: 'mobile_status_update', attachments: undefined }],
  ])('that shows %s is a %s', (_, kind, changes) => {
    const read = readFacebookPost(post(changes))
    expect([read?.kind, read?.metrics.likes]).toEqual([kind, kind === 'repost' ? null : 56])
  })

  it('has the words of its story where it has none of its own', () => {
    const read = readFacebookPost(post({ message: undefined, story: 'Ada added a #photo.' }))
    expect([read?.text, read?.hashtags]).toEqual(['Ada added a #photo.', []])
  })

  it('shows every attachment, the parts of an album, and where a link leads', () => {
    const data = [
      {
        media_type: 'album',
        subattachments: {
          data: [{ media_type: 'photo', url: 'https://f.example/1' }, { media_type: 'video' }],
        },
      },
      {
        media_type: 'link',
        url: 'https://l.facebook.com/l.php?u=x',
        unshimmed_url: 'https://blog.example/',
        title: 'B',
      },
      { media_type: 'constructor' },
      'malformed',
    ]
    expect(readFacebookPost(post({ attachments: { data } }))?.media).toEqual([
      { type: 'image', url: 'https://f.example/1', alt: null },
      { type: 'video', url: null, alt: null },
      { type: 'link', url: 'https://blog.example/', alt: 'B' },
      { type: 'other', url: null, alt: null },
    ])
  })

  it('is none before it is published, and malformed without a date or an id', () => {
    expect(readFacebookPost(post({ is_published: false }))).toBeNull()
    for (const changes of [
      { created_time: 'never' },
      { created_time: '2003-01-01T00:00:00+0000' },
      { id: 7 },
    ])
      expect(() => readFacebookPost(post(changes))).toThrow()
  })
})

describe('a page', () => {
  const page = {
    id: '100000000000001',
    name: 'Ada Charts',
    username: 'adacharts',
    link: 'https://www.facebook.com/adacharts',
    followers_count: 3120,
    picture: { data: { url: 'https://scontent.example/p.jpg' } },
  } satisfies PageAnswer

  it('is read with its followers, and what pages do not have is unknown', () => {
    expect(readFacebookPage(page)).toEqual({
      externalId: '100000000000001',
      host: null,
      handle: 'adacharts',
      displayName: 'Ada Charts',
      url: 'https://www.facebook.com/adacharts',
      avatarUrl: 'https://scontent.example/p.jpg',
      followers: 3120,
      following: null,
      posts: null,
    })
  })

  it('goes by its id where it has no name for addresses', () => {
    const { handle, url } = readFacebookPage({ id: '7', name: 'Ada' })
    expect([handle, url]).toEqual(['7', 'https://www.facebook.com/7'])
  })
})
