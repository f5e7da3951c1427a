import { setTimeout as sleep } from 'node:timers/promises'
import { CACHE_POLICIES } from '../../../src/http/cache-policies.ts'
import type { LoadResult } from '../../lib/load/protocol.ts'
import { redisCommand } from '../../lib/stack.ts'
import type { Cell, Table } from '../../lib/table.ts'
import { assertAnswered, rateOf, sharesOf } from './answers.ts'
import type { Findings, ReadsBench } from './section.ts'
import { distinctQuestions, type Target } from './targets.ts'

const CONNECTIONS = [1, 16, 256]
/** A 99th percentile needs 100; all sets together are fewer than the region tier keeps of a workspace. */
const QUESTIONS_EACH = 110
const PRIMING_CONNECTIONS = 4
/** The first of a set must still be in the data centre when memory has forgotten the last, and the next sets have been asked. */
const MAX_PRIMING_MS = 2_500
const MAX_ASKING_MS = 4_000
/** Clocks differ by less. */
const MARGIN_MS = 50
/** Cold questions are of a set of their own. */
const FIRST_COLD = 1_000

interface AskedQuestions {
  target: Target
  connections: number
  /** When the last was asked, by `performance.now()`. */
  askedMs: number
}

/** The same questions, asked again when one tier after the other has forgotten them. */
export async function measureTiers(bench: ReadsBench): Promise<Findings> {
  const { log } = bench
  log('reads from each tier below memory')
  await forgetAll(bench)
  const sets: AskedQuestions[] = []
  const rows: Cell[][] = []
  for (const [i, connections] of CONNECTIONS.entries()) {
    const target = distinctQuestions(bench, i * QUESTIONS_EACH, QUESTIONS_EACH)
    const { requests, failed } = await askOnce(bench, target, PRIMING_CONNECTIONS, MAX_PRIMING_MS)
    const paths = target.paths.slice(0, requests + failed)
    sets.push({ target: { ...target, paths }, connections, askedMs: performance.now() })
  }
  const { memoryMs, coloMs } = CACHE_POLICIES.overview
  for (const [tier, forgottenMs] of [
    ["the data centre's cache", memoryMs],
    ['region (Redis)', coloMs],
  ] as const) {
    for (const { target, connections, askedMs } of sets) {
      await sleep(Math.max(0, askedMs + forgottenMs + MARGIN_MS - performance.now()))
      rows.push(rowOf(tier, connections, await askOnce(bench, target, connections)))
    }
  }
  return {
    tables: [tiersTable('Reads: the overview from the tiers below memory', rows)],
    notes: [
      'Each question once when memory has forgotten it (data centre), once more when that has, too (region). One pass.',
      'The stand-ins for Postgres and Redis share the machine, and one process; over a network the data centre costs nothing more, region and database their latency.',
    ],
  }
}

/** What nobody has asked before. Last of all: a database that was asked for too much is left alone for a while. */
export async function measureCold(bench: ReadsBench): Promise<Findings> {
  bench.log('cold reads')
  await forgetAll(bench)
  const rows: Cell[][] = []
  for (const [i, connections] of CONNECTIONS.entries()) {
    const questions = distinctQuestions(bench, FIRST_COLD + i * QUESTIONS_EACH, QUESTIONS_EACH)
    rows.push(rowOf('origin (cold, distinct)', connections, await askOnce(bench, questions, connections)))
  }
  return {
    tables: [tiersTable('Reads: the overview from the database', rows)],
    notes: [
      'Every question is another one. Refused: 503, as the database did not answer within the 2 s that a read may take.',
    ],
  }
}

/** What was asked before counts against the number of questions that the region tier keeps. */
async function forgetAll({ stack }: ReadsBench): Promise<void> {
  await redisCommand(stack, ['DEL', `tm:v:{${stack.workspaceId}}`])
}

async function askOnce(
  { generator }: ReadsBench,
  target: Target,
  connections: number,
  durationMs = MAX_ASKING_MS,
): Promise<LoadResult> {
  const result = await generator.run({ ...target, connections, durationMs, once: true })
  // A database that is asked for more than it can do refuses some.
  assertAnswered('the overview', result, true)
  return result
}

function rowOf(tier: string, connections: number, result: LoadResult): Cell[] {
  const { requests, failed, latencyMs } = result
  const { p50 = null, p95 = null, p99 = null } = latencyMs ?? {}
  return [connections, tier, requests, failed, rateOf(result), p50, p95, p99, sharesOf([result])]
}

function tiersTable(title: string, rows: Cell[][]): Table {
  return {
    title,
    columns: [
      { name: 'conns' },
      { name: 'tier' },
      { name: 'requests' },
      { name: 'refused' },
      { name: 'requests/s', digits: 0 },
      { name: 'p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'answered by' },
    ],
    rows,
  }
}
