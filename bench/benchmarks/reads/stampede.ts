import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { CACHE_POLICIES } from '../../../src/http/cache-policies.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import type { LoadResult } from '../../lib/load/protocol.ts'
import { type BenchStack, redisCommand } from '../../lib/stack.ts'
import type { Cell } from '../../lib/table.ts'
import { assertAnswered, sharesOf } from './answers.ts'
import type { Findings, ReadsBench } from './section.ts'
import { distinctQuestions, type Target } from './targets.ts'
import { exactly } from './verdicts.ts'

const CALLERS = 1_000
const MOST_MS = 10_000
/** Questions that no other section asks. */
const FIRST_QUESTION = 5_000
const MARGIN_MS = 50
/** What goes on after an answer has ended by then. */
const SETTLE_MS = 300
const CHANNEL = 'http.server.request.start'

interface Run {
  result: LoadResult
  /** Requests to the database meanwhile, whatever for. */
  databaseRequests: number
}

/** Many who ask the same at once, when the answer has just lost its freshness, and when there never was one. */
export async function measureStampede(bench: ReadsBench): Promise<Findings> {
  bench.log(`${CALLERS} ask the same at once`)
  const { stack } = bench
  const [known, unknown] = [0, 1].map((i) => distinctQuestions(bench, FIRST_QUESTION + i, 1))
  if (known === undefined || unknown === undefined) return { tables: [] }
  await redisCommand(stack, ['DEL', hashOf(stack)])
  await askOnce(bench, known)
  const askedMs = performance.now()
  const isNew = await askAtOnce(bench, unknown, known)
  const { coloMs } = CACHE_POLICIES.overview
  await sleep(Math.max(0, askedMs + coloMs + MARGIN_MS - performance.now()))
  await expire(stack)
  const isExpired = await askAtOnce(bench, known, unknown)
  return {
    tables: [
      {
        title: `Reads: ${CALLERS.toLocaleString('en-US')} who ask the same at the same moment`,
        columns: [
          { name: 'question' },
          { name: 'answered', digits: 0 },
          { name: 'refused', digits: 0 },
          { name: 'by the database', digits: 0 },
          { name: 'requests to it', digits: 0 },
          { name: 'p50', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'max', unit: 'ms' },
          { name: 'answered by' },
        ],
        rows: [rowOf('expired a moment ago', isExpired), rowOf('never asked before', isNew)],
      },
    ],
    notes: [
      'Requests to the database: all of the time, those of other work among them. Each caller has a connection of its own.',
    ],
    verdicts: [
      // Nobody waits for what is made anew after its time: Redis still serves it meanwhile.
      exactly('requests to the database by a stampede on an expired answer', 1, isExpired.databaseRequests),
      exactly('origin answers to a stampede on an expired answer', 0, originAnswers(isExpired)),
      exactly('origin answers to a stampede on a new question', 1, originAnswers(isNew)),
    ],
  }
}

/** @param other asked just before, so that the caller is known and has its allowance */
async function askAtOnce(bench: ReadsBench, question: Target, other: Target): Promise<Run> {
  await askOnce(bench, other)
  const counter = countDatabaseRequests(bench.stack)
  try {
    const result = await bench.generator.run({
      ...question,
      paths: Array.from({ length: CALLERS }, () => question.paths[0] ?? ''),
      connections: CALLERS,
      durationMs: MOST_MS,
      once: true,
    })
    await sleep(SETTLE_MS)
    return { result, databaseRequests: counter.count() }
  } finally {
    counter.stop()
  }
}

async function askOnce({ generator }: ReadsBench, question: Target): Promise<void> {
  assertAnswered(
    'the question',
    await generator.run({ ...question, connections: 1, durationMs: MOST_MS, once: true }),
  )
}

const hashOf = (stack: BenchStack) => `tm:v:{${stack.workspaceId}}`

/** Ends the freshness of what Redis has of a workspace. The answers stay, as they do in five minutes' time. */
async function expire(stack: BenchStack): Promise<void> {
  const names = z.array(z.string()).parse(await redisCommand(stack, ['HKEYS', hashOf(stack)]))
  const entries = names.filter((name) => name.startsWith('m:'))
  assertMeasured(entries.length > 0, 'Redis has none of the answers')
  for (const name of entries) {
    const line = z.string().parse(await redisCommand(stack, ['HGET', hashOf(stack), name]))
    // Generation, end of freshness, …
    await redisCommand(stack, ['HSET', hashOf(stack), name, line.replace(/^(\d+) \d+/, '$1 1')])
  }
}

/** Counts what reaches the database's HTTP endpoint, which is served by this process. */
function countDatabaseRequests({ bindings }: BenchStack): { count(): number; stop(): void } {
  const port = Number(new URL(bindings.NEON_FETCH_ENDPOINT ?? '').port)
  let requests = 0
  const onRequest = (message: unknown) => {
    if (requestOf(message).socket.localPort === port) requests += 1
  }
  subscribe(CHANNEL, onRequest)
  return { count: () => requests, stop: () => void unsubscribe(CHANNEL, onRequest) }
}

/** What Node publishes on the channel, as documented. */
function requestOf(message: unknown): IncomingMessage {
  return (message as { request: IncomingMessage }).request
}

function originAnswers({ result }: Run): number {
  return result.tiers.origin ?? 0
}

function rowOf(label: string, run: Run): Cell[] {
  const { result, databaseRequests } = run
  const { p50 = null, p99 = null, max = null } = result.latencyMs ?? {}
  return [
    label,
    result.requests,
    result.failed,
    originAnswers(run),
    databaseRequests,
    ...[p50, p99, max],
    sharesOf([result]),
  ]
}
