import type { Check } from './check.ts'
import type { Toll } from './toll.ts'

const MOST_SHOWN = 20
/** Shorter runs may be too short for everything to happen. */
const LEAST_MINUTES = 4

/** What is left of the run to say, in lines; `isGood` where nothing at all differs. */
export interface Verdict {
  isGood: boolean
  lines: string[]
}

/** @param complaints what did not come to be so, beside what was compared */
export function verdictOf(checks: readonly Check[], complaints: readonly string[]): Verdict {
  const lines = checks.flatMap(({ what, compared, differences }) => {
    const mark = differences.length === 0 ? 'ok  ' : 'FAIL'
    const head = `${mark} ${String(compared).padStart(7)}  ${what}`
    const shown = differences.slice(0, MOST_SHOWN).map((difference) => `                 ${difference}`)
    const more = differences.length - shown.length
    if (more > 0) shown.push(`                 and ${more} more`)
    return [differences.length === 0 ? head : `${head}: ${differences.length} differ`, ...shown]
  })
  lines.push(...complaints.map((complaint) => `FAIL          ${complaint}`))
  return { isGood: complaints.length === 0 && checks.every((one) => one.differences.length === 0), lines }
}

/** Everything has to have happened in a run that is long enough. */
export function checkToll(toll: Toll, minutes: number): Check {
  const entries = minutes < LEAST_MINUTES ? [] : Object.entries(toll)
  const never = entries.filter(([, times]) => times === 0)
  return {
    what: 'kinds of trouble, all of which came',
    compared: entries.length,
    differences: never.map(([kind]) => `no ${kind}`),
  }
}
