/** Numbers that say something of many measurements. */

export interface Summary {
  count: number
  mean: number
  p50: number
  /** `null` where there are too few measurements to tell; see `quantile`. */
  p95: number | null
  p99: number | null
  max: number
}

/** The middle value; the mean of the two middle ones of an even count. `null` of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  if (upper === undefined) return null
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? upper
  return (lower + upper) / 2
}

/** The median of what is known; `null` where nothing is. */
export function medianKnown(values: readonly (number | null)[]): number | null {
  return median(values.filter((value) => value !== null))
}

/**
 * The value below which a share of the measurements lies, by nearest rank. `null` where there are so few that
 * it could only be the largest: a 95th percentile needs 20, a 99th 100.
 * @param share between 0 and 1, both excluded
 */
export function quantile(values: ArrayLike<number>, share: number): number | null {
  return quantileOfSorted(Float64Array.from(values).sort(), share)
}

/** @returns `null` of nothing. */
export function summarise(values: ArrayLike<number>): Summary | null {
  const sorted = Float64Array.from(values).sort()
  const max = sorted.at(-1)
  const p50 = median(Array.from(sorted))
  if (max === undefined || p50 === null) return null
  const sum = sorted.reduce((total, value) => total + value, 0)
  return {
    count: sorted.length,
    mean: sum / sorted.length,
    p50,
    p95: quantileOfSorted(sorted, 0.95),
    p99: quantileOfSorted(sorted, 0.99),
    max,
  }
}

/** How many times `base` a value is; `null` where either is unknown or there is no base. */
export function ratio(value: number | null, base: number | null): number | null {
  return value === null || base === null || base === 0 ? null : value / base
}

/** Differences such as 1 − 0.95 are not exact. */
const ROUNDING = 1e-9

function quantileOfSorted(sorted: Float64Array, share: number): number | null {
  if (sorted.length * (1 - share) < 1 - ROUNDING) return null
  return sorted[Math.ceil(sorted.length * share - ROUNDING) - 1] ?? null
}
