import { beforeEach, describe, expect, inject, it } from 'vitest'
import { silentLogger } from '../../test/harness/deps.ts'
import type { Fence, FoundRecord } from '../ports.ts'
import { Breaker } from '../resilience/breaker.ts'
import { createCallerRecords } from './caller-records.ts'
import { createRedis } from './redis.ts'

const NOWHERE = 'http://127.0.0.1:9'
const redis = () => createRedis({ url: inject('redisUrl'), token: inject('redisToken'), timeoutMs: 1_000 })

let atMs: number
const clock = { now: () => atMs }
let fences: [Fence, Fence]
let key: Fence
beforeEach(() => {
  atMs = Date.now()
  const id = crypto.randomUUID()
  fences = [`user:${id}`, `session:${id}`]
  key = `key:${id}`
})

function isolate(given: { secret?: string; url?: string; breaker?: Breaker } = {}) {
  const work: Promise<unknown>[] = []
  const records = createCallerRecords({
    redis: createRedis({
      url: given.url ?? inject('redisUrl'),
      token: inject('redisToken'),
      timeoutMs: 1_000,
    }),
    secret: given.secret ?? 'a secret of the tests, and of nothing else',
    ...{ clock, log: silentLogger, waitUntil: (promise: Promise<unknown>) => void work.push(promise) },
    ...(given.breaker && { breaker: given.breaker }),
  })
  return { records, settled: () => Promise.all(work.splice(0)) }
}

/** The label under which may be stored what is looked up now. */
function labelOf(found: FoundRecord | null): string {
  if (found === null || found.state === 'ended') throw new Error('Nothing can be stored')
  return found.label
}

async function put(body: string, of: readonly Fence[] = fences): Promise<void> {
  const { records } = isolate()
  await records.store(of, { label: labelOf(await records.find(of)), body, askedAtMs: atMs })
}

const stateOf = async (of: readonly Fence[] = fences) => (await isolate().records.find(of))?.state

describe('a shared record', () => {
  it('is found by others, fresh for ten seconds since the database was asked, then old, and after a day gone', async () => {
    await put('{"a":1}')
    expect(await isolate().records.find(fences)).toEqual({
      state: 'fresh',
      label: expect.any(String),
      body: '{"a":1}',
    })
    atMs += 9_999
    expect(await stateOf()).toBe('fresh')
    atMs += 1
    expect(await stateOf()).toBe('old')
    atMs += 24 * 3_600_000 - 10_001
    expect(await stateOf()).toBe('old')
    atMs += 1
    expect(await stateOf()).toBe('none')
  })

  it('of the future is not fresh for longer', async () => {
    await put('{}')
    atMs -= 10_000
    expect(await stateOf()).toBe('old')
  })

  it.each([0, 1])('is worth nothing once one of its fences has changed (%i)', async (nth) => {
    await put('{}')
    expect(await isolate().records.forget([fences[nth] ?? key])).toBe(true)
    expect(await stateOf()).toBe('none')
    await put('{}')
    expect(await stateOf()).toBe('fresh')
  })

  it('is not stored by a lookup that began before a change, also where nothing had been stored yet', async () => {
    const { records } = isolate()
    for (const before of ['nothing', 'a record']) {
      if (before === 'a record') await put('{"before":true}')
      const label = labelOf(await records.find(fences))
      await records.forget([fences[0]])
      await records.store(fences, { label, body: '{"late":true}', askedAtMs: atMs })
      expect(await stateOf()).toBe('none')
      await put('{"after":true}')
      await records.store(fences, { label, body: '{"late":true}', askedAtMs: atMs })
      expect(await records.find(fences)).toMatchObject({ state: 'fresh', body: '{"after":true}' })
    }
  })

  it('has ended for good once its key or session has, whoever is late or forgets', async () => {
    const { records } = isolate()
    await put('{}', [key])
    const label = labelOf(await records.find([key]))
    await records.end([key])
    await records.store([key], { label, body: '{}', askedAtMs: atMs })
    await records.forget([key])
    expect(await stateOf([key])).toBe('ended')
    await put('{}')
    await records.end([fences[1]])
    expect(await stateOf()).toBe('ended')
  })

  it('shows Redis nothing of what it says, and believes nothing that Redis makes up', async () => {
    await put('{"email":"ada@example.com"}')
    const name = `tm:caller:record:${fences.join('+')}`
    const stored = await redis().hgetall<Record<string, string>>(name)
    expect(JSON.stringify(stored)).not.toContain('@example')
    expect(await isolate({ secret: 'another secret' }).records.find(fences)).toMatchObject({ state: 'none' })
    // Made younger than it is.
    await redis().hset(name, { at: String(atMs + 1) })
    expect(await stateOf()).toBe('none')
    await redis().hset(name, { at: String(atMs) })
    expect(await stateOf()).toBe('fresh')
    // Another's record under this name.
    await put('{"operator":true}', [key])
    const other = await redis().hgetall<Record<string, string>>(`tm:caller:record:${key}`)
    await redis().hset(name, { body: other?.body ?? '' })
    expect(await stateOf()).toBe('none')
  })

  it('is kept for a day, and of what nobody stores anything for, nothing but for ten seconds', async () => {
    await isolate().records.find([key])
    expect(await redis().keys(`*${key}*`)).toEqual([`tm:caller:fence:${key}`])
    const leftMs = await redis().pttl(`tm:caller:fence:${key}`)
    expect(leftMs).toBeGreaterThan(0)
    expect(leftMs).toBeLessThanOrEqual(10_000)
    await put('{}')
    const dayMs = 24 * 3_600_000
    const recordMs = await redis().pttl(`tm:caller:record:${fences.join('+')}`)
    expect(recordMs).toBeGreaterThan(dayMs - 60_000)
    for (const fence of fences)
      expect(await redis().pttl(`tm:caller:fence:${fence}`)).toBeGreaterThan(recordMs)
    await isolate().records.end([key])
    expect(await redis().pttl(`tm:caller:fence:${key}`)).toBeGreaterThan(dayMs)
  })
})

describe('without Redis', () => {
  it('nothing is found, storing is let be, and nobody asks once the breaker is open', async () => {
    const breaker = new Breaker('redis', clock, { failures: 2 })
    const { records } = isolate({ url: NOWHERE, breaker })
    expect(await records.find(fences)).toBeNull()
    await records.store(fences, { label: '', body: '{}', askedAtMs: atMs })
    expect(breaker.state).toBe('open')
    expect(await records.find(fences)).toBeNull()
  })

  it('a change says that it is not told, and is told when Redis is back, past the breaker', async () => {
    await put('{}')
    const far = redis()
    let isAway = true
    far.use((request, next) => (isAway ? Promise.reject(new Error('away')) : next(request)))
    const work: Promise<unknown>[] = []
    const breaker = new Breaker('redis', clock, { failures: 1 })
    const records = createCallerRecords({
      redis: far,
      secret: 'a secret of the tests, and of nothing else',
      ...{ clock, log: silentLogger, breaker, waitUntil: (promise) => void work.push(promise) },
    })
    await records.find(fences)
    expect(await records.forget(fences)).toBe(false)
    expect(await stateOf()).toBe('fresh')
    isAway = false
    await Promise.all(work)
    expect(await stateOf()).toBe('none')
    expect(breaker.state).toBe('open')
  })
})
