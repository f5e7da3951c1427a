import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '../../test/harness/deps.ts'
import { createMemoryTier } from '../adapters/cache/memory.ts'
import { createReadCache } from '../adapters/cache/tiers.ts'
import { Breaker } from '../resilience/breaker.ts'
import { answerCached } from './cached.ts'
import type { Caller, HttpDeps, HttpEnv } from './context.ts'
import { createHotPath } from './hot-path.ts'

const KEY = { authorization: 'Bearer tm_key' }
const URL_ASKED = 'https://tidemark.example/overview?period=7d'
const ITEMS = Array.from({ length: 300 }, (_, i) => ({ likes: i, name: 'tide' }))

/** What is used of something larger; whatever else is asked for fails at once. */
function partly<T>(used: Partial<T>): T {
  return used as T
}

/** Only which object it is matters here. */
function known(record: object | null): Awaited<ReturnType<HttpDeps['directory']['apiKey']>> {
  return record === null ? null : partly(record)
}

/** An isolate whose Redis is away: memory is all it has. */
function isolate() {
  const clock = { atMs: 1_800_000_000_000, now: () => clock.atMs }
  const away = () => Promise.reject(new Error('Redis is away'))
  const cache = createReadCache({
    memory: createMemoryTier(),
    colo: { get: async () => null, put: async () => {} },
    region: { get: away, put: away, free: away, raise: away },
    regionBreaker: new Breaker('redis', clock),
    isOriginDown: () => false,
    isRegionDown: () => false,
    readGeneration: async () => null,
    rephrase: async () => () => null,
    clock,
    log: silentLogger,
    waitUntil: (work) => void work.catch(() => {}),
  })
  const state = {
    clock,
    record: { id: 'key' } as object | null,
    generation: 1,
    left: 100,
    charged: 0,
    asked: 0,
    computed: 0,
  }
  const policy = { name: 'reads', limit: 600, windowSeconds: 60 }
  const used: Partial<HttpDeps> = {
    cache,
    limiter: {
      charge(charged) {
        const allowed = state.left > 0
        if (allowed) state.left -= 1
        if (allowed) state.charged += 1
        return { policy: charged, allowed, remaining: state.left, resetSeconds: 30 }
      },
      require: () => Promise.reject(new Error('nothing is written here')),
    },
    directory: partly<HttpDeps['directory']>({ apiKey: async () => known(state.record) }),
    services: partly<HttpDeps['services']>({ clock }),
  }
  const deps = partly<HttpDeps>(used)
  const hotPath = createHotPath()
  const app = new Hono<HttpEnv>()
  app.use(async (c, next) => {
    state.asked += 1
    if (state.record === null) return c.text('nobody', 401)
    c.set('deps', deps)
    c.set('caller', partly<Caller>({ id: 'key:1', standing: state.record }))
    c.set('limit', deps.limiter.charge(policy, 'key:1'))
    await next()
    c.res.headers.set('x-request-id', 'the long way')
    c.res.headers.set('x-frame-options', 'DENY')
    hotPath.learn(c)
  })
  app.get('/overview', (c) =>
    answerCached(c, 'overview', { scope: 'w', reach: null, question: 1, minGeneration: 0 }, async () => {
      state.computed += 1
      return { generation: state.generation, value: { items: ITEMS, stale: false } }
    }),
  )
  return {
    state,
    cache,
    /** As the Worker's entry does it. */
    async ask(headers: Record<string, string> = KEY, method = 'GET', url = URL_ASKED) {
      const request = new Request(url, { method, headers })
      const known = hotPath.recall(request)
      const again = known === null ? null : await hotPath.answer(known, request, deps)
      const response = again ?? (await app.fetch(request))
      return { hot: again !== null, response }
    },
  }
}

