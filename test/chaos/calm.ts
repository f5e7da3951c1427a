import { setTimeout as sleep } from 'node:timers/promises'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import type { TestStack } from '../harness/stack.ts'
import type { GateMemory } from './gate-memory.ts'
import type { Listener } from './listener.ts'
import type { Owner } from './owner.ts'
import { awaits, patiently, unlessAborted } from './patience.ts'
import type { QueueJournal } from './queue-journal.ts'

/** Twice with time in between, which is what it takes to believe that a post is gone; and once more for what failed. */
const ROUNDS = 3
/** A platform may have said that nothing is left of a quarter of an hour: that is believed for as long. */
const ROUND_MS = 960_000
/** Due again after so long where it was not read, whoever put it off. */
const DUE_AGAIN_MS = 20_000
const BACKFILL_MS = 120_000
const EVENTS_MS = 90_000
const SETTLE_MS = 1_000

export interface Parts {
  stack: TestStack
  owner: Owner
  journal: QueueJournal
  listener: Listener
  memory: GateMemory
  log: (line: string) => void
  signal: AbortSignal
}

/** Waits until nothing is left of what is listed, and complains of what is. */
type Within = (what: string, timeoutMs: number, listLeft: () => Promise<string[]>) => Promise<void>

/** What calm had to do, and what did not come to be so in time. */
export interface Calm {
  /** Platforms of the accounts whose owners had to sign in again. */
  signedInAgain: string[]
  complaints: string[]
}

/**
 * Lets all be as it should until everything was read again, whatever it takes of the platforms' time. What can
 * be seen of them stands still by then.
 */
export async function calm(parts: Parts): Promise<Calm> {
  const { stack, journal, memory, log, signal } = parts
  const complaints: string[] = []
  const within: Within = async (what, timeoutMs, listLeft) => {
    let left: string[] = []
    const isDone = async () => {
      left = await listLeft()
      return left.length === 0
    }
    if (!(await awaits(isDone, { timeoutMs, signal })))
      complaints.push(`${what}, after ${timeoutMs / 1_000} s: ${left.join(', ')}`)
  }
  runAction(stack.platforms.world, 'clear', {})
  // What is under way may tell the gate once more what a platform said in trouble.
  await stack.restartWorker()
  await memory.endAll()
  // Isolates remember for a while what Redis has told them.
  await stack.restartWorker()
  const signedInAgain = new Map<string, Stopped>()
  const letSignIn = async () => {
    const stopped = await signInAgain(parts)
    log(`signed in again: ${stopped.map(({ name }) => name).join(', ') || 'nobody'}`)
    for (const account of stopped) {
      if (signedInAgain.has(account.id))
        complaints.push(`${account.name} had signed in again, and was thought not to have`)
      signedInAgain.set(account.id, account)
    }
  }
  await letSignIn()
  await within('older posts are still to be read', BACKFILL_MS, () =>
    countLeft(
      stack,
      "SELECT platform AS what FROM accounts WHERE status = 'active' AND backfilled_at IS NULL",
    ),
  )
  for (let round = 1; round <= ROUNDS; round += 1) {
    log(`reading everything again, ${round} of ${ROUNDS}`)
    // That a token was lost shows when it is needed next.
    if (round > 1) await letSignIn()
    await readAgain(parts, within)
    await unlessAborted(stack.qstash.idle(), signal)
    await journal.read()
  }
  await sleep(SETTLE_MS)
  // The first ones to look for whatever a crash has left, which come by themselves as well.
  const paths = ['/outbox/sweep', '/credentials/refresh', '/trending/plan', '/reconcile/plan']
  for (const path of paths) await journal.publish(`/callbacks${path}`)
  await within('events are still to be delivered', EVENTS_MS, () =>
    countLeft(stack, "SELECT 'events' AS what FROM outbox WHERE delivered_at IS NULL"),
  )
  await within('the listener is still to be told of generations', EVENTS_MS, async () =>
    (await untold(parts)).map(String),
  )
  await unlessAborted(stack.qstash.idle(), signal)
  await journal.read()
  return { signedInAgain: Array.from(signedInAgain.values(), ({ platform }) => platform), complaints }
}

