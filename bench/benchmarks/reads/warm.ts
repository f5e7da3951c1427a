import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadResult } from '../../lib/load/protocol.ts'
import { alternate, forEach } from '../../lib/rounds.ts'
import { median, medianKnown, ratio } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { assertAnswered, rateOf, sharesOf } from './answers.ts'
import type { Findings, ReadsBench } from './section.ts'
import {
  LABELS,
  REPLACED,
  REPLACED_BY,
  REPLACED_FILLING,
  type Replaced,
  startReplaced,
  VARIANTS,
  type Variant,
} from './targets.ts'
import { atLeast, type Verdict } from './verdicts.ts'

const CONNECTIONS = [1, 16, 256]
/** Its loop keeps both processors busy with no more: further connections would wait for each other. */
const REPLACED_CONNECTIONS = [1, 4]
const RUN_MS = 600
const ROUNDS = { minRounds: 5, maxRounds: 5, budgetMs: 0 }
const REPLACED_ROUNDS = { minRounds: 2, maxRounds: 5, budgetMs: 6_000 }
const LONG = { connections: 16, durationMs: 12_000 }
/** What is busy with the runs before may end. */
const REST_MS = 300

const LEAST_OF_STATIC = 80
const LEAST_OF_TRIVIAL = 60
const LEAST_OF_REPLACED = 100

type Rates<K extends string> = Record<K, number | null>

