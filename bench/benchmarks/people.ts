import { randomBytes } from 'node:crypto'
import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { fillWorkspace } from '../lib/fill-workspace.ts'
import { startLoadGenerator } from '../lib/load/load-generator.ts'
import type { LoadResult } from '../lib/load/protocol.ts'
import { alternate } from '../lib/rounds.ts'
import { type BenchStack, startBenchStack } from '../lib/stack.ts'
import { medianKnown, ratio } from '../lib/statistics.ts'
import { sharesOf } from './reads/answers.ts'

const FILLING = { accounts: 5, posts: 2_000, days: 28 }
const PATH = '/api/v1/dashboard/overview'
const READING = { connections: 16, ratePerSecond: 100, durationMs: 4_000 }
const SIGN_UPS_AT_ONCE = 10
const ROUNDS = 3

export const peopleBenchmark: Benchmark = {
  name: 'people',
  summary: 'warm reads at a fixed rate, alone and while ten people at once sign up, hashing passwords',
  run,
}

interface Run {
  reads: LoadResult
  /** How long each sign-up took, in milliseconds. */
  signUpsMs: number[]
}

async function run({ resources, log }: BenchmarkContext): Promise<Measurement> {
  log('starting the stack')
  const stack = await startBenchStack(resources)
  await fillWorkspace(stack, stack.workspaceId, FILLING)
  const generator = startLoadGenerator(resources)
  const read = () =>
    generator.run({
      origin: stack.url,
      headers: { authorization: `Bearer ${stack.apiKey}` },
      paths: [PATH],
      ...READING,
    })
  await read()
  // The sign-in library is loaded with the first of them.
  await signUp(stack)
  log('reads alone, and with sign-ups, in turn')
  const runs = await alternate<'alone' | 'hashing', Run>(
    {
      alone: async () => ({ reads: await read(), signUpsMs: [] }),
      hashing: async () => {
        const [reads, signUpsMs] = await Promise.all([read(), signUpMeanwhile(stack)])
        return { reads, signUpsMs }
      },
    },
    { minRounds: ROUNDS, maxRounds: ROUNDS, budgetMs: 0 },
  )
  for (const { reads } of [...runs.alone, ...runs.hashing])
    assertMeasured(
      reads.failed === 0 && reads.requests > 0,
      `reads failed: ${JSON.stringify(reads.statuses)}`,
    )
  const rows = [rowOf('reads alone', runs.alone), rowOf('reads while ten sign up at once', runs.hashing)]
  return {
    tables: [
      {
        title: `People: ${READING.ratePerSecond} overviews a second over ${READING.connections} connections`,
        columns: [
          { name: 'case' },
          { name: 'p50', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'p99 to alone', digits: 1 },
          { name: 'max', unit: 'ms' },
          { name: 'sign-ups', digits: 0 },
          { name: 'each', unit: 'ms' },
          { name: 'answered by' },
        ],
        rows: rows.map(({ label, p50, p99, max, signUps, eachMs, tiers }) => [
          ...[label, p50, p99, ratio(p99, rows[0]?.p99 ?? null), max, signUps, eachMs, tiers],
        ]),
      },
    ],
    notes: [
      `Medians over ${ROUNDS} runs in turn. A sign-up hashes with scrypt (40 runs of N = 2,048, r = 8), stores a person, and signs them in.`,
      'workerd hashes on the thread that answers: hashes take turns and leave half of its time to others (src/adapters/auth/pace.ts).',
    ],
  }
}

/** In the midst of the reads, ten at once, again and again. */
async function signUpMeanwhile(stack: BenchStack): Promise<number[]> {
  const untilMs = performance.now() + READING.durationMs
  const tookMs: number[] = []
  while (performance.now() < untilMs)
    tookMs.push(...(await Promise.all(Array.from({ length: SIGN_UPS_AT_ONCE }, () => signUp(stack)))))
  return tookMs
}

async function signUp(stack: BenchStack): Promise<number> {
  const startedMs = performance.now()
  const text = randomBytes(9).toString('hex')
  const response = await fetch(`${stack.url}/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'cf-connecting-ip': '198.51.100.1' },
    body: JSON.stringify({ name: 'Bench', email: `${text}@example.com`, password: 'correct horse battery' }),
  })
  await response.arrayBuffer()
  assertMeasured(response.ok, `a sign-up is answered with ${response.status}`)
  return performance.now() - startedMs
}

function rowOf(label: string, runs: Run[]) {
  const latency = (key: 'p50' | 'p99' | 'max') =>
    medianKnown(runs.map(({ reads }) => reads.latencyMs?.[key] ?? null))
  const signUpsMs = runs.flatMap((one) => one.signUpsMs)
  return {
    label,
    p50: latency('p50'),
    p99: latency('p99'),
    max: latency('max'),
    signUps: signUpsMs.length,
    eachMs: medianKnown(signUpsMs),
    tiers: sharesOf(runs.map(({ reads }) => reads)),
  }
}
