import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Refresher } from './refresher.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp(durationMs = 0) {
  const starts: number[] = []
  const refresher = new Refresher({
    minIntervalMs: 1_000,
    now: () => Date.now(),
    run: async () => {
      starts.push(Date.now() - origin)
      if (durationMs > 0) await new Promise((resolve) => setTimeout(resolve, durationMs))
    },
  })
  const origin = Date.now()
  return { refresher, starts }
}

describe('Refresher', () => {
  it('runs the first request at once', () => {
    const { refresher, starts } = setUp()
    refresher.request()
    expect(starts).toEqual([0])
  })

  it('makes one run a second of a burst, and one more for its end', async () => {
    const { refresher, starts } = setUp()
    for (let ms = 0; ms < 2_500; ms += 50) {
      refresher.request()
      await vi.advanceTimersByTimeAsync(50)
    }
    await vi.advanceTimersByTimeAsync(5_000)
    expect(starts).toEqual([0, 1_000, 2_000, 3_000])
  })

  it('runs again after a slow run during which something changed, never two at a time', async () => {
    const { refresher, starts } = setUp(3_000)
    refresher.request()
    await vi.advanceTimersByTimeAsync(10)
    refresher.request()
    refresher.request()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(starts).toEqual([0])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(starts).toEqual([0, 3_000])
  })

  it('waits while held and catches up once afterwards', async () => {
    const { refresher, starts } = setUp()
    refresher.hold(true)
    refresher.request()
    refresher.request()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(starts).toEqual([])
    refresher.hold(false)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(starts).toEqual([5_000])
  })

  it('goes on after a run that failed', async () => {
    let runs = 0
    const refresher = new Refresher({
      minIntervalMs: 1_000,
      now: () => Date.now(),
      run: () => {
        runs += 1
        return Promise.reject(new Error('no connection'))
      },
    })
    refresher.request()
    await vi.advanceTimersByTimeAsync(2_000)
    refresher.request()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(runs).toBe(2)
  })

  it('does nothing more once stopped', async () => {
    const { refresher, starts } = setUp()
    refresher.request()
    await vi.advanceTimersByTimeAsync(10)
    refresher.request()
    refresher.stop()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(starts).toEqual([0])
  })
})
