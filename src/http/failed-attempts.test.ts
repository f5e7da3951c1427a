import { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../test/harness/deps.ts'
import { AppError } from '../errors.ts'
import type { LimitPolicy, LimitVerdict, RateLimiter } from '../ports.ts'
import type { HttpDeps, HttpEnv } from './context.ts'
import { answerError, outermost } from './middleware/outermost.ts'

const ADDRESS = '203.0.113.7'
const GOOD = 'Bearer good'

let nowMs = 0
let charged: string[] = []
let lookedUp: string[] = []

/** Counts like a limiter that has one isolate to itself. */
function countingLimiter(): RateLimiter {
  const used = new Map<string, { count: number; startMs: number }>()
  const charge = (policy: LimitPolicy, caller: string): LimitVerdict => {
    charged.push(`${policy.name} ${caller}`)
    const key = `${policy.name} ${caller}`
    const windowMs = policy.windowSeconds * 1_000
    let window = used.get(key)
    if (window === undefined || nowMs - window.startMs >= windowMs) window = { count: 0, startMs: nowMs }
    used.set(key, window)
    const allowed = window.count < policy.limit
    if (allowed) window.count += 1
    const resetSeconds = Math.ceil((window.startMs + windowMs - nowMs) / 1_000)
    return { policy, allowed, remaining: policy.limit - window.count, resetSeconds }
  }
  return { charge, require: async (policy, caller) => charge(policy, caller) }
}

/** What this part of the HTTP layer asks for, and nothing else. */
function depsWith(limiter: RateLimiter): HttpDeps {
  const config = {
    publicUrl: 'https://x.example',
    corsOrigins: [],
    rateLimits: { unauthenticated: { limit: 3, windowSeconds: 60 } },
  }
  return asDeps({
    probeSoon() {},
    limiter,
    config,
    services: { clock: { now: () => nowMs }, log: silentLogger },
  })
}

function asDeps(parts: object): HttpDeps {
  return parts as HttpDeps
}

let app: Hono<HttpEnv>
beforeEach(() => {
  nowMs = 1_000_000
  charged = []
  lookedUp = []
  app = new Hono<HttpEnv>()
  const deps = depsWith(countingLimiter())
  app.use('*', (c, next) => {
    c.set('deps', deps)
    return next()
  })
  app.use('*', outermost)
  app.onError((error, c) => answerError(error, c))
  app.all('/api/v1/public/*', (c) => {
    const policy = { name: 'public', limit: 60, windowSeconds: 60 }
    c.set('limit', { policy, allowed: true, remaining: 59, resetSeconds: 60 })
    return c.text('anybody')
  })
  app.all('/api/v1/realtime', (c) => c.text('anybody'))
  app.all('/api/*', (c) => {
    const key = c.req.header('authorization') ?? c.req.header('cookie')
    if (key !== undefined) lookedUp.push(key)
    if (key !== GOOD && key !== 'tidemark=good') throw new AppError('unauthorized', 'Who are you?')
    const policy = { name: 'reads', limit: 600, windowSeconds: 60 }
    c.set('limit', { policy, allowed: true, remaining: 599, resetSeconds: 60 })
    return c.text('hello')
  })
  app.all('/auth/*', (c) => c.text('', 401))
})

async function ask(headers: Record<string, string> = {}, path = '/api/v1/me', method = 'GET') {
  const response = await app.request(path, { method, headers: { 'cf-connecting-ip': ADDRESS, ...headers } })
  return { status: response.status, left: response.headers.get('ratelimit'), headers: response.headers }
}

const wrong = (n: number) => ({ authorization: `Bearer wrong-${n}` })

/** Spends what the address has. */
async function fail(times = 3): Promise<void> {
  for (let i = 0; i < times; i++) expect((await ask(wrong(i))).status).toBe(401)
}

describe('failed attempts', () => {
  it('are charged to the address, and what is left is said', async () => {
    expect((await ask(wrong(1))).left).toBe('"unauthenticated";r=2;t=60')
    nowMs += 10_000
    expect((await ask({})).left).toBe('"unauthenticated";r=1;t=50')
    expect(charged).toEqual([`unauthenticated ip:${ADDRESS}`, `unauthenticated ip:${ADDRESS}`])
  })

  it('that are spent are answered before another key is looked up', async () => {
    await fail()
    lookedUp = []
    charged = []
    for (let i = 0; i < 50; i++) expect((await ask(wrong(100 + i))).status).toBe(429)
    expect((await ask({ authorization: 'Basic x' })).status).toBe(429)
    expect((await ask({})).status).toBe(429)
    expect(lookedUp).toEqual([])
    // Neither do they cost anything, nor lengthen the wait.
    expect(charged).toEqual([])
    nowMs += 20_000
    const { headers, left } = await ask(wrong(1))
    expect([headers.get('retry-after'), left]).toEqual(['40', '"unauthenticated";r=0;t=40'])
  })

  it('are forgiven when the time that was named is over', async () => {
    await fail()
    const seconds = Number((await ask(wrong(9))).headers.get('retry-after'))
    nowMs += seconds * 1_000 - 1
    expect((await ask(wrong(9))).status).toBe(429)
    nowMs += 1
    expect((await ask(wrong(9))).status).toBe(401)
  })

  it('do not stop keys that were good here, nor sessions, which cannot be guessed', async () => {
    expect((await ask({ authorization: GOOD })).status).toBe(200)
    await fail()
    expect(await ask({ authorization: GOOD })).toMatchObject({ status: 200, left: '"reads";r=599;t=60' })
    expect((await ask({ cookie: 'tidemark=good' })).status).toBe(200)
    // A cookie beside a key does not make the key a better one.
    expect((await ask({ ...wrong(1), cookie: 'tidemark=good' })).status).toBe(429)
  })

  it('make a key that was good like any other once it is refused', async () => {
    const deps = depsWith(countingLimiter())
    let isValid = true
    const changing = new Hono<HttpEnv>()
    changing.use('*', (c, next) => {
      c.set('deps', deps)
      return next()
    })
    changing.use('*', outermost)
    changing.onError((error, c) => answerError(error, c))
    changing.all('*', (c) => {
      if (!isValid) throw new AppError('unauthorized', 'Revoked.')
      const policy = { name: 'reads', limit: 600, windowSeconds: 60 }
      c.set('limit', { policy, allowed: true, remaining: 599, resetSeconds: 60 })
      return c.text('hello')
    })
    const status = async () =>
      (await changing.request('/api/v1/me', { headers: { authorization: GOOD } })).status
    expect(await status()).toBe(200)
    isValid = false
    expect([await status(), await status(), await status(), await status()]).toEqual([401, 401, 401, 429])
  })

  it('do not stop what asks nobody who they are', async () => {
    await fail()
    expect((await ask({}, '/api/v1/public/trending/hashtags')).status).toBe(200)
    expect((await ask(wrong(1), '/api/v1/public/trending/hashtags')).status).toBe(200)
    expect((await ask({}, '/api/v1/realtime')).status).toBe(200)
    expect((await ask({}, '/api/v1/me', 'OPTIONS')).status).toBe(401)
    expect((await ask({}, '/healthz')).left).toBeNull()
    // Another address has an allowance of its own.
    expect((await ask({ ...wrong(1), 'cf-connecting-ip': '203.0.113.8' })).status).toBe(401)
  })

  it('count where people sign in, too, and stop nothing there: signing in has limits of its own', async () => {
    for (let i = 0; i < 5; i++) expect((await ask({}, '/auth/list-sessions')).status).toBe(401)
    expect((await ask(wrong(1))).status).toBe(429)
  })

  it('cost good requests nothing: nobody is charged, nor asked', async () => {
    for (let i = 0; i < 10; i++) expect((await ask({ authorization: GOOD })).left).toBe('"reads";r=599;t=60')
    expect(charged).toEqual([])
  })

  it('of an open path do not make a key good', async () => {
    await ask(wrong(1), '/api/v1/public/trending/hashtags')
    await fail()
    expect((await ask(wrong(1))).status).toBe(429)
  })
})

describe('answers that nobody was charged for', () => {
  it('say what would be, and have the headers of all others', async () => {
    for (const path of ['/api/v1/nothing', '/api/v1/realtime']) {
      const { left, headers } = await ask({}, path)
      expect(left).toMatch(/^"unauthenticated";r=[23];t=60$/)
      expect(headers.get('ratelimit-policy')).toBe('"unauthenticated";q=3;w=60')
      expect(headers.get('x-frame-options')).toBe('DENY')
    }
    const unknown = await ask({}, '/nothing/at/all')
    expect([unknown.status, unknown.left, unknown.headers.get('x-content-type-options')]).toEqual([
      404,
      null,
      'nosniff',
    ])
  })
})
