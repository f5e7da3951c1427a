import { z } from 'zod'
import { LIVE_LIMITS } from '../../src/realtime/protocol.ts'
import { assertMeasured, type Benchmark, type BenchmarkContext, type Measurement } from '../lib/benchmark.ts'
import { fillWorkspace } from '../lib/fill-workspace.ts'
import { alternate } from '../lib/rounds.ts'
import {
  type Collected,
  type Opened,
  type SocketClient,
  startSocketClient,
} from '../lib/sockets/socket-client.ts'
import { type BenchStack, startBenchStack } from '../lib/stack.ts'
import { median, ratio, summarise } from '../lib/statistics.ts'
import type { Cell, Table } from '../lib/table.ts'
import { type BaselineWorker, startBaselineWorker } from '../lib/workerd.ts'

const PARALLEL_HANDSHAKES = 32
/** Sockets that are opened at once, with tickets that are made just before: they live for 30 s. */
const WAVE = 500
const ROUNDS = { minRounds: 5, maxRounds: 40, budgetMs: 20_000 }
const EVENT_TIMEOUT_MS = 10_000
const EVENT_TYPE = 'metrics.updated'
/** Below what one user may have, so that the limit itself is not what is measured. */
const SOCKETS_PER_KEY = LIVE_LIMITS.socketsPerUser - 10

export const liveBenchmark: Benchmark = {
  name: 'live',
  summary: 'connecting to a live hub, and how soon all its sockets have an event',
  run,
}

interface Broadcast extends Collected {
  sentAtMs: number
}