/**
 * Generations that had something to tell and that the listener was not told of. Changes of metrics alone that come
 * soon after one another are told as one, of the generation of the last.
 */
export async function untold({ stack, listener }: Pick<Parts, 'stack' | 'listener'>): Promise<number[]> {
  const rows = await stack.ownerSql<{ generation: number; isOfMetrics: boolean }>(
    `SELECT generation::int AS generation,
       NOT EXISTS (SELECT FROM jsonb_array_elements(events) e WHERE e ->> 'type' <> 'metrics.updated')
         AS "isOfMetrics"
     FROM outbox WHERE workspace_id = $1 AND jsonb_array_length(events) > 0 ORDER BY 1`,
    [stack.workspaceId],
  )
  return rows
    .filter(
      ({ generation, isOfMetrics }) =>
        !listener.hasHeard(generation) && !(isOfMetrics && generation < listener.metricsHeard),
    )
    .map(({ generation }) => generation)
}

interface Stopped {
  id: string
  platform: string
  name: string
}

/**
 * Signs in again for those whose renewed token was lost before it was stored: a platform takes the old one no
 * more then, and only its owner can help.
 */
async function signInAgain({ stack, owner }: Parts): Promise<Stopped[]> {
  const stopped = await patiently(() =>
    stack.ownerSql<Stopped & { externalId: string }>(
      `SELECT id, platform, platform || ' ' || handle AS name, external_id AS "externalId" FROM accounts
       WHERE status = 'needs_auth' OR stale_reason = 'needs_auth' ORDER BY platform`,
    ),
  )
  const people = stack.platforms.world.accounts()
  for (const { id, externalId } of stopped) {
    const person = people.find((one) => one.id === externalId)
    if (person !== undefined) await owner.agree(person, id)
  }
  return stopped
}

async function readAgain({ stack, signal }: Parts, within: Within): Promise<void> {
  const since = new Date()
  // Whoever was left out is so for as long as it takes to believe it.
  await stack.ownerSql("UPDATE posts SET absent_since = absent_since - interval '20 minutes'")
  let dueMs = 0
  const makeDue = async () => {
    if (Date.now() - dueMs < DUE_AGAIN_MS) return
    dueMs = Date.now()
    await stack.ownerSql(
      `UPDATE accounts SET next_sync_at = now(), not_before = NULL
       WHERE status = 'active' AND (last_synced_at IS NULL OR last_synced_at < $1)`,
      [since],
    )
    await stack.ownerSql(
      `UPDATE posts SET next_refresh_at = now()
       WHERE kind <> 'repost' AND deleted_at IS NULL AND COALESCE(metrics_at < $1, TRUE)`,
      [since],
    )
  }
  await within('still to be read', ROUND_MS, async () => {
    signal.throwIfAborted()
    await makeDue()
    return countLeft(
      stack,
      `SELECT platform || ' accounts ' || COALESCE(stale_reason, '') AS what FROM accounts
       WHERE status = 'active' AND COALESCE(last_synced_at < $1, TRUE)
       UNION ALL SELECT platform || ' posts' FROM posts
       WHERE kind <> 'repost' AND deleted_at IS NULL AND absent_since IS NULL AND COALESCE(metrics_at < $1, TRUE)`,
      [since],
    )
  })
}

/** How many of what are left. @param query gives `what` for each of them */
async function countLeft(stack: TestStack, query: string, params: unknown[] = []): Promise<string[]> {
  const rows = await stack.ownerSql<{ what: string; times: number }>(
    `SELECT what, count(*)::int AS times FROM (${query}) AS each GROUP BY 1 ORDER BY 1`,
    params,
  )
  return rows.map(({ what, times }) => `${times} ${what.trim()}`)
}
