import { createOAuthServer, type OAuthServer } from './oauth-server.ts'
import {
  type Answer,
  ApiError,
  bearerOf,
  type Call,
  createPlatformHandler,
  type WebHandler,
} from './platform-handler.ts'
import { createRateLimiter } from './rate-limits.ts'
import {
  communityView,
  linkView,
  listingView,
  removedLinkView,
  suspendedView,
  userView,
} from './reddit-views.ts'
import { createStats, type Stats } from './stats.ts'
import type { Account } from './types.ts'
import type { World } from './world.ts'

export interface RedditLimits {
  /** Calls of an application in a window. */
  requests: number
  windowMs: number
}

/** A hundred a minute, as an average of ten minutes. */
const DEFAULT_REDDIT_LIMITS: RedditLimits = { requests: 1_000, windowMs: 600_000 }

export interface RedditHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<RedditLimits>
  stats?: Stats
}

const DAY_MS = 86_400_000
const MAX_BATCH = 100
const MAX_PAGE = 100
const DEFAULT_PAGE = 25
/** Listings go no further back than this many things. */
const LISTING_DEPTH = 1_000
/** Reasons for which nobody gets into a community. */
const CLOSED = ['banned', 'private']

/** Answers as Reddit's site does to an application that asks for a token, and its API to who has one. */
export function createRedditHandler(world: World, options: RedditHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats() } = options
  const limits = { ...DEFAULT_REDDIT_LIMITS, ...options.limits }
  const limiter = createRateLimiter({
    name: 'client',
    limit: limits.requests,
    windowMs: limits.windowMs,
    anchor: 'clock',
  })
  const oauth = createOAuthServer({
    platform: 'reddit',
    world,
    accessTtlMs: DAY_MS,
    refreshTtlMs: null,
    codeTtlMs: 60_000,
    rotatesRefreshToken: false,
    requiresPkce: false,
  })

  return createPlatformHandler(
    {
      platform: 'reddit',
      route: (call) =>
        call.url.pathname === '/api/v1/access_token' ? grantToken(oauth, call) : routeOf(world, call),
      // Tokens are given by the site, which does not count them.
      limit: (call, _client, squeezedLimit) => {
        if (call.url.pathname === '/api/v1/access_token') return []
        return [limiter.take(clientOf(oauth, call), call.t, { squeezedLimit })]
      },
      limitHeaders: ([state], t) => ({
        ...(state && {
          'X-Ratelimit-Used': String(state.used),
          'X-Ratelimit-Remaining': state.remaining.toFixed(1),
          'X-Ratelimit-Reset': String(Math.ceil((state.resetAt - t) / 1_000)),
        }),
      }),
      refusal: () => new ApiError(429, '', 'Too Many Requests'),
      // Only what is wrong with a request has a name, and a reason why a community is closed.
      errorBody: ({ status, name, message }) => {
        if (status === 400 && name !== '') return { error: name }
        return { message, error: status, ...(CLOSED.includes(name) && { reason: name }) }
      },
    },
    world,
    now,
    stats,
  )
}

function grantToken(oauth: OAuthServer, call: Call): Answer {
  call.endpoint = 'access_token'
  requireMethod(call, 'POST')
  if (call.form().get('grant_type') !== 'client_credentials')
    throw new ApiError(400, 'unsupported_grant_type', 'Unsupported grant type', 'bad_auth')
  const grant = oauth.clientCredentials(call)
  return {
    body: {
      access_token: grant.accessToken,
      token_type: 'bearer',
      expires_in: grant.expiresInSeconds,
      scope: '*',
    },
  }
}

/** The application that calls. @throws ApiError where its token is not, or no longer, one */
function clientOf(oauth: OAuthServer, call: Call): string {
  const token = oauth.introspect(bearerOf(call) ?? '', call.t)
  if (token === undefined || token.expired || token.revoked)
    throw new ApiError(401, '', 'Unauthorized', 'bad_auth')
  return token.clientId
}

function routeOf(world: World, call: Call): Answer {
  const { pathname } = call.url
  if (!isProperlyNamed(call.request)) call.note('bad_parameter', 'A User-Agent that names no app')
  const [, person, personsPage] = /^\/user\/([\w-]{1,30})\/(about|submitted)$/.exec(pathname) ?? []
  const [, community, communitysPage] = /^\/r\/(\w{1,30})\/(about|new)$/.exec(pathname) ?? []
  const page = personsPage ?? communitysPage
  if (pathname === '/api/info') {
    call.endpoint = 'info'
    requireMethod(call, 'GET')
    return getInfo(world, call)
  }
  if (page === undefined) throw notFound()
  call.endpoint = page
  requireMethod(call, 'GET')
  if (community !== undefined) return getCommunity(world, call, community)
  return page === 'about' ? getAbout(world, call, person ?? '') : getSubmitted(world, call, person ?? '')
}