async function run({ resources, log, options }: BenchmarkContext): Promise<Measurement> {
  const { sockets } = options
  log('starting the stack')
  const stack = await startBenchStack(resources)
  const filling = { accounts: 1, posts: 1, days: 1 }
  const { accountIds } = await fillWorkspace(stack, stack.workspaceId, filling)
  const bare = await startBaselineWorker(resources, {
    entry: new URL('../baselines/bare-hub.ts', import.meta.url),
    durableObjects: { BARE_HUB: 'BareHub' },
  })
  const client = startSocketClient(resources)

  log(`opening ${sockets} sockets each`)
  const connected = await connectBoth(stack, bare, client, sockets)

  log('sending events')
  const change = async () => {
    const response = await fetch(`${stack.url}/api/v1/accounts/${accountIds[0]}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${stack.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ brandId: null }),
    })
    assertMeasured(response.ok, `a change was answered with ${response.status}: ${await response.text()}`)
  }
  const publish = async () => {
    const data = { accounts: [{ id: accountIds[0], delta: {} }], posts: [] }
    const response = await fetch(bare.url, { method: 'POST', body: JSON.stringify(data) })
    assertMeasured(response.ok, `the bare hub answers ${response.status}`)
  }
  const broadcasts = await alternate(
    {
      hub: () => broadcast(client, 'hub', change),
      bare: () => broadcast(client, 'bare', publish),
    },
    ROUNDS,
  )
  return {
    tables: [connectTable(connected), broadcastTable(sockets, broadcasts.hub, broadcasts.bare)],
    notes: notesOf(stack.warnings()),
  }
}

function notesOf(warnings: string[]): string[] {
  return [
    'hub: the built Worker. Each socket has a ticket of its own, made over HTTP before; a change of an account (PATCH) raises the generation in Postgres, then Redis is told, then the hub stores and sends the event.',
    'baseline: a Durable Object that takes sockets without a ticket and sends what it is given in a loop; it keeps nothing and numbers nothing (bench/baselines/bare-hub.ts).',
    'From the hub: from the moment in the event (whole milliseconds, taken before the first send) to each socket. From the request: until the last socket has it, database and all.',
    'Both hold their sockets at the same time, in two workerd; all sockets end in one other process, which takes its time to read them.',
    ...(warnings.length > 0 ? [`The Worker warned meanwhile: ${warnings.join(', ')}.`] : []),
  ]
}

interface Connected {
  label: string
  tickets: number
  ticketsMs: number
  opened: Opened[]
}

/** In waves, in turn. */
async function connectBoth(
  stack: BenchStack,
  bare: BaselineWorker,
  client: SocketClient,
  sockets: number,
): Promise<Connected[]> {
  const keys = await makeKeys(stack, Math.ceil(sockets / SOCKETS_PER_KEY))
  const hub: Connected = { label: 'hub', tickets: 0, ticketsMs: 0, opened: [] }
  const baseline: Connected = { label: 'baseline', tickets: 0, ticketsMs: 0, opened: [] }
  for (let first = 0; first < sockets; first += WAVE) {
    const count = Math.min(WAVE, sockets - first)
    const startedMs = performance.now()
    const urls = await makeTickets(stack, keys, first, count)
    hub.ticketsMs += performance.now() - startedMs
    hub.tickets += count
    hub.opened.push(await client.open('hub', urls, PARALLEL_HANDSHAKES))
    const bareUrl = bare.url.replace(/^http/, 'ws')
    const bareUrls = Array.from({ length: count }, () => bareUrl)
    baseline.opened.push(await client.open('bare', bareUrls, PARALLEL_HANDSHAKES))
  }
  for (const { label, opened } of [hub, baseline]) {
    const failed = opened.reduce((sum, one) => sum + one.failed, 0)
    assertMeasured(failed === 0, `${failed} sockets of the ${label} did not open`)
  }
  return [hub, baseline]
}

const CreatedKey = z.object({ key: z.string() })
const Ticket = z.object({ url: z.string() })

async function makeKeys(stack: BenchStack, count: number): Promise<string[]> {
  return inParallel(count, 4, async (i) => {
    const body = { name: `Listener ${i}`, scopes: ['read'] }
    return CreatedKey.parse(await post(stack, stack.apiKey, '/api/v1/api-keys', body)).key
  })
}

async function makeTickets(
  stack: BenchStack,
  keys: string[],
  first: number,
  count: number,
): Promise<string[]> {
  return inParallel(count, 16, async (i) => {
    const key = keys[Math.floor((first + i) / SOCKETS_PER_KEY)] ?? ''
    return Ticket.parse(await post(stack, key, '/api/v1/realtime/tickets', undefined)).url
  })
}

async function post(stack: BenchStack, key: string, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${stack.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  assertMeasured(response.ok, `${path} answers ${response.status}: ${await response.clone().text()}`)
  return response.json()
}

async function inParallel<T>(
  count: number,
  workers: number,
  make: (index: number) => Promise<T>,
): Promise<T[]> {
  const made: T[] = []
  let next = 0
  const worker = async () => {
    for (let i = next++; i < count; i = next++) made[i] = await make(i)
  }
  await Promise.all(Array.from({ length: workers }, worker))
  return made
}

async function broadcast(client: SocketClient, group: string, send: () => Promise<void>): Promise<Broadcast> {
  let sentAtMs = 0
  const collected = await client.receive({
    group,
    eventType: EVENT_TYPE,
    timeoutMs: EVENT_TIMEOUT_MS,
    send: () => {
      sentAtMs = performance.timeOrigin + performance.now()
      return send()
    },
  })
  return { ...collected, sentAtMs }
}

function perSecond(wave: Opened | undefined): number | null {
  return wave === undefined ? null : (wave.opened / wave.elapsedMs) * 1_000
}

function connectTable(connected: Connected[]): Table {
  const rows = connected.map(({ label, tickets, ticketsMs, opened }): Cell[] => {
    const handshakes = summarise(opened.flatMap(({ handshakesMs }) => handshakesMs))
    return [
      label,
      handshakes?.count ?? 0,
      perSecond(opened[0]),
      opened.length > 1 ? perSecond(opened.at(-1)) : null,
      handshakes?.p50 ?? null,
      handshakes?.p95 ?? null,
      handshakes?.p99 ?? null,
      tickets === 0 ? null : (tickets / ticketsMs) * 1_000,
    ]
  })
  return {
    title: `Live: connecting, ${PARALLEL_HANDSHAKES} handshakes at once`,
    columns: [
      { name: 'case' },
      { name: 'sockets' },
      { name: `connects/s, first ${WAVE}`, digits: 0 },
      { name: `last ${WAVE}`, digits: 0 },
      { name: 'handshake p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'tickets/s', digits: 0 },
    ],
    rows,
  }
}

function broadcastTable(sockets: number, hub: Broadcast[], bare: Broadcast[]): Table {
  const fromHub = (broadcasts: Broadcast[]) =>
    summarise(broadcasts.flatMap(({ atMs, receivedAtMs }) => receivedAtMs.map((ms) => ms - atMs)))
  const baseline = fromHub(bare)?.p50 ?? null
  const row = (label: string, broadcasts: Broadcast[]): Cell[] => {
    const latency = fromHub(broadcasts)
    const last = ({ receivedAtMs }: Broadcast) => receivedAtMs.reduce((latest, ms) => Math.max(latest, ms), 0)
    return [
      label,
      broadcasts.length,
      median(broadcasts.map(({ frameBytes }) => frameBytes)),
      latency?.p50 ?? null,
      latency?.p95 ?? null,
      latency?.p99 ?? null,
      latency?.max ?? null,
      ratio(latency?.p50 ?? null, baseline),
      median(broadcasts.map((one) => last(one) - one.sentAtMs)),
      broadcasts.reduce((sum, { missing }) => sum + missing, 0),
    ]
  }
  return {
    title: `Live: an event to ${sockets} sockets of one workspace`,
    columns: [
      { name: 'case' },
      { name: 'events' },
      { name: 'bytes' },
      { name: 'from the hub: p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'max', unit: 'ms' },
      { name: 'of baseline', unit: '×', digits: 2 },
      { name: 'from the request, to the last: p50', unit: 'ms' },
      { name: 'missing' },
    ],
    rows: [row('hub', hub), row('baseline', bare)],
  }
}
