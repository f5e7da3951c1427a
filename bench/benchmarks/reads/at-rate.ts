import type { LoadResult } from '../../lib/load/protocol.ts'
import { alternate, forEach } from '../../lib/rounds.ts'
import { median, medianKnown, ratio } from '../../lib/statistics.ts'
import { assertAnswered, sharesOf } from './answers.ts'
import type { Findings, ReadsBench } from './section.ts'
import { LABELS } from './targets.ts'
import { below } from './verdicts.ts'

const RATE_PER_SECOND = 2_000
const CONNECTIONS = 64
const RUN_MS = 1_000
const ROUNDS = { minRounds: 5, maxRounds: 5, budgetMs: 0 }
const MEASURED = ['static', 'healthz', 'overview', 'notModified', 'trending'] as const
const MOST_OF_STATIC = 2
const WHOLE_CORE = 1

/** Warm reads at a rate that does not depend on how fast they are answered: what a single one takes. */
export async function measureAtRate({ generator, targets, log }: ReadsBench): Promise<Findings> {
  log(`warm reads at ${RATE_PER_SECOND} a second`)
  const runs = await alternate(
    forEach(MEASURED, (variant) => async () => {
      const result = await generator.run({
        ...(await targets[variant]()),
        connections: CONNECTIONS,
        durationMs: RUN_MS,
        ratePerSecond: RATE_PER_SECOND,
      })
      assertAnswered(LABELS[variant], result)
      return result
    }),
    ROUNDS,
  )
  const p99 = forEach(MEASURED, (variant) => latency(runs[variant], 'p99'))
  const cpu = Math.max(...MEASURED.flatMap((variant) => runs[variant].map((run) => run.generatorCpu)))
  return {
    tables: [
      {
        title: `Reads: ${RATE_PER_SECOND.toLocaleString('en-US')} a second over ${CONNECTIONS} connections`,
        columns: [
          { name: 'case' },
          { name: 'requests', digits: 0 },
          { name: 'not sent', digits: 0 },
          { name: 'p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'of static', unit: '×' },
          { name: 'max', unit: 'ms' },
          { name: 'answered by' },
          { name: 'asker CPU', digits: 2 },
        ],
        rows: MEASURED.map((variant) => [
          LABELS[variant],
          median(runs[variant].map((run) => run.requests)),
          median(runs[variant].map((run) => run.unsent)),
          latency(runs[variant], 'p50'),
          latency(runs[variant], 'p95'),
          p99[variant],
          ratio(p99[variant], p99.static),
          latency(runs[variant], 'max'),
          sharesOf(runs[variant]),
          median(runs[variant].map((run) => run.generatorCpu)),
        ]),
      },
    ],
    notes: [
      'A request that is due waits for a free connection, and its waiting counts. Not sent: due, but the answers before took too long.',
    ],
    verdicts: [
      below(
        `p99 of the overview at ${RATE_PER_SECOND.toLocaleString('en-US')} a second, to the static route's`,
        MOST_OF_STATIC,
        ratio(p99.overview, p99.static),
        '×',
      ),
      below('what the asker needs of a processor at that rate', WHOLE_CORE, cpu),
    ],
  }
}

function latency(runs: LoadResult[], key: 'p50' | 'p95' | 'p99' | 'max'): number | null {
  return medianKnown(runs.map(({ latencyMs }) => latencyMs?.[key] ?? null))
}
