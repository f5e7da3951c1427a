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
import type { Account, FeedEntry } from './types.ts'
import type { World } from './world.ts'
import { createXCharges, type XCharges } from './x-charges.ts'
import {
  InvalidParameter,
  readWanted,
  type Wanted,
  X_WORDS,
  type XSpelling,
  type XStrictness,
  type XWords,
} from './x-fields.ts'
import { readIds, readNames, readTimeline, timelineOf } from './x-parameters.ts'
import { createXViews, referencesOf } from './x-views.ts'

/** Calls in a window, each by endpoint and token. */
export interface XLimits {
  posts: number
  timelines: number
  users: number
  windowMs: number
}

const DEFAULT_X_LIMITS: XLimits = { posts: 3_500, timelines: 10_000, users: 300, windowMs: 900_000 }

/** What the simulated app reads with, unless a handler is told otherwise. */
export const SIMULATED_BEARER_TOKEN = 'simulated-x-bearer-token'

export interface XHandlerOptions {
  /** The clock in epoch milliseconds; the world's own by default. */
  now?: () => number
  limits?: Partial<XLimits>
  stats?: Stats
  /** Tokens that are accepted. */
  bearerTokens?: readonly string[]
  /** How things are named here; `tweet` by default. */
  spelling?: XSpelling
  strictness?: XStrictness
  /** Keys of accounts whose posts only their followers see. */
  protectedKeys?: readonly string[]
  /** Where the bill is kept. */
  charges?: XCharges
}

type Kind = 'posts' | 'timelines' | 'users'

interface Route {
  endpoint: string
  kind: Kind
  answer(call: Call, argument: string): Answer
}

/** An entry of `errors` in an answer that is otherwise a success. */
interface Trouble {
  resource: string
  parameter: string
  value: string
  type: 'resource-not-found' | 'not-authorized-for-resource' | 'suspended'
}

