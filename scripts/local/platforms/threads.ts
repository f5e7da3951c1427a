import { createOAuthServer, type Introspection, type OAuthServer, SIMULATED_CLIENT } from './oauth-server.ts'
import {
  type Answer,
  bearerOf,
  type Call,
  createPlatformHandler,
  type WebHandler,
} from './platform-handler.ts'
import { hashUnit } from './random.ts'
import { createRateLimiter, type RateLimitState } from './rate-limits.ts'
import { createStats, type Stats } from './stats.ts'
import {
  errorView,
  type Fields,
  fieldsOf,
  metaError,
  metricNames,
  pageOf,
  parameterError,
  writeCursor,
} from './threads-request.ts'
import {
  ACCOUNT_METRICS,
  accountInsightsView,
  insightsView,
  POST_METRICS,
  postView,
  profileView,
} from './threads-views.ts'
import type { Account, FeedEntry } from './types.ts'
import type { World } from './world.ts'

export interface ThreadsLimits {
  /** Calls for an account, counted over the window before each. */
  requests: number
  windowMs: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const DEFAULT_THREADS_LIMITS: ThreadsLimits = { requests: 48_000, windowMs: DAY_MS }

export interface ThreadsHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<ThreadsLimits>
  stats?: Stats
  /** Whether lists and posts can be asked for together with their counts, which Threads does not promise. */
  expandsInsights?: boolean
}

const LONG_LIFE_MS = 60 * DAY_MS
/** Pages are now and then shorter than asked for, or empty, and the list goes on behind them. */
const SHORT_PAGE_CHANCE = 0.1
const EMPTY_PAGE_CHANCE = 0.04

const PROFILE_FIELDS = 'id,username,name,threads_profile_picture_url,threads_biography,is_verified'.split(',')
const POST_FIELDS =
  `id,media_product_type,media_type,media_url,permalink,owner,username,text,timestamp,shortcode,thumbnail_url,
   children,is_quote_post,quoted_post,reposted_post,alt_text,link_attachment_url,has_replies,is_reply,replied_to,
   topic_tag`.split(/,\s*/u)

const BASIC = 'threads_basic'
const INSIGHTS = 'threads_manage_insights'
const REPLIES = 'threads_read_replies'

/** A call of somebody who is signed in, for the account of the token. */
interface Asked {
  world: World
  call: Call
  token: Introspection
  account: Account
  expandsInsights: boolean
}

/** Answers as the API of Threads and its sign-in do, from the world as of the handler's clock. */
export function createThreadsHandler(world: World, options: ThreadsHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats(), expandsInsights = true } = options
  const limits = { ...DEFAULT_THREADS_LIMITS, ...options.limits }
  const limiter = createRateLimiter({
    name: 'requests',
    limit: limits.requests,
    windowMs: limits.windowMs,
    anchor: 'sliding',
  })
  const oauth = createOAuthServer({
    platform: 'threads',
    world,
    accessTtlMs: HOUR_MS,
    refreshTtlMs: null,
    codeTtlMs: HOUR_MS,
    rotatesRefreshToken: false,
    requiresPkce: false,
  })

  return createPlatformHandler(
    {
      platform: 'threads',
      route: (call) => routeOf(world, oauth, call, expandsInsights),
      // What counts is whose the token is, not how often it was renewed.
      limit: (call, client, squeezedLimit) => {
        if (!call.url.pathname.startsWith('/v1.0/')) return []
        const account = oauth.introspect(tokenOf(call), call.t)?.accountIds[0]
        return [limiter.take(account ?? client, call.t, { squeezedLimit })]
      },
      limitHeaders: usageHeaders,
      errorBody: errorView,
      refusal: () => metaError(4, undefined, '(#4) Application request limit reached'),
    },
    world,
    now,
    stats,
  )
}

/** Shares of the allowance in per cent, as Meta gives them, and minutes until there is room again. */
function usageHeaders([state]: readonly RateLimitState[], t: number): Record<string, string> {
  if (state === undefined) return {}
  const call_count = Math.ceil((100 * state.used) / state.limit)
  const estimated_time_to_regain_access = state.isExceeded ? Math.ceil((state.resetAt - t) / 60_000) : 0
  const usage = {
    call_count,
    total_cputime: Math.floor(call_count / 2),
    total_time: Math.floor(call_count / 2),
  }
  return {
    'x-app-usage': JSON.stringify(usage),
    'x-business-use-case-usage': JSON.stringify({
      app: [{ type: 'threads', ...usage, estimated_time_to_regain_access }],
    }),
  }
}

