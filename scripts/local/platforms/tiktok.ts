import { createOAuthServer, type Grant, type Introspection, type OAuthServer } from './oauth-server.ts'
import {
  type Answer,
  ApiError,
  bearerOf,
  type Call,
  createPlatformHandler,
  type WebHandler,
} from './platform-handler.ts'
import { hashUnit } from './random.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createStats, type Stats } from './stats.ts'
import { requestedFields, USER_SCOPES, userView, VIDEO_FIELDS, videoView } from './tiktok-views.ts'
import type { Account } from './types.ts'
import type { World } from './world.ts'

export interface TikTokLimits {
  /** Calls to an endpoint, counted over the window before each. */
  requests: number
  windowMs: number
}

const DEFAULT_TIKTOK_LIMITS: TikTokLimits = { requests: 600, windowMs: 60_000 }

export interface TikTokHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<TikTokLimits>
  stats?: Stats
}

const HOUR_MS = 3_600_000
const MAX_PAGE = 20
const DEFAULT_PAGE = 10
const MAX_BATCH = 20
/** Pages are now and then shorter than asked for, as they are where videos are not public. */
const SHORT_PAGE_CHANCE = 0.1

/** What the token endpoint calls its errors, which it writes in a shape of its own. */
const TOKEN_ERRORS: ReadonlySet<string> = new Set([
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'unsupported_grant_type',
])
const PLATFORM_ERRORS: ReadonlySet<string> = new Set([
  'access_token_invalid',
  'scope_not_authorized',
  'invalid_params',
  'rate_limit_exceeded',
])

/** A call to the API by somebody who is signed in. */
interface Asked {
  world: World
  call: Call
  token: Introspection
  account: Account
}

/** Answers as TikTok's Display API and its sign-in do, from the world as of the handler's clock. */
export function createTikTokHandler(world: World, options: TikTokHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats() } = options
  const limits = { ...DEFAULT_TIKTOK_LIMITS, ...options.limits }
  const limiter = createRateLimiter({
    name: 'requests',
    limit: limits.requests,
    windowMs: limits.windowMs,
    anchor: 'sliding',
  })
  const oauth = createOAuthServer({
    platform: 'tiktok',
    world,
    accessTtlMs: 2 * HOUR_MS,
    refreshTtlMs: 180 * 24 * HOUR_MS,
    codeTtlMs: 60_000,
    rotatesRefreshToken: true,
    requiresPkce: false,
  })

  return createPlatformHandler(
    {
      platform: 'tiktok',
      route: (call) => routeOf(world, oauth, call),
      // Every endpoint counts the calls of the application for itself; the page that asks counts none.
      limit: (call, _client, squeezedLimit) =>
        call.url.pathname === '/v2/auth/authorize/'
          ? []
          : [limiter.take(call.url.pathname, call.t, { squeezedLimit })],
      limitHeaders: () => ({}),
      errorBody: (error) => {
        const log_id = '20261122000000EXAMPLE'
        if (TOKEN_ERRORS.has(error.name))
          return { error: error.name, error_description: error.message, log_id }
        const code = PLATFORM_ERRORS.has(error.name) ? error.name : 'internal_error'
        return { data: {}, error: { code, message: error.message, log_id } }
      },
      refusal: () =>
        new ApiError(429, 'rate_limit_exceeded', 'The API rate limit was exceeded. Please try again later.'),
    },
    world,
    now,
    stats,
  )
}

const ROUTES: Record<string, { method: string; answer: (asked: Asked) => object }> = {
  '/v2/user/info/': { method: 'GET', answer: userInfo },
  '/v2/video/list/': { method: 'POST', answer: videoList },
  '/v2/video/query/': { method: 'POST', answer: videoQuery },
}

function routeOf(world: World, oauth: OAuthServer, call: Call): Answer {
  const { pathname } = call.url
  if (pathname === '/v2/auth/authorize/') {
    call.endpoint = 'authorize'
    return oauth.authorizePage(withChallenge(call))
  }
  if (pathname === '/v2/oauth/token/') {
    call.endpoint = 'oauth/token'
    return { body: tokenView(grantToken(oauth, call)) }
  }
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined
  if (route === undefined) throw new ApiError(404, 'invalid_params', 'There is no such endpoint')
  call.endpoint = pathname.replace(/^\/v2\/(.+)\/$/u, '$1')
  if (call.request.method !== route.method)
    throw new ApiError(405, 'invalid_params', `The method has to be ${route.method}`)
  const token = oauth.introspect(bearerOf(call) ?? '', call.t)
  const account = token && world.account('tiktok', token.accountIds[0] ?? '', call.t)
  const isGood =
    token && !token.expired && !token.revoked && account && world.namesAt(account, call.t).status === 'active'
  if (!isGood)
    throw new ApiError(
      401,
      'access_token_invalid',
      'The access token is invalid or not found in the request.',
      'bad_auth',
    )
  const data = route.answer({ world, call, token, account })
  return { body: { data, error: { code: 'ok', message: '', log_id: '20261122000000EXAMPLE' } } }
}

