import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { ingestBenchmark } from './benchmarks/ingest.ts'
import { LIVE_SECTIONS, liveBenchmark } from './benchmarks/live.ts'
import { peopleBenchmark } from './benchmarks/people.ts'
import { READS_SECTIONS, readsBenchmark } from './benchmarks/reads.ts'
import { scaleBenchmark } from './benchmarks/scale.ts'
import { syncBenchmark } from './benchmarks/sync.ts'
import type { Benchmark, BenchmarkOptions } from './lib/benchmark.ts'
import { loadPerCore, type MachineFacts, machineFacts } from './lib/machine.ts'
import { writeResult } from './lib/results.ts'
import { formatNumber, formatTable } from './lib/table.ts'

const BENCHMARKS: readonly Benchmark[] = [
  readsBenchmark,
  scaleBenchmark,
  syncBenchmark,
  liveBenchmark,
  ingestBenchmark,
  peopleBenchmark,
]

const DEFAULT_SOCKETS = [1_000, 4_000, 9_000]
/** One workspace takes no more (see LIVE_LIMITS). */
const MAX_SOCKETS = 20_000
const DEFAULT_POSTS = [10_000, 100_000, 1_000_000]
const MAX_POSTS = 10_000_000
const DEFAULT_ACCOUNTS = 1_000
/** Ten workspaces are full with as many. */
const MAX_ACCOUNTS = 2_000

const USAGE = `Usage: npm run bench [-- NAME … [--sockets N,M,…] [--posts N,M,…] [--accounts N] [--only SECTION,…]]

${BENCHMARKS.map(({ name, summary }) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

  --sockets N,M  live: so many sockets (${DEFAULT_SOCKETS.join(',')}), as far as a process may hold them (ulimit -n)
  --posts N,M    scale: so many posts (${DEFAULT_POSTS.join(',')}); 10000000 as well takes half an hour and 30 GB
  --accounts N   sync: about so many accounts on ten platforms together (${DEFAULT_ACCOUNTS}, at most ${MAX_ACCOUNTS})
  --only A,B     these sections of reads (${READS_SECTIONS.join(', ')})
                 and of live (${LIVE_SECTIONS.join(', ')})

Without a name, all of them. Each is printed beside its baseline from the same run, and kept in
bench/results/NAME.json. Loopback alone; nothing has to run beforehand.`

interface Arguments {
  benchmarks: readonly Benchmark[]
  options: BenchmarkOptions
}

/** Exits where the arguments make no sense. */
function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        sockets: { type: 'string' },
        posts: { type: 'string' },
        accounts: { type: 'string' },
        only: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const unknown = positionals.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name))
    if (unknown.length > 0) throw new Error(`There is no benchmark called ${unknown.join(', ')}.`)
    const only = values.only?.split(',') ?? []
    const unknownSections = only.filter((name) => ![...READS_SECTIONS, ...LIVE_SECTIONS].includes(name))
    if (unknownSections.length > 0) throw new Error(`There is no section ${unknownSections.join(', ')}.`)
    const posts = values.posts?.split(',').map((text) => readCount('posts', text, MAX_POSTS))
    const sockets = values.sockets?.split(',').map((text) => readCount('sockets', text, MAX_SOCKETS))
    return {
      benchmarks:
        positionals.length === 0 ? BENCHMARKS : BENCHMARKS.filter(({ name }) => positionals.includes(name)),
      options: {
        sockets: sockets?.toSorted((a, b) => a - b) ?? DEFAULT_SOCKETS,
        accounts: readCount('accounts', values.accounts ?? String(DEFAULT_ACCOUNTS), MAX_ACCOUNTS),
        posts: posts?.toSorted((a, b) => a - b) ?? DEFAULT_POSTS,
        only,
      },
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    process.exit(2)
  }
}

function readCount(name: string, text: string, most: number): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > most)
    throw new Error(`--${name} takes whole numbers from 1 to ${most}.`)
  return count
}

/** Runs one benchmark, prints what it found, and keeps it. @returns whether it found nothing wrong */
async function runBenchmark(
  benchmark: Benchmark,
  options: BenchmarkOptions,
  machine: MachineFacts,
  resources: AsyncDisposableStack,
): Promise<boolean> {
  const startedMs = performance.now()
  const elapsed = () => `${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(5)} s`
  const log = (line: string) => console.error(`${elapsed()}  ${benchmark.name}: ${line}`)
  const startedAt = new Date().toISOString()
  const before = loadPerCore()
  const measurement = await benchmark.run({ options, resources, log })
  const load = { before, after: loadPerCore() }
  const durationMs = Math.round(performance.now() - startedMs)
  const { name } = benchmark
  const path = await writeResult({ name, startedAt, durationMs, options, machine, load, ...measurement })
  for (const table of measurement.tables) console.log(`\n${formatTable(table)}`)
  for (const note of measurement.notes) console.log(`· ${note}`)
  console.log(
    `· Load a core: ${formatNumber(load.before, 1)} before, ${formatNumber(load.after, 1)} after; above 1 others were busy too, and figures scatter.`,
  )
  console.log(`· ${(durationMs / 1_000).toFixed(0)} s; kept in ${relative(process.cwd(), path)}`)
  const { failures = [] } = measurement
  for (const failure of failures) console.log(`✗ ${failure}`)
  return failures.length === 0
}

/** What the running benchmark has started. */
let running = new AsyncDisposableStack()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    console.error('Stopping …')
    void running.disposeAsync().finally(() => process.exit(130))
  })
}

const { benchmarks, options } = readArguments()
const machine = await machineFacts()
console.log(
  `Tidemark ${machine.version} (${machine.commit}), ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}`,
)
let failed = 0
for (const benchmark of benchmarks) {
  running = new AsyncDisposableStack()
  try {
    if (!(await runBenchmark(benchmark, options, machine, running))) failed += 1
  } catch (error) {
    failed += 1
    console.error(`${benchmark.name} failed:`, error)
  } finally {
    await running.disposeAsync()
  }
}
process.exit(failed === 0 ? 0 : 1)
