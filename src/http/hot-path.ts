import type { Context } from 'hono'
import { LRUCache } from 'lru-cache'
import { atMost } from '../lib/lru.ts'
import type { CacheRead, LimitPolicy, SendableEntry } from '../ports.ts'
import { cacheStatusOf } from './cached.ts'
import type { HttpDeps, HttpEnv } from './context.ts'
import { acceptsGzip, gzipEtag, MIN_COMPRESSED_BYTES, namesEtag } from './encoding.ts'
import { rateLimitOf, requestIdOf } from './own-headers.ts'

/** What was asked for is asked again in full after this long: what it means may depend on the time. */
const LEARNT_FOR_MS = 5_000
const MAX_LEARNT = 2_000

/** Of each answer on its own, and not of those to the same question. */
const OWN_HEADERS = ['content-encoding', 'etag', 'ratelimit', 'server-timing', 'x-request-id']

/** A request that was answered from the cache lately, and all that its next answer takes. */
interface Learnt {
  atMs: number
  request: CacheRead
  /** What the directory said of the caller: another one may mean other rights. */
  standing: object
  callerId: string
  limit: LimitPolicy
  /** Headers of an answer from memory, without its own. */
  headers: Headers
}

/** An entry's headers in each form that it is sent in. */
interface Prepared {
  plain: Headers
  gzip: Headers
  unchanged: Headers
}

/**
 * Answers again what was answered a moment ago, before the framework is asked: the same address, asked by the
 * same caller, whose answer is still in memory. What decides is asked each time (who it is, whether they may
 * go on, whether the answer still serves); only what cannot have changed is remembered: which question an
 * address means, and which headers its answer has. Anything else goes the long way.
 */
export function createHotPath() {
  const learnt = new LRUCache<string, Learnt>(atMost(MAX_LEARNT))

  /** Gone with the entries, of which memory keeps as many as it may. */
  const prepared = new WeakMap<SendableEntry, WeakMap<Learnt, Prepared>>()

  function preparedFor(entry: SendableEntry, known: Learnt): Prepared {
    let forms = prepared.get(entry)
    if (forms === undefined) {
      forms = new WeakMap()
      prepared.set(entry, forms)
    }
    let made = forms.get(known)
    if (made === undefined) {
      made = prepare(entry, known.headers)
      forms.set(known, made)
    }
    return made
  }

  return {
    /** What was learnt of a request, for `answer`; `null`: nothing. */
    recall(request: Request): Learnt | null {
      return request.method === 'GET' ? (learnt.get(keyOf(request)) ?? null) : null
    },

    /** @returns `null`: it goes the long way, and nothing was charged */
    async answer(known: Learnt, request: Request, deps: HttpDeps): Promise<Response | null> {
      const { headers } = request
      if (deps.services.clock.now() - known.atMs >= LEARNT_FOR_MS) return null
      if ((await standingOf(headers, deps)) !== known.standing) return null
      const entry = deps.cache.peek(known.request)
      if (entry === null) return null
      const takesGzip =
        entry.bytes.length >= MIN_COMPRESSED_BYTES && acceptsGzip(headers.get('accept-encoding'))
      if (takesGzip && entry.gzip === null) return null
      const verdict = deps.limiter.charge(known.limit, known.callerId)
      if (!verdict.allowed) return null

      const forms = preparedFor(entry, known)
      const ifNoneMatch = headers.get('if-none-match')
      const unchanged = ifNoneMatch !== null && namesEtag(ifNoneMatch, entry.etag)
      const init = {
        status: unchanged ? 304 : 200,
        headers: unchanged ? forms.unchanged : takesGzip ? forms.gzip : forms.plain,
        encodeBody: takesGzip ? ('manual' as const) : ('automatic' as const),
      }
      const response = new Response(unchanged ? null : takesGzip ? entry.gzip : entry.bytes, init)
      if (unchanged && takesGzip) response.headers.set('etag', gzipEtag(entry.etag))
      response.headers.set('x-request-id', requestIdOf(headers.get('x-request-id')))
      response.headers.set('ratelimit', rateLimitOf(verdict))
      return response
    },

    /** Remembers a request whose answer came from the cache, with all its headers. */
    learn(c: Pick<Context<HttpEnv>, 'req' | 'res' | 'var'>): void {
      const { cached, caller, limit, deps } = c.var
      const { status, headers } = c.res
      if (cached == null || caller === undefined || limit === null) return
      if (c.req.method !== 'GET' || status !== 200 || headers.has('set-cookie')) return
      const template = new Headers(headers)
      for (const name of OWN_HEADERS) template.delete(name)
      template.set('server-timing', 'cache;desc="memory"')
      learnt.set(keyOf(c.req.raw), {
        atMs: deps.services.clock.now(),
        request: cached,
        standing: caller.standing,
        callerId: caller.id,
        limit: limit.policy,
        headers: template,
      })
    },
  }
}

export type HotPath = ReturnType<typeof createHotPath>

/** All of a request that its answer depends on, but for what `answer` looks at itself. */
function keyOf({ url, headers }: Request): string {
  return `${url}\n${headers.get('authorization') ?? ''}\n${headers.get('cookie') ?? ''}\n${
    headers.get('x-workspace-id') ?? ''
  }\n${headers.get('origin') ?? ''}`
}

/** What is known of the caller, from memory where they asked lately; `null`: nobody, or not sure. */
async function standingOf(headers: Headers, deps: HttpDeps): Promise<object | null> {
  const authorization = headers.get('authorization')
  if (authorization !== null) return deps.directory.apiKey(authorization.slice('Bearer '.length))
  const session = await deps.readSession(headers)
  return session === null ? null : deps.directory.person(session.user.id, session.id)
}

function prepare(entry: SendableEntry, template: Headers): Prepared {
  const status = cacheStatusOf({ entry, tier: 'memory' })
  const headers = (own: Record<string, string>, without: string[] = []) => {
    const made = new Headers(template)
    made.set('cache-status', status)
    for (const [name, value] of Object.entries(own)) made.set(name, value)
    for (const name of without) made.delete(name)
    return made
  }
  const { etag } = entry
  return {
    plain: headers({ etag }),
    gzip: headers({ etag: gzipEtag(etag), 'content-encoding': 'gzip' }),
    unchanged: headers({ etag }, ['content-type']),
  }
}
