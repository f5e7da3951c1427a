import { type Answer, ApiError, type Call } from './call.ts'
import { createMetaAuth, type MetaCaller } from './meta-auth.ts'
import { readBatch, wrapBatchItem } from './meta-batch.ts'
import { absentObject, graphError, graphErrorBody } from './meta-errors.ts'
import { type GraphField, parseFields, selectFields } from './meta-fields.ts'
import { listPosts } from './meta-listing.ts'
import type { MetaNetworkViews, ViewContext } from './meta-views.ts'
import { createPlatformHandler, type WebHandler } from './platform-handler.ts'
import { hashUnit } from './random.ts'
import { createRateLimiter, type RateLimitState } from './rate-limits.ts'
import { createStats, type Stats } from './stats.ts'
import type { Account, PostView } from './types.ts'
import type { World } from './world.ts'

export interface MetaLimits {
  /** Calls for an account in 24 hours; each request of a batch is one. */
  account: number
  /** Calls with tokens of people in an hour. */
  people: number
}

export interface MetaHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<MetaLimits>
  stats?: Stats
  /** Accounts became professional then (epoch milliseconds): of older posts there are no insights. */
  professionalSince?: number
  /** The share of the requests within batches that are not answered in time at first. */
  timeouts?: number
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const DEFAULT_LIMITS: MetaLimits = { account: 4_800, people: 200 }
const DEFAULT_TIMEOUTS = 0.01
const VERSION = /^v2[1-6]\.0$/
const FROM_BEFORE = 2_108_006