function tokenOf(call: Call): string {
  return bearerOf(call) ?? call.url.searchParams.get('access_token') ?? ''
}

function routeOf(world: World, oauth: OAuthServer, call: Call, expandsInsights: boolean): Answer {
  const { pathname } = call.url
  const token = SIGN_IN[pathname]
  if (token !== undefined) {
    call.endpoint = pathname.slice(1)
    return token(world, oauth, call)
  }
  const [, node, edge = ''] = /^\/v1\.0\/(\w+)(?:\/(\w+))?$/u.exec(pathname) ?? []
  if (node === undefined || call.request.method !== 'GET') throw metaError(100, 33, 'Unsupported request')
  const owner = ownerOf(world, oauth, call)
  const asked: Asked = { world, call, ...owner, expandsInsights }
  requireScope(asked, BASIC)
  const isProfile = node === 'me' || node === owner.account.id
  const routes = isProfile ? PROFILE_ROUTES : POST_ROUTES
  const answer = Object.hasOwn(routes, edge) ? routes[edge] : undefined
  if (answer === undefined) throw absent(node)
  call.endpoint = `${isProfile ? 'user' : 'post'}${edge === '' ? '' : `/${edge}`}`
  return { body: answer(asked, node) }
}

const SIGN_IN: Record<string, (world: World, oauth: OAuthServer, call: Call) => Answer> = {
  '/oauth/authorize': (_world, oauth, call) => oauth.authorizePage(call),
  '/oauth/access_token': (_world, oauth, call) => {
    if (call.request.method !== 'POST' || call.form().get('grant_type') !== 'authorization_code')
      throw parameterError('grant_type must be authorization_code')
    const { accessToken, accountIds } = oauth.exchangeCode(call)
    // The id is a number here, and larger than JavaScript can hold.
    const text = `{"access_token":${JSON.stringify(accessToken)},"user_id":${accountIds[0]}}`
    return { text, contentType: 'application/json' }
  },
  '/access_token': (world, oauth, call) => {
    const params = call.url.searchParams
    if (params.get('grant_type') !== 'th_exchange_token') throw parameterError('grant_type is wrong')
    if (params.get('client_secret') !== SIMULATED_CLIENT.secret)
      throw metaError(1, undefined, 'Error validating client secret.', 'bad_auth')
    return longToken(oauth, call, ownerOf(world, oauth, call).token)
  },
  '/refresh_access_token': (world, oauth, call) => {
    if (call.url.searchParams.get('grant_type') !== 'th_refresh_token')
      throw parameterError('grant_type is wrong')
    const { token } = ownerOf(world, oauth, call)
    if (call.t - token.issuedAt < DAY_MS) throw parameterError('The token is less than 24 hours old')
    return longToken(oauth, call, token)
  },
}

function longToken(oauth: OAuthServer, call: Call, { accountIds, scopes, clientId }: Introspection): Answer {
  const access_token = oauth.issueAccessToken({
    at: call.t,
    accountIds,
    scopes,
    clientId,
    ttlMs: LONG_LIFE_MS,
  })
  return { body: { access_token, token_type: 'bearer', expires_in: LONG_LIFE_MS / 1_000 } }
}

/** Whose token it is. @throws ApiError 190 where it is none that is good */
function ownerOf(world: World, oauth: OAuthServer, call: Call): { token: Introspection; account: Account } {
  const token = oauth.introspect(tokenOf(call), call.t)
  const refused = (subcode: number, message: string) => metaError(190, subcode, message, 'bad_auth')
  const account = token && world.account('threads', token.accountIds[0] ?? '', call.t)
  if (!account) throw refused(467, 'Invalid OAuth access token - Cannot parse access token')
  if (token.revoked) throw refused(458, 'The user has not authorized the application.')
  if (token.expired) throw refused(463, 'Error validating access token: Session has expired')
  const { status } = world.namesAt(account, call.t)
  if (status === 'suspended') throw refused(459, 'The user is enrolled in a blocking, logged-in checkpoint')
  if (status !== 'active') throw absent(account.id)
  return { token, account }
}

