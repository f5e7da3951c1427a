import { setTimeout as delay } from 'node:timers/promises'
import { Ratelimit } from '@upstash/ratelimit'
import { describe, expect, it } from 'vitest'
import type { RedisKind } from './redis-kinds.ts'
import { useStack } from './stack.ts'

const WINDOW_MS = 1500

/** Waits for the beginning of a window, so that a test lies within one. */
async function beginningOfWindow(): Promise<void> {
  const elapsedMs = Date.now() % WINDOW_MS
  if (elapsedMs > WINDOW_MS / 4) await delay(WINDOW_MS - elapsedMs + 5)
}

const untilPast = (timeMs: number) => delay(Math.max(0, timeMs - Date.now()) + 20)

/** `@upstash/ratelimit` with each of its algorithms. */
export function describeRatelimit(kind: RedisKind): void {
  describe(`@upstash/ratelimit over ${kind}`, () => {
    const stack = useStack(kind)
    const limiters = {
      fixedWindow: Ratelimit.fixedWindow(5, `${WINDOW_MS} ms`),
      slidingWindow: Ratelimit.slidingWindow(5, `${WINDOW_MS} ms`),
      tokenBucket: Ratelimit.tokenBucket(5, `${WINDOW_MS} ms`, 5),
      cachedFixedWindow: Ratelimit.cachedFixedWindow(5, `${WINDOW_MS} ms`),
    }
    const limiterNames = Object.keys(limiters)

    function ratelimit(name: string, options: { analytics?: boolean; dynamicLimits?: boolean } = {}) {
      const limiter = Object.entries(limiters).find(([key]) => key === name)?.[1]
      if (limiter === undefined) throw new Error(`No limiter ${name}`)
      // cachedFixedWindow needs a cache; the others are to ask Redis each time.
      const ephemeralCache = name === 'cachedFixedWindow' ? new Map<string, number>() : false
      return new Ratelimit({ redis: stack.client(), limiter, prefix: name, ephemeralCache, ...options })
    }

    it.each(limiterNames)('%s lets the budget through, refuses the rest, and recovers', async (name) => {
      const limit = ratelimit(name)
      await beginningOfWindow()
      const first = await limit.limit('id', { rate: 3 })
      expect(first).toMatchObject({ success: true, limit: 5, remaining: 2 })
      expect((await limit.limit('other')).remaining).toBe(4)
      const second = await limit.limit('id', { rate: 2 })
      expect(second).toMatchObject({ success: true, remaining: 0 })
      await second.pending
      const refused = await limit.limit('id')
      expect(refused.success).toBe(false)
      expect(refused.reset).toBeGreaterThan(Date.now())
      // The sliding window forgets the last one only at the end of the next.
      await untilPast(refused.reset + (name === 'slidingWindow' ? WINDOW_MS : 0))
      expect(await limit.limit('id')).toMatchObject({ success: true, remaining: 4 })
    })

    it.each(limiterNames)('%s says what remains, and can be reset', async (name) => {
      const limit = ratelimit(name)
      await beginningOfWindow()
      expect((await limit.getRemaining('id')).remaining).toBe(5)
      await limit.limit('id', { rate: 5 })
      expect((await limit.getRemaining('id')).remaining).toBe(0)
      await limit.resetUsedTokens('id')
      expect((await limit.getRemaining('id')).remaining).toBe(5)
      expect((await limit.limit('id')).success).toBe(true)
    })

    it.each(['fixedWindow', 'slidingWindow', 'tokenBucket'])('%s follows a dynamic limit', async (name) => {
      const limit = ratelimit(name, { dynamicLimits: true })
      await limit.setDynamicLimit({ limit: 2 })
      await beginningOfWindow()
      expect(await limit.limit('id', { rate: 2 })).toMatchObject({ success: true, limit: 2, remaining: 0 })
      expect((await limit.limit('id')).success).toBe(false)
    })

    it('shares a budget among instances', async () => {
      await beginningOfWindow()
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => ratelimit('fixedWindow').limit('shared')),
      )
      expect(answers.filter(({ success }) => success)).toHaveLength(5)
    })

    it('waits for the budget where asked to', async () => {
      const limit = ratelimit('tokenBucket')
      await limit.limit('id', { rate: 5 })
      const answer = await limit.blockUntilReady('id', 3 * WINDOW_MS)
      expect(answer.success).toBe(true)
    })

    it('records analytics', async () => {
      const { pending } = await ratelimit('fixedWindow', { analytics: true }).limit('id')
      await pending
      const keys = await stack.client().keys('fixedWindow:events:*')
      expect(keys).toHaveLength(1)
    })
  })
}