/** Answers as the Graph API and Facebook's sign-in do, for one of the networks behind them. */
export function createMetaHandler(
  world: World,
  views: MetaNetworkViews,
  options: MetaHandlerOptions = {},
): WebHandler {
  const { now = world.now, stats = createStats(), timeouts = DEFAULT_TIMEOUTS } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const { platform } = views
  const auth = createMetaAuth(platform, world)
  const perAccount = createRateLimiter({
    name: 'account',
    limit: limits.account,
    windowMs: DAY_MS,
    anchor: 'sliding',
  })
  const perApp = createRateLimiter({
    name: 'people',
    limit: limits.people,
    windowMs: HOUR_MS,
    anchor: 'sliding',
  })
  const countedFor = new WeakMap<RateLimitState['rule'], string>()
  /** Requests of batches that were not answered, and are the next time. */
  const late = new Set<string>()

  const contextOf = (call: Call, caller: MetaCaller): ViewContext => ({
    origin: call.origin,
    t: call.t,
    insights: (post, field, figures) => insightsOf(caller, post, field, figures),
  })

  function insightsOf(
    caller: MetaCaller,
    post: PostView,
    { args }: GraphField,
    figures: Readonly<Record<string, number>>,
  ): unknown {
    if (!caller.scopes.includes(views.scopes.insights))
      throw graphError(10, 'Application does not have permission for this action')
    if (post.createdAt < (options.professionalSince ?? Number.NEGATIVE_INFINITY))
      throw graphError(100, 'Media posted before business account conversion', { subcode: FROM_BEFORE })
    const data = (args.get('metric') ?? Object.keys(figures).join(',')).split(',').map((name) => {
      const value = Object.hasOwn(figures, name) ? figures[name] : undefined
      if (value === undefined)
        throw graphError(100, `metric must be one of: ${Object.keys(figures).join(', ')}`)
      return { name, period: 'lifetime', values: [{ value }], id: `${post.id}/insights/${name}/lifetime` }
    })
    return { data }
  }

  const accountsOf = (caller: MetaCaller, t: number): Account[] =>
    caller.accountIds.flatMap((id) => {
      const account = world.account(platform, id, t)
      return account && world.namesAt(account, t).status === 'active' ? [account] : []
    })

  /** An account that the token opens, by its own id, its page's, or its name. */
  function accountOf(call: Call, caller: MetaCaller, reference: string): Account | undefined {
    return accountsOf(caller, call.t).find(
      (account) => account.id === reference || world.namesAt(account, call.t).handle === reference,
    )
  }

  function node(call: Call, caller: MetaCaller, id: string, params: URLSearchParams): unknown {
    const context = contextOf(call, caller)
    const fields = (usual: string) => parseFields(params.get('fields') ?? usual)
    const account = accountOf(call, caller, id)
    if (account) return { ...selectFields(views.account(account, context), fields('id')), id: account.id }
    const page = accountsOf(caller, call.t).find((one) => views.pageIdOf(one) === id)
    if (page) return { ...selectFields(views.page(page, context), fields('id,name')), id }
    const post = /^\d/.test(id) ? world.post(platform, id, call.t) : undefined
    if (post && caller.accountIds.includes(post.account.id) && world.isReadable(post, call.t)) {
      requireScope(caller, views.scopes.posts)
      return { ...selectFields(views.post(post, context), fields(views.defaultPostFields)), id }
    }
    if (/^\d+(?:_\d+)?$/.test(id)) throw absentObject(id)
    throw graphError(803, `Some of the aliases you requested do not exist: ${id}`, { status: 404 })
  }

  function accounts(call: Call, caller: MetaCaller, params: URLSearchParams): unknown {
    requireScope(caller, 'pages_show_list')
    const fields = parseFields(params.get('fields') ?? 'id,name,access_token')
    const data = accountsOf(caller, call.t).map((account) => ({
      ...selectFields(
        {
          ...views.page(account, contextOf(call, caller)),
          access_token: () => auth.pageToken(call, account.id, caller.scopes),
        },
        fields,
      ),
      id: views.pageIdOf(account),
    }))
    return { data, paging: { cursors: { before: 'first', after: 'last' } } }
  }

  /** What is read at a path without version; `params` are its query. */
  function read(call: Call, caller: MetaCaller, path: string, params: URLSearchParams): unknown {
    const [id = '', edge, ...more] = path.split('/').map(decodeURIComponent)
    if (more.length > 0 || id === '') throw graphError(2500, 'Unknown path components')
    if (id === 'me') return readMe(call, caller, edge, params)
    if (edge === undefined) return node(call, caller, id, params)
    const account = accountOf(call, caller, id)
    if (!account) throw absentObject(id)
    if (edge !== views.postsEdge) throw graphError(2500, `Unknown path components: /${edge}`)
    requireScope(caller, views.scopes.posts)
    return listPosts(world, account, views, contextOf(call, caller), call, params)
  }

  function readMe(
    call: Call,
    caller: MetaCaller,
    edge: string | undefined,
    params: URLSearchParams,
  ): unknown {
    if (edge === 'permissions')
      return { data: caller.scopes.map((permission) => ({ permission, status: 'granted' })) }
    if (edge === 'accounts' && caller.kind === 'person') return accounts(call, caller, params)
    const [own] = accountsOf(caller, call.t)
    if (edge === undefined && caller.kind === 'page' && own)
      return node(call, caller, views.pageIdOf(own), params)
    throw graphError(2500, 'Unknown path components')
  }

  function batch(call: Call, caller: MetaCaller): Answer {
    const requests = readBatch(call)
    const answers = requests.map(({ method, relative_url }) => {
      if (hashUnit('late', relative_url, call.t) < timeouts && !late.delete(relative_url)) {
        late.add(relative_url)
        return null
      }
      return wrapBatchItem(() => {
        if (method !== 'GET')
          throw graphError(3, 'Application does not have the capability to make this call')
        const url = new URL(relative_url, 'http://batch.invalid/')
        return read(call, caller, url.pathname.slice(1).replace(/^v\d+\.\d\//, ''), url.searchParams)
      })
    })
    return { body: answers }
  }

  return createPlatformHandler(
    {
      platform,
      route: (call) => {
        const [version = '', ...rest] = call.url.pathname.slice(1).split('/')
        const path = rest.join('/')
        if (!VERSION.test(version)) throw graphError(2500, `Unknown path components: /${version}`)
        if (path === 'dialog/oauth') {
          call.endpoint = 'dialog'
          return auth.server.authorizePage(call)
        }
        if (path === 'oauth/access_token') {
          call.endpoint = 'token'
          return { body: auth.grant(call) }
        }
        const caller = auth.callerOf(call)
        auth.requireProof(call, caller)
        if (path === '' && call.request.method === 'POST') return batch(call, caller)
        if (call.request.method !== 'GET') throw graphError(3, 'Unsupported post request')
        return { body: read(call, caller, path, call.url.searchParams) }
      },

      limit: (call, _client, squeezedLimit) => {
        const path = call.url.pathname.split('/').slice(2).join('/')
        if (path === 'dialog/oauth' || path === 'oauth/access_token') return []
        call.endpoint = endpointOf(call, path)
        const caller = auth.callerOf(call)
        const [accountId = ''] = caller.accountIds
        if (caller.kind === 'person') return [perApp.take('app', call.t, { squeezedLimit })]
        const units = call.request.method === 'POST' ? Math.max(1, readBatch(call).length) : 1
        const state = perAccount.take(accountId, call.t, { units, squeezedLimit })
        return [{ ...state, rule: countFor(state, accountId) }]
      },

      limitHeaders: (states, t) => {
        const [state] = states
        if (!state) return {}
        const percent = Math.floor((state.used * 100) / Math.max(1, state.limit))
        const usage = {
          call_count: percent,
          total_time: Math.floor(percent / 2),
          total_cputime: percent >> 2,
        }
        const accountId = countedFor.get(state.rule)
        if (accountId === undefined) return { 'x-app-usage': JSON.stringify(usage) }
        const minutes = state.isExceeded ? Math.ceil((state.resetAt - t) / 60_000) : 0
        const business = { type: views.usageType, ...usage, estimated_time_to_regain_access: minutes }
        return { 'x-business-use-case-usage': JSON.stringify({ [accountId]: [business] }) }
      },

      errorBody: graphErrorBody,

      refusal: ({ rule }) =>
        countedFor.has(rule)
          ? graphError(views.throttledCode, 'There have been too many calls to this account')
          : graphError(4, 'Application request limit reached'),
    },
    world,
    now,
    stats,
  )

  /** The rule, remembering whose calls were counted, which the headers name. */
  function countFor({ rule }: RateLimitState, accountId: string): RateLimitState['rule'] {
    const own = { ...rule }
    countedFor.set(own, accountId)
    return own
  }

  function endpointOf(call: Call, path: string): string {
    if (call.request.method === 'POST') return 'batch'
    const [id = '', edge] = path.split('/')
    if (id === 'me') return edge === undefined ? 'me' : `me/${edge}`
    return edge ?? 'node'
  }
}

function requireScope(caller: MetaCaller, scope: string): void {
  if (caller.scopes.includes(scope)) return
  throw new ApiError(403, '200', `(#200) Requires the ${scope} permission`, 'bad_auth')
}
