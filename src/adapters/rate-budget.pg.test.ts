import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { PlatformError, type RateBudget, type RateLimitRule } from '../ports.ts'
import { createRateBudget } from './rate-budget.ts'
import { createRedis } from './redis.ts'

let rule: RateLimitRule
beforeEach(() => {
  rule = { key: `mastodon:${crypto.randomUUID()}`, limit: 30, windowSeconds: 300 }
  // Time stands still: windows end when a test says so.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-22T10:01:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

function isolate(url = inject('redisUrl')) {
  const work: Promise<unknown>[] = []
  const redis = createRedis({ url, token: inject('redisToken'), timeoutMs: 5_000 })
  const budget = createRateBudget(redis, { now: () => Date.now() }, (promise) => work.push(promise))
  return { budget, settled: () => Promise.all(work.splice(0)) }
}

/** `null` where the call was granted, else the refusal. */
const spend = (budget: RateBudget) =>
  budget.spend(rule).then(
    () => null,
    (error: unknown) => {
      if (error instanceof PlatformError) return error
      throw error
    },
  )

async function grantedOf(budgets: RateBudget[], attempts: number): Promise<number> {
  let granted = 0
  for (let i = 0; i < attempts; i++)
    for (const budget of budgets) if ((await spend(budget)) === null) granted += 1
  return granted
}

const inMs = (ms: number) => Date.now() + ms

describe('a budget of calls', () => {
  it('is nine tenths of what the platform allows, between all isolates', async () => {
    expect(await grantedOf([isolate().budget, isolate().budget, isolate().budget], 12)).toBe(27)
  })

  it('is no more when all ask at once', async () => {
    const [one, two] = [isolate(), isolate()]
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => spend(i % 2 ? one.budget : two.budget)),
    )
    expect(answers.filter((answer) => answer === null)).toHaveLength(27)
  })

  it.each([
    [1, 1],
    [2, 1],
    [10, 9],
    [15, 13],
  ])('of a limit of %d is %d', async (limit, granted) => {
    rule = { ...rule, limit }
    expect(await grantedOf([isolate().budget], 20)).toBe(granted)
  })

  it('says how long to wait when it is used up: until the oldest call is a window old', async () => {
    const { budget } = isolate()
    await grantedOf([budget], 1)
    vi.setSystemTime(inMs(60_000))
    await grantedOf([budget], 26)
    const refusal = await spend(budget)
    expect(refusal).toMatchObject({ kind: 'rate_limited', retryable: true, retryAfterMs: 240_000 })
    expect(refusal?.message).toContain(rule.key)
    vi.setSystemTime(inMs(239_999))
    expect(await grantedOf([budget, isolate().budget], 3)).toBe(0)
    vi.setSystemTime(inMs(1))
    expect(await grantedOf([budget, isolate().budget], 3)).toBe(1)
  })

  it('is no more within any window, wherever that begins', async () => {
    const grants: number[] = []
    const budgets = [isolate().budget, isolate().budget]
    // Bursts at uneven times, as far apart as a third of the window.
    for (const waitMs of [0, 290_000, 15_000, 100_000, 5_000, 180_000, 1_000, 119_000, 181_000, 60_000]) {
      vi.setSystemTime(inMs(waitMs))
      const granted = await grantedOf(budgets, 8)
      grants.push(...Array<number>(granted).fill(Date.now()))
    }
    expect(grants.length).toBeGreaterThan(60)
    for (const start of grants)
      expect(grants.filter((at) => at >= start && at < start + 300_000).length).toBeLessThanOrEqual(27)
  })

  it('is one for each platform or host', async () => {
    const { budget } = isolate()
    await grantedOf([budget], 40)
    rule = { ...rule, key: `mastodon:${crypto.randomUUID()}` }
    expect(await grantedOf([budget], 40)).toBe(27)
  })
})

