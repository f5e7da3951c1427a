import type { Redis } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RedisHandle, startRedis } from '../../scripts/local/redis.ts'
import { startUpstashRest, type UpstashRest } from '../../scripts/local/upstash-rest/index.ts'
import { PUBLIC_SCOPE } from '../ports.ts'
import { createRedis } from './redis.ts'
import { createWatchList } from './watch-list.ts'

const FOR_MS = 5 * 60_000

class ManualClock {
  atMs = 0
  now = () => this.atMs
}

const START_MS = Date.parse('2026-11-22T10:00:00Z')

/** A Redis of this file's own: there is one list for everybody. */
let server: RedisHandle
let rest: UpstashRest
let redis: Redis
let clock: ManualClock
beforeAll(async () => {
  server = await startRedis({ searchPath: '' })
  rest = await startUpstashRest({ token: 'token', redis: server })
  redis = createRedis({ url: rest.url, token: 'token', timeoutMs: 5_000 })
})
beforeEach(async () => {
  clock = new ManualClock()
  clock.atMs = START_MS
  await redis.del('tm:watched')
})
afterAll(async () => {
  await rest.stop()
  await server.stop()
})

describe('the list of watched workspaces', () => {
  it('is empty where nobody looks, also while somebody listens to the public', async () => {
    await createWatchList(redis, clock).mark(PUBLIC_SCOPE)
    expect(await createWatchList(redis, clock).list()).toEqual([])
  })

  it('has who was marked by any isolate, for five minutes after the last look', async () => {
    const [one, two] = [createWatchList(redis, clock), createWatchList(redis, clock)]
    const [a, b] = [crypto.randomUUID(), crypto.randomUUID()]
    await one.mark(a)
    clock.atMs += 120_000
    await two.mark(b)
    expect((await one.list()).sort()).toEqual([a, b].sort())
    clock.atMs = START_MS + FOR_MS - 1
    expect((await two.list()).sort()).toEqual([a, b].sort())
    clock.atMs = START_MS + FOR_MS
    expect(await two.list()).toEqual([b])
    clock.atMs = START_MS + FOR_MS + 120_000
    expect(await two.list()).toEqual([])
  })

  it('keeps who is marked again', async () => {
    const list = createWatchList(redis, clock)
    const id = crypto.randomUUID()
    for (let minute = 0; minute < 10; minute++) {
      await list.mark(id)
      clock.atMs += 60_000
    }
    expect(await list.list()).toEqual([id])
  })

  it('is told once a minute by one isolate, however often somebody looks', async () => {
    const list = createWatchList(redis, clock)
    const id = crypto.randomUUID()
    await list.mark(id)
    await redis.zrem('tm:watched', id)
    clock.atMs += 59_999
    await list.mark(id)
    expect(await list.list()).toEqual([])
    clock.atMs += 1
    await list.mark(id)
    expect(await list.list()).toEqual([id])
  })

  it('is told again after a failure', async () => {
    let fails = true
    const flaky = new Proxy(redis, {
      get: (target, name) =>
        name === 'zadd' && fails
          ? () => Promise.reject(new Error('gone'))
          : Reflect.get(target, name, target),
    })
    const list = createWatchList(flaky, clock)
    const id = crypto.randomUUID()
    await expect(list.mark(id)).rejects.toThrow('gone')
    fails = false
    await list.mark(id)
    expect(await list.list()).toEqual([id])
  })

  it('cannot be had without Redis, and says so', async () => {
    const gone = createRedis({ url: 'http://127.0.0.1:9', token: 'x', timeoutMs: 1_000 })
    const list = createWatchList(gone, clock)
    await expect(list.mark(crypto.randomUUID())).rejects.toThrow()
    await expect(list.list()).rejects.toThrow()
  })
})