describe('the hot path', () => {
  let at: ReturnType<typeof isolate>
  beforeEach(async () => {
    at = isolate()
    expect((await at.ask()).hot).toBe(false)
  })

  it('answers as the long way does, and says that memory did', async () => {
    const long = (await isolate().ask()).response
    const { hot, response } = await at.ask()
    expect([hot, response.status]).toEqual([true, 200])
    expect(await response.json()).toEqual(await long.json())
    const own = ['x-request-id', 'cache-status', 'server-timing', 'ratelimit']
    const others = (headers: Headers) => [...headers].filter(([name]) => !own.includes(name))
    expect(others(response.headers)).toEqual(others(long.headers))
    expect(response.headers.get('cache-status')).toBe('tidemark; hit; detail=memory')
    expect(response.headers.get('ratelimit')).toBe('"reads";r=98;t=30')
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    const named = await at.ask({ ...KEY, 'x-request-id': 'named-by-client' })
    expect(named.response.headers.get('x-request-id')).toBe('named-by-client')
    expect([at.state.asked, at.state.computed]).toEqual([1, 1])
  })

  it('knows what the client has', async () => {
    const etag = (await at.ask()).response.headers.get('etag') ?? ''
    const { hot, response } = await at.ask({ ...KEY, 'if-none-match': `W/${etag}` })
    expect([hot, response.status, response.headers.get('etag'), await response.text()]).toEqual([
      true,
      304,
      etag,
      '',
    ])
    expect(response.headers.get('content-type')).toBeNull()
    expect((await at.ask({ ...KEY, 'if-none-match': '"other"' })).response.status).toBe(200)
  })

  it('sends the compressed form once somebody has made it', async () => {
    const gzip = { ...KEY, 'accept-encoding': 'gzip, br' }
    expect((await at.ask(gzip)).hot).toBe(false)
    const { hot, response } = await at.ask(gzip)
    expect([hot, response.headers.get('content-encoding')]).toEqual([true, 'gzip'])
    expect(response.headers.get('etag')).toMatch(/-gzip"$/)
    expect(JSON.parse(gunzipSync(await response.bytes()).toString())).toEqual({ items: ITEMS, stale: false })
    const plain = await at.ask()
    expect([plain.hot, plain.response.headers.get('content-encoding')]).toEqual([true, null])
  })

  it.each([
    ['another address', KEY, 'GET', `${URL_ASKED}&compare=none`],
    ['another method', KEY, 'HEAD', URL_ASKED],
    ['another key', { authorization: 'Bearer tm_other' }, 'GET', URL_ASKED],
    ['another workspace', { ...KEY, 'x-workspace-id': 'w2' }, 'GET', URL_ASKED],
    ['another site', { ...KEY, origin: 'https://other.example' }, 'GET', URL_ASKED],
    ['a cookie', { ...KEY, cookie: 'a=b' }, 'GET', URL_ASKED],
  ] as const)('leaves %s to the long way', async (_what, headers, method, url) => {
    expect((await at.ask({ ...headers }, method, url)).hot).toBe(false)
  })

  it('leaves a caller who is another by now to the long way, and one who is nobody any more', async () => {
    at.state.record = { id: 'key', scopes: [] }
    expect((await at.ask()).hot).toBe(false)
    expect((await at.ask()).hot).toBe(true)
    at.state.record = null
    const { hot, response } = await at.ask()
    expect([hot, response.status]).toEqual([false, 401])
  })

  it('leaves whoever has used up their allowance to the long way, and charges each request once', async () => {
    at.state.left = 3
    const before = at.state.charged
    for (let i = 0; i < 3; i += 1) expect((await at.ask()).hot).toBe(true)
    expect((await at.ask()).hot).toBe(false)
    expect(at.state.charged - before).toBe(3)
  })

  it('asks again in full what it was told too long ago, and what has to be renewed', async () => {
    at.state.clock.atMs += 2_399
    expect((await at.ask()).hot).toBe(true)
    at.state.clock.atMs += 2_602
    expect((await at.ask()).hot).toBe(false)
    // The first of those that were answered together is due after three tenths of its time.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0)
    const first = isolate()
    await first.ask()
    random.mockRestore()
    first.state.clock.atMs += 2_399
    expect((await first.ask()).hot).toBe(true)
    first.state.clock.atMs += 2
    expect((await first.ask()).hot).toBe(false)
  })

  it('serves nothing older than what was raised here', async () => {
    expect((await at.ask()).hot).toBe(true)
    at.state.generation = 2
    await at.cache.raise('w', 2).catch(() => {})
    const { hot } = await at.ask()
    expect([hot, at.state.computed]).toEqual([false, 2])
  })
})
