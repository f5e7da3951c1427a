import { refreshTrending } from '../../src/services/hashtags/index.ts'
import { quietDeps } from '../../test/harness/deps.ts'
import type { Benchmark, BenchmarkContext, Measurement } from '../lib/benchmark.ts'
import { fillWorkspace } from '../lib/fill-workspace.ts'
import { startLoadGenerator } from '../lib/load/load-generator.ts'
import { redisCommand, startBenchStack } from '../lib/stack.ts'
import { RateMeasurement } from './reads/at-rate.ts'
import { SaturatedMeasurement } from './reads/saturated.ts'
import { distinctQuestions, makeTargets, type Variant } from './reads/targets.ts'
import { TierMeasurement } from './reads/tiers.ts'

const ACCOUNTS = 20
const POSTS = 10_000
const DAYS = 90
const CONNECTIONS = { one: 1, some: 16, many: 64 }
const WARM_UP_MS = 250
/** Fewer questions in all than the region tier keeps of a workspace. */
const QUESTIONS_EACH = 80

export const readsBenchmark: Benchmark = {
  name: 'reads',
  summary: "cached and cold reads of the built Worker on workerd's own socket, at 1, 16 and 64 connections",
  run,
}

async function run({ resources, log }: BenchmarkContext): Promise<Measurement> {
  log('starting the stack')
  const stack = await startBenchStack(resources)
  log(`filling the workspace with ${POSTS} posts`)
  const filling = { accounts: ACCOUNTS, posts: POSTS, days: DAYS }
  const { accountIds } = await fillWorkspace(stack, stack.workspaceId, filling)
  await refreshTrending({ ...quietDeps(stack.db), clock: Date }, stack.workspaceId)
  const targets = await makeTargets(resources, stack)
  const generator = startLoadGenerator(resources)
  const warmUp = async (...variants: Variant[]) => {
    for (const variant of variants)
      await generator.run({ ...(await targets[variant]()), connections: 4, durationMs: WARM_UP_MS })
  }
  await warmUp('trivial', 'overview', 'notModified', 'trending')
  // What was asked before counts against the number of questions that the region tier keeps.
  await redisCommand(stack, ['DEL', `tm:v:{${stack.workspaceId}}`])

  const tiers = new TierMeasurement(generator)
  const atRate = new RateMeasurement(generator, targets)
  const questions = (set: number) =>
    distinctQuestions(stack, accountIds, set * QUESTIONS_EACH, QUESTIONS_EACH)
  log('reads tier by tier; while a tier forgets, warm reads at a fixed rate')
  const sets = [
    await tiers.askCold(questions(0), CONNECTIONS.one),
    await tiers.prime(questions(1), CONNECTIONS.some),
    await tiers.prime(questions(2), CONNECTIONS.many),
  ]
  await atRate.addRound()
  for (const set of sets) await tiers.askColo(set)
  await atRate.addRound()
  for (const set of sets) await tiers.askRegion(set)
  await atRate.addSameQuestion('overview, one question again and again, first 5 s', 5_000)
  await atRate.addSameQuestion('overview, one question again and again, from then on', 5_000)

  log('warm reads, as many as they can')
  const saturated = new SaturatedMeasurement(generator, targets)
  for (const connections of Object.values(CONNECTIONS)) await saturated.add(connections)
  // At the end: what is asked for too much at once is taken for gone for half a minute.
  await tiers.askCold(questions(3), CONNECTIONS.some)
  await tiers.askCold(questions(4), CONNECTIONS.many)
  return {
    tables: [saturated.table(), atRate.table(), tiers.table()],
    notes: [...NOTES, ...warningNotes(stack.warnings())],
  }
}

const NOTES = [
  `${POSTS.toLocaleString('en-US')} posts of ${ACCOUNTS} accounts in ${DAYS} days; the overview spans 28 days and the 28 before. Bearer key; limits counted, raised by RATE_LIMITS.`,
  'Medians over runs in turn. Asked by another process over loopback; "asker CPU" near 1 means that it could not ask faster.',
  'Replaced design: a Worker in the same runtime that fetches accounts, sums the posts of each in a loop, and counts hashtags from texts, with no cache, key or limit (bench/baselines/replaced-worker.ts).',
  'At saturation latency is queueing: compare it at the fixed rate.',
  'Tiers: each question once when it is new, once more when memory has forgotten it (data centre), once more when that has, too (region). One pass. Refused: 503, as the database did not answer within the 2 s that a read may take.',
  'Stand-ins for Postgres and Redis share the machine, and one process; over a network colo, region and origin cost its latency more, and memory does not.',
]

function warningNotes(warnings: string[]): string[] {
  return warnings.length === 0 ? [] : [`The Worker warned meanwhile: ${warnings.join(', ')}.`]
}
