import { setTimeout as sleep } from 'node:timers/promises'
import { assertMeasured } from '../../lib/benchmark.ts'
import { type Hubs, startHubs } from '../../lib/hubs/hubs.ts'
import { alternate } from '../../lib/rounds.ts'
import type { SocketClients } from '../../lib/sockets/socket-client.ts'
import { ratio, summarise } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { atMost } from '../reads/verdicts.ts'
import { lostIn } from './crowds.ts'
import type { Findings, LiveBench } from './section.ts'

const BUSY_WORKSPACES = 100
const SOCKETS = { quiet: 50, busy: 10 }
/** Of each workspace. */
const INTERVAL_MS = { quiet: 200, busy: 1_000 }
const ROUND_MS = 4_000
const ROUNDS = { minRounds: 4, maxRounds: 4, budgetMs: 0 }
const TIMEOUT_MS = 10_000
const MOST_OF_ALONE = 1.5
const QUIET = 'quiet'

interface Run {
  /** From the request to each socket, in milliseconds. */
  delaysMs: number[]
  lost: number
}

/** How soon the sockets of a quiet workspace have an event, alone and while a hundred others are busy. */
export async function measureQuiet({ clients, resources, log }: LiveBench): Promise<Findings> {
  log(`a quiet workspace, alone and beside ${BUSY_WORKSPACES} busy ones`)
  const hubs = await startHubs(resources)
  const busy = Array.from({ length: BUSY_WORKSPACES }, (_, i) => `busy-${i}`)
  await open(clients, hubs, QUIET, [QUIET], SOCKETS.quiet)
  await open(clients, hubs, 'busy', busy, SOCKETS.busy)
  const runs = await alternate(
    {
      alone: () => listen(clients, hubs),
      beside: async () => {
        const stop = new AbortController()
        const working = keepBusy(hubs, busy, stop.signal)
        const run = await listen(clients, hubs)
        stop.abort()
        await working
        return run
      },
    },
    ROUNDS,
  )
  const alone = summarise(runs.alone.flatMap(({ delaysMs }) => delaysMs))
  const beside = summarise(runs.beside.flatMap(({ delaysMs }) => delaysMs))
  const row = (label: string, of: Run[], delay: typeof alone): Cell[] => [
    ...[label, delay?.count ?? 0, of.reduce((sum, { lost }) => sum + lost, 0)],
    ...[delay?.p50 ?? null, delay?.p95 ?? null, delay?.p99 ?? null, delay?.max ?? null],
  ]
  return {
    tables: [
      {
        title: `Live: a quiet workspace (${SOCKETS.quiet} sockets), and ${BUSY_WORKSPACES} busy ones (${SOCKETS.busy} sockets, an event a second each) in one workerd`,
        columns: [
          { name: 'the others' },
          { name: 'frames' },
          { name: 'lost' },
          { name: 'from the request: p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'max', unit: 'ms' },
        ],
        rows: [row('silent', runs.alone, alone), row('busy', runs.beside, beside)],
      },
    ],
    notes: [
      'All hubs of one workerd share a thread, and it shares the processors with those who listen to them; in production each hub is where the runtime puts it.',
    ],
    verdicts: [
      atMost(
        `p99 of a quiet workspace beside ${BUSY_WORKSPACES} busy ones, to alone`,
        MOST_OF_ALONE,
        ratio(beside?.p99 ?? null, alone?.p99 ?? null),
        '×',
      ),
    ],
  }
}

async function open(
  clients: SocketClients,
  hubs: Hubs,
  group: string,
  workspaceIds: string[],
  sockets: number,
): Promise<void> {
  const urls = await Promise.all(workspaceIds.map((workspaceId) => hubs.addresses(workspaceId, sockets)))
  const { failed } = await clients.open(group, urls.flat(), 16)
  assertMeasured(failed === 0, `${failed} sockets did not open`)
}

/** Events to the quiet one, each when the one before it has come. */
async function listen(clients: SocketClients, hubs: Hubs): Promise<Run> {
  const run: Run = { delaysMs: [], lost: 0 }
  const endMs = performance.now() + ROUND_MS
  while (performance.now() < endMs) {
    await clients.arm(QUIET, true)
    const sentAtMs = performance.timeOrigin + performance.now()
    await hubs.publish(QUIET, 1)
    const collected = await clients.collect(QUIET, 1, TIMEOUT_MS)
    for (const { receivedAtMs } of collected.events)
      run.delaysMs.push(...receivedAtMs.map((ms) => ms - sentAtMs))
    run.lost += lostIn([collected])
    await sleep(INTERVAL_MS.quiet)
  }
  return run
}

/** An event to each in turn, so that each has one a second. */
async function keepBusy(hubs: Hubs, workspaceIds: string[], signal: AbortSignal): Promise<void> {
  const startMs = performance.now()
  const sent: Promise<void>[] = []
  for (let i = 0; !signal.aborted; i += 1) {
    const dueMs = startMs + (i * INTERVAL_MS.busy) / workspaceIds.length
    await sleep(Math.max(0, dueMs - performance.now()))
    sent.push(hubs.publish(workspaceIds[i % workspaceIds.length] ?? QUIET, 1))
  }
  await Promise.all(sent)
}
