import { assertMeasured } from '../../lib/benchmark.ts'
import { processorMs, residentBytes } from '../../lib/processes.ts'
import type { Collected, Opened, SocketClients } from '../../lib/sockets/socket-client.ts'
import type { BenchStack } from '../../lib/stack.ts'
import type { BaselineWorker } from '../../lib/workerd.ts'
import { deliverEvents } from './outbox.ts'
import { Tickets } from './tickets.ts'

export const PARALLEL_HANDSHAKES = 48
/** Sockets that are opened at once, with tickets that are made just before. */
export const WAVE = 500
const EVENT_TIMEOUT_MS = 30_000

/** Many sockets that hear the same. */
export interface Crowd {
  readonly name: 'hub' | 'baseline'
  /** The workerd that holds them. */
  readonly pid: number
  readonly size: number
  /** Opens one wave. */
  grow(count: number): Promise<Opened & { ticketsMs: number | null }>
  /** Has events sent; resolves when that is under way, or done. */
  send(events: number): Promise<void>
}

export type Crowds = Record<'hub' | 'baseline', Crowd>

export function makeCrowds(stack: BenchStack, bare: BaselineWorker, clients: SocketClients): Crowds {
  const tickets = new Tickets(stack.url, stack.apiKey)
  let hubSize = 0
  let bareSize = 0
  let nextSeq = 1
  const opened = (name: string, wave: Opened) => {
    assertMeasured(wave.failed === 0, `${wave.failed} sockets of the ${name} did not open`)
    return wave
  }
  return {
    hub: {
      name: 'hub',
      get pid() {
        return stack.workerdPid()
      },
      get size() {
        return hubSize
      },
      async grow(count) {
        const startedMs = performance.now()
        const urls = await tickets.make(count)
        const ticketsMs = performance.now() - startedMs
        const wave = opened('hub', await clients.open('hub', urls, PARALLEL_HANDSHAKES))
        hubSize += count
        return { ...wave, ticketsMs }
      },
      send: (events) => deliverEvents(stack, stack.workspaceId, events),
    },
    baseline: {
      name: 'baseline',
      pid: bare.pid,
      get size() {
        return bareSize
      },
      async grow(count) {
        const urls = Array.from({ length: count }, () => bare.url.replace(/^http/, 'ws'))
        const wave = opened('baseline', await clients.open('baseline', urls, PARALLEL_HANDSHAKES))
        bareSize += count
        return { ...wave, ticketsMs: null }
      },
      async send(events) {
        const data = { scope: 'workspace', windows: ['24h'] }
        // It forgets all it knows while it sleeps: numbers are given.
        const body = JSON.stringify({ seq: nextSeq, events: Array.from({ length: events }, () => data) })
        nextSeq += events
        const response = await fetch(bare.url, { method: 'POST', body })
        assertMeasured(response.ok, `the bare hub answers ${response.status}`)
      },
    },
  }
}

/** How one crowd became larger. */
export interface Growth {
  crowd: Crowd['name']
  size: number
  waves: (Opened & { ticketsMs: number | null; count: number })[]
  bytesPerSocket: number | null
}

/** Opens sockets of both, in waves and in turn, until each has so many. */
export async function growCrowds(crowds: Crowds, size: number): Promise<Growth[]> {
  const both = [crowds.hub, crowds.baseline]
  const before = await Promise.all(
    both.map(async (crowd) => [crowd.size, await residentBytes(crowd.pid)] as const),
  )
  const waves = both.map((): Growth['waves'] => [])
  while (both.some((crowd) => crowd.size < size)) {
    for (const [i, crowd] of both.entries()) {
      const count = Math.min(WAVE, size - crowd.size)
      if (count > 0) waves[i]?.push({ ...(await crowd.grow(count)), count })
    }
  }
  return Promise.all(
    both.map(async (crowd, i) => {
      const [sizeBefore, bytesBefore] = before[i] ?? [0, null]
      const bytes = await residentBytes(crowd.pid)
      const grown = crowd.size - sizeBefore
      return {
        crowd: crowd.name,
        size: crowd.size,
        waves: waves[i] ?? [],
        bytesPerSocket:
          bytes === null || bytesBefore === null || grown === 0 ? null : (bytes - bytesBefore) / grown,
      }
    }),
  )
}

export interface Broadcast extends Collected {
  /** When the request was made that led to it; milliseconds since 1970, with fractions. */
  sentAtMs: number
  /** Processor time that the crowd's workerd has used meanwhile; `null` where the system does not say. */
  processorMs: number | null
}

/** Sends events to a crowd, and waits until all have them. */
export async function broadcast(
  clients: SocketClients,
  crowd: Crowd,
  events: number,
  timed: boolean,
): Promise<Broadcast> {
  await clients.arm(crowd.name, timed)
  const before = await processorMs(crowd.pid)
  const sentAtMs = performance.timeOrigin + performance.now()
  await crowd.send(events)
  const collected = await clients.collect(crowd.name, events, EVENT_TIMEOUT_MS)
  const after = await processorMs(crowd.pid)
  return { ...collected, sentAtMs, processorMs: before === null || after === null ? null : after - before }
}

/** Milliseconds from the moment that each event names to each socket. */
export function delays(collected: readonly Collected[]): number[] {
  return collected.flatMap(({ events }) =>
    events.flatMap(({ atMs, receivedAtMs }) => receivedAtMs.map((ms) => ms - atMs)),
  )
}

/** Events that did not come, or not in order, or to sockets that are gone. */
export function lostIn(collected: readonly Collected[]): number {
  return collected.reduce((sum, { missing, gaps, lost }) => sum + missing + gaps + lost, 0)
}
