import { claimDueAccounts, claimDuePosts, type DueAccount, type DuePost } from '../../db/queries/sync.ts'
import { PLATFORMS, type Platform } from '../../domain/platforms.ts'
import type { QueueMessage } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import type { PlanMessage } from './messages.ts'
import { refreshPostsMessage, syncAccountsMessage } from './queue.ts'

/** A claim that comes to nothing is due again after this. */
const ACCOUNT_LEASE_SECONDS = 300
const POST_LEASE_SECONDS = 900

/** Bounds of one plan; what is left over is due at the next. */
const MOST_ACCOUNTS = 1_000
const MOST_POSTS_PER_PLATFORM = 5_000

/** Accounts in one message: each costs a call, and a delivery must end within its time. */
const ACCOUNTS_PER_MESSAGE = 10
/** Full batches in one message of posts. */
const BATCHES_PER_MESSAGE = 4

export interface Plan {
  accounts: number
  posts: number
  messages: number
}

/**
 * Finds what is due in all workspaces and queues it, grouped by host into batches as large as the platform
 * takes. Two plans at once share the work: each due thing is claimed by one of them.
 */
export async function planSync(deps: ServiceDeps, message: PlanMessage): Promise<Plan> {
  const now = deps.clock.now()
  const nowIso = new Date(now).toISOString()
  // Read from Redis, as budgets are: while it is away, sync pauses here rather than guessing.
  const watched = await deps.watchList.list()
  const connectable = PLATFORMS.filter((platform) => deps.connectors[platform] !== undefined)

  const accounts = await deps.db.outside(
    claimDueAccounts({
      nowIso,
      watched,
      // Half an interval of slack: plans do not come to the second.
      watchedAfterSeconds: deps.syncIntervalSeconds / 2,
      leaseSeconds: ACCOUNT_LEASE_SECONDS,
      most: MOST_ACCOUNTS,
    }),
  )
  const messages: QueueMessage[] = accountMessages(accounts.filter((a) => connectable.includes(a.platform)))
  let posts = 0
  for (const platform of connectable) {
    const due = await deps.db.outside(
      claimDuePosts({ platform, nowIso, leaseSeconds: POST_LEASE_SECONDS, most: MOST_POSTS_PER_PLATFORM }),
    )
    posts += due.length
    messages.push(...postMessages(platform, due, deps.connectors[platform]?.refreshBatchSize ?? 1))
  }
  if (!message.repeated) messages.push(...plansWithinMinute(deps.syncIntervalSeconds, now))
  await deps.queue.publish(messages)
  return { accounts: accounts.length, posts, messages: messages.length }
}

function groupBy<T>(items: T[], key: (item: T) => string): T[][] {
  return [...Map.groupBy(items, key).values()]
}

function inChunks<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  )
}

function accountMessages(accounts: DueAccount[]): QueueMessage[] {
  return groupBy(accounts, (a) => `${a.platform} ${a.host ?? ''}`).flatMap((group) =>
    inChunks(group, ACCOUNTS_PER_MESSAGE).flatMap((chunk) => {
      const first = chunk[0]
      if (first === undefined) return []
      return syncAccountsMessage({
        platform: first.platform,
        host: first.host,
        accounts: chunk.map(({ id, workspaceId, externalId, handle }) => ({
          id,
          workspaceId,
          externalId,
          handle,
        })),
        jobId: null,
      })
    }),
  )
}

function postMessages(platform: Platform, posts: DuePost[], batchSize: number): QueueMessage[] {
  return groupBy(posts, (p) => p.host ?? '').flatMap((group) =>
    inChunks(group, batchSize * BATCHES_PER_MESSAGE).map((chunk) =>
      refreshPostsMessage({
        platform,
        host: chunk[0]?.host ?? null,
        posts: chunk.map(({ workspaceId, accountId, platformPostId }) => ({
          workspaceId,
          accountId,
          platformPostId,
        })),
      }),
    ),
  )
}

/** The schedule knows minutes; shorter intervals are made of delayed messages, each of them once a minute. */
function plansWithinMinute(intervalSeconds: number, nowMs: number): QueueMessage[] {
  const minute = Math.floor(nowMs / 60_000)
  const messages: QueueMessage[] = []
  for (let at = intervalSeconds; at < 60; at += intervalSeconds)
    messages.push({
      topic: 'sync/plan',
      body: { repeated: true },
      delaySeconds: at,
      deduplicationId: `plan-${minute}-${at}`,
      retries: 0,
    })
  return messages
}
