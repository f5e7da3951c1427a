import { LIVE_LIMITS } from '../../../src/realtime/protocol.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import { type Hubs, startHubs } from '../../lib/hubs/hubs.ts'
import { processorMs } from '../../lib/processes.ts'
import { alternate } from '../../lib/rounds.ts'
import type { SocketClients } from '../../lib/sockets/socket-client.ts'
import { median, medianKnown, summarise } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { below } from '../reads/verdicts.ts'
import type { Findings, LiveBench } from './section.ts'

const WORKSPACE = 'replayed'
const EVENTS = LIVE_LIMITS.keptEvents
const CONNECTIONS = 40
const ROUNDS = { minRounds: 5, maxRounds: 5, budgetMs: 0 }
const TIMEOUT_MS = 20_000
const MOST_MS = 5

interface Run {
  /** In the hub's own code, each. */
  hubMs: number
  /** Of the whole workerd, each. */
  processorMs: number | null
  handshakesMs: number[]
}

/** What it costs the hub to tell somebody who comes back of all that is kept. */
export async function measureReplay({ clients, resources, log }: LiveBench): Promise<Findings> {
  log(`connecting with ${EVENTS} events missed, and with none`)
  const hubs = await startHubs(resources)
  await hubs.publish(WORKSPACE, EVENTS)
  const runs = await alternate(
    {
      replay: (round) => connect(clients, hubs, `replay-${round}`, EVENTS),
      nothing: (round) => connect(clients, hubs, `nothing-${round}`, 0),
    },
    ROUNDS,
  )
  const hubMs = (of: Run[]) => median(of.map((run) => run.hubMs))
  const processor = (of: Run[]) => medianKnown(of.map((run) => run.processorMs))
  const [replay, nothing] = [hubMs(runs.replay), hubMs(runs.nothing)]
  const difference = replay === null || nothing === null ? null : replay - nothing
  const row = (label: string, of: Run[]): Cell[] => {
    const handshakes = summarise(of.flatMap(({ handshakesMs }) => handshakesMs))
    return [
      label,
      handshakes?.count ?? 0,
      hubMs(of),
      processor(of),
      handshakes?.p50 ?? null,
      handshakes?.p99 ?? null,
    ]
  }
  return {
    tables: [
      {
        title: 'Live: coming back, one connection after the other',
        columns: [
          { name: 'missed' },
          { name: 'connections' },
          { name: 'in the hub, each', unit: 'ms', digits: 2 },
          { name: 'processor time of workerd, each', unit: 'ms', digits: 2 },
          { name: 'handshake p50', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
        ],
        rows: [row(`${EVENTS} events`, runs.replay), row('nothing', runs.nothing)],
      },
    ],
    notes: [
      'Coming back: in the hub is from the arrival of the upgrade to its answer, during which it does nothing else; what a replay takes of it is the difference between the two. The processor time is that of the whole workerd, which also makes a thousand writes to a socket for each.',
    ],
    verdicts: [below(`a replay of ${EVENTS} events, of the hub's time`, MOST_MS, difference, 'ms')],
  }
}

/** One after the other, with so many events missed. */
async function connect(clients: SocketClients, hubs: Hubs, group: string, missed: number): Promise<Run> {
  const urls = await hubs.addresses(WORKSPACE, CONNECTIONS, EVENTS - missed)
  const [before, spentBefore] = [await processorMs(hubs.pid), await hubs.spentMs(WORKSPACE)]
  const { failed, handshakesMs } = await clients.open(group, urls, 1)
  const { missing, gaps } = await clients.collect(group, missed, TIMEOUT_MS)
  const [after, spentAfter] = [await processorMs(hubs.pid), await hubs.spentMs(WORKSPACE)]
  assertMeasured(failed === 0 && missing === 0 && gaps === 0, `${missing} of ${missed} events did not come`)
  await clients.close(group)
  return {
    hubMs: (spentAfter - spentBefore) / CONNECTIONS,
    processorMs: before === null || after === null ? null : (after - before) / CONNECTIONS,
    handshakesMs,
  }
}
