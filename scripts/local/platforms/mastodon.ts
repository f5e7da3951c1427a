import { partsOfSnowflake } from './identity.ts'
import { foldHashtag } from './mastodon-html.ts'
import { instanceDocument, nodeInfoDocument, webFingerDocument } from './mastodon-server-info.ts'
import { createMastodonTokens, type MastodonTokens } from './mastodon-tokens.ts'
import { createMastodonViews } from './mastodon-views.ts'
import {
  type Answer,
  ApiError,
  type Call,
  createPlatformHandler,
  type WebHandler,
} from './platform-handler.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createStats, type Stats } from './stats.ts'
import type { Account, FeedEntry } from './types.ts'
import type { PostsQuery, World } from './world.ts'

export interface MastodonLimits {
  requests: number
  windowMs: number
  /** For requests that carry max_id, min_id, since_id or page; they count against both. */
  pagedRequests: number
  pagedWindowMs: number
}

const DEFAULT_MASTODON_LIMITS: MastodonLimits = {
  requests: 300,
  windowMs: 300_000,
  pagedRequests: 300,
  pagedWindowMs: 900_000,
}

export interface MastodonHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<MastodonLimits>
  stats?: Stats
  /** None are issued, and none is needed, by default. */
  tokens?: MastodonTokens
}

const MAX_ACCOUNTS_PER_BATCH = 40
const MAX_STATUSES_PER_BATCH = 20
const MAX_PAGE = 40
const DEFAULT_PAGE = 20
const PAGE_PARAMS = ['max_id', 'min_id', 'since_id', 'page']
const NUMERIC_ID = /^\d+$/

/** Answers as a Mastodon 4.5 server does, from the world as of the handler's clock. */
export function createMastodonHandler(world: World, options: MastodonHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats(), tokens = createMastodonTokens() } = options
  const limits = { ...DEFAULT_MASTODON_LIMITS, ...options.limits }
  const requests = createRateLimiter({
    name: 'requests',
    limit: limits.requests,
    windowMs: limits.windowMs,
    anchor: 'clock',
  })
  const pagedRequests = createRateLimiter({
    name: 'pagedRequests',
    limit: limits.pagedRequests,
    windowMs: limits.pagedWindowMs,
    anchor: 'clock',
  })

  return createPlatformHandler(
    {
      platform: 'mastodon',
      route: (call) => route(world, tokens, call),
      limit: (call, client, squeezedLimit) => {
        if (!call.url.pathname.startsWith('/api/')) return []
        const states = [requests.take(client, call.t, { squeezedLimit })]
        if (PAGE_PARAMS.some((name) => call.url.searchParams.has(name))) {
          states.push(pagedRequests.take(client, call.t, { squeezedLimit }))
        }
        return states
      },
      limitHeaders: (states, t) => {
        const closest = states.toSorted((a, b) => a.remaining - b.remaining)[0]
        return {
          ...(closest && {
            'X-RateLimit-Limit': String(closest.limit),
            'X-RateLimit-Remaining': String(closest.remaining),
            'X-RateLimit-Reset': microsecondTime(closest.resetAt, t),
          }),
        }
      },
      errorBody: (error) => ({ error: error.status === 429 ? 'Too many requests' : error.message }),
    },
    world,
    now,
    stats,
  )
}

function route(world: World, tokens: MastodonTokens, call: Call): Answer {
  const { pathname } = call.url
  if (call.request.method !== 'GET') throw new ApiError(404, 'NotFound', 'Not Found')
  if (pathname === '/api/v1/accounts/verify_credentials')
    return count(call, pathname, () => accountById(world, call, tokens.requireUser(call)))
  tokens.authorize(call)
  switch (pathname) {
    case '/.well-known/webfinger':
      return count(call, pathname, () => webFinger(world, call))
    case '/.well-known/nodeinfo':
    case '/nodeinfo/2.0':
      return count(call, pathname, () => ({ body: nodeInfoDocument(pathname, call.origin) }))
    case '/api/v2/instance':
      return count(call, pathname, () => ({ body: instanceDocument(world, call.url.host, call.t) }))
    case '/api/v1/accounts/lookup':
      return count(call, pathname, () => lookup(world, call))
    case '/api/v1/accounts':
      return count(call, pathname, () => accountBatch(world, call))
    case '/api/v1/statuses':
      return count(call, pathname, () => statusBatch(world, call))
  }
  const match = /^\/api\/v1\/(accounts|statuses)\/([^/]+)(\/statuses)?$/.exec(pathname)
  const [, collection, id = '', sub] = match ?? []
  if (collection === 'accounts' && sub) {
    return count(call, '/api/v1/accounts/:id/statuses', () => accountStatuses(world, call, id))
  }
  if (collection === 'accounts')
    return count(call, '/api/v1/accounts/:id', () => accountById(world, call, id))
  if (collection === 'statuses' && !sub) {
    return count(call, '/api/v1/statuses/:id', () => statusById(world, call, id))
  }
  throw new ApiError(404, 'NotFound', 'Not Found')
}

