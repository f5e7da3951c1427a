import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ensureBuilt, OPTIONS_FILE } from '../../../scripts/build.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import { alternate } from '../../lib/rounds.ts'
import { median } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { bundleBaseline, type StartedAnswer, timeStart } from '../../lib/workerd.ts'
import type { Findings, ReadsBench } from './section.ts'
import { bearer, OVERVIEW } from './targets.ts'
import { atMost } from './verdicts.ts'

/** One start differs from the next by half of what is allowed: the median of a few would as well. */
const ROUNDS = { minRounds: 11, maxRounds: 11, budgetMs: 0 }
const MOST_BEYOND_EMPTY_MS = 100
const ENTRY_FILE = 'api.js'

const LABELS = {
  empty: 'baseline: an empty Worker',
  hono: 'baseline: an empty Hono Worker',
  healthz: '/healthz',
  overview: 'an overview that the region knows',
}

/** From when workerd is started to the first answer, beside Workers that do nothing, all put together in the same way. */
export async function measureColdStart({ stack, log }: ReadsBench): Promise<Findings> {
  log('cold starts')
  await using scratch = new AsyncDisposableStack()
  const { workerDir, webDir } = await ensureBuilt()
  const empty = await writeBaseline(
    scratch,
    workerDir,
    new URL('../../baselines/empty-worker.ts', import.meta.url),
  )
  const hono = await writeBaseline(
    scratch,
    workerDir,
    new URL('../../baselines/trivial-worker.ts', import.meta.url),
  )
  const start = (dir: string, path: string, headers: Record<string, string> = {}) =>
    timeStart({ workerDir: dir, webDir, bindings: { ...stack.bindings }, path, headers })
  const overview = `${OVERVIEW}?period=28d`
  const prime = async () => (await fetch(`${stack.url}${overview}`, { headers: bearer(stack) })).arrayBuffer()
  await prime()
  // Redis may have dropped it for the many that other sections asked for, while memory has it still.
  await start(workerDir, overview, bearer(stack))
  const runs = await alternate<keyof typeof LABELS, StartedAnswer>(
    {
      empty: () => start(empty, '/'),
      hono: () => start(hono, '/'),
      healthz: () => start(workerDir, '/healthz'),
      overview: async () => {
        await prime()
        return start(workerDir, overview, bearer(stack))
      },
    },
    ROUNDS,
  )
  for (const [name, answers] of Object.entries(runs))
    for (const { status } of answers) assertMeasured(status === 200, `${name} is answered with ${status}`)
  assertMeasured(
    runs.overview.every(({ head }) => /detail=region/.test(head)),
    'the overview was not one that the region knew',
  )
  const middle = (name: keyof typeof LABELS) => median(runs[name].map(({ tookMs }) => tookMs))
  const beyond = (name: keyof typeof LABELS) => (middle(name) ?? 0) - (middle('empty') ?? 0)
  const sizes = { empty: sizeOf(empty), hono: sizeOf(hono), healthz: sizeOf(workerDir), overview: null }
  const rows: Cell[][] = []
  for (const name of ['empty', 'hono', 'healthz', 'overview'] as const) {
    const size = await sizes[name]
    const times = runs[name].map(({ tookMs }) => tookMs)
    rows.push([
      LABELS[name],
      size === null ? null : size.bytes / 1_000,
      size === null ? null : size.gzipped / 1_000,
      Math.min(...times),
      middle(name),
      Math.max(...times),
      beyond(name),
    ])
  }
  return {
    tables: [
      {
        title: 'Reads: cold start, from the start of workerd to the first answer',
        columns: [
          { name: 'first answer' },
          { name: 'bundle', unit: 'kB', digits: 0 },
          { name: 'gzipped', unit: 'kB', digits: 0 },
          { name: 'least', unit: 'ms', digits: 0 },
          { name: 'median', unit: 'ms', digits: 0 },
          { name: 'most', unit: 'ms', digits: 0 },
          { name: 'beyond empty', unit: 'ms', digits: 0 },
        ],
        rows,
      },
    ],
    notes: [
      'Cold starts: each with the configuration of the product (static files, Durable Object), whose own start is in all of them; the difference is the code’s.',
    ],
    verdicts: [
      atMost(
        'cold start of /healthz beyond an empty Worker’s',
        MOST_BEYOND_EMPTY_MS,
        beyond('healthz'),
        'ms',
      ),
      atMost(
        'cold start of a cached overview beyond an empty Worker’s',
        MOST_BEYOND_EMPTY_MS,
        beyond('overview'),
        'ms',
      ),
    ],
  }
}

/** A build that is the product's but for its code. @returns its directory */
async function writeBaseline(scratch: AsyncDisposableStack, workerDir: string, entry: URL): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-worker-'))
  scratch.defer(() => rm(directory, { recursive: true, force: true }))
  const code = await bundleBaseline(entry)
  await writeFile(join(directory, ENTRY_FILE), `${code}\n${HUB}`)
  await writeFile(join(directory, OPTIONS_FILE), await readFile(join(workerDir, OPTIONS_FILE)))
  return directory
}

/** The configuration names classes. */
const HUB = `import { DurableObject } from 'cloudflare:workers'
export class WorkspaceHub extends DurableObject {}
export class FanoutShard extends DurableObject {}`

async function sizeOf(directory: string): Promise<{ bytes: number; gzipped: number }> {
  const names = await readdir(directory)
  const modules = await Promise.all(
    names.filter((file) => extname(file) === '.js').map((file) => readFile(join(directory, file))),
  )
  return {
    bytes: modules.reduce((sum, { length }) => sum + length, 0),
    gzipped: modules.reduce((sum, module) => sum + gzipSync(module).length, 0),
  }
}
