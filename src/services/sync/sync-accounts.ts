import { z } from 'zod'
import { keepFromPublic } from '../../db/queries/credentials.ts'
import type { PostReading, ProfileReading } from '../../db/queries/ingest/index.ts'
import { type FailedAccount, recordFailed, recordSynced, type SyncedAccount } from '../../db/queries/sync.ts'
import { ACCOUNT_EVERY_SECONDS } from '../../domain/sync-tiers.ts'
import { PlatformError } from '../../ports.ts'
import { connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { ingest } from '../ingest/ingest.ts'
import { eachApart, storeApart } from './apart.ts'
import { type Failure, type Fetched, fetchAccounts } from './fetch-accounts.ts'
import type { SyncAccountsMessage } from './messages.ts'
import { backfillMessage } from './queue.ts'
import { toProfileReading, toReading } from './readings.ts'
import { finishSyncJob } from './sync-job.ts'

/** A first failure is tried again after this; the next plan would be sooner than it helps. */
const RETRY_AFTER_MS = 120_000

/**
 * Reads the profiles and newest posts of some accounts of one host, and stores them with one round trip a
 * workspace. An account that fails is marked and holds up none of the others.
 */
export async function syncAccounts(deps: ServiceDeps, message: SyncAccountsMessage): Promise<void> {
  const connector = connectorOf(deps, message.platform)
  const { fetched, failed } = await fetchAccounts(deps, connector, message)
  const workspaces = new Set(message.accounts.map((account) => account.workspaceId))
  await eachApart(workspaces, async (workspaceId) => {
    const isOurs = ({ member }: Fetched | Failure) => member.workspaceId === workspaceId
    const unstorable = await storeApart(fetched.filter(isOurs), (some) =>
      store(deps, message, workspaceId, some),
    )
    failed.push(...unstorable.map(({ member, readWith }) => ({ member, error: UNSTORABLE, readWith })))
    const lost = failed.filter(isOurs)
    if (lost.length > 0) await giveUp(deps, workspaceId, lost)
    const failedIds = new Set(lost.map(({ member }) => member.id))
    const events = message.accounts
      .filter((account) => account.workspaceId === workspaceId)
      .map(({ id }) => ({
        type: 'sync.completed',
        data: { accountId: id, status: failedIds.has(id) ? 'failed' : 'succeeded' },
      }))
    await deps.hub
      .announce(workspaceId, events)
      .catch((error: unknown) => deps.log.warn('sync not announced', { workspaceId, error }))
  })
  if (message.jobId !== null) await finishSyncJob(deps, message, failed[0]?.error ?? null)
}

/** What an account said that the database refused: it may say something else the next time. */
const UNSTORABLE = new PlatformError('bad_answer', 'What the platform answered could not be stored.')

async function store(
  deps: ServiceDeps,
  message: SyncAccountsMessage,
  workspaceId: string,
  fetched: Fetched[],
): Promise<void> {
  const profiles: ProfileReading[] = []
  const posts: PostReading[] = []
  const synced: SyncedAccount[] = []
  const notPublic: { accountId: string; platformPostId: string }[] = []
  for (const { member, profile, page, observedAtMs, readWith } of fetched) {
    if (profile !== null) profiles.push(toProfileReading(member.id, profile, observedAtMs))
    posts.push(...page.posts.map((post) => toReading(member.id, post, observedAtMs)))
    if (readWith !== null)
      notPublic.push(...page.posts.map(({ platformPostId }) => ({ accountId: member.id, platformPostId })))
    synced.push({
      id: member.id,
      atIso: new Date(observedAtMs).toISOString(),
      nextSyncAtIso: new Date(observedAtMs + jittered(ACCOUNT_EVERY_SECONDS * 1_000)).toISOString(),
      olderPosts: page.nextCursor,
      pageIds: page.posts.map((post) => post.platformPostId),
    })
  }
  const { alongside } = await ingest(deps, {
    workspaceId,
    profiles,
    posts,
    alongside: [
      recordSynced(workspaceId, synced),
      ...(notPublic.length > 0 ? [keepFromPublic(workspaceId, notPublic)] : []),
    ],
  })
  await queueBackfills(deps, message, workspaceId, Standing.array().parse(alongside[0]))
}

const Standing = z.object({ id: z.string(), backfillCursor: z.string().nullable() })

/** Within a tenth: accounts that were added together drift apart. */
function jittered(ms: number): number {
  return Math.round(ms * (0.9 + Math.random() * 0.2))
}

/** A little later: never before a platform has said that it will answer again. */
function delayed(ms: number): number {
  return Math.round(ms * (1 + Math.random() * 0.1))
}

async function giveUp(deps: ServiceDeps, workspaceId: string, failures: Failure[]): Promise<void> {
  const now = deps.clock.now()
  const marked = failures.map(
    ({ member, error, readWith }): FailedAccount => ({ id: member.id, readWith, ...judge(error, now) }),
  )
  for (const { member, error } of failures)
    deps.log.warn('account not synced', {
      workspaceId,
      accountId: member.id,
      kind: error.kind,
      reason: error.message,
    })
  await deps.db.inWorkspace(workspaceId, [recordFailed(workspaceId, marked)])
}

/** What a failure means for an account: for how long, and in which words. */
function judge(error: PlatformError, nowMs: number): Omit<FailedAccount, 'id' | 'readWith'> {
  const retryAtIso = new Date(nowMs + delayed(error.retryAfterMs ?? RETRY_AFTER_MS)).toISOString()
  switch (error.kind) {
    case 'gone':
      return { status: 'gone', reason: error.message, staleReason: 'gone', retryAtIso: null }
    case 'auth':
      // What an operator mends goes on by itself.
      if (error.retryAfterMs !== null)
        return { status: null, reason: error.message, staleReason: 'needs_auth', retryAtIso }
      return { status: 'needs_auth', reason: error.message, staleReason: 'needs_auth', retryAtIso: null }
    case 'permission':
    case 'bad_request':
    case 'refused':
      return { status: 'error', reason: error.message, staleReason: 'error', retryAtIso: null }
    case 'rate_limited':
      return { status: null, reason: error.message, staleReason: 'rate_limited', retryAtIso }
    case 'transient':
    case 'bad_answer':
      return { status: null, reason: error.message, staleReason: 'platform_down', retryAtIso }
  }
}

/** Older posts follow page by page. Asked for at every sync, so that a chain that broke is taken up again. */
async function queueBackfills(
  deps: ServiceDeps,
  message: SyncAccountsMessage,
  workspaceId: string,
  standing: z.infer<typeof Standing>[],
): Promise<void> {
  const messages = await Promise.all(
    standing.flatMap(({ id, backfillCursor }) =>
      backfillCursor === null
        ? []
        : backfillMessage(message.platform, message.host, { workspaceId, accountId: id }, backfillCursor),
    ),
  )
  await deps.queue.publish(messages)
}