/** Answers as X's API v2 does to an app, from the world as of the handler's clock. */
export function createXHandler(world: World, options: XHandlerOptions = {}): WebHandler {
  const { now = world.now, stats = createStats(), bearerTokens = [SIMULATED_BEARER_TOKEN] } = options
  const {
    spelling = 'tweet',
    strictness = 'refuses',
    protectedKeys = [],
    charges = createXCharges(),
  } = options
  const limits = { ...DEFAULT_X_LIMITS, ...options.limits }
  const words = X_WORDS[spelling]
  const { windowMs } = limits
  const limiterOf = (name: Kind) =>
    createRateLimiter({ name, limit: limits[name], windowMs, anchor: 'first-request' })
  const limiters = { posts: limiterOf('posts'), timelines: limiterOf('timelines'), users: limiterOf('users') }

  const isProtected = (account: Account): boolean => protectedKeys.includes(account.key)

  /** Why an account's profile, or with `forPosts` its posts, are not shown; undefined where they are. */
  const troubleOf = (
    account: Account | undefined,
    t: number,
    named: { parameter: string; value: string },
    forPosts = false,
  ): Trouble | undefined => {
    const trouble = (type: Trouble['type']): Trouble => ({ resource: 'user', ...named, type })
    if (!account) return trouble('resource-not-found')
    const { status } = world.namesAt(account, t)
    if (status === 'suspended') return trouble('suspended')
    if (status !== 'active') return trouble('resource-not-found')
    return forPosts && isProtected(account) ? trouble('not-authorized-for-resource') : undefined
  }

  const viewsOf = (call: Call, wanted: Wanted) =>
    createXViews(world, { origin: call.origin, t: call.t, words, wanted })

  const showUsers = (
    call: Call,
    wanted: Wanted,
    named: readonly { account: Account | undefined; parameter: string; value: string }[],
  ): { users: object[]; errors: object[] } => {
    const views = viewsOf(call, wanted)
    const users: object[] = []
    const errors: object[] = []
    for (const { account, parameter, value } of named) {
      const trouble = troubleOf(account, call.t, { parameter, value })
      if (trouble || !account) {
        if (trouble) errors.push(troubleView(trouble, words))
        continue
      }
      charges.charge('user', account.id, call.t)
      users.push(views.user(account, isProtected(account)))
    }
    return { users, errors }
  }

  const showPosts = (
    call: Call,
    wanted: Wanted,
    entries: readonly FeedEntry[],
  ): { data: object[]; includes: object; errors: object[] } => {
    const views = viewsOf(call, wanted)
    const errors: object[] = []
    const included = new Map<string, FeedEntry>()
    const authors = new Map<string, Account>()
    for (const entry of entries) {
      charges.charge('post', entry.id, call.t)
      if (wanted.expansions.has('author_id')) authors.set(entry.account.id, entry.account)
      if (!wanted.expansions.has(words.referenceExpansion)) continue
      for (const { id } of referencesOf(entry)) {
        const referenced = world.entry('x', id, call.t)
        if (referenced && !isProtected(referenced.account)) included.set(id, referenced)
        else errors.push(missingPost(id, words.referenceExpansion, words))
      }
    }
    for (const id of included.keys()) charges.charge('post', id, call.t)
    for (const id of authors.keys()) charges.charge('user', id, call.t)
    const media = wanted.expansions.has('attachments.media_keys') ? entries.flatMap(views.media) : []
    const posts = [...included.values()].map(views.post)
    const users = [...authors.values()].map((account) => views.user(account, isProtected(account)))
    return {
      data: entries.map(views.post),
      includes: {
        ...(media.length > 0 && { media }),
        ...(posts.length > 0 && { [words.includedPosts]: posts }),
        ...(users.length > 0 && { users }),
      },
      errors,
    }
  }

  const oneUser = (call: Call, account: Account | undefined, parameter: string, value: string): Answer => {
    const wanted = readWanted(call, words, strictness, [])
    const { users, errors } = showUsers(call, wanted, [{ account, parameter, value }])
    return { body: users[0] ? { data: users[0] } : { errors } }
  }

  const manyUsers = (call: Call, parameter: 'ids' | 'usernames'): Answer => {
    const wanted = readWanted(call, words, strictness, [parameter])
    const values = parameter === 'ids' ? readIds(call) : readNames(call)
    const named = values.map((value) => ({ account: world.account('x', value, call.t), parameter, value }))
    const { users, errors } = showUsers(call, wanted, named)
    return { body: { ...(users.length > 0 && { data: users }), ...(errors.length > 0 && { errors }) } }
  }

  const timeline = (call: Call, id: string): Answer => {
    const wanted = readWanted(call, words, strictness, TIMELINE_PARAMETERS)
    const query = readTimeline(call)
    const account = /^\d+$/.test(id) ? world.account('x', id, call.t) : undefined
    const trouble = troubleOf(account, call.t, { parameter: 'id', value: id }, true)
    if (trouble || !account) return { body: { errors: trouble ? [troubleView(trouble, words)] : [] } }
    const { entries, nextToken } = timelineOf(world, account, query, call.t)
    const [newest, oldest] = [entries[0], entries.at(-1)]
    const { data, includes, errors } = showPosts(call, wanted, entries)
    return {
      body: {
        ...(data.length > 0 && { data }),
        ...(Object.keys(includes).length > 0 && { includes }),
        ...(errors.length > 0 && { errors }),
        meta: {
          result_count: data.length,
          ...(newest && oldest && { newest_id: newest.id, oldest_id: oldest.id }),
          ...(nextToken !== undefined && { next_token: nextToken }),
        },
      },
    }
  }

  const posts = (call: Call): Answer => {
    const wanted = readWanted(call, words, strictness, ['ids'])
    const missing: object[] = []
    const entries = readIds(call).flatMap((id) => {
      const entry = world.entry('x', id, call.t)
      if (!entry) missing.push(missingPost(id, 'ids', words))
      else if (isProtected(entry.account)) missing.push(hiddenPost(id, words))
      else return [entry]
      return []
    })
    const { data, includes, errors } = showPosts(call, wanted, entries)
    const all = [...missing, ...errors]
    return {
      body: {
        ...(data.length > 0 && { data }),
        ...(Object.keys(includes).length > 0 && { includes }),
        ...(all.length > 0 && { errors: all }),
      },
    }
  }

  const routes: [RegExp, Route][] = [
    [
      /^\/2\/users\/by\/username\/([^/]+)$/,
      {
        endpoint: '/2/users/by/username/:username',
        kind: 'users',
        answer: (call, name) => oneUser(call, nameOf(world, name, call.t), 'username', name),
      },
    ],
    [
      /^\/2\/users\/by$/,
      { endpoint: '/2/users/by', kind: 'users', answer: (call) => manyUsers(call, 'usernames') },
    ],
    [/^\/2\/users$/, { endpoint: '/2/users', kind: 'users', answer: (call) => manyUsers(call, 'ids') }],
    [/^\/2\/users\/(\d+)\/tweets$/, { endpoint: '/2/users/:id/tweets', kind: 'timelines', answer: timeline }],
    [
      /^\/2\/users\/(\d+)$/,
      {
        endpoint: '/2/users/:id',
        kind: 'users',
        answer: (call, id) => oneUser(call, world.account('x', id, call.t), 'id', id),
      },
    ],
    [/^\/2\/tweets$/, { endpoint: '/2/tweets', kind: 'posts', answer: posts }],
  ]
  const find = (call: Call): { route: Route; argument: string } | undefined => {
    for (const [pattern, route] of routes) {
      const match = pattern.exec(call.url.pathname)
      if (match) return { route, argument: match[1] ?? '' }
    }
    return undefined
  }

  return createPlatformHandler(
    {
      platform: 'x',
      route: (call) => {
        const found = call.request.method === 'GET' ? find(call) : undefined
        if (!found) return { status: 404, text: '', contentType: 'text/plain' }
        call.endpoint = found.route.endpoint
        if (!bearerTokens.includes(bearerOf(call) ?? ''))
          throw new ApiError(401, 'unauthorized', 'Unauthorized', 'bad_auth')
        return found.route.answer(call, found.argument)
      },
      limit: (call, client, squeezedLimit) => {
        const { route } = find(call) ?? {}
        if (!route) return []
        return [limiters[route.kind].take(`${client} ${route.endpoint}`, call.t, { squeezedLimit })]
      },
      limitHeaders: ([state]) => ({
        ...(state && {
          'x-rate-limit-limit': String(state.limit),
          'x-rate-limit-remaining': String(state.remaining),
          'x-rate-limit-reset': String(Math.ceil(state.resetAt / 1_000)),
        }),
      }),
      errorBody: (error) => problemView(error, words),
    },
    world,
    now,
    stats,
  )
}

