import type { AccountRow } from '../../db/queries/accounts.ts'
import type { Platform } from '../../domain/platforms.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { PlatformError, type QueueMessage } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import { toAppError } from '../platform-errors.ts'
import type { BackfillMessage, RefreshPostsMessage, SyncAccountsMessage } from './messages.ts'

/** Messages for one host under way at once: a slow server holds up nobody else. */
const PARALLEL_PER_HOST = 2

/** Names a host's lane. The queue takes letters, digits, `-`, `_` and `.` in names. */
function flowOf(platform: Platform, host: string | null): { key: string; parallelism: number } {
  const key = host === null ? platform : `${platform}.${host.replace(/[^A-Za-z0-9.-]/g, '_')}`
  return { key, parallelism: PARALLEL_PER_HOST }
}

export function syncAccountsMessage(body: SyncAccountsMessage): QueueMessage {
  return { topic: 'sync/accounts', body, flow: flowOf(body.platform, body.host) }
}

export function refreshPostsMessage(body: RefreshPostsMessage): QueueMessage {
  return { topic: 'sync/posts', body, flow: flowOf(body.platform, body.host) }
}

/** One message for each place that a backfill reaches: asked for twice, it is delivered once. */
export async function backfillMessage(
  platform: Platform,
  host: string | null,
  body: BackfillMessage,
  cursor: string,
  delaySeconds?: number,
): Promise<QueueMessage> {
  const place = (await sha256Hex(cursor)).slice(0, 16)
  return {
    topic: 'sync/backfill',
    body,
    flow: flowOf(platform, host),
    ...(delaySeconds === undefined
      ? { deduplicationId: `backfill-${body.accountId}-${place}` }
      : { delaySeconds }),
  }
}

/**
 * A failure as the queue is told of it. An answer that broke off or made no sense is asked for again, as most
 * are well the next time; a person who waits is told at once instead.
 */
export function queueError(error: unknown): unknown {
  return error instanceof PlatformError && error.kind === 'bad_answer' ? error : toAppError(error)
}

/** Reads an account soon, ahead of the next plan. */
export async function queueFirstSync(
  deps: Pick<ServiceDeps, 'queue'>,
  account: Pick<AccountRow, 'id' | 'workspaceId' | 'platform' | 'host' | 'externalId' | 'handle'>,
  jobId: string | null = null,
): Promise<void> {
  const { id, workspaceId, platform, host, externalId, handle } = account
  await deps.queue.publish([
    syncAccountsMessage({ platform, host, accounts: [{ id, workspaceId, externalId, handle }], jobId }),
  ])
}
