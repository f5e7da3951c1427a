import { z } from 'zod'
import { PLATFORMS } from '../../src/domain/platforms.ts'
import {
  BackfillMessage,
  RefreshPostsMessage,
  SyncAccountsMessage,
} from '../../src/services/sync/messages.ts'
import { type Parts, untold } from './calm.ts'
import type { Check } from './check.ts'
import type { DeadLetter } from './queue-journal.ts'

/** What a platform would hold against a client; tokens were made to expire on purpose. */
const LIMIT_VIOLATIONS = ['rate_limited', 'too_many_ids', 'limit_out_of_range', 'bad_cursor', 'bad_parameter']

const Stats = z.partialRecord(
  z.enum(PLATFORMS),
  z.object({
    calls: z.number(),
    violations: z.record(z.string(), z.number()),
    recentViolations: z.array(z.object({ kind: z.string(), endpoint: z.string(), detail: z.string() })),
  }),
)

/** Callbacks whose work a later call of the same does as well. */
const REPEATED = [
  '/sync/plan',
  '/outbox/sweep',
  '/trending/plan',
  '/trending/refresh',
  '/trending/refresh-public',
  '/credentials/refresh',
]

/** Events, messages and calls: nothing lost, nothing too much. */
export async function checkDelivery(parts: Parts): Promise<Check[]> {
  return [
    await checkEvents(parts),
    await checkMessages(parts),
    await checkDeadLetters(parts),
    await checkCalls(parts),
  ]
}

async function checkEvents(parts: Parts): Promise<Check> {
  const { stack, listener } = parts
  const [row] = await stack.ownerSql<{ all: number; undelivered: number }>(
    `SELECT count(*)::int AS "all", count(*) FILTER (WHERE delivered_at IS NULL)::int AS undelivered FROM outbox`,
  )
  const { all = 0, undelivered = 0 } = row ?? {}
  const differences = [
    ...(await untold(parts)).map((generation) => `the listener was not told of generation ${generation}`),
    ...listener.complaints.map((complaint) => `the listener ${complaint}`),
  ]
  if (undelivered > 0) differences.push(`${undelivered} are not delivered`)
  if (listener.state !== 'live') differences.push(`the listener is ${listener.state}`)
  return { what: 'events, delivered and heard', compared: all, differences }
}

async function checkMessages({ journal }: Parts): Promise<Check> {
  const lost = await journal.lost()
  return {
    what: 'messages of the queue',
    compared: journal.accepted,
    differences: lost.map((message) => `lost: ${message}`),
  }
}

/** A message may be dead whose work was done by a later one. */
async function checkDeadLetters(parts: Parts): Promise<Check> {
  const letters = await parts.journal.deadLetters()
  const differences: string[] = []
  for (const letter of letters) {
    const why = await unexplained(parts, letter)
    if (why === null) continue
    const answer = `${letter.responseStatus ?? 'no answer'} ${letter.responseBody ?? ''}`
    differences.push(`${new URL(letter.url).pathname}: ${why}; it died of ${answer.slice(0, 200)}`)
  }
  return {
    what: 'dead letters, whose work was done by a later message',
    compared: letters.length,
    differences,
  }
}

/** Why a letter's work is not done; `null` where it is. */
async function unexplained({ stack, journal }: Parts, letter: DeadLetter): Promise<string | null> {
  const path = new URL(letter.url).pathname.replace(/^\/callbacks/, '')
  const diedMs = journal.endings.get(letter.messageId)?.atMs ?? Number.POSITIVE_INFINITY
  const body: unknown = JSON.parse(letter.body || '{}')
  const died = new Date(Math.min(diedMs, Date.now()))
  const left = async (query: string, params: unknown[]) => {
    const rows = await stack.ownerSql<{ id: string }>(query, params)
    return rows.length === 0 ? null : `not done for ${rows.map(({ id }) => id).join(', ')}`
  }
  if (REPEATED.includes(path))
    return journal.lastDeliveredMs(letter.url) > diedMs ? null : 'nothing came after it'
  switch (path) {
    case '/sync/accounts':
      return left('SELECT id FROM accounts WHERE id = ANY ($1) AND COALESCE(last_synced_at < $2, TRUE)', [
        SyncAccountsMessage.parse(body).accounts.map(({ id }) => id),
        died,
      ])
    case '/sync/posts':
      return left(
        `SELECT p.id FROM posts p JOIN jsonb_to_recordset($1) AS m (account_id uuid, post_id text)
           ON m.account_id = p.account_id AND m.post_id = p.platform_post_id
         WHERE p.deleted_at IS NULL AND COALESCE(p.metrics_at < $2, TRUE)`,
        [
          JSON.stringify(
            RefreshPostsMessage.parse(body).accounts.flatMap(({ id, posts }) =>
              posts.map((post) => ({ account_id: id, post_id: post.id })),
            ),
          ),
          died,
        ],
      )
    case '/sync/backfill':
      return left('SELECT id FROM accounts WHERE id = ANY ($1) AND backfilled_at IS NULL', [
        BackfillMessage.parse(body).accountIds,
      ])
    default:
      return 'nobody does it again'
  }
}

async function checkCalls({ stack }: Parts): Promise<Check> {
  const response = await fetch(`${stack.platforms.control.url}/control/stats`)
  const stats = Stats.parse(await response.json())
  const differences = Object.entries(stats).flatMap(([platform, { violations, recentViolations }]) =>
    LIMIT_VIOLATIONS.filter((kind) => (violations[kind] ?? 0) > 0).map((kind) => {
      const last = recentViolations.findLast((violation) => violation.kind === kind)
      return `${platform}: ${violations[kind]} times ${kind}, such as ${last?.endpoint} ${last?.detail}`
    }),
  )
  const calls = Object.values(stats).reduce((sum, { calls }) => sum + calls, 0)
  return { what: 'calls to platforms, within their limits', compared: calls, differences }
}
