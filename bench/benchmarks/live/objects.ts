import { LIVE_LIMITS } from '../../../src/realtime/protocol.ts'
import { type Hubs, startHubs } from '../../lib/hubs/hubs.ts'
import { processorMs } from '../../lib/processes.ts'
import type { Collected, SocketClients } from '../../lib/sockets/socket-client.ts'
import { summarise } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { delays, lostIn, WAVE } from './crowds.ts'
import type { Findings, LiveBench } from './section.ts'

const WORKSPACE = 'spread'
const PER_OBJECT = [LIVE_LIMITS.socketsPerObject, 3_000, 10_000]
const ROUNDS = 15
const TIMEOUT_MS = 30_000
const PARALLEL_HANDSHAKES = 48

/** The same sockets, held by one object or spread over several. */
export async function measureObjects({ clients, sizes, log }: LiveBench): Promise<Findings> {
  const size = Math.max(...sizes)
  const rows: Cell[][] = []
  for (const socketsPerObject of PER_OBJECT) {
    log(`${size} sockets, ${socketsPerObject} an object`)
    await using resources = new AsyncDisposableStack()
    const hubs = await startHubs(resources, { socketsPerObject })
    const group = `objects-${socketsPerObject}`
    await open(clients, hubs, group, size)
    rows.push([
      socketsPerObject,
      Math.ceil(size / socketsPerObject),
      ...(await measure(clients, hubs, group)),
    ])
    await clients.close(group)
  }
  return {
    tables: [
      {
        title: `Live: an event to ${size} sockets of one workspace, spread over objects of one workerd`,
        columns: [
          { name: 'sockets an object, at most' },
          { name: 'objects' },
          { name: 'events' },
          { name: 'from the hub: p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'max', unit: 'ms' },
          { name: 'processor time of workerd, each', unit: 'ms' },
          { name: 'lost' },
        ],
        rows,
      },
    ],
    notes: [
      'Objects of one workerd share a thread: what several of them are good for in production, where each may have its own, this does not show, only what it costs.',
    ],
  }
}

async function open(clients: SocketClients, hubs: Hubs, group: string, size: number): Promise<void> {
  for (let first = 0; first < size; first += WAVE) {
    const urls = await hubs.addresses(WORKSPACE, Math.min(WAVE, size - first))
    await clients.open(group, urls, PARALLEL_HANDSHAKES)
  }
}

async function measure(clients: SocketClients, hubs: Hubs, group: string): Promise<Cell[]> {
  const found: Collected[] = []
  let before: number | null = null
  for (let round = 0; round <= ROUNDS; round += 1) {
    await clients.arm(group, true)
    await hubs.publish(WORKSPACE, 1)
    const collected = await clients.collect(group, 1, TIMEOUT_MS)
    // What is compiled when it is first needed is not what is measured.
    if (round === 0) before = await processorMs(hubs.pid)
    else found.push(collected)
  }
  const after = await processorMs(hubs.pid)
  const delay = summarise(delays(found))
  const each = before === null || after === null ? null : (after - before) / ROUNDS
  return [
    ...[ROUNDS, delay?.p50 ?? null, delay?.p95 ?? null, delay?.p99 ?? null, delay?.max ?? null],
    ...[each, lostIn(found)],
  ]
}
