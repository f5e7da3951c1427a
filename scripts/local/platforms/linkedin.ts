import { batchOf, decodeValue, invalid, pageOf, pageView, parameterOf } from './linkedin-request.ts'
import {
  lastModifiedAt,
  organizationUrnOf,
  organizationView,
  postView,
  statisticsView,
} from './linkedin-views.ts'
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
import { createStats, type Stats } from './stats.ts'
import type { Account, PostView } from './types.ts'
import type { World } from './world.ts'

export interface LinkedInLimits {
  /** Calls in a UTC day, of the application and of a member. */
  application: number
  member: number
}

/** Those of the development tier. */
const DEFAULT_LINKEDIN_LIMITS: LinkedInLimits = { application: 500, member: 100 }

export interface LinkedInHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<LinkedInLimits>
  stats?: Stats
  /** Whether refresh tokens are given, as they are to approved partners. */
  givesRefreshTokens?: boolean
}

const DAY_MS = 86_400_000
const MAX_BATCH = 20
const MAX_PAGE = 100
const DEFAULT_PAGE = 10
/** Older versions are retired. */
const OLDEST_VERSION = '202511'
const STATISTICS_REACH_MS = 365 * DAY_MS

const SERVICE_ERROR_CODES: Record<string, number> = {
  ACCESS_DENIED: 100,
  TOO_MANY_REQUESTS: 101,
  INVALID_ACCESS_TOKEN: 65_600,
  REVOKED_ACCESS_TOKEN: 65_601,
  EXPIRED_ACCESS_TOKEN: 65_602,
}

const SOCIAL = ['r_organization_social']
const ADMIN = ['rw_organization_admin', 'r_organization_admin']

type Introspection = NonNullable<ReturnType<OAuthServer['introspect']>>

/** A call of a member, whose token was looked at. */
interface Asked {
  world: World
  call: Call
  token: Introspection
  /** What the path names, if anything. */
  key: string | undefined
}

/** Answers as LinkedIn's versioned API and its sign-in do, from the world as of the handler's clock. */
export function createLinkedInHandler(world: World, options: LinkedInHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats(), givesRefreshTokens = true } = options
  const limits = { ...DEFAULT_LINKEDIN_LIMITS, ...options.limits }
  const day = { windowMs: DAY_MS, anchor: 'day', timeZone: 'UTC' } as const
  const application = createRateLimiter({ name: 'application', limit: limits.application, ...day })
  const member = createRateLimiter({ name: 'member', limit: limits.member, ...day })
  const oauth = createOAuthServer({
    platform: 'linkedin',
    world,
    accessTtlMs: 60 * DAY_MS,
    refreshTtlMs: givesRefreshTokens ? 365 * DAY_MS : null,
    codeTtlMs: 30 * 60_000,
    rotatesRefreshToken: false,
    requiresPkce: false,
  })

  return createPlatformHandler(
    {
      platform: 'linkedin',
      route: (call) => routeOf(world, oauth, call),
      // Signing in counts against no quota, nor does what nobody is signed in for.
      limit: (call, _client, squeezedLimit) => {
        const token = oauth.introspect(bearerOf(call) ?? '', call.t)
        if (token === undefined || !call.url.pathname.startsWith('/rest/')) return []
        const who = [...token.accountIds].sort().join()
        return [
          application.take(token.clientId, call.t, { squeezedLimit }),
          member.take(who, call.t, { squeezedLimit }),
        ]
      },
      // LinkedIn says nothing of its quotas until they are used up.
      limitHeaders: () => ({}),
      errorBody: (error) =>
        /^[a-z_]+$/.test(error.name)
          ? { error: error.name, error_description: error.message }
          : {
              status: error.status,
              serviceErrorCode: SERVICE_ERROR_CODES[error.name] ?? 0,
              code: error.name,
              message: error.message,
            },
      refusal: ({ rule }) =>
        new ApiError(
          429,
          'TOO_MANY_REQUESTS',
          `Resource level throttle ${rule.name.toUpperCase()} DAY limit for calls to this resource is reached.`,
        ),
    },
    world,
    now,
    stats,
  )
}