/**
 * TikTok's challenge is the hash in hexadecimal digits. It is changed to the usual form where the code is
 * made, and not for the page: its links carry what came.
 */
function withChallenge(call: Call): Call {
  const challenge = call.url.searchParams.get('code_challenge')
  if (challenge === null) return call
  if (!/^[0-9a-f]{64}$/u.test(challenge))
    throw new ApiError(400, 'invalid_request', 'code_challenge', 'bad_parameter')
  if (!call.url.searchParams.has('approve')) return call
  const url = new URL(call.url)
  url.searchParams.set('code_challenge', Buffer.from(challenge, 'hex').toString('base64url'))
  return { ...call, url }
}

function grantToken(oauth: OAuthServer, call: Call): Grant {
  switch (call.form().get('grant_type')) {
    case 'authorization_code':
      return oauth.exchangeCode(call)
    case 'refresh_token':
      return oauth.refresh(call)
    default:
      throw new ApiError(400, 'unsupported_grant_type', 'Unknown grant_type', 'bad_parameter')
  }
}

function tokenView(grant: Grant): object {
  return {
    access_token: grant.accessToken,
    expires_in: grant.expiresInSeconds,
    open_id: grant.accountIds[0],
    refresh_token: grant.refreshToken,
    refresh_expires_in: grant.refreshExpiresInSeconds,
    scope: grant.scopes.join(','),
    token_type: 'Bearer',
  }
}

function userInfo({ world, call, token, account }: Asked): object {
  const fields = requestedFields(call, Object.keys(USER_SCOPES))
  for (const field of fields) requireScope(token, USER_SCOPES[field] ?? '')
  return { user: pick(userView(world, account, call.origin, call.t), fields) }
}

function videoList({ world, call, token, account }: Asked): object {
  requireScope(token, 'video.list')
  const fields = requestedFields(call, VIDEO_FIELDS)
  const { max_count: count = DEFAULT_PAGE, cursor } = bodyOf(call)
  if (!Number.isInteger(count) || Number(count) < 1 || Number(count) > MAX_PAGE)
    throw new ApiError(400, 'invalid_params', `max_count is at most ${MAX_PAGE}`, 'limit_out_of_range')
  const before = cursor === undefined ? undefined : Number(cursor)
  if (typeof cursor === 'string' || (before !== undefined && !Number.isSafeInteger(before)))
    throw new ApiError(400, 'invalid_params', 'The cursor is no number', 'bad_cursor')
  const limit = Number(count)
  const entries = world.posts(account, {
    t: call.t,
    limit: limit + 1,
    ...(before === undefined ? {} : { before }),
  })
  const isShort = hashUnit(account.id, String(before)) < SHORT_PAGE_CHANCE
  const shown = entries.slice(0, isShort ? Math.ceil(limit / 2) : limit)
  return {
    videos: shown.map(({ post }) => pick(videoView(world, post, call.origin, call.t), fields)),
    cursor: shown.at(-1)?.at ?? before ?? 0,
    has_more: shown.length < entries.length,
  }
}

function videoQuery({ world, call, token, account }: Asked): object {
  requireScope(token, 'video.list')
  const fields = requestedFields(call, VIDEO_FIELDS)
  const { filters } = bodyOf(call)
  const ids: unknown = isRecord(filters) ? filters.video_ids : undefined
  if (!Array.isArray(ids) || ids.length === 0)
    throw new ApiError(400, 'invalid_params', 'filters.video_ids is missing', 'bad_parameter')
  call.ids = ids.length
  call.batchMax = MAX_BATCH
  if (ids.length > MAX_BATCH)
    throw new ApiError(400, 'invalid_params', `video_ids has at most ${MAX_BATCH} items`, 'too_many_ids')
  if (!ids.every((id) => typeof id === 'string' && /^\d+$/u.test(id)))
    throw new ApiError(400, 'invalid_params', 'video_ids are strings of digits', 'bad_parameter')
  const posts = [...new Set(ids)].flatMap((id) => {
    const post = world.post('tiktok', id, call.t)
    return post && post.account.id === account.id && world.isReadable(post, call.t) ? [post] : []
  })
  return { videos: posts.map((post) => pick(videoView(world, post, call.origin, call.t), fields)) }
}

function requireScope({ scopes }: Introspection, scope: string): void {
  if (!scopes.includes(scope))
    throw new ApiError(
      401,
      'scope_not_authorized',
      `The user did not authorize the scope required: ${scope}`,
      'bad_auth',
    )
}

function bodyOf(call: Call): Record<string, unknown> {
  if (call.body === '') return {}
  const isJson = (call.request.headers.get('content-type') ?? '').startsWith('application/json')
  const body = isJson ? call.json() : undefined
  if (!isRecord(body)) throw new ApiError(400, 'invalid_params', 'The body has to be JSON', 'bad_parameter')
  return body
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pick(view: Record<string, unknown>, fields: readonly string[]): object {
  return Object.fromEntries(fields.map((field) => [field, view[field]]))
}