function requireScope({ token }: Asked, scope: string): void {
  if (!token.scopes.includes(scope))
    throw metaError(10, undefined, `(#10) This action requires the ${scope} permission`, 'bad_auth')
}

function absent(id: string): Error {
  return metaError(
    100,
    33,
    `Unsupported get request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions`,
  )
}

type Route = (asked: Asked, node: string) => object

const PROFILE_ROUTES: Record<string, Route> = {
  '': ({ world, call, account }) =>
    pick(profileView(world, account, call.origin, call.t), fieldsOf(call, PROFILE_FIELDS)),
  threads: (asked) => list(asked, (entry) => entry.kind !== 'reply'),
  replies: (asked) => {
    requireScope(asked, REPLIES)
    return list(asked, (entry) => entry.kind === 'reply')
  },
  threads_insights: (asked) => {
    requireScope(asked, INSIGHTS)
    const { world, call, account } = asked
    const names = metricNames(call.url.searchParams.get('metric') ?? '', ACCOUNT_METRICS)
    return accountInsightsView(world, account, names, call.t)
  },
}

const POST_ROUTES: Record<string, Route> = {
  '': (asked, node) => viewOf(asked, entryOf(asked, node), postFieldsOf(asked)),
  insights: (asked, node) => {
    requireScope(asked, INSIGHTS)
    const names = metricNames(asked.call.url.searchParams.get('metric') ?? '', POST_METRICS)
    return insightsView(entryOf(asked, node), names)
  },
}

function entryOf({ world, call, account }: Asked, id: string): FeedEntry {
  call.ids = 1
  const entry = world.entry('threads', id, call.t)
  if (entry?.account.id !== account.id) throw absent(id)
  return entry
}

function postFieldsOf(asked: Asked): Fields {
  const fields = fieldsOf(asked.call, POST_FIELDS, asked.expandsInsights ? POST_METRICS : [])
  if (fields.metrics !== undefined) requireScope(asked, INSIGHTS)
  return fields
}

function viewOf({ world, call }: Asked, entry: FeedEntry, fields: Fields): object {
  const view = pick(postView(world, entry, call.origin, call.t), fields)
  return fields.metrics === undefined || entry.kind === 'repost'
    ? view
    : { ...view, insights: insightsView(entry, fields.metrics) }
}

function list(asked: Asked, where: (entry: FeedEntry) => boolean): object {
  const { world, call, account } = asked
  const fields = postFieldsOf(asked)
  const { limit, since, until, after } = pageOf(call)
  const before = Math.min((until ?? Number.POSITIVE_INFINITY) * 1_000, after ?? Number.POSITIVE_INFINITY)
  const entries = world.posts(account, {
    t: call.t,
    limit: limit + 1,
    where,
    ...(Number.isFinite(before) && { before }),
    ...(since !== undefined && { after: since * 1_000 - 1 }),
  })
  const shown = entries.slice(0, lengthOf(account, before, after, limit))
  const last = shown.at(-1)?.at ?? (Number.isFinite(before) ? before : call.t + 1)
  const cursors = { before: writeCursor(shown[0]?.at ?? last), after: writeCursor(last) }
  if (entries.length === 0) return { data: [] }
  const next = new URL(call.url)
  next.searchParams.set('after', cursors.after)
  return {
    data: shown.map((entry) => viewOf(asked, entry, fields)),
    paging: { cursors, ...(shown.length < entries.length && { next: next.href }) },
  }
}

/** How many posts a page shows. Only a page that was asked for by time alone may be empty, or none would end. */
function lengthOf(account: Account, before: number, after: number | undefined, limit: number): number {
  const drawn = hashUnit(account.id, 'page', String(before))
  if (after === undefined && drawn < EMPTY_PAGE_CHANCE) return 0
  return drawn > 1 - SHORT_PAGE_CHANCE ? Math.ceil(limit * 0.6) : limit
}

function pick(view: Record<string, unknown>, { names }: Fields): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (name in view ? [[name, view[name]]] : [])))
}
