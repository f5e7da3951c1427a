import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { descriptorLimit } from '../lib/processes.ts'
import { startSocketClients } from '../lib/sockets/socket-client.ts'
import { type BenchStack, startBenchStack } from '../lib/stack.ts'
import { startBaselineWorker } from '../lib/workerd.ts'
import { measureApart } from './live/apart.ts'
import { measureCrowd } from './live/crowd.ts'
import { type Crowds, makeCrowds } from './live/crowds.ts'
import { measureObjects } from './live/objects.ts'
import { measureQuiet } from './live/quiet.ts'
import { measureReplay } from './live/replay.ts'
import type { Findings, LiveBench, Section } from './live/section.ts'
import { measureSteady } from './live/steady.ts'
import { verdictsTable } from './reads/verdicts.ts'

/** In this order: later ones find the sockets that earlier ones have opened. */
const SECTIONS: Record<string, Section> = {
  crowd: measureCrowd,
  steady: measureSteady,
  apart: measureApart,
  objects: measureObjects,
  quiet: measureQuiet,
  replay: measureReplay,
}

export const LIVE_SECTIONS: readonly string[] = Object.keys(SECTIONS)

export const liveBenchmark: Benchmark = {
  name: 'live',
  summary:
    'live hubs on workerd: connecting thousands of sockets, how soon all have an event, replays, many workspaces',
  run,
}

/** What listens, beside what sends. */
const CLIENT_PROCESSES = 3
const DESCRIPTORS_PER_SOCKET = 2
/** What workerd has open beside sockets. */
const OTHER_DESCRIPTORS = 1_000

async function run({ options, resources, log }: BenchmarkContext): Promise<Measurement> {
  const most = Math.floor((descriptorLimit() - OTHER_DESCRIPTORS) / DESCRIPTORS_PER_SOCKET)
  const sizes = options.sockets.filter((size) => size <= most)
  assertMeasured(sizes.length > 0, `a process may hold no more than ${most} sockets here (ulimit -n)`)
  const clients = startSocketClients(resources, CLIENT_PROCESSES)
  const stacks: BenchStack[] = []
  const stack = once(async () => {
    log('starting the stack')
    const started = await startBenchStack(resources)
    stacks.push(started)
    return started
  })
  const crowds = once(async (): Promise<Crowds> => {
    const bare = await startBaselineWorker(resources, {
      entry: new URL('../baselines/bare-hub.ts', import.meta.url),
      durableObjects: { BARE_HUB: 'BareHub' },
    })
    return makeCrowds(await stack(), bare, clients)
  })
  const bench: LiveBench = { stack, crowds, clients, sizes, resources, log }

  const found: Findings[] = []
  const failed: string[] = []
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (options.only.length > 0 && !options.only.includes(name)) continue
    try {
      found.push(await measure(bench))
    } catch (error) {
      // Others may say something all the same.
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      log(`nothing can be said of ${failed.at(-1)}`)
    }
  }
  assertMeasured(found.length > 0, failed.join('; '))
  const left = options.sockets.filter((size) => size > most)
  const warnings = stacks.flatMap((one) => one.warnings())
  return {
    tables: [
      ...found.flatMap(({ tables }) => tables),
      verdictsTable(
        found.flatMap(({ verdicts = [] }) => verdicts),
        'Live: targets',
      ),
    ],
    notes: [
      ...found.flatMap(({ notes = [] }) => notes),
      ...(left.length > 0
        ? [`Not measured: ${left.join(', ')} sockets, as a process may hold ${most} (ulimit -n).`]
        : []),
      ...failed.map((line) => `Not measured: ${line}`),
      ...(warnings.length > 0 ? [`The Worker warned meanwhile: ${warnings.join(', ')}.`] : []),
    ],
  }
}

/** Makes something when it is first asked for. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
