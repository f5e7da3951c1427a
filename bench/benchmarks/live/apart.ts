import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureBuilt } from '../../../scripts/build.ts'
import { claimPort } from '../../../scripts/local/stack/ports.ts'
import { startWorker } from '../../../scripts/local/stack/worker.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import type { Collected, SocketClients } from '../../lib/sockets/socket-client.ts'
import type { BenchStack } from '../../lib/stack.ts'
import { ratio, summarise } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { exactly } from '../reads/verdicts.ts'
import { delays, lostIn, PARALLEL_HANDSHAKES, WAVE } from './crowds.ts'
import { deliverEvents, type Sweeper } from './outbox.ts'
import type { Findings, LiveBench } from './section.ts'
import { Tickets } from './tickets.ts'

const SOCKETS = 20_000
const WORKERS = 3
const ROUNDS = 10
const TIMEOUT_MS = 30_000
const PASSWORD = 'correct horse battery'

interface Place {
  group: string
  at: Sweeper
  workspaceId: string
  tickets: Tickets
}

/** Twenty thousand sockets on several workspaces, each in a workerd of its own, over one database. */
export async function measureApart(bench: LiveBench): Promise<Findings> {
  const { clients, log } = bench
  const stack = await bench.stack()
  await using resources = new AsyncDisposableStack()
  const places: Place[] = []
  for (let i = 0; i < WORKERS; i += 1) places.push(await makePlace(resources, stack, i))
  const each = Math.ceil(SOCKETS / WORKERS)
  const found: { label: string; sockets: number; collected: Collected[] }[] = []
  for (const [i, place] of places.entries()) {
    log(`opening ${each} sockets at the Worker ${i + 1} of ${WORKERS}`)
    await open(clients, place, each)
    const first = places[0]
    if (first === undefined) continue
    const sockets = each * (i + 1)
    found.push({
      ...{ label: 'one, while the others are silent', sockets },
      collected: (await sendEvents(clients, [first])).flat(),
    })
  }
  log('events to all of them at once')
  const all = await sendEvents(clients, places)
  found.push({ label: 'all at once', sockets: each * WORKERS, collected: all.flat() })
  for (const { group } of places) await clients.close(group)
  const base = summarise(delays(found[0]?.collected ?? []))?.p99 ?? null
  return {
    tables: [
      {
        title: `Live: workspaces with ${each} sockets each, in ${WORKERS} workerd over one database`,
        columns: [
          { name: 'sockets open' },
          { name: 'events to' },
          { name: 'frames' },
          { name: 'lost' },
          { name: 'from the hub: p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'p99 to one alone', unit: '×', digits: 2 },
        ],
        rows: found.map(({ label, sockets, collected }): Cell[] => {
          const delay = summarise(delays(collected))
          return [
            ...[sockets, label, delay?.count ?? 0, lostIn(collected)],
            ...[delay?.p50 ?? null, delay?.p95 ?? null, delay?.p99 ?? null, ratio(delay?.p99 ?? null, base)],
          ]
        }),
      },
    ],
    notes: [
      `Apart: hubs know nothing of each other; where ${WORKERS} send at once, they and those who listen share the same processors.`,
    ],
    verdicts: [
      exactly(
        `events lost on ${each * WORKERS} sockets of ${WORKERS} workspaces`,
        0,
        lostIn(found.flatMap(({ collected }) => collected)),
      ),
    ],
  }
}

const Key = z.object({ key: z.string() })
const Me = z.object({ workspace: z.object({ id: z.string() }) })

/** Another Worker on the stack's database, with somebody new and their workspace. */
async function makePlace(resources: AsyncDisposableStack, stack: BenchStack, index: number): Promise<Place> {
  const port = await claimPort(0)
  const url = `http://127.0.0.1:${port}`
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-worker-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const bindings = { ...stack.bindings, PUBLIC_URL: url }
  const worker = await startWorker({
    ...(await ensureBuilt()),
    ...{ port, bindings },
    stateDir: join(directory, 'worker'),
    logFile: join(directory, 'worker.log'),
    log: () => {},
    onFailure: (error) => console.error(error),
  })
  resources.defer(() => worker.stop())
  const { apiKey, workspaceId } = await signUp(url)
  return {
    group: `apart-${index}`,
    at: { url, publicUrl: url, bindings, ownerSql: stack.ownerSql },
    workspaceId,
    tickets: new Tickets(url, apiKey),
  }
}

async function signUp(url: string): Promise<{ apiKey: string; workspaceId: string }> {
  const json = { 'content-type': 'application/json', 'cf-connecting-ip': '198.51.100.1' }
  const email = `${randomBytes(9).toString('hex')}@example.com`
  const signedUp = await fetch(`${url}/auth/sign-up/email`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ name: 'Bench', email, password: PASSWORD }),
  })
  assertMeasured(signedUp.ok, `a sign-up is answered with ${signedUp.status}: ${await signedUp.text()}`)
  const cookie = signedUp.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const made = await fetch(`${url}/api/v1/api-keys`, {
    method: 'POST',
    headers: { ...json, cookie },
    body: JSON.stringify({ name: 'Bench', scopes: ['read', 'write', 'admin'] }),
  })
  assertMeasured(made.ok, `a key is answered with ${made.status}: ${await made.clone().text()}`)
  const { key: apiKey } = Key.parse(await made.json())
  const me = await fetch(`${url}/api/v1/me`, { headers: { cookie } })
  return { apiKey, workspaceId: Me.parse(await me.json()).workspace.id }
}

async function open(clients: SocketClients, { group, tickets }: Place, size: number): Promise<void> {
  for (let first = 0; first < size; first += WAVE) {
    const urls = await tickets.make(Math.min(WAVE, size - first))
    const { failed } = await clients.open(group, urls, PARALLEL_HANDSHAKES)
    assertMeasured(failed === 0, `${failed} sockets did not open`)
  }
}

/** Events to all of the places at once, again and again. @returns what came, by round and place */
async function sendEvents(clients: SocketClients, places: Place[]): Promise<Collected[][]> {
  const found: Collected[][] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { group } of places) await clients.arm(group, true)
    await Promise.all(places.map(({ at, workspaceId }) => deliverEvents(at, workspaceId, 1)))
    const collected: Collected[] = []
    for (const { group } of places) collected.push(await clients.collect(group, 1, TIMEOUT_MS))
    found.push(collected)
  }
  return found
}
