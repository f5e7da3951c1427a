import type { Usage } from '../../../src/http/wire.ts'
import { addDays, daysBetween } from './period.ts'

export const USAGE_PERIODS = ['7d', '28d', '90d'] as const
export type UsagePeriod = (typeof USAGE_PERIODS)[number]

/** What can be drawn by day. */
export type UsageMeasure = 'calls' | 'failures' | 'items' | 'costUsd'

type Tallies = Record<UsageMeasure, number>

/** The period that an address asks for. */
export function parseUsagePeriod(text: string | null): UsagePeriod {
  return USAGE_PERIODS.find((period) => period === text) ?? '28d'
}

/**
 * What a measure came to on every day of the period. A day on which nothing was called was 0.
 * @param platform of one platform alone; empty: of all of them
 */
export function dailyUsage(
  usage: Usage,
  measure: UsageMeasure,
  platform: string,
): { dates: string[]; values: number[] } {
  const { from, to } = usage.period
  const dates = Array.from({ length: daysBetween(from, to) }, (_, i) => addDays(from, i))
  const sums = new Map(dates.map((date) => [date, 0]))
  for (const entry of usage.platforms) {
    if (platform !== '' && entry.platform !== platform) continue
    for (const day of entry.days) sums.set(day.date, (sums.get(day.date) ?? 0) + day[measure])
  }
  return { dates, values: dates.map((date) => sums.get(date) ?? 0) }
}

/** The sum over all platforms. */
export function totalUsage(platforms: readonly Tallies[]): Tallies {
  const sum = (measure: UsageMeasure) => platforms.reduce((total, entry) => total + entry[measure], 0)
  return { calls: sum('calls'), failures: sum('failures'), items: sum('items'), costUsd: sum('costUsd') }
}
