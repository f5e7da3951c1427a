import * as z from 'zod'
import { keepFromPublic } from '../../db/queries/credentials.ts'
import type { PostReading, ProfileReading } from '../../db/queries/ingest/index.ts'
import { recordFailed, recordSynced, type SyncedAccount } from '../../db/queries/sync.ts'
import { recordApiUsage } from '../../db/queries/usage.ts'
import type { Platform } from '../../domain/platforms.ts'
import { accountRefreshAfterSeconds } from '../../domain/sync-tiers.ts'
import { PlatformError } from '../../ports.ts'
import { connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { ingest } from '../ingest/ingest.ts'
import { UsageLedger } from '../usage/usage-ledger.ts'
import { writeUsage } from '../usage/write-usage.ts'
import { eachApart, storeApart } from './apart.ts'
import { judgeFailure } from './failures.ts'
import { type Failure, type Fetched, fetchAccounts } from './fetch-accounts.ts'
import type { SyncAccountsMessage } from './messages.ts'
import { isOutdated } from './outdated.ts'
import { backfillMessage } from './queue.ts'
import { toProfileReading, toReading } from './readings.ts'
import { finishSyncJob } from './sync-job.ts'

/** Posts that are stored in one transaction, about: it holds the workspace's lock. */
const POSTS_PER_TRANSACTION = 1_000

/**
 * Reads the profiles and newest posts of some accounts of one host (of new ones older posts as well), and
 * stores them with few round trips. An account that fails is marked and holds up none of the others.
 */
export async function syncAccounts(deps: ServiceDeps, message: SyncAccountsMessage): Promise<void> {
  if (await isOutdated(deps, message.plannedAt)) return
  const connector = await connectorOf(deps, message.platform)
  const ledger = new UsageLedger(deps.clock.now)
  try {
    const { fetched, failed } = await fetchAccounts(deps, connector, message, ledger)
    const workspaces = new Set(message.accounts.map((account) => account.workspaceId))
    await eachApart(workspaces, async (workspaceId) => {
      const isOurs = ({ member }: Fetched | Failure) => member.workspaceId === workspaceId
      for (const some of inTransactions(fetched.filter(isOurs))) {
        const unstorable = await storeApart(some, (apart) => store(deps, message, workspaceId, apart, ledger))
        failed.push(...unstorable.map(({ member, readWith }) => ({ member, error: UNSTORABLE, readWith })))
      }
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
  } finally {
    await writeUsage(deps, ledger)
  }
}

/** Accounts in groups whose posts are stored together. */
function inTransactions(fetched: Fetched[]): Fetched[][] {
  const groups: Fetched[][] = []
  let posts = Number.POSITIVE_INFINITY
  for (const one of fetched) {
    if (posts + one.pages.posts.length > POSTS_PER_TRANSACTION) {
      groups.push([])
      posts = 0
    }
    groups.at(-1)?.push(one)
    posts += one.pages.posts.length
  }
  return groups
}

/** What an account said that the database refused: it may say something else the next time. */
const UNSTORABLE = new PlatformError('bad_answer', 'What the platform answered could not be stored.')

async function store(
  deps: ServiceDeps,
  message: SyncAccountsMessage,
  workspaceId: string,
  fetched: Fetched[],
  ledger: UsageLedger,
): Promise<void> {
  const profiles: ProfileReading[] = []
  const posts: PostReading[] = []
  const synced: SyncedAccount[] = []
  const notPublic: { accountId: string; platformPostId: string }[] = []
  for (const one of fetched) {
    const { member, profile, pages, observedAtMs, readWith } = one
    if (profile !== null) profiles.push(toProfileReading(member.id, profile, observedAtMs))
    posts.push(...pages.posts.map((read) => toReading(member.id, read.post, read.observedAtMs)))
    const ids = pages.posts.map(({ post }) => post.platformPostId)
    if (readWith !== null)
      notPublic.push(...ids.map((platformPostId) => ({ accountId: member.id, platformPostId })))
    synced.push({
      id: member.id,
      atIso: new Date(observedAtMs).toISOString(),
      nextSyncAtIso: new Date(observedAtMs + restMs(message.platform, one)).toISOString(),
      olderPosts: pages.nextCursor,
      pageIds: ids,
    })
  }
  const usage = await ledger.unwritten()
  const { alongside } = await ingest(deps, {
    workspaceId,
    profiles,
    posts,
    alongside: [
      recordSynced(workspaceId, synced),
      ...(usage.length > 0 ? [recordApiUsage(usage)] : []),
      ...(notPublic.length > 0 ? [keepFromPublic(workspaceId, notPublic)] : []),
    ],
  })
  ledger.written(usage)
  await queueBackfills(deps, message, workspaceId, Standing.array().parse(alongside[0]))
}

/**
 * How long the account rests, by its newest post: of a new one any part of that, and later within a tenth, so
 * that those added together do not stay together.
 */
function restMs(platform: Platform, { member, pages, observedAtMs }: Fetched): number {
  const postedAtMs = pages.posts.map(({ post }) => Date.parse(post.postedAt))
  if (member.newest !== null) postedAtMs.push(member.newest.postedAtMs)
  const latestMs = postedAtMs.reduce((latest, at) => Math.max(latest, at), Number.NEGATIVE_INFINITY)
  const longestMs = 1_000 * accountRefreshAfterSeconds(platform, (observedAtMs - latestMs) / 1_000)
  return Math.round(longestMs * (member.isNew ? 0.1 + 0.9 * Math.random() : 0.9 + 0.2 * Math.random()))
}

const Standing = z.object({ id: z.string(), backfillCursor: z.string().nullable() })

async function giveUp(deps: ServiceDeps, workspaceId: string, failures: Failure[]): Promise<void> {
  const now = deps.clock.now()
  const marked = failures.map(({ member, error, readWith }) => ({
    id: member.id,
    readWith,
    ...judgeFailure(error, now),
  }))
  for (const { member, error } of failures)
    deps.log.warn('account not synced', {
      workspaceId,
      accountId: member.id,
      kind: error.kind,
      reason: error.message,
    })
  await deps.db.inWorkspace(workspaceId, [recordFailed(workspaceId, marked, new Date(now).toISOString())])
}

/** Older posts follow page by page. Asked for at every sync, so that a chain that broke is taken up again. */
async function queueBackfills(
  deps: ServiceDeps,
  { platform, host }: SyncAccountsMessage,
  workspaceId: string,
  standing: z.infer<typeof Standing>[],
): Promise<void> {
  const open = standing.flatMap(({ id, backfillCursor: cursor }) => (cursor === null ? [] : { id, cursor }))
  if (open.length === 0) return
  const plannedAt = new Date(deps.clock.now()).toISOString()
  const body = { platform, host, workspaceId, accountIds: open.map(({ id }) => id), plannedAt }
  await deps.queue.publish([
    await backfillMessage(
      body,
      open.map(({ cursor }) => cursor),
    ),
  ])
}
