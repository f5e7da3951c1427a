import { setTimeout as sleep } from 'node:timers/promises'
import { ratio, type Summary, summarise } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { atMost, exactly } from '../reads/verdicts.ts'
import { type Crowd, delays, growCrowds, lostIn } from './crowds.ts'
import type { Findings, LiveBench } from './section.ts'

const SECONDS = 60
const INTERVAL_MS = 1_000
const TIMEOUT_MS = 30_000
const MOST_OF_BARE = 1.3

/** An event a second for a minute, to as many sockets as there can be; those of the baseline half a second later. */
export async function measureSteady(bench: LiveBench): Promise<Findings> {
  const { clients, sizes, log } = bench
  const size = Math.max(...sizes)
  const crowds = await bench.crowds()
  await growCrowds(crowds, size)
  log(`an event a second for ${SECONDS} s to ${size} sockets each`)
  const both = [crowds.hub, crowds.baseline]
  for (const { name } of both) await clients.arm(name, true)
  await Promise.all(both.map((crowd, i) => sendEvents(crowd, (i * INTERVAL_MS) / both.length)))
  const found: { crowd: Crowd['name']; lost: number; delay: Summary | null }[] = []
  for (const { name } of both) {
    const collected = await clients.collect(name, SECONDS, TIMEOUT_MS)
    found.push({ crowd: name, lost: lostIn([collected]), delay: summarise(delays([collected])) })
  }
  const bare = found.at(-1)?.delay?.p99 ?? null
  const hub = found[0]
  return {
    tables: [
      {
        title: `Live: an event a second for ${SECONDS} s`,
        columns: [
          { name: 'sockets' },
          { name: 'case' },
          { name: 'frames' },
          { name: 'lost' },
          { name: 'from the hub: p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'max', unit: 'ms' },
          { name: 'p99 of baseline', unit: '×', digits: 2 },
        ],
        rows: found.map(({ crowd, lost, delay }): Cell[] => [
          ...[
            size,
            crowd,
            delay?.count ?? 0,
            lost,
            delay?.p50 ?? null,
            delay?.p95 ?? null,
            delay?.p99 ?? null,
          ],
          ...[delay?.max ?? null, ratio(delay?.p99 ?? null, bare)],
        ]),
      },
    ],
    verdicts: [
      exactly(`events lost in a minute on ${size} sockets`, 0, hub?.lost ?? null),
      atMost(
        `p99 in a minute on ${size} sockets, to the bare loop's`,
        MOST_OF_BARE,
        ratio(hub?.delay?.p99 ?? null, bare),
        '×',
      ),
    ],
  }
}

/** Each at its time, whatever became of the one before. */
async function sendEvents(crowd: Crowd, offsetMs: number): Promise<void> {
  const startMs = performance.now() + offsetMs
  const sent: Promise<void>[] = []
  for (let i = 0; i < SECONDS; i += 1) {
    await sleep(Math.max(0, startMs + i * INTERVAL_MS - performance.now()))
    sent.push(crowd.send(1))
  }
  await Promise.all(sent)
}