function routeOf(world: World, oauth: OAuthServer, call: Call): Answer {
  const { pathname } = call.url
  if (pathname === '/oauth/v2/authorization') {
    call.endpoint = 'authorization'
    return oauth.authorizePage(call)
  }
  if (pathname === '/oauth/v2/accessToken') {
    call.endpoint = 'accessToken'
    return { body: tokenView(grantToken(oauth, call)) }
  }
  const [, resource = '', key] = /^\/rest\/(\w+)(?:\/([^/]+))?$/u.exec(pathname) ?? []
  const route = Object.hasOwn(ROUTES, resource) ? ROUTES[resource] : undefined
  if (route === undefined) throw new ApiError(404, 'RESOURCE_NOT_FOUND', 'No virtual resource found')
  call.endpoint = key === undefined ? resource : `${resource}/id`
  if (call.request.method !== 'GET') throw new ApiError(405, 'METHOD_NOT_ALLOWED', 'Method not allowed')
  const token = readToken(oauth, call)
  checkHeaders(call)
  return route({ world, call, token, key: key === undefined ? undefined : decodeValue(key) })
}

function grantToken(oauth: OAuthServer, call: Call): ReturnType<OAuthServer['refresh']> {
  const form = call.form()
  // Apps with a secret are refused when they send a verifier as well.
  if (form.has('code_verifier'))
    throw new ApiError(401, 'invalid_client', 'Client authentication failed', 'bad_auth')
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return oauth.exchangeCode(call)
    case 'refresh_token':
      return oauth.refresh(call)
    default:
      throw new ApiError(400, 'unsupported_grant_type', 'Unknown grant_type', 'bad_parameter')
  }
}

function tokenView(grant: ReturnType<OAuthServer['refresh']>): object {
  return {
    access_token: grant.accessToken,
    expires_in: grant.expiresInSeconds,
    ...(grant.refreshToken !== undefined && {
      refresh_token: grant.refreshToken,
      refresh_token_expires_in: grant.refreshExpiresInSeconds,
    }),
    scope: grant.scopes.join(','),
    token_type: 'Bearer',
  }
}

function readToken(oauth: OAuthServer, call: Call): Introspection {
  const token = oauth.introspect(bearerOf(call) ?? '', call.t)
  const refused = (name: string, message: string) => new ApiError(401, name, message, 'bad_auth')
  if (token === undefined) throw refused('INVALID_ACCESS_TOKEN', 'Invalid access token')
  if (token.revoked)
    throw refused('REVOKED_ACCESS_TOKEN', 'The token used in the request has been revoked by the user')
  if (token.expired) throw refused('EXPIRED_ACCESS_TOKEN', 'The token used in the request has expired')
  return token
}

function checkHeaders({ request: { headers } }: Call): void {
  const version = headers.get('linkedin-version')
  if (version === null)
    throw new ApiError(400, 'VERSION_MISSING', 'A version must be present', 'bad_parameter')
  if (!/^20\d\d(?:0[1-9]|1[0-2])$/u.test(version) || version < OLDEST_VERSION)
    throw new ApiError(426, 'NONEXISTENT_VERSION', `Requested version ${version} is not active`)
  if (headers.get('x-restli-protocol-version') !== '2.0.0')
    throw invalid('X-Restli-Protocol-Version has to be 2.0.0')
}