/** As many reads as connections carry, in turn with their baselines, and one question for longer than memory keeps it. */
export async function measureWarm(bench: ReadsBench): Promise<Findings> {
  const { log } = bench
  log(`filling a workspace with ${REPLACED_FILLING.posts} posts for the replaced design`)
  const replaced = await measureReplaced(bench)
  const rows: Cell[][] = []
  const verdicts: Verdict[] = []
  for (const connections of CONNECTIONS) {
    log(`warm reads over ${connections} connections`)
    const runs = await alternate(
      forEach(VARIANTS, (variant) => () => ask(bench, variant, connections)),
      ROUNDS,
    )
    const rates = forEach(VARIANTS, (variant) => median(runs[variant].map(rateOf)))
    rows.push(
      ...VARIANTS.map((variant) => rowOf(connections, variant, runs[variant], rates, replaced.fastest)),
    )
    verdicts.push(...verdictsOf(connections, rates, replaced.fastest))
  }
  log('one question over and over')
  const long = await bench.generator.run({ ...(await bench.targets.sameOverview()), ...LONG })
  assertAnswered('the overview', long)
  return {
    tables: [
      {
        title: 'Reads: from memory, as many as the connections carry',
        columns: [
          { name: 'conns' },
          { name: 'case' },
          { name: 'runs' },
          { name: 'requests/s', digits: 0 },
          { name: 'of static', unit: '%', digits: 0 },
          { name: 'of /healthz', unit: '%', digits: 0 },
          { name: 'of Hono', unit: '%', digits: 0 },
          { name: 'of replaced', unit: '×', digits: 0 },
          { name: 'p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'answered by' },
          { name: 'asker CPU', digits: 2 },
        ],
        rows: [...rows, ...replaced.rows],
      },
      longTable(long),
    ],
    notes: [
      `Medians of ${ROUNDS.maxRounds} runs in turn, each of ${RUN_MS / 1_000} s right after its question was answered once. At saturation latency is queueing: compare it at the fixed rate. "asker CPU" near 1 means that it could not ask faster.`,
      'Static: the overview’s bytes and headers behind the product’s outermost middleware, with no caller, no cache and no allowance (bench/baselines/static-worker.ts).',
      `Replaced design: fetches accounts, sums the posts of each in a loop, counts hashtags from texts; no cache, key or limit (bench/baselines/replaced-worker.ts); ${REPLACED_FILLING.accounts} accounts with ${REPLACED_FILLING.posts.toLocaleString('en-US')} posts of ${REPLACED_FILLING.days} days. Compared with its best rate.`,
    ],
    verdicts,
  }
}

async function ask(bench: ReadsBench, variant: Variant, connections: number): Promise<LoadResult> {
  const target = await bench.targets[variant]()
  const result = await bench.generator.run({ ...target, connections, durationMs: RUN_MS })
  assertAnswered(LABELS[variant], result)
  return result
}

async function measureReplaced(bench: ReadsBench) {
  const targets = await startReplaced(bench.resources, bench.stack)
  bench.log('the replaced design')
  const rows: Cell[][] = []
  const fastest: Rates<Replaced> = { replaced: null, replacedTags: null }
  for (const connections of REPLACED_CONNECTIONS) {
    const runs = await alternate(
      forEach(REPLACED, (name) => () => {
        return bench.generator.run({ ...targets[name], connections, durationMs: RUN_MS })
      }),
      REPLACED_ROUNDS,
    )
    for (const name of REPLACED) {
      for (const result of runs[name]) assertAnswered(LABELS[name], result)
      const rate = median(runs[name].map(rateOf))
      fastest[name] = Math.max(rate ?? 0, fastest[name] ?? 0)
      rows.push([
        connections,
        LABELS[name],
        runs[name].length,
        rate,
        ...[null, null, null, null],
        ...latenciesOf(runs[name]),
        '',
        median(runs[name].map((run) => run.generatorCpu)),
      ])
    }
  }
  await sleep(REST_MS)
  return { rows, fastest }
}

function rowOf(
  connections: number,
  variant: Variant,
  runs: LoadResult[],
  rates: Rates<Variant>,
  replaced: Rates<Replaced>,
): Cell[] {
  const before = REPLACED_BY[variant]
  return [
    connections,
    LABELS[variant],
    runs.length,
    rates[variant],
    percentOf(rates[variant], rates.static),
    percentOf(rates[variant], rates.healthz),
    percentOf(rates[variant], rates.hono),
    before === undefined ? null : ratio(rates[variant], replaced[before]),
    ...latenciesOf(runs),
    sharesOf(runs),
    median(runs.map((run) => run.generatorCpu)),
  ]
}

function verdictsOf(connections: number, rates: Rates<Variant>, replaced: Rates<Replaced>): Verdict[] {
  const over = `over ${connections} connection${connections === 1 ? '' : 's'}`
  return [
    atLeast(
      `overview of the static route's throughput, ${over}`,
      LEAST_OF_STATIC,
      percentOf(rates.overview, rates.static),
      '%',
    ),
    atLeast(
      `overview of the trivial route's (/healthz), ${over}`,
      LEAST_OF_TRIVIAL,
      percentOf(rates.overview, rates.healthz),
      '%',
    ),
    atLeast(
      `overview of a bare Hono route's, ${over}`,
      LEAST_OF_TRIVIAL,
      percentOf(rates.overview, rates.hono),
      '%',
    ),
    atLeast(
      `overview of the replaced design's, ${over}`,
      LEAST_OF_REPLACED,
      ratio(rates.overview, replaced.replaced),
      '×',
    ),
  ]
}

function longTable(result: LoadResult) {
  const { requests, latencyByTier } = result
  return {
    title: `Reads: one question over ${LONG.connections} connections for ${LONG.durationMs / 1_000} s (${Math.round(rateOf(result)).toLocaleString('en-US')} a second)`,
    columns: [
      { name: 'answered by' },
      { name: 'requests', digits: 0 },
      { name: 'share', unit: '%', digits: 2 },
      { name: 'p50', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'max', unit: 'ms' },
    ],
    rows: Object.entries(latencyByTier)
      .toSorted(([, a], [, b]) => b.count - a.count)
      .map(([tier, { count, p50, p99, max }]): Cell[] => [
        tier,
        count,
        (100 * count) / requests,
        p50,
        p99,
        max,
      ]),
  }
}

/** p50, p95 and p99. */
function latenciesOf(runs: LoadResult[]): Cell[] {
  const keys = ['p50', 'p95', 'p99'] as const
  return keys.map((key) => medianKnown(runs.map(({ latencyMs }) => latencyMs?.[key] ?? null)))
}

function percentOf(value: number | null, base: number | null): number | null {
  const part = ratio(value, base)
  return part === null ? null : 100 * part
}
