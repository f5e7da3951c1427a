import { AppError } from '../../../src/errors.ts'
import { alternate, forEach } from '../../lib/rounds.ts'
import { type CaseKind, countingRows, type ScaleCase } from './cases.ts'
import type { World } from './world.ts'

/** How often a case was asked at one size, and what came of it. */
export interface Measured {
  /** Of every time; where Postgres was not waited for any longer, until then. */
  ms: number[]
  timeouts: number
  /** Rows of the largest answer that a statement gave. */
  mostRows: number
}

/** By label of the case, then by number of posts. */
export type Measurements = Map<string, Map<number, Measured>>

interface Effort {
  rounds: number
  /** A case that has taken this long in all is not asked again, so that slow ones hold nobody up. */
  budgetMs: number
}

const WARM_UP_ROUNDS = 1
const MIN_TIMES = 3
const EFFORT: Record<CaseKind, Effort> = {
  overview: { rounds: 20, budgetMs: 10_000 },
  page: { rounds: 20, budgetMs: 6_000 },
  list: { rounds: 20, budgetMs: 6_000 },
  // A 99th percentile needs a hundred.
  search: { rounds: 100, budgetMs: 12_000 },
  baseline: { rounds: 10, budgetMs: 5_000 },
}

/** Asks all cases of all sizes in turn, again and again. */
export async function measureCases(
  worlds: readonly World[],
  cases: readonly ScaleCase[],
  log: (line: string) => void,
): Promise<Measurements> {
  const measurements: Measurements = new Map(cases.map(({ label }) => [label, new Map()]))
  const variants = new Map<string, (round: number) => Promise<void>>()
  for (const one of cases)
    for (const world of worlds) {
      const measured: Measured = { ms: [], timeouts: 0, mostRows: 0 }
      measurements.get(one.label)?.set(world.posts, measured)
      variants.set(`${one.label} ${world.posts}`, asking(one, world, measured))
    }
  const mostRounds = Math.max(...cases.map(({ kind }) => EFFORT[kind].rounds)) + WARM_UP_ROUNDS
  await alternate(
    forEach([...variants.keys()], (name) => async (round: number) => {
      await variants.get(name)?.(round)
    }),
    { minRounds: mostRounds, maxRounds: mostRounds, budgetMs: 0 },
  )
  log(`${cases.length} cases asked`)
  return measurements
}

/** Asks a case once in a round, as long as there is something to learn. */
function asking(one: ScaleCase, world: World, into: Measured): (round: number) => Promise<void> {
  const { rounds, budgetMs } = EFFORT[one.kind]
  const counting = countingRows(world.db)
  let spentMs = 0
  return async (round) => {
    const isEnough = into.ms.length >= rounds || (into.ms.length >= MIN_TIMES && spentMs >= budgetMs)
    if (isEnough) return
    const startedMs = performance.now()
    let timedOut = false
    try {
      await one.ask({ ...world, db: counting.db }, round)
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'unavailable')) throw error
      timedOut = true
    }
    if (round < WARM_UP_ROUNDS) return
    const tookMs = performance.now() - startedMs
    spentMs += tookMs
    into.ms.push(tookMs)
    if (timedOut) into.timeouts += 1
    into.mostRows = counting.mostRows()
  }
}
