import { createRecords, type Records } from './bluesky-record.ts'
import { createBlueskyViews } from './bluesky-views.ts'
import {
  type Answer,
  ApiError,
  type Call,
  createPlatformHandler,
  type WebHandler,
} from './platform-handler.ts'
import { hashUnit } from './random.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createStats, type Stats } from './stats.ts'
import type { Account, FeedEntry } from './types.ts'
import type { World } from './world.ts'

export interface BlueskyLimits {
  requests: number
  windowMs: number
}

const DEFAULT_BLUESKY_LIMITS: BlueskyLimits = { requests: 3_000, windowMs: 300_000 }

export interface BlueskyHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<BlueskyLimits>
  stats?: Stats
}

const MAX_BATCH = 25
const MAX_PAGE = 100
const DEFAULT_PAGE = 50
/** Later pages are now and then shorter than asked for, as they are where posts were filtered out. */
const SHORT_PAGE_CHANCE = 0.08

const FILTERS: Record<string, (entry: FeedEntry) => boolean> = {
  posts_with_replies: () => true,
  posts_no_replies: (entry) => entry.kind !== 'reply',
  posts_with_media: (entry) => entry.kind !== 'repost' && ['images', 'video'].includes(mediaType(entry)),
  posts_with_video: (entry) => entry.kind !== 'repost' && mediaType(entry) === 'video',
  posts_and_author_threads: (entry) => entry.kind !== 'reply' || isOwnThread(entry),
}

/** Answers as a Bluesky AppView does (`/xrpc/...`), from the world as of the handler's clock. */
export function createBlueskyHandler(world: World, options: BlueskyHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats() } = options
  const limits = { ...DEFAULT_BLUESKY_LIMITS, ...options.limits }
  const limiter = createRateLimiter({
    name: 'requests',
    limit: limits.requests,
    windowMs: limits.windowMs,
    anchor: 'first-request',
  })
  const records = createRecords(world)
  const routes: Record<string, (call: Call) => Answer> = {
    'com.atproto.identity.resolveHandle': (call) => resolveHandle(world, call),
    'app.bsky.actor.getProfile': (call) => getProfile(world, records, call),
    'app.bsky.actor.getProfiles': (call) => getProfiles(world, records, call),
    'app.bsky.feed.getAuthorFeed': (call) => getAuthorFeed(world, records, call),
    'app.bsky.feed.getPosts': (call) => getPosts(world, records, call),
  }

  return createPlatformHandler(
    {
      platform: 'bluesky',
      route: (call) => {
        const name = /^\/xrpc\/([^/]+)$/.exec(call.url.pathname)?.[1] ?? ''
        const route = Object.hasOwn(routes, name) ? routes[name] : undefined
        if (!route) throw new ApiError(501, 'MethodNotImplemented', 'Method Not Implemented')
        call.endpoint = name
        if (call.request.method !== 'GET') {
          throw new ApiError(
            405,
            'InvalidRequest',
            `Incorrect HTTP method (${call.request.method}) expected GET`,
          )
        }
        return route(call)
      },
      limit: (call, client, squeezedLimit) => [limiter.take(client, call.t, { squeezedLimit })],
      limitHeaders: ([state], t) => ({
        ...(state && {
          'RateLimit-Limit': String(state.limit),
          'RateLimit-Remaining': String(state.remaining),
          'RateLimit-Reset': String(Math.ceil(state.resetAt / 1_000)),
          'RateLimit-Policy': `${state.limit};w=${Math.round(limits.windowMs / 1_000)}`,
          ...(state.isExceeded && { 'Retry-After': String(Math.ceil((state.resetAt - t) / 1_000)) }),
        }),
      }),
      errorBody: (error) => ({ error: error.name, message: error.message }),
    },
    world,
    now,
    stats,
  )
}

function resolveHandle(world: World, call: Call): Answer {
  const handle = required(call, 'handle')
  const account = handle.startsWith('did:') ? undefined : world.account('bluesky', handle, call.t)
  if (!account || statusOf(world, account, call.t) === 'deleted') throw invalid('Unable to resolve handle')
  return { body: { did: account.id } }
}

function getProfile(world: World, records: Records, call: Call): Answer {
  const account = readableAccount(world, required(call, 'actor'), call.t)
  return { body: createBlueskyViews(world, records, call.origin, call.t).profile(account) }
}

function getProfiles(world: World, records: Records, call: Call): Answer {
  const views = createBlueskyViews(world, records, call.origin, call.t)
  const accounts = batch(call, 'actors').flatMap((actor) => {
    const account = world.account('bluesky', actor, call.t)
    return account && statusOf(world, account, call.t) === 'active' ? [account] : []
  })
  return { body: { profiles: [...new Set(accounts)].map(views.profile) } }
}

