import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Owner } from '../../../test/chaos/owner.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import type { LoadResult } from '../../lib/load/protocol.ts'
import type { BenchStack } from '../../lib/stack.ts'
import { ratio } from '../../lib/statistics.ts'
import type { Cell } from '../../lib/table.ts'
import { assertAnswered, sharesOf } from './answers.ts'
import type { Findings, ReadsBench } from './section.ts'
import { bearer } from './targets.ts'
import { atMost } from './verdicts.ts'

const RATE = { ratePerSecond: 200, connections: 16 }
const IDLE_MS = 6_000
const BEGINNING_MS = 8_000
const BUSY_MS = 12_000
/** Deliveries are held for as long as all that begins the work may take. */
const HELD_MS = BEGINNING_MS + 4_000
const IMPORTED_ROWS = 30_000
const MOST_OF_IDLE = 1.5

/** Whom the workspace connects while it is read: the simulated platforms have as many people. */
export const SIMULATED_PEOPLE = { bluesky: 15, mastodon: 15 }

const Job = z.object({ jobId: z.string() })
const ImportProgress = z.object({ accepted: z.number() })

/**
 * Warm reads alone; while people connect accounts and upload a file, which the Worker that is read does; and while
 * these accounts are read with all of their posts and the file is taken in, which the other one does.
 */
export async function measureInterference({ stack, generator, targets, log }: ReadsBench): Promise<Findings> {
  log('warm reads, alone and while a sync and an import begin and run')
  const read = async (durationMs: number) => {
    const result = await generator.run({ ...(await targets.sameOverview()), ...RATE, durationMs })
    assertAnswered('the overview', result, true)
    return result
  }
  const idle = await read(IDLE_MS)
  const postsBefore = await countPosts(stack)
  const heldUntilMs = Date.now() + HELD_MS
  stack.qstash.disturb(() => ({
    heldMs: Math.max(0, heldUntilMs - Date.now()),
    repeatedAfterMs: null,
    losesAnswer: false,
  }))
  const [beginning, work] = await Promise.all([read(BEGINNING_MS), begin(stack)])
  const early = await countPosts(stack)
  assertMeasured(Date.now() < heldUntilMs && early === postsBefore, 'the work was not held back')
  await sleep(heldUntilMs - Date.now())
  stack.qstash.disturb(null)
  const busy = await read(BUSY_MS)
  const synced = (await countPosts(stack)) - postsBefore
  const imported = await countImported(stack, work.importId)
  await stack.qstash.idle()
  assertMeasured(synced - imported > 0 && imported > 0, 'nothing was synced or imported meanwhile')
  return {
    tables: [
      {
        title: `Reads: ${RATE.ratePerSecond} overviews a second while others work`,
        columns: [
          { name: 'meanwhile' },
          { name: 'requests', digits: 0 },
          { name: 'refused', digits: 0 },
          { name: 'p50', unit: 'ms' },
          { name: 'p95', unit: 'ms' },
          { name: 'p99', unit: 'ms' },
          { name: 'max', unit: 'ms' },
          { name: 'posts stored', digits: 0 },
          { name: 'answered by' },
        ],
        rows: [
          rowOf('nothing', idle, 0),
          rowOf(`${work.connected} accounts are connected, a file is uploaded`, beginning, 0),
          rowOf('they are synced, and it is imported', busy, synced),
        ],
      },
    ],
    notes: [
      `The sync: ${work.connected} simulated accounts are read with their history, in the workspace that is read; the import: a file of ${IMPORTED_ROWS.toLocaleString('en-US')} posts, ${imported.toLocaleString('en-US')} of them by the end. What begins them is measured by itself: it changes what the workspace shows, so that each time the overview is worked out anew before it is answered. Platforms, database and queue are stand-ins on the same two or more processors: what they take, the Workers lack.`,
    ],
    verdicts: [
      atMost(
        'p99 of warm reads during a sync and an import, to that without',
        MOST_OF_IDLE,
        ratio(busy.latencyMs?.p99 ?? null, idle.latencyMs?.p99 ?? null),
        '×',
      ),
    ],
  }
}

/** Begins everything; what the queue is to deliver comes later. */
async function begin(stack: BenchStack): Promise<{ connected: number; importId: string }> {
  const response = await fetch(`${stack.url}/api/v1/imports?platform=instagram&handle=imported`, {
    method: 'POST',
    headers: { ...bearer(stack), 'content-type': 'text/csv' },
    body: importFile(),
  })
  const { jobId } = Job.parse(await response.json())
  const owner = new Owner(stack)
  await owner.signIn()
  const people = stack.platforms.world
    .accounts()
    .filter(({ platform }) => Object.keys(SIMULATED_PEOPLE).includes(platform))
  for (const person of people) await owner.connect(person, stack.platforms)
  return { connected: people.length, importId: jobId }
}

function importFile(): string {
  const rows = Array.from({ length: IMPORTED_ROWS }, (_, i) => {
    const postedAt = new Date(Date.UTC(2026, 0, 1) + i * 600_000).toISOString()
    return `imported-${i},${postedAt},"What the tide brings in, no. ${i} #tide",${i % 97},${i % 13},${i % 7}`
  })
  return `post_id,posted_at,text,likes,comments,shares\n${rows.join('\n')}\n`
}

async function countPosts(stack: BenchStack): Promise<number> {
  const [row] = await stack.ownerSql<{ posts: number }>(
    'SELECT count(*)::int AS posts FROM posts WHERE workspace_id = $1',
    [stack.workspaceId],
  )
  return row?.posts ?? 0
}

async function countImported(stack: BenchStack, importId: string): Promise<number> {
  const response = await fetch(`${stack.url}/api/v1/imports/${importId}`, { headers: bearer(stack) })
  return ImportProgress.parse(await response.json()).accepted
}

function rowOf(label: string, result: LoadResult, stored: number): Cell[] {
  const { p50 = null, p95 = null, p99 = null, max = null } = result.latencyMs ?? {}
  return [label, result.requests, result.failed, p50, p95, p99, max, stored, sharesOf([result])]
}
