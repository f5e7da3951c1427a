import { refreshTrending } from '../../src/services/hashtags/index.ts'
import { quietDeps } from '../../test/harness/deps.ts'
import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { fillWorkspace } from '../lib/fill-workspace.ts'
import { startLoadGenerator } from '../lib/load/load-generator.ts'
import { startBenchStack } from '../lib/stack.ts'
import { measureAtRate } from './reads/at-rate.ts'
import { measureColdStart } from './reads/cold-start.ts'
import { measureCompression } from './reads/compression.ts'
import { measureInterference, SIMULATED_PEOPLE } from './reads/interference.ts'
import { measureOutages } from './reads/outages.ts'
import { measureReplayedDay } from './reads/replayed-day.ts'
import type { Findings, ReadsBench, Section } from './reads/section.ts'
import { measureStampede } from './reads/stampede.ts'
import { makeTargets } from './reads/targets.ts'
import { measureCold, measureTiers } from './reads/tiers.ts'
import { verdictsTable } from './reads/verdicts.ts'
import { measureWarm } from './reads/warm.ts'

const FILLING = { accounts: 20, posts: 10_000, days: 90 }

/** In this order: what disturbs later ones comes late. */
const SECTIONS: Record<string, Section> = {
  warm: measureWarm,
  rate: measureAtRate,
  tiers: measureTiers,
  compression: measureCompression,
  'cold-start': measureColdStart,
  day: measureReplayedDay,
  stampede: measureStampede,
  outages: measureOutages,
  interference: measureInterference,
  cold: measureCold,
}

export const READS_SECTIONS: readonly string[] = Object.keys(SECTIONS)

export const readsBenchmark: Benchmark = {
  name: 'reads',
  summary:
    "reads of the built Worker on workerd's own socket: warm and cold, while others work, without Postgres or Redis",
  run,
}

async function run({ options, resources, log }: BenchmarkContext): Promise<Measurement> {
  log('starting the stack')
  const stack = await startBenchStack(resources, { accounts: SIMULATED_PEOPLE })
  log(`filling the workspace with ${FILLING.posts} posts`)
  const { accountIds } = await fillWorkspace(stack, stack.workspaceId, FILLING)
  await refreshTrending({ ...quietDeps(stack.db), clock: Date }, stack.workspaceId)
  const targets = await makeTargets(resources, stack)
  const generator = startLoadGenerator(resources)
  const bench: ReadsBench = { stack, generator, targets, accountIds, resources, log }

  const found: Findings[] = []
  const failed: string[] = []
  const wanted = Object.entries(SECTIONS).filter(
    ([name]) => options.only.length === 0 || options.only.includes(name),
  )
  for (const [name, measure] of wanted) {
    try {
      found.push(await measure(bench))
    } catch (error) {
      // Others may say something all the same.
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      log(`nothing can be said of ${failed.at(-1)}`)
    }
  }
  assertMeasured(found.length > 0, failed.join('; '))
  const verdicts = found.flatMap((one) => one.verdicts ?? [])
  return {
    tables: [
      ...found.flatMap(({ tables }) => tables),
      ...(verdicts.length > 0 ? [verdictsTable(verdicts)] : []),
    ],
    notes: [
      NOTE,
      ...found.flatMap(({ notes = [] }) => notes),
      ...failed.map((line) => `Not measured: ${line}`),
      ...warningNotes(stack.warnings()),
    ],
  }
}

const NOTE = `${FILLING.posts.toLocaleString('en-US')} posts of ${FILLING.accounts} accounts in ${FILLING.days} days; the overview spans 28 days and the 28 before. Bearer key; limits counted, raised by RATE_LIMITS. Asked by another process over loopback.`

function warningNotes(warnings: string[]): string[] {
  return warnings.length === 0 ? [] : [`The Worker warned meanwhile: ${warnings.join(', ')}.`]
}
