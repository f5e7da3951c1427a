import { alternate } from '../../lib/rounds.ts'
import { median, ratio, type Summary, summarise } from '../../lib/statistics.ts'
import type { Cell, Table } from '../../lib/table.ts'
import { atMost, below, exactly, type Verdict } from '../reads/verdicts.ts'
import {
  type Broadcast,
  broadcast,
  type Crowd,
  type Crowds,
  delays,
  type Growth,
  growCrowds,
  lostIn,
  PARALLEL_HANDSHAKES,
  WAVE,
} from './crowds.ts'
import type { Findings, LiveBench } from './section.ts'

/** As many events as it takes for none of them to be the 99th percentile by itself, where there is time for it. */
const ROUNDS = { minRounds: 8, maxRounds: 300, budgetMs: 45_000 }
/** Events of a burst, and how many frames bursts are to be together, so that they take seconds. */
const BURST = 20
const BURST_FRAMES = 300_000
const MOST_OF_BARE = 1.3
const P99_OF_A_THOUSAND_MS = 100
const A_THOUSAND = 1_000

/** Connecting, one event to all, and as many events as there can be, with more and more sockets. */
export async function measureCrowd(bench: LiveBench): Promise<Findings> {
  const { clients, sizes, log } = bench
  const crowds = await bench.crowds()
  const growths: Growth[] = []
  const events: Row[] = []
  const bursts: Cell[][] = []
  for (const size of sizes) {
    log(`opening sockets, up to ${size} each`)
    growths.push(...(await growCrowds(crowds, size)))
    log(`sending events to ${size} sockets each`)
    events.push(...(await measureEvents(bench, crowds, size)))
    log(`sending bursts to ${size} sockets each`)
    bursts.push(...(await measureBursts(bench, crowds, size)))
  }
  await clients.arm('hub', false)
  return {
    tables: [connectTable(growths), eventTable(events), burstTable(bursts)],
    notes: NOTES,
    verdicts: verdictsOf(events),
  }
}

const NOTES = [
  'hub: the built Worker, its hub and as many shards as it takes, all in one workerd. Each socket has a ticket of its own, made over HTTP before. Events are rows of the outbox, delivered by the sweep: Postgres, then Redis, then the hub, which stores and sends them.',
  'baseline: a Durable Object that takes sockets without a ticket and sends what it is given in a loop; it keeps nothing (bench/baselines/bare-hub.ts).',
  'From the hub: from the moment in the event (whole milliseconds, taken before it is stored and sent) to each socket. From the request: until the last socket has it, database and all.',
  'The slowest events are those into which a full collection of the heap of workerd falls. The first one after connecting takes the longest, twice as long as later ones, of which there is one in about 90 events to 1,000 sockets: most of it goes into what the runtime makes for each message that is sent. The baseline has a smaller heap to go through. How many events a percentile is of stands beside it; of a few dozen it is one of those.',
  'Both hold their sockets at the same time, in two workerd. The sockets end in processes that share the processors with both: most of the time of an event to thousands of sockets is theirs. Memory is what workerd grew by, what it has not tidied up yet included.',
]

interface Row {
  size: number
  crowd: Crowd['name']
  broadcasts: Broadcast[]
  delay: Summary | null
}

async function measureEvents({ clients }: LiveBench, crowds: Crowds, size: number): Promise<Row[]> {
  const one = (crowd: Crowd) => () => broadcast(clients, crowd, 1, true)
  // What is compiled when it is first needed is not what is measured.
  for (const crowd of [crowds.hub, crowds.baseline]) await one(crowd)()
  const rounds = await alternate({ hub: one(crowds.hub), baseline: one(crowds.baseline) }, ROUNDS)
  return (['hub', 'baseline'] as const).map((crowd) => ({
    ...{ size, crowd },
    broadcasts: rounds[crowd],
    delay: summarise(delays(rounds[crowd])),
  }))
}

async function measureBursts({ clients }: LiveBench, crowds: Crowds, size: number): Promise<Cell[][]> {
  const rounds = Math.min(10, Math.max(2, Math.round(BURST_FRAMES / size / BURST)))
  const burst = (crowd: Crowd) => () => broadcast(clients, crowd, BURST, false)
  const found = await alternate(
    { hub: burst(crowds.hub), baseline: burst(crowds.baseline) },
    { minRounds: rounds, maxRounds: rounds, budgetMs: 0 },
  )
  const perSecond = (bursts: Broadcast[]) =>
    median(bursts.map(({ sentAtMs, lastAtMs }) => (BURST / (lastAtMs - sentAtMs)) * 1_000))
  const bare = perSecond(found.baseline)
  return (['hub', 'baseline'] as const).map((crowd) => {
    const events = perSecond(found[crowd])
    return [
      size,
      crowd,
      rounds,
      events,
      events === null ? null : events * size,
      ratio(events, bare),
      lostIn(found[crowd]),
    ]
  })
}