describe('what a platform says of its own limit', () => {
  it('pauses everybody until its window ends, when nine tenths are spent', async () => {
    const [one, two] = [isolate(), isolate()]
    one.budget.follow(rule, { limit: 300, remaining: 30, resetAtMs: inMs(90_000) })
    expect(await spend(one.budget)).toMatchObject({ kind: 'rate_limited', retryAfterMs: 90_000 })
    await one.settled()
    expect(await spend(two.budget)).toMatchObject({ kind: 'rate_limited', retryAfterMs: 90_000 })
    vi.setSystemTime(inMs(90_001))
    expect(await spend(one.budget)).toBeNull()
    expect(await spend(two.budget)).toBeNull()
  })

  it('takes nothing from the budget while it pauses', async () => {
    const [one, two] = [isolate(), isolate()]
    one.budget.follow(rule, { limit: 300, remaining: 0, resetAtMs: inMs(30_000) })
    await one.settled()
    expect(await grantedOf([one.budget, two.budget], 20)).toBe(0)
    vi.setSystemTime(inMs(30_001))
    expect(await grantedOf([one.budget, two.budget], 20)).toBe(27)
  })

  it.each([
    ['there is more left', { limit: 300, remaining: 31, resetAtMs: 90_000 }],
    ['the window is over', { limit: 300, remaining: 0, resetAtMs: -1 }],
    ['nobody says when it ends', { limit: 300, remaining: 0, resetAtMs: null }],
    ['nobody says what is left', { limit: 300, remaining: null, resetAtMs: 90_000 }],
  ])('pauses nobody where %s', async (_, { limit, remaining, resetAtMs }) => {
    const { budget, settled } = isolate()
    budget.follow(rule, { limit, remaining, resetAtMs: resetAtMs === null ? null : inMs(resetAtMs) })
    await settled()
    expect(await spend(budget)).toBeNull()
    expect(await spend(isolate().budget)).toBeNull()
  })

  it('is held against the limit that we know where it names none', async () => {
    const { budget } = isolate()
    budget.follow(rule, { limit: null, remaining: 4, resetAtMs: inMs(90_000) })
    expect(await spend(budget)).toBeNull()
    budget.follow(rule, { limit: null, remaining: 3, resetAtMs: inMs(90_000) })
    expect(await spend(budget)).not.toBeNull()
  })

  it('lowers the budget of everybody where it names a lower limit than expected, for an hour', async () => {
    const [one, two] = [isolate(), isolate()]
    one.budget.follow(rule, { limit: 10, remaining: 10, resetAtMs: inMs(90_000) })
    await one.settled()
    expect(await grantedOf([two.budget, one.budget], 20)).toBe(9)
    vi.setSystemTime(inMs(3_600_001))
    expect(await grantedOf([two.budget, one.budget], 20)).toBe(27)
  })

  it('never raises the budget', async () => {
    const { budget, settled } = isolate()
    budget.follow(rule, { limit: 1_000, remaining: 900, resetAtMs: inMs(90_000) })
    await settled()
    expect(await grantedOf([budget], 40)).toBe(27)
  })

  it('pauses for an hour at most, whatever it says', async () => {
    const { budget, settled } = isolate()
    budget.follow(rule, { limit: 300, remaining: 0, resetAtMs: inMs(30 * 86_400_000) })
    await settled()
    expect(await spend(budget)).toMatchObject({ retryAfterMs: 3_600_000 })
    expect(await spend(isolate().budget)).toMatchObject({ retryAfterMs: 3_600_000 })
    vi.setSystemTime(inMs(3_600_001))
    expect(await spend(budget)).toBeNull()
  })

  it('pauses one host alone', async () => {
    const { budget } = isolate()
    budget.follow(rule, { limit: 300, remaining: 0, resetAtMs: inMs(90_000) })
    rule = { ...rule, key: `mastodon:${crypto.randomUUID()}` }
    expect(await spend(budget)).toBeNull()
  })
})

describe('without Redis', () => {
  it('grants nothing, and does not fail over what the platform says', async () => {
    const { budget, settled } = isolate('http://127.0.0.1:9')
    expect(await spend(budget)).toMatchObject({ kind: 'rate_limited', retryable: true, retryAfterMs: 15_000 })
    budget.follow(rule, { limit: 300, remaining: 0, resetAtMs: inMs(90_000) })
    await settled()
    expect(await spend(budget)).toMatchObject({ retryAfterMs: 90_000 })
  })
})