function count(call: Call, endpoint: string, answer: () => Answer): Answer {
  call.endpoint = endpoint
  return answer()
}

function lookup(world: World, call: Call): Answer {
  const [name = '', host] = (call.url.searchParams.get('acct') ?? '').replace(/^@/, '').split('@')
  const isHere = host === undefined || host.toLowerCase() === call.url.host
  const account = isHere && !NUMERIC_ID.test(name) ? world.account('mastodon', name, call.t) : undefined
  return { body: createMastodonViews(world, call.origin, call.t).account(existing(world, account, call.t)) }
}

function webFinger(world: World, call: Call): Answer {
  const [, name = '', host] = /^acct:@?([^@]+)@(.+)$/.exec(call.url.searchParams.get('resource') ?? '') ?? []
  const account = host?.toLowerCase() === call.url.host ? world.account('mastodon', name, call.t) : undefined
  const { handle } = existing(world, account, call.t)
  const body = webFingerDocument(handle, call.url.host, call.origin)
  return { body, contentType: 'application/jrd+json; charset=utf-8' }
}

function accountById(world: World, call: Call, id: string): Answer {
  const account = existing(world, accountOf(world, id, call.t), call.t)
  return { body: createMastodonViews(world, call.origin, call.t).account(account) }
}

function accountBatch(world: World, call: Call): Answer {
  const views = createMastodonViews(world, call.origin, call.t)
  const accounts = batch(call, MAX_ACCOUNTS_PER_BATCH).flatMap((id) => {
    const account = accountOf(world, id, call.t)
    return account && isPresent(world, account, call.t) ? [views.account(account)] : []
  })
  return { body: accounts }
}

function statusById(world: World, call: Call, id: string): Answer {
  const entry = NUMERIC_ID.test(id) ? world.entry('mastodon', id, call.t) : undefined
  if (!entry) throw notFound()
  return { body: createMastodonViews(world, call.origin, call.t).status(entry) }
}

function statusBatch(world: World, call: Call): Answer {
  const views = createMastodonViews(world, call.origin, call.t)
  const statuses = batch(call, MAX_STATUSES_PER_BATCH).flatMap((id) => {
    const entry = NUMERIC_ID.test(id) ? world.entry('mastodon', id, call.t) : undefined
    return entry ? [views.status(entry)] : []
  })
  return { body: statuses }
}

function accountStatuses(world: World, call: Call, id: string): Answer {
  const account = existing(world, accountOf(world, id, call.t), call.t)
  const views = createMastodonViews(world, call.origin, call.t)
  const limit = pageSize(call)
  if (isOn(call, 'pinned')) {
    const pinnedId = world.profileAt(account, call.t).pinnedPostId
    const entry = pinnedId === undefined ? undefined : world.entry('mastodon', pinnedId, call.t)
    return { body: entry ? [views.status(entry)] : [] }
  }
  const found = world.posts(account, pageQuery(call, limit))
  const entries = call.url.searchParams.has('min_id') ? found.toReversed() : found
  const link = linkHeader(call, entries, limit)
  return { body: entries.map(views.status), headers: link === undefined ? {} : { Link: link } }
}