function getCommunity(world: World, call: Call, name: string): Answer {
  const community = world.account('reddit', name, call.t)
  const status = community?.isCommunity ? world.namesAt(community, call.t).status : 'deleted'
  // A redirection to the search for communities of such a name, as it is for who follows it.
  if (!community || status === 'deleted') return { body: listingView([], null) }
  if (status === 'suspended') throw new ApiError(404, 'banned', 'Not Found')
  if (status === 'deactivated') throw new ApiError(403, 'private', 'Forbidden')
  if (call.endpoint === 'new') return getListing(world, call, community)
  return { body: communityView(world, community, call.origin, call.t) }
}

function getAbout(world: World, call: Call, name: string): Answer {
  const account = knownAccount(world, name, call.t)
  if (world.namesAt(account, call.t).status === 'suspended') return { body: suspendedView(name) }
  return { body: userView(world, account, call.origin, call.t) }
}

function getSubmitted(world: World, call: Call, name: string): Answer {
  const account = knownAccount(world, name, call.t)
  if (world.namesAt(account, call.t).status === 'suspended') throw new ApiError(403, '', 'Forbidden')
  return getListing(world, call, account)
}

function getListing(world: World, call: Call, account: Account): Answer {
  const limit = pageSize(call)
  const after = call.url.searchParams.get('after')
  const listed = world.posts(account, { t: call.t, limit: LISTING_DEPTH })
  const start = after === null ? 0 : startAfter(world, call, after, listed)
  const shown = listed.slice(start, start + limit)
  const isEnd = start + limit >= listed.length
  const children = shown.map((entry) => linkView(world, entry, call.origin, call.t))
  return { body: listingView(children, isEnd ? null : (shown.at(-1)?.id ?? null)) }
}

/** Where a listing goes on: behind the thing of that name, or behind where it was. */
function startAfter(
  world: World,
  call: Call,
  after: string,
  listed: readonly { id: string; at: number }[],
): number {
  const index = listed.findIndex(({ id }) => id === after)
  if (index !== -1) return index + 1
  // It was taken away meanwhile.
  const gone = world.post('reddit', after, call.t)
  if (gone === undefined) {
    call.note('bad_cursor', `after=${after}`)
    return listed.length
  }
  const older = listed.findIndex(({ at }) => at < gone.createdAt)
  return older === -1 ? listed.length : older
}

function getInfo(world: World, call: Call): Answer {
  const names = (call.url.searchParams.get('id') ?? '').split(',').filter((name) => name !== '')
  call.ids = names.length
  call.batchMax = MAX_BATCH
  if (names.length > MAX_BATCH) throw new ApiError(400, 'TOO_MANY_THING_IDS', 'Too many ids', 'too_many_ids')
  const children = [...new Set(names)].flatMap((name) => {
    const community = world.account('reddit', name, call.t)
    if (
      community?.isCommunity &&
      community.id === name &&
      world.namesAt(community, call.t).status === 'active'
    )
      return [communityView(world, community, call.origin, call.t)]
    const entry = world.entry('reddit', name, call.t)
    if (entry) return [linkView(world, entry, call.origin, call.t)]
    const post = world.post('reddit', name, call.t)
    return post?.deletedAt === undefined ? [] : [removedLinkView(world, post, call.origin, call.t)]
  })
  return { body: listingView(children, null) }
}

/** @throws ApiError where nobody has the name, or no longer */
function knownAccount(world: World, name: string, t: number): Account {
  const account = name.startsWith('t2_') ? undefined : world.account('reddit', name, t)
  const status = account && world.namesAt(account, t).status
  if (!account || account.isCommunity || status === 'deleted' || status === 'deactivated') throw notFound()
  return account
}

function pageSize(call: Call): number {
  const text = call.url.searchParams.get('limit')
  if (text === null) return DEFAULT_PAGE
  const limit = Number(text)
  // It shows as many as it likes, and says nothing.
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    call.note('limit_out_of_range', `limit=${text}`)
    return limit > MAX_PAGE ? MAX_PAGE : DEFAULT_PAGE
  }
  return limit
}

/** `<platform>:<app id>:<version> (…)`, as callers have to name themselves. */
function isProperlyNamed(request: Request): boolean {
  return /^[\w.-]+:[\w.-]+:v\S+ \(.+\)$/.test(request.headers.get('user-agent') ?? '')
}

function requireMethod(call: Call, method: 'GET' | 'POST'): void {
  if (call.request.method !== method) throw new ApiError(405, '', 'Method Not Allowed')
}

function notFound(): ApiError {
  return new ApiError(404, '', 'Not Found')
}
