import type { LoadGenerator } from '../../lib/load/load-generator.ts'
import { alternate, forEach } from '../../lib/rounds.ts'
import { median, medianKnown, ratio } from '../../lib/statistics.ts'
import type { Cell, Table } from '../../lib/table.ts'
import { assertAnswered, rateOf, sharesOf } from './answers.ts'
import { LABELS, REPLACED_BY, type Targets, VARIANTS, type Variant } from './targets.ts'

const RUN_MS = 350
const ROUNDS = { minRounds: 3, maxRounds: 3, budgetMs: 60_000 }
/** What takes longer than this to come to an end is not repeated. */
const SLOW_MS = 1_000

/** As many reads as connections carry, in turn with their baselines. */
export class SaturatedMeasurement {
  readonly #generator: LoadGenerator
  readonly #targets: Targets
  readonly #rows: Cell[][] = []

  constructor(generator: LoadGenerator, targets: Targets) {
    this.#generator = generator
    this.#targets = targets
  }

  async add(connections: number): Promise<void> {
    this.#rows.push(...(await measure(this.#generator, this.#targets, connections)))
  }

  table(): Table {
    return {
      title: 'Reads: as many as the connections carry',
      columns: [
        { name: 'conns' },
        { name: 'case' },
        { name: 'runs' },
        { name: 'requests/s', digits: 0 },
        { name: 'of trivial', unit: '×', digits: 2 },
        { name: 'of replaced', unit: '×', digits: 1 },
        { name: 'p50', unit: 'ms' },
        { name: 'p99', unit: 'ms' },
        { name: 'answered by' },
        { name: 'asker CPU', digits: 2 },
      ],
      rows: this.#rows,
    }
  }
}

async function measure(generator: LoadGenerator, targets: Targets, connections: number): Promise<Cell[][]> {
  const slow = new Set<Variant>()
  const rounds = await alternate(
    forEach(VARIANTS, (variant) => async () => {
      if (slow.has(variant)) return null
      const target = await targets[variant]()
      const result = await generator.run({ ...target, connections, durationMs: RUN_MS })
      assertAnswered(variant, result)
      if (result.elapsedMs > SLOW_MS) slow.add(variant)
      return result
    }),
    ROUNDS,
  )
  const results = forEach(VARIANTS, (variant) => rounds[variant].filter((result) => result !== null))
  const perSecond = forEach(VARIANTS, (variant) => median(results[variant].map(rateOf)))
  return VARIANTS.map((variant) => {
    const runs = results[variant]
    const replaced = REPLACED_BY[variant]
    return [
      connections,
      LABELS[variant],
      runs.length,
      perSecond[variant],
      ratio(perSecond[variant], perSecond.trivial),
      replaced === undefined ? null : ratio(perSecond[variant], perSecond[replaced]),
      medianKnown(runs.map((r) => r.latencyMs?.p50 ?? null)),
      medianKnown(runs.map((r) => r.latencyMs?.p99 ?? null)),
      sharesOf(runs),
      median(runs.map((r) => r.generatorCpu)),
    ]
  })
}
