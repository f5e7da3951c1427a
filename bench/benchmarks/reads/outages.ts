import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { assertMeasured } from '../../lib/benchmark.ts'
import type { LoadResult } from '../../lib/load/protocol.ts'
import { type BenchStack, redisCommand } from '../../lib/stack.ts'
import { ratio } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { assertAnswered, sharesOf } from './answers.ts'
import type { Findings, ReadsBench } from './section.ts'
import { bearer, distinctQuestions, type Target } from './targets.ts'
import { atMost, below, exactly, type Verdict } from './verdicts.ts'

const RATE = { ratePerSecond: 200, connections: 16 }
const QUESTIONS = 20
/** Questions that no other section asks. */
const FIRST_QUESTION = 3_000
/** Longer than any tier above Redis keeps an answer. */
const DOWN_MS = 15_000
/** As long, as the slowest of few are less slow. */
const NORMAL_MS = DOWN_MS
const WARM_UP_MS = 1_000
const PRIMING_MS = 10_000
const LOOK_EVERY_MS = 200
const MOST_WAITING_MS = 45_000
/** When the breakers are looked at, counted from the end of the outage. */
const BREAKERS_BEFORE_MS = 3_000
const MOST_STALE_MS = 10
const MOST_OF_NORMAL = 2
const MOST_RECOVERY_S = 30

interface Outage {
  normal: LoadResult
  down: LoadResult
  /** From when the dependency answers again until the Worker makes use of it; `null`: it never did. */
  recoveryS: number | null
  /** What operators were shown of its breaker meanwhile; `null`: nothing that is open. */
  breaker: string | null
}

type Dependency = 'postgres' | 'redis'

/** The same reads while a dependency is there, while it is killed, and until it is of use again. */
export async function measureOutages(bench: ReadsBench): Promise<Findings> {
  const { stack, log } = bench
  log(`reads without Redis, for ${DOWN_MS / 1_000} s`)
  const redis = await stop(bench, 'redis', 0, {
    kill: () => stack.killRedis(DOWN_MS),
    isUsed: () => isRedisUsed(bench),
  })
  log(`reads without Postgres, for ${DOWN_MS / 1_000} s`)
  let changed = 0
  const postgres = await stop(bench, 'postgres', 1, {
    kill: async () => {
      // From now on nothing that is kept is the newest any more.
      changed = await raiseGeneration(stack)
      await stack.killPostgres(DOWN_MS)
    },
    isUsed: () => isFresh(bench, changed),
  })
  return {
    tables: [
      {
        title: `Reads: ${RATE.ratePerSecond} overviews a second over ${QUESTIONS} questions without a dependency`,
        columns: [
          { name: 'missing' },
          { name: 'requests', digits: 0 },
          { name: 'refused', digits: 0 },
          { name: 'p50', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'max', unit: 'ms' },
          { name: 'stale', digits: 0 },
          { name: 'stale p50', unit: 'ms' },
          { name: 'stale p99', unit: 'ms' },
          { name: 'in use again', unit: 's', digits: 1 },
          { name: 'its breaker' },
          { name: 'answered by' },
        ],
        rows: [
          rowOf('nothing', redis.normal, null),
          rowOf('Redis', redis.down, redis),
          rowOf('nothing', postgres.normal, null),
          rowOf('Postgres', postgres.down, postgres),
        ],
      },
    ],
    notes: [
      `Outages: the process is killed and comes back after ${DOWN_MS / 1_000} s; no other one is restarted. Postgres is killed right after a change, so that nothing that is kept is the newest. In use again: a new answer is stored in Redis; an answer that holds the change is given out.`,
    ],
    verdicts: [
      ...verdictsOf('Redis', redis),
      ...redisVerdicts(redis),
      ...verdictsOf('Postgres', postgres),
      staleVerdict(postgres),
    ],
  }
}

async function stop(
  bench: ReadsBench,
  dependency: Dependency,
  set: number,
  { kill, isUsed }: { kill: () => Promise<void>; isUsed: () => Promise<boolean> },
): Promise<Outage> {
  const questions = distinctQuestions(bench, FIRST_QUESTION + set * QUESTIONS, QUESTIONS)
  await prime(bench, questions)
  const normal = await read(bench, questions, NORMAL_MS)
  const killing = kill()
  const looking = sleep(DOWN_MS - BREAKERS_BEFORE_MS).then(() => shownBreaker(bench.stack, dependency))
  const [down, breaker] = await Promise.all([read(bench, questions, DOWN_MS), looking, killing])
  const backMs = performance.now()
  let recoveryS: number | null = null
  while (recoveryS === null && performance.now() - backMs < MOST_WAITING_MS) {
    // Whoever still refuses is not back yet.
    if (await isUsed().catch(() => false)) recoveryS = (performance.now() - backMs) / 1_000
    else await sleep(LOOK_EVERY_MS)
  }
  return { normal, down, recoveryS, breaker }
}

