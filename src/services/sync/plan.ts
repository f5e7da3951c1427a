import {
  claimDueAccounts,
  claimDuePosts,
  type DueAccount,
  type DuePost,
  platformsWithDuePosts,
  putOffAccounts,
} from '../../db/queries/sync.ts'
import { PLATFORMS, type Platform } from '../../domain/platforms.ts'
import { ACCOUNT_LEASE_SECONDS } from '../../domain/sync-tiers.ts'
import type { PlatformConnector, QueueMessage } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import { affordablePosts } from './afford.ts'
import type { PlanMessage, RefreshPostsMessage, SyncAccountsMessage } from './messages.ts'
import { refreshPostsMessage, syncAccountsMessage } from './queue.ts'

/** A claim of posts that comes to nothing is due again after this. */
const POST_LEASE_SECONDS = 900

/** Bounds of one plan; what is left over is due at the next. */
const MOST_ACCOUNTS = 1_000
const MOST_POSTS_PER_PLATFORM = 10_000

/** Accounts in one message: each costs a call, and a delivery must end within its time. More only to fill a batch. */
const ACCOUNTS_PER_MESSAGE = 10
/** Posts in one message, about: enough for few round trips to the database, few enough for one delivery. */
const POSTS_PER_MESSAGE = 600

export interface Plan {
  accounts: number
  posts: number
  messages: number
}

/**
 * Finds what is due in all workspaces and queues it, grouped into batches as large as the platforms take. Two
 * plans at once share the work: each due thing is claimed by one of them.
 */
export async function planSync(deps: ServiceDeps, message: PlanMessage): Promise<Plan> {
  const now = deps.clock.now()
  const nowIso = new Date(now).toISOString()
  // Read from Redis, as budgets are: while it is away, sync pauses here rather than guessing.
  const state = await Promise.all([deps.watchList.list(), deps.gateOperations.paused()]).catch(
    (error: unknown) => {
      deps.log.error('nothing is planned while Redis does not answer', { error })
      return null
    },
  )
  // The next plan is a minute away: there is nothing to try again, or to keep.
  if (state === null) return { accounts: 0, posts: 0, messages: 0 }
  const [watched, paused] = state
  const isPaused = (platform: Platform) => paused.includes('all') || paused.includes(platform)
  const connectors = await deps.connectors()
  const connectable = PLATFORMS.filter((platform) => connectors[platform] !== undefined)
  const platforms = connectable.filter((platform) => !isPaused(platform))

  if (platforms.length < connectable.length)
    await deps.db.outside(
      putOffAccounts({
        platforms: connectable.filter(isPaused),
        nowIso,
        untilIso: new Date(now + deps.syncIntervalSeconds * 1_000).toISOString(),
        reason: 'paused',
      }),
    )
  const accounts = await deps.db.outside(
    claimDueAccounts({
      platforms,
      nowIso,
      watched,
      // Half an interval of slack: plans do not come to the second.
      watchedAfterSeconds: deps.syncIntervalSeconds / 2,
      leaseSeconds: ACCOUNT_LEASE_SECONDS,
      most: MOST_ACCOUNTS,
    }),
  )
  const messages = accountMessages(connectors, accounts, nowIso)
  let posts = 0
  const failures: unknown[] = []
  for (const { platform } of await deps.db.outside(platformsWithDuePosts(platforms, nowIso))) {
    const connector = connectors[platform]
    if (connector === undefined) continue
    try {
      const due = await deps.db.outside(
        claimDuePosts({ platform, nowIso, leaseSeconds: POST_LEASE_SECONDS, most: MOST_POSTS_PER_PLATFORM }),
      )
      const affordable = await affordablePosts(deps, connector, due)
      posts += affordable.length
      messages.push(...postMessages(connector, affordable, nowIso))
    } catch (error) {
      // What was claimed for others is not left lying until its lease ends.
      failures.push(error)
    }
  }
  if (!message.repeated) messages.push(...plansWithinMinute(deps.syncIntervalSeconds, now))
  await deps.queue.publish(messages)
  if (failures.length > 0) throw failures[0]
  return { accounts: accounts.length, posts, messages: messages.length }
}

function inChunks<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  )
}

function accountMessages(
  connectors: Awaited<ReturnType<ServiceDeps['connectors']>>,
  accounts: DueAccount[],
  plannedAt: string,
): QueueMessage[] {
  const lane = ({ platform, host, workspaceId }: DueAccount) => {
    // Whoever pays is asked for alone.
    const payer = connectors[platform]?.batchBy === 'workspace' ? workspaceId : ''
    return `${platform} ${host ?? ''} ${payer}`
  }
  return [...Map.groupBy(accounts, lane).values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { platform, host } = first
    const size = Math.max(ACCOUNTS_PER_MESSAGE, connectors[platform]?.profileBatchSize ?? 1)
    return inChunks(group, size).map((chunk) =>
      syncAccountsMessage({ platform, host, accounts: chunk.map(toMember), jobId: null, plannedAt }),
    )
  })
}

function toMember(account: DueAccount): SyncAccountsMessage['accounts'][number] {
  const { id, workspaceId, externalId, handle, isNew, newestPostId, newestPostedAt } = account
  const newest =
    newestPostId === null || newestPostedAt === null
      ? null
      : { id: newestPostId, postedAtMs: Date.parse(newestPostedAt) }
  return { id, workspaceId, externalId, handle, isNew, newest }
}

/** Whole batches, so that a message ends with a full one; what cannot stand in one batch is not mixed. */
function postMessages(connector: PlatformConnector, posts: DuePost[], plannedAt: string): QueueMessage[] {
  const { platform, refreshBatchSize, batchBy } = connector
  const size = Math.max(1, Math.floor(POSTS_PER_MESSAGE / refreshBatchSize)) * refreshBatchSize
  const lane = ({ host, workspaceId }: DuePost) =>
    batchBy === 'host' ? (host ?? '') : `${host ?? ''} ${workspaceId}`
  return [...Map.groupBy(posts, lane).values()].flatMap((group) =>
    (batchBy === 'account' ? inWholeAccounts(group, size) : inChunks(group, size)).map((chunk) =>
      refreshPostsMessage({
        platform,
        host: chunk[0]?.host ?? null,
        accounts: byAccount(chunk),
        plannedAt,
        round: 0,
      }),
    ),
  )
}

/** Chunks of about `size` that part no account: what follows a cut would be a batch that is not full. */
function inWholeAccounts(posts: DuePost[], size: number): DuePost[][] {
  const chunks: DuePost[][] = []
  for (const ours of Map.groupBy(posts, ({ accountId }) => accountId).values()) {
    const last = chunks.at(-1)
    if (last !== undefined && last.length + ours.length <= size) last.push(...ours)
    else chunks.push([...ours])
  }
  return chunks
}

function byAccount(posts: DuePost[]): RefreshPostsMessage['accounts'] {
  return [...Map.groupBy(posts, ({ accountId }) => accountId).values()].flatMap((ours) => {
    const [first] = ours
    if (first === undefined) return []
    const { accountId: id, workspaceId, externalId, handle } = first
    const refs = ours.map(({ platformPostId, postedAt }) => ({
      id: platformPostId,
      postedAtMs: Date.parse(postedAt),
    }))
    return { id, workspaceId, externalId, handle, posts: refs }
  })
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
