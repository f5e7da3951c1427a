import { describe, expect, it } from 'vitest'
import type { Usage } from '../../../src/http/wire.ts'
import { dailyUsage, parseUsagePeriod, totalUsage } from './usage.ts'

const day = (date: string, calls: number, costUsd = 0) => ({
  ...{ date, calls, costUsd },
  ...{ failures: 1, items: 20, units: calls },
})

const platform = (name: Usage['platforms'][number]['platform'], days: ReturnType<typeof day>[]) => ({
  ...{ platform: name, days, meanLatencyMs: 120, units: 9 },
  ...totalUsage(days),
})

const USAGE: Usage = {
  period: { from: '2026-10-30', to: '2026-11-02', timezone: 'UTC' },
  platforms: [
    platform('bluesky', [day('2026-10-30', 4), day('2026-11-02', 6)]),
    platform('x', [day('2026-11-02', 2, 0.25)]),
  ],
  budgets: [],
}

describe('usage', () => {
  it('is given for every day of the period, and 0 where nothing was called', () => {
    expect(dailyUsage(USAGE, 'calls', '')).toEqual({
      dates: ['2026-10-30', '2026-10-31', '2026-11-01', '2026-11-02'],
      values: [4, 0, 0, 8],
    })
  })

  it('is given of one platform alone', () => {
    expect(dailyUsage(USAGE, 'calls', 'bluesky').values).toEqual([4, 0, 0, 6])
    expect(dailyUsage(USAGE, 'costUsd', 'x').values).toEqual([0, 0, 0, 0.25])
  })

  it('is added up over platforms', () => {
    expect(totalUsage(USAGE.platforms)).toEqual({ calls: 12, failures: 3, items: 60, costUsd: 0.25 })
    expect(totalUsage([])).toEqual({ calls: 0, failures: 0, items: 0, costUsd: 0 })
  })

  it('is asked for by one of three periods', () => {
    expect([parseUsagePeriod('90d'), parseUsagePeriod('12m'), parseUsagePeriod(null)]).toEqual([
      '90d',
      '28d',
      '28d',
    ])
  })
})
