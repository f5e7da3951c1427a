import { type AccountRow, makeDue } from '../../db/queries/accounts.ts'
import { selectNewestPost } from '../../db/queries/sync.ts'
import type { Platform } from '../../domain/platforms.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { PlatformError, type QueueMessage } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import { toAppError } from '../platform-errors.ts'
import type { BackfillMessage, RefreshPostsMessage, SyncAccountsMessage } from './messages.ts'

/** Messages for one instance under way at once: a slow server holds up nobody else, and is not overrun. */
const PARALLEL_PER_SERVER = 2
/** Messages for a platform that is one great service under way at once. */
const PARALLEL_PER_PLATFORM = 10

/** Names a host's lane. The queue takes letters, digits, `-`, `_` and `.` in names. */
function flowOf(platform: Platform, host: string | null): { key: string; parallelism: number } {
  if (host === null) return { key: platform, parallelism: PARALLEL_PER_PLATFORM }
  return { key: `${platform}.${host.replace(/[^A-Za-z0-9.-]/g, '_')}`, parallelism: PARALLEL_PER_SERVER }
}

export function syncAccountsMessage(body: SyncAccountsMessage): QueueMessage {
  return { topic: 'sync/accounts', body, flow: flowOf(body.platform, body.host) }
}

export function refreshPostsMessage(body: RefreshPostsMessage): QueueMessage {
  return { topic: 'sync/posts', body, flow: flowOf(body.platform, body.host) }
}

/** One message for each place that a backfill reaches: asked for twice, it is delivered once. */
export async function backfillMessage(
  body: BackfillMessage,
  cursors: readonly string[],
  delaySeconds?: number,
): Promise<QueueMessage> {
  const place = (await sha256Hex(JSON.stringify([body.accountIds, cursors]))).slice(0, 32)
  return {
    topic: 'sync/backfill',
    body,
    flow: flowOf(body.platform, body.host),
    ...(delaySeconds === undefined ? { deduplicationId: `backfill-${place}` } : { delaySeconds }),
  }
}

/**
 * A failure as the queue is told of it. An answer that broke off or made no sense is asked for again, as most
 * are well the next time; a person who waits is told at once instead.
 */
export function queueError(error: unknown): unknown {
  return error instanceof PlatformError && error.kind === 'bad_answer' ? error : toAppError(error)
}

/**
 * Reads an account soon, ahead of the next plan. Whoever asks has claimed it, so that no plan reads it as well;
 * where the queue does not take it, the account is left to the next plan.
 * @throws what the queue failed with
 */
export async function queueFirstSync(
  deps: Pick<ServiceDeps, 'db' | 'queue' | 'clock' | 'log'>,
  account: Pick<
    AccountRow,
    'id' | 'workspaceId' | 'platform' | 'host' | 'externalId' | 'handle' | 'lastSyncedAt'
  >,
  jobId: string | null = null,
): Promise<void> {
  const { id, workspaceId, platform, host, externalId, handle } = account
  const isNew = account.lastSyncedAt === null
  const [[post]] = isNew ? [[]] : await deps.db.inWorkspace(workspaceId, [selectNewestPost(workspaceId, id)])
  const newest =
    post === undefined ? null : { id: post.platformPostId, postedAtMs: Date.parse(post.postedAt) }
  const member = { id, workspaceId, externalId, handle, isNew, newest }
  const plannedAt = new Date(deps.clock.now()).toISOString()
  try {
    await deps.queue.publish([syncAccountsMessage({ platform, host, accounts: [member], jobId, plannedAt })])
  } catch (error) {
    await deps.db
      .inWorkspace(workspaceId, [makeDue(workspaceId, id, plannedAt)])
      .catch((failure: unknown) => deps.log.warn('claim not given up', { accountId: id, error: failure }))
    throw error
  }
}
