import { z } from 'zod'
import type { WebHandler } from './platform-handler.ts'

/** What the tests of the simulator share: a fixed moment, and readers for what the handlers answer. */

/** A Sunday, around noon in Europe. */
export const NOON = Date.UTC(2026, 10, 22, 11, 30)
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export interface Reply {
  status: number
  headers: Headers
  text: string
  /** Parses the body. @throws when it does not have the expected shape. */
  as<S extends z.ZodType>(schema: S): z.infer<S>
}

/** Asks a handler for a path, as a client with its own address if one is given. */
export async function get(handler: WebHandler, path: string, client?: string): Promise<Reply> {
  const headers = client === undefined ? {} : { 'x-forwarded-for': client }
  const response = await handler(new Request(new URL(path, 'http://platform.test:81'), { headers }))
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    as: (schema) => schema.parse(JSON.parse(text)),
  }
}

const facetSchema = z.object({
  index: z.object({ byteStart: z.int(), byteEnd: z.int() }),
  features: z.array(
    z.looseObject({ $type: z.string(), tag: z.string().optional(), uri: z.string().optional() }),
  ),
})

const blueskyPostSchema = z.looseObject({
  uri: z.string().startsWith('at://did:plc:'),
  cid: z.string(),
  author: z.looseObject({ did: z.string(), handle: z.string() }),
  record: z.looseObject({
    $type: z.literal('app.bsky.feed.post'),
    text: z.string(),
    createdAt: z.iso.datetime(),
    langs: z.array(z.string()),
    facets: z.array(facetSchema).optional(),
    tags: z.array(z.string()).max(8).optional(),
    reply: z.looseObject({ parent: z.object({ uri: z.string(), cid: z.string() }) }).optional(),
  }),
  embed: z
    .looseObject({ $type: z.string(), record: z.looseObject({ $type: z.string().optional() }).optional() })
    .optional(),
  likeCount: z.int().nonnegative(),
  replyCount: z.int().nonnegative(),
  repostCount: z.int().nonnegative(),
  quoteCount: z.int().nonnegative(),
  bookmarkCount: z.int().nonnegative(),
  indexedAt: z.iso.datetime(),
})

export const blueskyFeedSchema = z.object({
  cursor: z.string().optional(),
  feed: z.array(
    z.looseObject({
      post: blueskyPostSchema,
      reason: z.looseObject({ $type: z.string() }).optional(),
      reply: z.looseObject({ parent: z.looseObject({ $type: z.string() }) }).optional(),
    }),
  ),
})

export const blueskyPostsSchema = z.object({ posts: z.array(blueskyPostSchema) })

export const blueskyProfileSchema = z.looseObject({
  did: z.string(),
  handle: z.string(),
  displayName: z.string(),
  followersCount: z.int(),
  followsCount: z.int(),
  postsCount: z.int(),
  pinnedPost: z.object({ uri: z.string(), cid: z.string() }).optional(),
})

export const blueskyErrorSchema = z.object({ error: z.string(), message: z.string() })

export const mastodonAccountSchema = z.looseObject({
  id: z.string().regex(/^\d{16,19}$/),
  username: z.string(),
  acct: z.string(),
  display_name: z.string(),
  followers_count: z.int(),
  following_count: z.int(),
  statuses_count: z.int(),
  last_status_at: z.iso.date().nullable(),
  suspended: z.boolean().optional(),
  moved: z.looseObject({ id: z.string() }).optional(),
})

const plainStatusSchema = z.looseObject({
  id: z.string().regex(/^\d{16,19}$/),
  created_at: z.iso.datetime(),
  edited_at: z.iso.datetime().nullable(),
  content: z.string(),
  in_reply_to_id: z.string().nullable(),
  in_reply_to_account_id: z.string().nullable(),
  visibility: z.enum(['public', 'unlisted']),
  account: mastodonAccountSchema,
  replies_count: z.int().nonnegative(),
  reblogs_count: z.int().nonnegative(),
  favourites_count: z.int().nonnegative(),
  quotes_count: z.int().nonnegative(),
  media_attachments: z.array(z.looseObject({ type: z.enum(['image', 'video', 'gifv', 'audio', 'unknown']) })),
  tags: z.array(z.looseObject({ name: z.string(), url: z.string() })),
  quote: z
    .looseObject({ state: z.string(), quoted_status: z.looseObject({ id: z.string() }).nullable() })
    .nullable(),
})

export const mastodonStatusSchema = plainStatusSchema.extend({ reblog: plainStatusSchema.nullable() })
export const mastodonStatusesSchema = z.array(mastodonStatusSchema)
export const mastodonErrorSchema = z.strictObject({ error: z.string() })

export type BlueskyFeed = z.infer<typeof blueskyFeedSchema>
export type MastodonStatus = z.infer<typeof mastodonStatusSchema>

/** The address behind a relation of a Link header. */
export function linkOf(reply: Reply, rel: 'next' | 'prev'): string | undefined {
  const links = (reply.headers.get('link') ?? '').split(', ')
  return links.find((link) => link.endsWith(`rel="${rel}"`))?.match(/^<([^>]+)>/)?.[1]
}