function getPosts(world: World, records: Records, call: Call): Answer {
  const views = createBlueskyViews(world, records, call.origin, call.t)
  const posts = [...new Set(batch(call, 'uris'))].flatMap((uri) => {
    const post = uri.startsWith('at://') ? world.post('bluesky', uri, call.t) : undefined
    return post && world.isReadable(post, call.t) ? [views.post(post)] : []
  })
  return { body: { posts } }
}

function getAuthorFeed(world: World, records: Records, call: Call): Answer {
  const params = call.url.searchParams
  const limit = pageSize(call)
  const before = readCursor(call)
  const filter = params.get('filter') ?? 'posts_with_replies'
  const where = Object.hasOwn(FILTERS, filter) ? FILTERS[filter] : undefined
  if (!where) throw invalid('Error: Params must have a known filter')
  const account = readableAccount(world, required(call, 'actor'), call.t)
  const views = createBlueskyViews(world, records, call.origin, call.t)
  const isFirst = before === undefined
  const pinned =
    isFirst && params.get('includePins') === 'true' ? pinnedPost(world, account, call.t) : undefined
  const entries = world.posts(account, {
    t: call.t,
    limit: limit - (pinned ? 1 : 0),
    where,
    ...(isFirst ? {} : { before }),
  })
  const last = entries.at(-1)
  // A full page may be the last one; the platform does not look ahead either.
  const cursor = last && entries.length + (pinned ? 1 : 0) === limit ? writeCursor(last.at) : undefined
  const isShort = !isFirst && cursor !== undefined && hashUnit(account.id, before) < SHORT_PAGE_CHANCE
  const shown = isShort ? entries.slice(0, Math.ceil(entries.length * 0.7)) : entries
  const lastShown = shown.at(-1)
  const feed = shown.map(views.feedEntry)
  return {
    body: {
      ...(cursor !== undefined && { cursor: isShort && lastShown ? writeCursor(lastShown.at) : cursor }),
      feed: pinned ? [views.pinned(pinned), ...feed] : feed,
    },
  }
}

function pinnedPost(world: World, account: Account, t: number) {
  const id = world.profileAt(account, t).pinnedPostId
  return id === undefined ? undefined : world.post('bluesky', id, t)
}

function readableAccount(world: World, actor: string, t: number): Account {
  const account = world.account('bluesky', actor, t)
  if (!account) throw invalid('Profile not found')
  switch (statusOf(world, account, t)) {
    case 'active':
      return account
    case 'suspended':
      throw new ApiError(400, 'AccountTakedown', 'Account has been suspended')
    case 'deactivated':
      throw new ApiError(400, 'AccountDeactivated', 'Account is deactivated')
    case 'deleted':
      throw invalid('Profile not found')
  }
}

function statusOf(world: World, account: Account, t: number) {
  return world.namesAt(account, t).status
}

function required(call: Call, name: string): string {
  const value = call.url.searchParams.get(name)
  if (!value) throw invalid(`Error: Params must have the property "${name}"`)
  return value
}

function batch(call: Call, name: string): string[] {
  const values = call.url.searchParams.getAll(name)
  call.ids = values.length
  call.batchMax = MAX_BATCH
  if (values.length === 0) throw invalid(`Error: Params must have the property "${name}"`)
  if (values.length > MAX_BATCH) {
    throw new ApiError(
      400,
      'InvalidRequest',
      `Error: ${name} must not have more than ${MAX_BATCH} elements`,
      'too_many_ids',
    )
  }
  return values
}

function pageSize(call: Call): number {
  const text = call.url.searchParams.get('limit')
  if (text === null) return DEFAULT_PAGE
  const limit = Number(text)
  if (!Number.isInteger(limit)) throw invalid('Error: limit must be an integer')
  if (limit < 1 || limit > MAX_PAGE) {
    const message =
      limit < 1 ? 'Error: limit can not be less than 1' : `Error: limit can not be greater than ${MAX_PAGE}`
    throw new ApiError(400, 'InvalidRequest', message, 'limit_out_of_range')
  }
  return limit
}

function writeCursor(at: number): string {
  return Buffer.from(`v1:${at.toString(36)}`).toString('base64url')
}

function readCursor(call: Call): number | undefined {
  const cursor = call.url.searchParams.get('cursor')
  if (cursor === null) return undefined
  const text = Buffer.from(cursor, 'base64url').toString()
  const at = /^v1:([0-9a-z]{6,11})$/.exec(text)?.[1]
  if (at === undefined) throw new ApiError(400, 'InvalidRequest', 'Malformed cursor', 'bad_cursor')
  return Number.parseInt(at, 36)
}

function mediaType(entry: FeedEntry): string {
  return entry.post.media?.type ?? 'none'
}

function isOwnThread(entry: FeedEntry): boolean {
  return entry.post.replyToId?.startsWith(`at://${entry.account.id}/`) ?? false
}

function invalid(message: string): ApiError {
  return new ApiError(400, 'InvalidRequest', message)
}
