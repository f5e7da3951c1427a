import { z } from 'zod'
import type { PostReading, ProfileReading } from '../../db/queries/ingest/index.ts'
import { type FailedAccount, recordFailed, recordSynced, type SyncedAccount } from '../../db/queries/sync.ts'
import { ACCOUNT_EVERY_SECONDS } from '../../domain/sync-tiers.ts'
import {
  type AccountProfile,
  type AccountRef,
  type PlatformConnector,
  PlatformError,
  type PostPage,
} from '../../ports.ts'
import { connectorContext, connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { ingest } from '../ingest/ingest.ts'
import { eachApart, storeApart } from './apart.ts'
import type { SyncAccountsMessage } from './messages.ts'
import { backfillMessage } from './queue.ts'
import { toProfileReading, toReading } from './readings.ts'
import { finishSyncJob } from './sync-job.ts'

type Member = SyncAccountsMessage['accounts'][number]

interface Fetched {
  member: Member
  profile: AccountProfile | null
  page: PostPage
  observedAtMs: number
}

interface Failure {
  member: Member
  error: PlatformError
}

/** Pages that are fetched at the same time; the runtime allows six connections to an invocation. */
const CONCURRENT_PAGES = 3

/** A first failure is tried again after this; the next plan would be sooner than it helps. */
const RETRY_AFTER_MS = 120_000

/**
 * Reads the profiles and newest posts of some accounts of one host, and stores them with one round trip a
 * workspace. An account that fails is marked and holds up none of the others.
 */
export async function syncAccounts(deps: ServiceDeps, message: SyncAccountsMessage): Promise<void> {
  const connector = connectorOf(deps, message.platform)
  const { fetched, failed } = await fetchAll(deps, connector, message)
  const workspaces = new Set(message.accounts.map((account) => account.workspaceId))
  await eachApart(workspaces, async (workspaceId) => {
    const isOurs = ({ member }: Fetched | Failure) => member.workspaceId === workspaceId
    const unstorable = await storeApart(fetched.filter(isOurs), (some) =>
      store(deps, message, workspaceId, some),
    )
    failed.push(...unstorable.map(({ member }) => ({ member, error: UNSTORABLE })))
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

async function fetchAll(
  deps: ServiceDeps,
  connector: PlatformConnector,
  message: SyncAccountsMessage,
): Promise<{ fetched: Fetched[]; failed: Failure[] }> {
  const refs = message.accounts.map((a) => ({
    externalId: a.externalId,
    host: message.host,
    handle: a.handle,
  }))
  const fetched: Fetched[] = []
  const failed: Failure[] = []
  let profiles: Map<string, AccountProfile>
  const profilesAtMs = deps.clock.now()
  try {
    const found = await connector.fetchProfiles(connectorContext(deps, message.platform), refs)
    profiles = new Map(found.map((profile) => [profile.externalId, profile]))
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    if (error.retryable || message.accounts.length === 1)
      return { fetched, failed: message.accounts.map((member) => ({ member, error })) }
    // It may be about one of them alone.
    for (const member of message.accounts) {
      const alone = await fetchAll(deps, connector, { ...message, accounts: [member] })
      fetched.push(...alone.fetched)
      failed.push(...alone.failed)
    }
    return { fetched, failed }
  }
  const waiting = [...message.accounts]
  const worker = async () => {
    for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) {
      try {
        const ref = { externalId: member.externalId, host: message.host, handle: member.handle }
        const page = await connector.fetchPosts(connectorContext(deps, message.platform), ref, null)
        let profile = profiles.get(member.externalId) ?? null
        // Left out, and without posts: some servers say no more than that of a suspended account.
        if (profile === null && page.posts.length === 0) profile = await askByName(deps, connector, ref)
        // The moment before the call: what changes while it runs must not look older than it is read.
        fetched.push({ member, profile, page, observedAtMs: profilesAtMs })
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error
        failed.push({ member, error })
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_PAGES }, worker))
  return { fetched, failed }
}

/** Asks for an account by its name, whereupon its platform says what is wrong with it. */
async function askByName(
  deps: ServiceDeps,
  connector: PlatformConnector,
  ref: AccountRef,
): Promise<AccountProfile> {
  const profile = await connector.resolve(connectorContext(deps, connector.platform), ref.handle)
  if (profile.externalId === ref.externalId && profile.host === ref.host) return profile
  throw new PlatformError('gone', 'The platform does not show this account any more.')
}

async function store(
  deps: ServiceDeps,
  message: SyncAccountsMessage,
  workspaceId: string,
  fetched: Fetched[],
): Promise<void> {
  const profiles: ProfileReading[] = []
  const posts: PostReading[] = []
  const synced: SyncedAccount[] = []
  for (const { member, profile, page, observedAtMs } of fetched) {
    if (profile !== null) profiles.push(toProfileReading(member.id, profile, observedAtMs))
    posts.push(...page.posts.map((post) => toReading(member.id, post, observedAtMs)))
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
    alongside: [recordSynced(workspaceId, synced)],
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
  const marked = failures.map(({ member, error }): FailedAccount => ({ id: member.id, ...judge(error, now) }))
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
function judge(error: PlatformError, nowMs: number): Omit<FailedAccount, 'id'> {
  const retryAtIso = new Date(nowMs + delayed(error.retryAfterMs ?? RETRY_AFTER_MS)).toISOString()
  switch (error.kind) {
    case 'gone':
      return { status: 'gone', reason: error.message, staleReason: 'gone', retryAtIso: null }
    case 'auth':
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
