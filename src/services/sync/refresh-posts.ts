import { keepFromPublic } from '../../db/queries/credentials.ts'
import type { PostAbsence, PostReading } from '../../db/queries/ingest/index.ts'
import { type AccessToken, type PlatformConnector, PlatformError, type PlatformPost } from '../../ports.ts'
import { connectorContext, connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { openCredentials } from '../credentials/open-credentials.ts'
import { ingest } from '../ingest/ingest.ts'
import { eachApart, storeApart } from './apart.ts'
import type { RefreshPostsMessage } from './messages.ts'
import { queueError, refreshPostsMessage } from './queue.ts'
import { toReading } from './readings.ts'

/** A post that was asked for, and what the platform showed of it. */
interface Observed {
  known: KnownPost
  /** Missing where the platform left it out. */
  post: PlatformPost | undefined
  observedAtMs: number
  withCredential: boolean
}

type KnownPost = RefreshPostsMessage['posts'][number]

/** How far the reading of some posts has come. */
interface Progress {
  observed: Observed[]
  left: KnownPost[]
  stopped: PlatformError | null
}

/**
 * Reads known posts again through the platform's batch endpoint, whosoever they are, and stores them with one
 * round trip a workspace. Those of an account with a credential are read by themselves, with that. A post that
 * the platform leaves out is noted as absent.
 */
export async function refreshPosts(deps: ServiceDeps, message: RefreshPostsMessage): Promise<void> {
  const connector = connectorOf(deps, message.platform)
  const accounts = message.posts.map(({ workspaceId, accountId }) => ({ workspaceId, id: accountId }))
  const credentials = await openCredentials(deps, connector, message.host, accounts)
  const groups = Map.groupBy(message.posts, ({ accountId }) => credentials.get(accountId) ?? null)
  const done: Progress[] = []
  for (const [credential, posts] of groups) {
    if (credential?.error !== undefined) continue
    const progress = await readBatches(deps, connector, { ...message, posts }, credential?.accessToken)
    // A token that is refused stops its account at the next sync, and nobody else's posts.
    if (credential !== null && progress.stopped?.kind === 'auth') progress.stopped = null
    done.push(progress)
  }
  await eachApart(
    Map.groupBy(
      done.flatMap(({ observed }) => observed),
      ({ known }) => known.workspaceId,
    ),
    ([workspaceId, ours]) => store(deps, workspaceId, ours),
  )
  // What is stored is stored; only the rest is tried again, when the platform will have it.
  const waiting = done.filter(({ stopped }) => stopped?.kind === 'rate_limited')
  await deps.queue.publish(
    waiting.map(({ left, stopped }) => ({
      ...refreshPostsMessage({ ...message, posts: left }),
      delaySeconds: Math.ceil((stopped?.retryAfterMs ?? 60_000) / 1_000),
    })),
  )
  const broken = done.find(({ stopped }) => stopped !== null && stopped.kind !== 'rate_limited')
  if (broken !== undefined) throw queueError(broken.stopped)
}

async function readBatches(
  deps: ServiceDeps,
  connector: PlatformConnector,
  message: RefreshPostsMessage,
  accessToken: AccessToken | undefined,
): Promise<Progress> {
  const withCredential = accessToken !== undefined
  const observed: Observed[] = []
  let left = message.posts
  while (left.length > 0) {
    const batch = left.slice(0, connector.refreshBatchSize)
    const observedAtMs = deps.clock.now()
    try {
      // Two workspaces may follow the same post: it is asked for once.
      const ids = [...new Set(batch.map((post) => post.platformPostId))]
      const context = connectorContext(deps, message.platform, accessToken)
      const found = await connector.refreshPosts(context, message.host, ids)
      const byId = new Map(found.map((post) => [post.platformPostId, post]))
      for (const known of batch)
        observed.push({ known, post: byId.get(known.platformPostId), observedAtMs, withCredential })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      return { observed, left, stopped: error }
    }
    left = left.slice(batch.length)
  }
  return { observed, left, stopped: null }
}

async function store(deps: ServiceDeps, workspaceId: string, observed: Observed[]): Promise<void> {
  const byAccount = [...Map.groupBy(observed, ({ known }) => known.accountId).values()]
  const refused = await storeApart(byAccount, async (accounts) => {
    const posts: PostReading[] = []
    const absences: PostAbsence[] = []
    const notPublic: { accountId: string; platformPostId: string }[] = []
    for (const { known, post, observedAtMs, withCredential } of accounts.flat()) {
      const { accountId, platformPostId } = known
      if (post !== undefined) {
        posts.push(toReading(accountId, post, observedAtMs))
        if (withCredential) notPublic.push({ accountId, platformPostId })
      } else absences.push({ accountId, platformPostId, observedAt: new Date(observedAtMs).toISOString() })
    }
    const alongside = notPublic.length > 0 ? [keepFromPublic(workspaceId, notPublic)] : []
    await ingest(deps, { workspaceId, posts, absences, alongside })
  })
  for (const [first] of refused)
    deps.log.warn('posts not stored', { workspaceId, accountId: first?.known.accountId })
}