/** Asks all of it, so that every tier knows the answers, and goes on for a moment. */
async function prime(bench: ReadsBench, questions: Target): Promise<void> {
  const result = await bench.generator.run({
    ...questions,
    connections: 2,
    durationMs: PRIMING_MS,
    once: true,
  })
  assertAnswered('the overview', result)
  await read(bench, questions, WARM_UP_MS)
}

async function read(bench: ReadsBench, questions: Target, durationMs: number): Promise<LoadResult> {
  const result = await bench.generator.run({ ...questions, ...RATE, durationMs })
  assertAnswered('the overview', result, true)
  return result
}

const hashOf = (stack: BenchStack) => `tm:v:{${stack.workspaceId}}`

/** What an ingest does: in the database first, and in Redis. @returns the new generation */
async function raiseGeneration(stack: BenchStack): Promise<number> {
  const [row] = await stack.ownerSql<{ generation: number }>(
    'UPDATE workspaces SET generation = generation + 1 WHERE id = $1 RETURNING generation::int AS generation',
    [stack.workspaceId],
  )
  assertMeasured(row !== undefined, 'the workspace is gone')
  await redisCommand(stack, ['HSET', hashOf(stack), 'g', String(row.generation)])
  return row.generation
}

let probes = 0

/** A question nobody has asked before. */
function nextQuestion(bench: ReadsBench): string {
  probes += 1
  return distinctQuestions(bench, FIRST_QUESTION + 1_000 + probes, 1).paths[0] ?? ''
}

/** Whether an answer to a new question is kept in Redis. */
async function isRedisUsed(bench: ReadsBench): Promise<boolean> {
  const { stack } = bench
  const size = async () => z.number().parse(await redisCommand(stack, ['HLEN', hashOf(stack)]))
  const before = await size()
  const response = await fetch(`${stack.url}${nextQuestion(bench)}`, { headers: bearer(stack) })
  await response.arrayBuffer()
  return response.ok && (await size()) > before
}

const Answer = z.object({ generation: z.number(), stale: z.boolean() })

/** Whether a question that was asked meanwhile is answered by what has changed. */
async function isFresh(bench: ReadsBench, generation: number): Promise<boolean> {
  const { paths, headers } = distinctQuestions(bench, FIRST_QUESTION + QUESTIONS, 1)
  const response = await fetch(`${bench.stack.url}${paths[0]}`, { headers })
  if (!response.ok) {
    await response.arrayBuffer()
    return false
  }
  const answer = Answer.parse(await response.json())
  return !answer.stale && answer.generation >= generation
}

const Breakers = z.object({ items: z.array(z.looseObject({ state: z.string() })) })

/** The state that operators are shown of a breaker, unless it is closed. */
async function shownBreaker(stack: BenchStack, dependency: Dependency): Promise<string | null> {
  const response = await fetch(`${stack.url}/api/v1/ops/circuit-breakers`, { headers: bearer(stack) })
  const shown = Breakers.safeParse(await response.json())
  const found = shown.data?.items.find((item) => Object.values(item).includes(dependency))
  return found === undefined || found.state === 'closed' ? null : found.state
}

function verdictsOf(name: string, outage: Outage): Verdict[] {
  return [
    exactly(`reads refused while ${name} is stopped`, 0, outage.down.failed + outage.down.unsent),
    atMost(`${name} is in use again after its return`, MOST_RECOVERY_S, outage.recoveryS, 's'),
    exactly(`breakers of ${name} shown as open meanwhile`, 1, outage.breaker === null ? 0 : 1),
  ]
}

function redisVerdicts({ normal, down }: Outage): Verdict[] {
  const p99 = (result: LoadResult) => result.latencyMs?.p99 ?? null
  return [atMost('p99 without Redis, to that with it', MOST_OF_NORMAL, ratio(p99(down), p99(normal)), '×')]
}

function staleVerdict({ down }: Outage): Verdict {
  const p99 = down.latencyByTier.stale?.p99 ?? null
  return below('p99 of stale answers while Postgres is stopped', MOST_STALE_MS, p99, 'ms')
}

function rowOf(missing: string, result: LoadResult, outage: Outage | null): Cell[] {
  const { p50 = null, p99 = null, max = null } = result.latencyMs ?? {}
  const stale = result.latencyByTier.stale
  return [
    missing,
    result.requests,
    result.failed + result.unsent,
    ...[p50, p99, max],
    stale?.count ?? 0,
    stale?.p50 ?? null,
    stale?.p99 ?? null,
    outage?.recoveryS ?? null,
    outage?.breaker ?? '',
    sharesOf([result]),
  ]
}
