import type { PostAbsence, PostReading } from '../../db/queries/ingest/index.ts'
import { PlatformError, type PlatformPost } from '../../ports.ts'
import { connectorContext, connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { ingest } from '../ingest/ingest.ts'
import { eachApart, storeApart } from './apart.ts'
import type { RefreshPostsMessage } from './messages.ts'
import { queueError, refreshPostsMessage } from './queue.ts'
import { toReading } from './readings.ts'

/** A post that was asked for, and what the platform showed of it. */
interface Observed {
  known: RefreshPostsMessage['posts'][number]
  /** Missing where the platform left it out. */
  post: PlatformPost | undefined
  observedAtMs: number
}

/**
 * Reads known posts again through the platform's batch endpoint, whosoever they are, and stores them with one
 * round trip a workspace. A post that the platform leaves out is noted as absent.
 */
export async function refreshPosts(deps: ServiceDeps, message: RefreshPostsMessage): Promise<void> {
  const connector = connectorOf(deps, message.platform)
  const observed: Observed[] = []
  let left = message.posts
  let stopped: PlatformError | null = null
  while (left.length > 0) {
    const batch = left.slice(0, connector.refreshBatchSize)
    const observedAtMs = deps.clock.now()
    try {
      // Two workspaces may follow the same post: it is asked for once.
      const ids = [...new Set(batch.map((post) => post.platformPostId))]
      const found = await connector.refreshPosts(connectorContext(deps, message.platform), message.host, ids)
      const byId = new Map(found.map((post) => [post.platformPostId, post]))
      observed.push(...batch.map((known) => ({ known, post: byId.get(known.platformPostId), observedAtMs })))
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      stopped = error
      break
    }
    left = left.slice(batch.length)
  }
  await eachApart(
    Map.groupBy(observed, ({ known }) => known.workspaceId),
    ([workspaceId, ours]) => store(deps, workspaceId, ours),
  )
  if (stopped === null) return
  // What is stored is stored; only the rest is tried again, when the platform will have it.
  if (stopped.kind === 'rate_limited') {
    const rest = refreshPostsMessage({ ...message, posts: left })
    await deps.queue.publish([{ ...rest, delaySeconds: Math.ceil((stopped.retryAfterMs ?? 60_000) / 1_000) }])
    return
  }
  throw queueError(stopped)
}

async function store(deps: ServiceDeps, workspaceId: string, observed: Observed[]): Promise<void> {
  const byAccount = [...Map.groupBy(observed, ({ known }) => known.accountId).values()]
  const refused = await storeApart(byAccount, async (accounts) => {
    const posts: PostReading[] = []
    const absences: PostAbsence[] = []
    for (const { known, post, observedAtMs } of accounts.flat()) {
      const { accountId, platformPostId } = known
      if (post !== undefined) posts.push(toReading(accountId, post, observedAtMs))
      else absences.push({ accountId, platformPostId, observedAt: new Date(observedAtMs).toISOString() })
    }
    await ingest(deps, { workspaceId, posts, absences })
  })
  for (const [first] of refused)
    deps.log.warn('posts not stored', { workspaceId, accountId: first?.known.accountId })
}