/** Translates the paging and filter parameters. Ids are compared as numbers, as the server's database does. */
function pageQuery(call: Call, limit: number): PostsQuery {
  const [maxId, minId, sinceId] = ['max_id', 'min_id', 'since_id'].map((name) => idParam(call, name))
  const newerThan = minId ?? sinceId
  const tagged = call.url.searchParams.get('tagged')
  const wantedTag = tagged === null ? undefined : foldHashtag(tagged)
  const where = (entry: FeedEntry): boolean => {
    const id = BigInt(entry.id)
    if (maxId !== undefined && id >= maxId) return false
    if (newerThan !== undefined && id <= newerThan) return false
    if (isOn(call, 'exclude_reblogs') && entry.kind === 'repost') return false
    if (isOn(call, 'only_media') && !hasAttachment(entry)) return false
    if (isOn(call, 'exclude_replies') && entry.kind === 'reply' && !isOwnThread(entry)) return false
    return (
      wantedTag === undefined ||
      (entry.kind !== 'repost' && entry.post.hashtags.map(foldHashtag).includes(wantedTag))
    )
  }
  return {
    t: call.t,
    limit,
    where,
    oldestFirst: minId !== undefined,
    ...(maxId !== undefined && { before: timeOf(maxId) + 1 }),
    ...(newerThan !== undefined && { after: timeOf(newerThan) - 1 }),
  }
}

function linkHeader(call: Call, entries: readonly FeedEntry[], limit: number): string | undefined {
  const [first, last] = [entries[0], entries.at(-1)]
  if (!first || !last) return undefined
  const link = (name: string, id: string, rel: string): string => {
    const url = new URL(call.url)
    for (const param of PAGE_PARAMS) url.searchParams.delete(param)
    url.searchParams.set(name, id)
    return `<${url.href}>; rel="${rel}"`
  }
  const links = [link('min_id', first.id, 'prev')]
  // A full page may be the last one; the server does not look ahead either.
  if (entries.length === limit) links.unshift(link('max_id', last.id, 'next'))
  return links.join(', ')
}

function accountOf(world: World, id: string, t: number): Account | undefined {
  return NUMERIC_ID.test(id) ? world.account('mastodon', id, t) : undefined
}

function isPresent(world: World, account: Account, t: number): boolean {
  return world.namesAt(account, t).status !== 'deleted'
}

function existing(world: World, account: Account | undefined, t: number): Account {
  if (!account || !isPresent(world, account, t)) throw notFound()
  return account
}

function batch(call: Call, most: number): string[] {
  const ids = [...new Set(call.url.searchParams.getAll('id[]'))]
  call.ids = ids.length
  call.batchMax = most
  if (ids.length > most) {
    throw new ApiError(
      422,
      'UnprocessableContent',
      `Too many ids: at most ${most} are allowed`,
      'too_many_ids',
    )
  }
  return ids
}

function pageSize(call: Call): number {
  const text = call.url.searchParams.get('limit')
  if (text === null) return DEFAULT_PAGE
  const limit = Math.abs(Number.parseInt(text, 10)) || 0
  if (limit > MAX_PAGE) call.note('limit_out_of_range', `limit=${text}`)
  return Math.min(limit, MAX_PAGE)
}

function idParam(call: Call, name: string): bigint | undefined {
  const text = call.url.searchParams.get(name)
  if (text === null || text === '') return undefined
  if (NUMERIC_ID.test(text)) return BigInt(text)
  call.note('bad_cursor', `${name}=${text}`)
  return 0n
}

function timeOf(id: bigint): number {
  return partsOfSnowflake(String(id))?.atMs ?? 0
}

function isOn(call: Call, name: string): boolean {
  const text = call.url.searchParams.get(name)
  return text !== null && !['', '0', 'f', 'false', 'off'].includes(text.toLowerCase())
}

function hasAttachment(entry: FeedEntry): boolean {
  return entry.kind !== 'repost' && ['images', 'video', 'audio'].includes(entry.post.media?.type ?? '')
}

function isOwnThread(entry: FeedEntry): boolean {
  const root = entry.post.replyToId
  const author = root === undefined ? undefined : partsOfSnowflake(root)?.sequence
  return author === partsOfSnowflake(entry.id)?.sequence
}

function microsecondTime(resetAt: number, t: number): string {
  // The server adds whole seconds to its clock, so the fraction is that of the request.
  return new Date(resetAt + (t % 1_000)).toISOString().replace('Z', '417Z')
}

function notFound(): ApiError {
  return new ApiError(404, 'RecordNotFound', 'Record not found')
}
