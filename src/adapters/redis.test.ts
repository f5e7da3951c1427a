import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type HttpServer, listen, sendJson } from '../../scripts/local/lib/http-server.ts'
import { silentLogger } from '../../test/harness/deps.ts'
import { Breaker } from '../resilience/breaker.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { createRedis } from './redis.ts'
import { createWatchList } from './watch-list.ts'

/** How Redis is: it does not have any script, it keeps everybody waiting, or its server fails. */
let mood: 'without scripts' | 'hanging' | 'failing'
let server: HttpServer
beforeAll(async () => {
  server = await listen((_, res) => {
    if (mood === 'failing') return sendJson(res, 500, { error: 'ERR connection lost' })
    if (mood === 'without scripts') return sendJson(res, 400, { error: 'NOSCRIPT No matching script' })
  })
})
afterAll(() => server.close())

let breaker: Breaker
beforeEach(() => {
  breaker = new Breaker('redis', Date)
})

const behindBreaker = (timeoutMs = 10_000) =>
  createRedis({ url: server.url, token: 'any', timeoutMs, breaker })

it('costs the time that it has once for each of five, however many there are, when Redis hangs', async () => {
  mood = 'hanging'
  const redis = behindBreaker(20)
  const limiter = createRateLimiter({ redis, clock: Date, log: silentLogger, waitUntil() {} })
  const watchList = createWatchList(redis, Date)
  for (let i = 0; i < 20; i++) {
    const policy = { name: 'writes', limit: 100, windowSeconds: 60 }
    expect((await limiter.require(policy, 'somebody')).allowed).toBe(true)
    await expect(watchList.mark(`workspace-${i}`)).rejects.toThrow()
  }
  expect(breaker.report()).toMatchObject({ state: 'open', timeouts: 5, failures: 0, rejects: 35 })
})

it('counts what its server fails at, also in pipelines', async () => {
  mood = 'failing'
  for (let i = 0; i < 5; i++) await expect(behindBreaker().pipeline().ping().exec()).rejects.toThrow('lost')
  expect(breaker.report()).toMatchObject({ state: 'open', failures: 5 })
})

it('takes a script that Redis does not have for no failure', async () => {
  mood = 'without scripts'
  for (let i = 0; i < 6; i++) await expect(behindBreaker().evalsha('abc', [], [])).rejects.toThrow('NOSCRIPT')
  expect(breaker.report()).toMatchObject({ state: 'closed', successes: 6 })
})

it('says nothing of what it was to store when it fails', async () => {
  mood = 'failing'
  const redis = createRedis({ url: server.url, token: 'any', timeoutMs: 10_000 })
  const error: unknown = await redis.set('key', 'what a customer has').catch((thrown: unknown) => thrown)
  if (!(error instanceof Error)) throw new Error('It has not failed')
  expect(error.message).toBe('ERR connection lost')
  expect(error.stack).toMatch(/^UpstashError: ERR connection lost\n {4}at /)
  expect(error.stack).not.toContain('what a customer has')
})
