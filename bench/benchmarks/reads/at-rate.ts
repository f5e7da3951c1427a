import type { LoadGenerator } from '../../lib/load/load-generator.ts'
import type { LoadResult } from '../../lib/load/protocol.ts'
import { alternate, forEach } from '../../lib/rounds.ts'
import { median, medianKnown } from '../../lib/statistics.ts'
import type { Cell, Table } from '../../lib/table.ts'
import { assertAnswered, sharesOf } from './answers.ts'
import { LABELS, type Targets } from './targets.ts'

const RATE_PER_SECOND = 200
const CONNECTIONS = 16
const RUN_MS = 700

/** Reads at a rate that all of them can bear: what a single request takes. */
export class RateMeasurement {
  readonly #generator: LoadGenerator
  readonly #targets: Targets
  readonly #runs = new Map<string, LoadResult[]>()

  constructor(generator: LoadGenerator, targets: Targets) {
    this.#generator = generator
    this.#targets = targets
  }

  /** Asks for each kind of answer once, in turn. */
  async addRound(): Promise<void> {
    const variants = ['trivial', 'overview', 'notModified', 'trending'] as const
    await alternate(
      forEach(variants, (variant) => () => this.#add(LABELS[variant], variant, RUN_MS)),
      { minRounds: 1, maxRounds: 1, budgetMs: 0 },
    )
  }

  /** Asks the same question over and over: what was answered from memory at first comes from where it may. */
  async addSameQuestion(label: string, durationMs: number): Promise<void> {
    await this.#add(label, 'sameOverview', durationMs)
  }

  table(): Table {
    return {
      title: `Reads: ${RATE_PER_SECOND} requests a second over ${CONNECTIONS} connections`,
      columns: [
        { name: 'case' },
        { name: 'requests', digits: 0 },
        { name: 'p50', unit: 'ms' },
        { name: 'p95', unit: 'ms' },
        { name: 'p99', unit: 'ms' },
        { name: 'max', unit: 'ms' },
        { name: 'answered by' },
      ],
      rows: [...this.#runs].map(([label, runs]) => rowOf(label, runs)),
    }
  }

  async #add(label: string, name: keyof Targets, durationMs: number): Promise<void> {
    const result = await this.#generator.run({
      ...(await this.#targets[name]()),
      connections: CONNECTIONS,
      durationMs,
      ratePerSecond: RATE_PER_SECOND,
    })
    assertAnswered(label, result)
    this.#runs.set(label, [...(this.#runs.get(label) ?? []), result])
  }
}

function rowOf(label: string, runs: LoadResult[]): Cell[] {
  const latency = (key: 'p50' | 'p95' | 'p99' | 'max') =>
    medianKnown(runs.map((r) => r.latencyMs?.[key] ?? null))
  return [
    label,
    median(runs.map((r) => r.requests)),
    latency('p50'),
    latency('p95'),
    latency('p99'),
    latency('max'),
    sharesOf(runs),
  ]
}
