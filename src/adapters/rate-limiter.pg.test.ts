import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { silentLogger } from '../../test/harness/deps.ts'
import type { LimitPolicy, LimitVerdict, RateLimiter } from '../ports.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { createRedis } from './redis.ts'

const MINUTE_MS = 60_000
/** A moment at which a minute of Redis' windows begins. */
const MINUTE_START = Date.parse('2026-11-22T10:00:00Z')
/** Nobody listens there. */
const GONE = 'http://127.0.0.1:9'

let caller = ''
beforeEach(() => {
  caller = crypto.randomUUID()
  // Time stands still: windows, which are the library's, end when a test says so.
  vi.useFakeTimers({ toFake: ['Date'], now: MINUTE_START + 20_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const policyOf = (limit: number, name = 'reads'): LimitPolicy => ({ name, limit, windowSeconds: 60 })

interface Isolate {
  limiter: RateLimiter
  warnings: string[]
  /** Resolves when everything has ended that goes on after answers. */
  settled(): Promise<void>
}

function isolate(redisUrl = inject('redisUrl')): Isolate {
  const work: Promise<unknown>[] = []
  const warnings: string[] = []
  return {
    limiter: createRateLimiter({
      redis: createRedis({ url: redisUrl, token: inject('redisToken'), timeoutMs: 5_000 }),
      clock: { now: () => Date.now() },
      log: { ...silentLogger, warn: (message) => warnings.push(message) },
      waitUntil: (promise) => work.push(promise),
    }),
    warnings,
    async settled() {
      await Promise.all(work.splice(0))
    },
  }
}

/** Charges so many requests, one after the other, and what goes on after each before the next. */
async function charge(at: Isolate, policy: LimitPolicy, count: number): Promise<LimitVerdict[]> {
  const verdicts: LimitVerdict[] = []
  for (let i = 0; i < count; i++) {
    verdicts.push(at.limiter.charge(policy, caller))
    await at.settled()
  }
  return verdicts
}

const allowedOf = (verdicts: LimitVerdict[]) => verdicts.filter(({ allowed }) => allowed).length

describe('charging without waiting', () => {
  it.each([1, 2, 5, 9, 10, 60, 99, 130, 600])(
    'allows exactly %d a window, and then no more',
    async (limit) => {
      const verdicts = await charge(isolate(), policyOf(limit), limit + 10)
      expect(verdicts.map(({ allowed }) => allowed)).toEqual([
        ...Array<boolean>(limit).fill(true),
        ...Array<boolean>(10).fill(false),
      ])
    },
  )

  it('allows exactly as many when they come at once', async () => {
    const at = isolate()
    const verdicts = Array.from({ length: 150 }, () => at.limiter.charge(policyOf(100), caller))
    await at.settled()
    expect(allowedOf(verdicts)).toBe(100)
    expect(allowedOf(await charge(at, policyOf(100), 50))).toBe(0)
  })

  it('says what is left and when more comes', async () => {
    const at = isolate()
    const verdicts = await charge(at, policyOf(10), 4)
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([9, 8, 7, 6])
    expect(verdicts.map(({ resetSeconds }) => resetSeconds)).toEqual([60, 60, 60, 60])
    vi.setSystemTime(Date.now() + 12_001)
    expect(at.limiter.charge(policyOf(10), caller)).toMatchObject({ remaining: 5, resetSeconds: 48 })
    await charge(at, policyOf(10), 5)
    expect(at.limiter.charge(policyOf(10), caller)).toEqual({
      policy: policyOf(10),
      allowed: false,
      remaining: 0,
      resetSeconds: 48,
    })
  })

  it('allows as many again when a window has passed', async () => {
    const at = isolate()
    expect(allowedOf(await charge(at, policyOf(20), 30))).toBe(20)
    vi.setSystemTime(Date.now() + 2 * MINUTE_MS)
    expect(allowedOf(await charge(at, policyOf(20), 30))).toBe(20)
  })

  it('gives to who comes back when told to, though their last window still counts in part', async () => {
    vi.setSystemTime(MINUTE_START)
    const at = isolate()
    const [refused] = (await charge(at, policyOf(600), 601)).slice(-1)
    expect(refused).toMatchObject({ allowed: false, resetSeconds: 60 })
    let allowed = 0
    for (let second = 0; second < 60; second++) {
      vi.setSystemTime(MINUTE_START + MINUTE_MS + second * 1_000)
      const verdicts = await charge(at, policyOf(600), 20)
      allowed += allowedOf(verdicts)
      for (const { resetSeconds } of verdicts) {
        expect(resetSeconds).toBeGreaterThanOrEqual(1)
        expect(resetSeconds).toBeLessThanOrEqual(60)
      }
    }
    expect(allowed).toBeGreaterThan(450)
    expect(allowed).toBeLessThanOrEqual(600)
  })

  it('counts callers and limits apart', async () => {
    const at = isolate()
    expect(allowedOf(await charge(at, policyOf(5), 6))).toBe(5)
    expect(allowedOf(await charge(at, policyOf(5, 'writes'), 6))).toBe(5)
    caller = crypto.randomUUID()
    expect(allowedOf(await charge(at, policyOf(5), 6))).toBe(5)
  })

  it('shares one allowance between isolates, but for a lease each', async () => {
    const [one, two] = [isolate(), isolate()]
    const policy = policyOf(600)
    let allowed = 0
    for (let i = 0; i < 500; i++) {
      allowed += allowedOf(await charge(one, policy, 1))
      allowed += allowedOf(await charge(two, policy, 1))
    }
    // The first request of each is answered before anybody is asked.
    expect(allowed).toBeLessThanOrEqual(602)
    expect(allowed).toBeGreaterThanOrEqual(500)
  })

  it('lets an isolate that comes late do no more than ask', async () => {
    const policy = policyOf(100)
    await charge(isolate(), policy, 100)
    const late = await charge(isolate(), policy, 50)
    expect(allowedOf(late)).toBe(1)
    expect(late.at(-1)?.remaining).toBe(0)
  })
})

describe('charging before the answer', () => {
  it('allows exactly as many between all isolates', async () => {
    const [one, two] = [isolate(), isolate()]
    const policy = policyOf(9, 'writes')
    const verdicts: LimitVerdict[] = []
    for (let i = 0; i < 10; i++) {
      verdicts.push(await one.limiter.require(policy, caller))
      verdicts.push(await two.limiter.require(policy, caller))
    }
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([
      ...Array<boolean>(9).fill(true),
      ...Array<boolean>(11).fill(false),
    ])
    expect(verdicts.slice(0, 10).map(({ remaining }) => remaining)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0, 0])
    for (const { resetSeconds } of verdicts) {
      expect(resetSeconds).toBeGreaterThanOrEqual(40)
      expect(resetSeconds).toBeLessThanOrEqual(60)
    }
  })

  it('allows exactly as many when all come at once', async () => {
    const [one, two] = [isolate(), isolate()]
    const verdicts = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        (i % 2 ? one : two).limiter.require(policyOf(5, 'writes'), caller),
      ),
    )
    expect(allowedOf(verdicts)).toBe(5)
  })
})

describe('the time to wait that a refusal names', () => {
  const policy: LimitPolicy = { name: 'sign-in', limit: 5, windowSeconds: 900 }
  const WINDOW_START = Math.floor(MINUTE_START / 900_000) * 900_000

  /** Asks so many times in a row, at a second of the shared window. */
  async function ask(at: Isolate, second: number, times: number): Promise<LimitVerdict[]> {
    vi.setSystemTime(WINDOW_START + second * 1_000)
    const verdicts: LimitVerdict[] = []
    for (let i = 0; i < times; i++) verdicts.push(await at.limiter.require(policy, caller))
    return verdicts
  }

  // Whose requests spend the allowance, and when: the isolate's own windows and the shared ones end apart.
  it.each<[string, (one: Isolate, two: Isolate) => Promise<unknown>]>([
    ['at the start of a window', (one) => ask(one, 0, 5)],
    ['in the middle of a window', (one) => ask(one, 450, 5)],
    ['at the end of a window', (one) => ask(one, 899, 5)],
    ['by another isolate', (_, two) => ask(two, 10, 5)],
    ['by another isolate at the end', (_, two) => ask(two, 899.9, 5)],
    [
      'by both',
      async (one, two) => {
        await ask(one, 100, 3)
        await ask(two, 101, 2)
      },
    ],
    [
      'here in the window before, and there in this one',
      async (one, two) => {
        await ask(one, 100, 5)
        await ask(two, 950, 1)
      },
    ],
    [
      'in both windows',
      async (one, two) => {
        await ask(two, 800, 5)
        await ask(one, 1_300, 2)
        await ask(two, 1_301, 2)
      },
    ],
    [
      'and asked for again and again',
      async (one, two) => {
        await ask(two, 850, 4)
        await ask(one, 851, 9)
      },
    ],
  ])('suffices where it was spent %s', async (_, spend) => {
    const [one, two] = [isolate(), isolate()]
    await spend(one, two)
    const [refused] = (await ask(one, (Date.now() - WINDOW_START) / 1_000, 6)).slice(-1)
    expect(refused).toMatchObject({ allowed: false, remaining: 0 })
    const { resetSeconds = 0 } = refused ?? {}
    expect(resetSeconds).toBeGreaterThanOrEqual(1)
    expect(resetSeconds).toBeLessThanOrEqual(policy.windowSeconds + 1)
    vi.setSystemTime(Date.now() + resetSeconds * 1_000)
    expect(await one.limiter.require(policy, caller)).toMatchObject({ allowed: true })
  })

  it('does not grow by asking too early', async () => {
    const [one, two] = [isolate(), isolate()]
    await ask(two, 850, 5)
    const [first, ...later] = await ask(one, 851, 12)
    expect(first).toMatchObject({ allowed: false, resetSeconds: 50 })
    expect(later.map(({ resetSeconds }) => resetSeconds)).toEqual(Array<number>(11).fill(50))
    expect((await ask(one, 901, 1))[0]?.allowed).toBe(true)
  })
})

describe('without Redis', () => {
  it('goes on counting, each isolate for itself, and says so in the log', async () => {
    const at = isolate(GONE)
    expect(allowedOf(await charge(at, policyOf(30), 40))).toBe(30)
    expect(at.warnings).toContain('rate limits are counted by this isolate alone')
    expect(allowedOf(await charge(isolate(GONE), policyOf(30), 40))).toBe(30)
    vi.setSystemTime(Date.now() + MINUTE_MS)
    expect(allowedOf(await charge(at, policyOf(30), 40))).toBe(30)
  })

  it('refuses what has to be charged before it is served when this isolate has had enough', async () => {
    const at = isolate(GONE)
    const verdicts: LimitVerdict[] = []
    for (let i = 0; i < 8; i++) verdicts.push(await at.limiter.require(policyOf(5, 'sign-in'), caller))
    expect(verdicts.map(({ allowed, remaining }) => (allowed ? remaining : 'refused'))).toEqual([
      4,
      3,
      2,
      1,
      0,
      'refused',
      'refused',
      'refused',
    ])
    expect(verdicts.at(-1)?.resetSeconds).toBe(60)
  })
})
