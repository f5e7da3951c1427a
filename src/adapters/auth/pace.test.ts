import { describe, expect, it } from 'vitest'
import { createPace } from './pace.ts'

/** A clock that shows what is slept and worked. */
function paced(pauseMs: number, maxWaitMs: number) {
  const clock = { nowMs: 1_000_000 }
  const pace = createPace({
    ...{ pauseMs, maxWaitMs },
    now: () => clock.nowMs,
    sleep: async (ms) => {
      const wakesAtMs = clock.nowMs + ms
      await Promise.resolve()
      clock.nowMs = Math.max(clock.nowMs, wakesAtMs)
    },
  })
  const begun: number[] = []
  return {
    clock,
    begun,
    /** Work of so long. */
    work: (tookMs: number) =>
      pace(async () => {
        begun.push(clock.nowMs - 1_000_000)
        clock.nowMs += tookMs
      }),
  }
}

describe('a pace', () => {
  it('keeps nobody waiting who comes alone', async () => {
    const { clock, begun, work } = paced(100, 5_000)
    await work(50)
    clock.nowMs += 150
    await work(50)
    expect(begun).toEqual([0, 200])
  })

  it('gives those who come at once one turn after another, and others as much time in between', async () => {
    const { begun, work } = paced(100, 5_000)
    await Promise.all([work(300), work(50), work(50)])
    expect(begun).toEqual([0, 600, 800])
  })

  it('goes on after work that failed', async () => {
    const pace = createPace({ pauseMs: 1, maxWaitMs: 1_000 })
    await expect(pace(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await pace(async () => 'yes')).toBe('yes')
  })

  it('refuses who would wait too long, and says when to come again', async () => {
    const { work, begun } = paced(100, 150)
    const answers = await Promise.allSettled([work(100), work(100), work(100), work(100)])
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
    expect(begun).toEqual([0, 200])
    expect(refused).toEqual([
      expect.objectContaining({ code: 'unavailable', retryAfterMs: expect.any(Number) }),
      expect.objectContaining({ code: 'unavailable', retryAfterMs: expect.any(Number) }),
    ])
  })

  it('waits in real time', async () => {
    const pace = createPace({ pauseMs: 25, maxWaitMs: 1_000 })
    const startedMs = performance.now()
    await Promise.all([1, 2, 3].map(() => pace(async () => {})))
    expect(performance.now() - startedMs).toBeGreaterThan(90)
  })
})