const TIMELINE_PARAMETERS = ['max_results', 'pagination_token', 'since_id', 'until_id', 'exclude']

/** By name only: X takes no id in a name's place. */
function nameOf(world: World, name: string, t: number): Account | undefined {
  if (!/^\w{1,15}$/.test(name))
    throw new InvalidParameter(
      'username',
      name,
      `The \`username\` query parameter value [${name}] does not match ^[A-Za-z0-9_]{1,15}$`,
    )
  return world.account('x', name, t)
}

function troubleView({ resource, parameter, value, type }: Trouble, words: XWords): object {
  const details: Record<Trouble['type'], { title: string; detail: string }> = {
    'resource-not-found': {
      title: 'Not Found Error',
      detail: `Could not find ${resource} with ${parameter}: [${value}].`,
    },
    suspended: { title: 'Forbidden', detail: `User has been suspended: [${value}].` },
    'not-authorized-for-resource': {
      title: 'Authorization Error',
      detail: `Sorry, you are not authorized to see the ${resource} with ${parameter}: [${value}].`,
    },
  }
  return {
    ...details[type],
    value,
    parameter,
    resource_id: value,
    resource_type: resource,
    type: `${words.problems}${type === 'suspended' ? 'resource-not-found' : type}`,
  }
}

function missingPost(id: string, parameter: string, words: XWords): object {
  return troubleView({ resource: words.resource, parameter, value: id, type: 'resource-not-found' }, words)
}

function hiddenPost(id: string, words: XWords): object {
  const type = 'not-authorized-for-resource'
  return troubleView({ resource: words.resource, parameter: 'ids', value: id, type }, words)
}

const TITLES: Record<number, string> = { 401: 'Unauthorized', 429: 'Too Many Requests' }

/** The answer to a call that failed as a whole. */
function problemView(error: ApiError, words: XWords): object {
  const { status, message } = error
  if (error instanceof InvalidParameter)
    return {
      errors: [{ parameters: { [error.parameter]: [error.value] }, message }],
      title: 'Invalid Request',
      detail: 'One or more parameters to your request was invalid.',
      type: `${words.problems}invalid-request`,
    }
  if (status === 402)
    return {
      title: 'CreditsDepleted',
      detail: 'Your enrolled account does not have any credits to fulfill this request.',
      type: `${words.problems}credits`,
    }
  const title = TITLES[status] ?? message
  return { title, detail: title, type: 'about:blank', status }
}
