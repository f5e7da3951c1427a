/** Axes that tell the truth: they always contain zero, and their ticks are round numbers. */
export interface Scale {
  min: number
  max: number
  step: number
  ticks: number[]
}

/** The smallest of 1, 2, 2.5, 5 × 10ⁿ that is not below `raw`. `whole` leaves out steps with fractions. */
export function niceStep(raw: number, whole: boolean): number {
  if (!(raw > 0)) return 1
  const magnitude = 10 ** Math.floor(Math.log10(raw))
  for (const factor of [1, 2, 2.5, 5, 10]) {
    const step = factor * magnitude
    if (step >= raw * (1 - 1e-9) && (!whole || Number.isInteger(step))) return step
  }
  return Math.max(1, 10 * magnitude)
}

/**
 * A scale for values between `min` and `max` with about `tickCount` ticks. `whole`: the values are counts,
 * so no tick lies between two of them. Without any values the scale is 0 to 1.
 */
export function zeroBasedScale(
  min: number | null,
  max: number | null,
  options: { tickCount: number; whole: boolean },
): Scale {
  const low = Math.min(0, min ?? 0)
  const high = Math.max(0, max ?? 0)
  const span = high - low
  const step = span === 0 ? 1 : niceStep(span / options.tickCount, options.whole)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  const ticks: number[] = []
  // Multiplying keeps 3 × 0.1 from drifting; the rounding removes what is left of it.
  for (let i = first; i <= last; i += 1) ticks.push(Number((i * step).toPrecision(12)))
  return { min: ticks[0] ?? 0, max: ticks[ticks.length - 1] ?? 1, step, ticks }
}

/**
 * Which of a run of consecutive days get a label, so that at most `maxLabels` do: the firsts of months over
 * a long run, otherwise every day, second, seventh … day counted back from the last.
 */
export function dayTicks(dates: readonly string[], maxLabels: number): number[] {
  const count = dates.length
  const room = Math.max(1, maxLabels)
  if (count > 100) {
    const firsts = dates.flatMap((date, index) => (date.endsWith('-01') ? [index] : []))
    const every = Math.ceil(firsts.length / room)
    return firsts.filter((_, i) => i % every === 0)
  }
  const step = [1, 2, 7, 14, 28].find((s) => Math.ceil(count / s) <= room) ?? Math.ceil(count / room)
  const ticks: number[] = []
  for (let i = count - 1; i >= 0; i -= step) ticks.unshift(i)
  return ticks
}

/** The same for the hours of a day: every hour, third or sixth, counted from the first. */
export function hourTicks(count: number, maxLabels: number): number[] {
  const step = [1, 2, 3, 6, 12].find((s) => Math.ceil(count / s) <= Math.max(1, maxLabels)) ?? 24
  const ticks: number[] = []
  for (let i = 0; i < count; i += step) ticks.push(i)
  return ticks
}

const SECOND_STEPS = [60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600]

/** Evenly spaced moments (seconds since 1970) between two, on round steps of UTC, at most `maxLabels` of them. */
export function instantTicks(first: number, last: number, maxLabels: number): number[] {
  const room = Math.max(1, maxLabels)
  const span = last - first
  const step = SECOND_STEPS.find((s) => span / s < room) ?? Math.ceil(span / room / 2_592_000) * 2_592_000
  const ticks: number[] = []
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) ticks.push(at)
  return ticks.length === 0 ? [first] : ticks
}