const ROUTES: Record<string, (asked: Asked) => Answer> = {
  organizationAcls: ({ world, call, token }) => {
    requireScope(token, ADMIN)
    if (parameterOf(call, 'q') !== 'roleAssignee') throw invalid('q has to be roleAssignee')
    const role = parameterOf(call, 'role') ?? 'ADMINISTRATOR'
    const state = parameterOf(call, 'state') ?? 'APPROVED'
    const accounts = token.accountIds.flatMap((id) => world.account('linkedin', id, call.t) ?? [])
    const isAsked = role === 'ADMINISTRATOR' && state === 'APPROVED'
    const roles = (isAsked ? accounts : []).map((account) => ({
      roleAssignee: 'urn:li:person:simulated',
      organization: organizationUrnOf(account),
      role,
      state,
    }))
    return { body: pageView(call, pageOf(call, DEFAULT_PAGE, MAX_PAGE), roles) }
  },

  organizations: ({ world, call, token, key }) => {
    requireScope(token, ADMIN)
    if (key !== undefined) return { body: organizationView(world, activeAccount(world, call, key), call.t) }
    const ids = batchOf(call, 'ids', MAX_BATCH)
    if (ids !== undefined) {
      const found = ids.flatMap((id) => {
        const account = world.account('linkedin', id, call.t)
        return account && isActive(world, account, call.t)
          ? [[id, organizationView(world, account, call.t)] as const]
          : []
      })
      return { body: batchView(ids, new Map(found)) }
    }
    if (parameterOf(call, 'q') !== 'vanityName') throw invalid('q has to be vanityName')
    const account = world.account('linkedin', parameterOf(call, 'vanityName') ?? '', call.t)
    const known =
      account && isActive(world, account, call.t) ? [organizationView(world, account, call.t)] : []
    return { body: pageView(call, pageOf(call, DEFAULT_PAGE, MAX_PAGE), known) }
  },

  networkSizes: ({ world, call, token, key }) => {
    requireScope(token, ADMIN)
    if (parameterOf(call, 'edgeType') !== 'COMPANY_FOLLOWED_BY_MEMBER') throw invalid('Unknown edgeType')
    const account = activeAccount(world, call, organizationId(key))
    return { body: { firstDegreeSize: world.profileAt(account, call.t).followers } }
  },

  posts: (asked) => {
    const { world, call, token } = asked
    requireScope(token, SOCIAL)
    const ids = batchOf(call, 'ids', MAX_BATCH)
    if (ids !== undefined) {
      if (call.request.headers.get('x-restli-method') !== 'BATCH_GET') throw invalid('This is a BATCH_GET')
      const found = ids.flatMap((id) => {
        const post = readablePost(asked, id)
        return post ? [[id, postView(post)] as const] : []
      })
      return { body: batchView(ids, new Map(found)) }
    }
    if (parameterOf(call, 'q') !== 'author') throw invalid('q has to be author')
    const account = administered(asked, organizationId(parameterOf(call, 'author')))
    const page = pageOf(call, DEFAULT_PAGE, MAX_PAGE)
    const posts = world.posts(account, { t: call.t, limit: Number.POSITIVE_INFINITY }).map(({ post }) => post)
    if (parameterOf(call, 'sortBy') === 'LAST_MODIFIED')
      posts.sort((a, b) => lastModifiedAt(b) - lastModifiedAt(a))
    return { body: pageView(call, page, posts.map(postView)) }
  },

  organizationalEntityShareStatistics: (asked) => {
    const { call, token } = asked
    requireScope(token, ADMIN)
    if (parameterOf(call, 'q') !== 'organizationalEntity') throw invalid('q has to be organizationalEntity')
    const account = administered(asked, organizationId(parameterOf(call, 'organizationalEntity')))
    const shares = batchOf(call, 'shares', MAX_BATCH)
    const ids = shares ?? batchOf(call, 'ugcPosts', MAX_BATCH)
    if (ids === undefined) throw invalid('Only statistics of posts are simulated')
    const kind = shares === undefined ? 'urn:li:ugcPost:' : 'urn:li:share:'
    if (ids.some((id) => !id.startsWith(kind))) throw invalid(`Only ${kind} may stand there`)
    const known = ids.flatMap((id) => {
      const post = readablePost(asked, id)
      const isShown = post?.account === account && call.t - post.createdAt < STATISTICS_REACH_MS
      return isShown ? (statisticsView(post) ?? []) : []
    })
    return { body: pageView(call, pageOf(call, DEFAULT_PAGE, MAX_PAGE), known) }
  },
}

function requireScope(token: Introspection, scopes: readonly string[]): void {
  if (!scopes.some((scope) => token.scopes.includes(scope)))
    throw new ApiError(403, 'ACCESS_DENIED', 'Not enough permissions to access this resource', 'bad_auth')
}

function organizationId(urn: string | undefined): string {
  const id = /^urn:li:organization:(\d+)$/u.exec(urn ?? '')?.[1]
  if (id === undefined) throw invalid('An organization URN is needed')
  return id
}

function isActive(world: World, account: Account, t: number): boolean {
  return world.namesAt(account, t).status === 'active'
}

function activeAccount(world: World, call: Call, id: string): Account {
  const account = /^\d+$/u.test(id) ? world.account('linkedin', id, call.t) : undefined
  if (account && isActive(world, account, call.t)) return account
  throw new ApiError(404, 'NOT_FOUND', 'Not found')
}

/** The account of an organization that the member administers. */
function administered({ world, call, token }: Asked, id: string): Account {
  const account = activeAccount(world, call, id)
  if (token.accountIds.includes(account.id)) return account
  throw new ApiError(403, 'ACCESS_DENIED', 'The member is no administrator of the organization', 'bad_auth')
}

function readablePost({ world, call, token }: Asked, id: string): PostView | undefined {
  const post = world.post('linkedin', id, call.t)
  if (!post || !world.isReadable(post, call.t)) return undefined
  return token.accountIds.includes(post.account.id) ? post : undefined
}

function batchView(ids: readonly string[], found: ReadonlyMap<string, object>): object {
  const missing = ids.filter((id) => !found.has(id))
  return {
    results: Object.fromEntries(found),
    statuses: Object.fromEntries(ids.map((id) => [id, found.has(id) ? 200 : 404])),
    errors: Object.fromEntries(missing.map((id) => [id, { status: 404, message: 'Not found' }])),
  }
}