function connectTable(growths: Growth[]): Table {
  const perSecond = (wave: Growth['waves'][number] | undefined) =>
    wave === undefined ? null : (wave.opened / wave.elapsedMs) * 1_000
  return {
    title: `Live: connecting, ${PARALLEL_HANDSHAKES} handshakes at once, in waves of ${WAVE}`,
    columns: [
      { name: 'sockets' },
      { name: 'case' },
      { name: 'connects/s, first wave', digits: 0 },
      { name: 'last', digits: 0 },
      { name: 'handshake p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'tickets/s', digits: 0 },
      { name: 'memory a socket', unit: 'kB', digits: 0 },
    ],
    rows: growths.map(({ crowd, size, waves, bytesPerSocket }): Cell[] => {
      const handshakes = summarise(waves.flatMap(({ handshakesMs }) => handshakesMs))
      const ticketsMs = waves.reduce((sum, wave) => sum + (wave.ticketsMs ?? 0), 0)
      const made = waves.reduce((sum, { count }) => sum + count, 0)
      return [
        size,
        crowd,
        perSecond(waves[0]),
        waves.length > 1 ? perSecond(waves.at(-1)) : null,
        handshakes?.p50 ?? null,
        handshakes?.p95 ?? null,
        handshakes?.p99 ?? null,
        ticketsMs === 0 ? null : (made / ticketsMs) * 1_000,
        bytesPerSocket === null ? null : bytesPerSocket / 1_000,
      ]
    }),
  }
}

function eventTable(rows: Row[]): Table {
  return {
    title: 'Live: an event to all sockets of one workspace',
    columns: [
      { name: 'sockets' },
      { name: 'case' },
      { name: 'events' },
      { name: 'bytes' },
      { name: 'from the hub: p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'max', unit: 'ms' },
      { name: 'p99 of baseline', unit: '×', digits: 2 },
      { name: 'from the request, to the last: p50', unit: 'ms' },
      { name: 'processor time of workerd, each', unit: 'ms' },
      { name: 'lost' },
    ],
    rows: rows.map((row) => [
      row.size,
      row.crowd,
      row.broadcasts.length,
      median(row.broadcasts.map(({ frameBytes }) => frameBytes)),
      row.delay?.p50 ?? null,
      row.delay?.p95 ?? null,
      row.delay?.p99 ?? null,
      row.delay?.max ?? null,
      toBare(rows, row),
      median(row.broadcasts.map(({ sentAtMs, lastAtMs }) => lastAtMs - sentAtMs)),
      mean(row.broadcasts.map(({ processorMs }) => processorMs)),
      lostIn(row.broadcasts),
    ]),
  }
}

function burstTable(rows: Cell[][]): Table {
  return {
    title: `Live: bursts of ${BURST} events, one after the other`,
    columns: [
      { name: 'sockets' },
      { name: 'case' },
      { name: 'bursts' },
      { name: 'events/s', digits: 0 },
      { name: 'frames/s', digits: 0 },
      { name: 'of baseline', unit: '×', digits: 2 },
      { name: 'lost' },
    ],
    rows,
  }
}

/** The mean of what is known: processor time is counted in steps, which medians would show. */
function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

/** How many times the baseline's 99th percentile a row's is. */
function toBare(rows: readonly Row[], { size, delay }: Row): number | null {
  const bare = rows.find((other) => other.size === size && other.crowd === 'baseline')
  return ratio(delay?.p99 ?? null, bare?.delay?.p99 ?? null)
}

function verdictsOf(rows: readonly Row[]): Verdict[] {
  return rows
    .filter(({ crowd }) => crowd === 'hub')
    .flatMap((row) => [
      atMost(
        `p99 of ${row.broadcasts.length} events to ${row.size} sockets, to the bare loop's`,
        MOST_OF_BARE,
        toBare(rows, row),
        '×',
      ),
      ...(row.size === A_THOUSAND
        ? [
            below(
              `p99 of ${row.broadcasts.length} events to 1,000 sockets`,
              P99_OF_A_THOUSAND_MS,
              row.delay?.p99 ?? null,
              'ms',
            ),
          ]
        : []),
      exactly(`events lost on ${row.size} sockets`, 0, lostIn(row.broadcasts)),
    ])
}
