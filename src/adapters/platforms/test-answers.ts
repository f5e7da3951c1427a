import type { AppBskyActorDefs, AppBskyFeedDefs } from '@atproto/api'
import type { mastodon } from 'masto'
import type { Wire } from './test-wire.ts'

/** For the tests of connectors: answers of the shapes that the platforms' own SDKs publish. */

export const DID = 'did:plc:abc123exampleexample1'

export const PROFILE = {
  did: DID,
  handle: 'ada.example.com',
  displayName: 'Ada',
  avatar: 'https://cdn.bsky.app/img/avatar/plain/x@jpeg',
  followersCount: 1204,
  followsCount: 310,
  postsCount: 842,
  createdAt: '2024-02-10T09:00:00.000Z',
} satisfies AppBskyActorDefs.ProfileViewDetailed

export function postView(
  key: string,
  changes: Record<string, unknown> = {},
  record: Record<string, unknown> = {},
) {
  return {
    uri: `at://${DID}/app.bsky.feed.post/${key}`,
    cid: 'bafyexample',
    author: { did: DID, handle: 'ada.example.com' },
    record: {
      $type: 'app.bsky.feed.post',
      text: 'New chart!',
      createdAt: '2026-11-20T08:00:00.000Z',
      ...record,
    },
    replyCount: 3,
    repostCount: 12,
    likeCount: 88,
    quoteCount: 2,
    bookmarkCount: 5,
    indexedAt: '2026-11-20T08:00:01.000Z',
    ...changes,
  } satisfies AppBskyFeedDefs.PostView
}

export const ACCOUNT = {
  id: '109',
  username: 'ada',
  acct: 'ada',
  display_name: 'Ada',
  url: 'https://social.example/@ada',
  avatar: 'https://social.example/a.png',
  followers_count: 532,
  following_count: 120,
  statuses_count: 2044,
  bot: false,
} satisfies Partial<Wire<mastodon.v1.Account>>

const plainStatus = (id: string) =>
  ({
    id,
    uri: `https://social.example/users/ada/statuses/${id}`,
    url: `https://social.example/@ada/${id}`,
    created_at: '2026-11-21T10:00:00.000Z',
    content: '<p>Hello</p>',
    spoiler_text: '',
    visibility: 'public',
    in_reply_to_id: null,
    in_reply_to_account_id: null,
    reblog: null,
    media_attachments: [],
    tags: [],
    replies_count: 2,
    reblogs_count: 7,
    favourites_count: 31,
    quotes_count: 1,
  }) satisfies Partial<Wire<mastodon.v1.Status>>

export const status = (id: string, changes: Record<string, unknown> = {}) => ({
  ...plainStatus(id),
  ...changes,
})

export const problem = (code: number, error: string, headers: Record<string, string> = {}) =>
  Response.json({ error }, { status: code, headers })
export const notFound = () => problem(404, 'Record not found')
