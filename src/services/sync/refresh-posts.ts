import type { PostAbsence, PostReading } from '../../db/queries/ingest/index.ts'
import { PlatformError } from '../../ports.ts'
import { connectorContext, connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { ingest } from '../ingest/ingest.ts'
import { toAppError } from '../platform-errors.ts'
import type { RefreshPostsMessage } from './messages.ts'
import { refreshPostsMessage } from './queue.ts'
import { toReading } from './readings.ts'

/**
 * Reads known posts again through the platform's batch endpoint, whosoever they are, and stores them with one
 * round trip a workspace. A post that the platform leaves out is noted as absent.
 */
export async function refreshPosts(deps: ServiceDeps, message: RefreshPostsMessage): Promise<void> {
  const connector = connectorOf(deps, message.platform)
  const readings = new Map<string, PostReading[]>()
  const absences = new Map<string, PostAbsence[]>()
  const add = <T>(map: Map<string, T[]>, workspaceId: string, item: T) => {
    const list = map.get(workspaceId)
    if (list === undefined) map.set(workspaceId, [item])
    else list.push(item)
  }
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
      for (const { workspaceId, accountId, platformPostId } of batch) {
        const post = byId.get(platformPostId)
        if (post !== undefined) add(readings, workspaceId, toReading(accountId, post, observedAtMs))
        else
          add(absences, workspaceId, {
            accountId,
            platformPostId,
            observedAt: new Date(observedAtMs).toISOString(),
          })
      }
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      stopped = error
      break
    }
    left = left.slice(batch.length)
  }
  for (const workspaceId of new Set([...readings.keys(), ...absences.keys()]))
    await ingest(deps, {
      workspaceId,
      posts: readings.get(workspaceId) ?? [],
      absences: absences.get(workspaceId) ?? [],
    })
  if (stopped === null) return
  // What is stored is stored; only the rest is tried again, when the platform will have it.
  if (stopped.kind === 'rate_limited') {
    const rest = refreshPostsMessage({ ...message, posts: left })
    await deps.queue.publish([{ ...rest, delaySeconds: Math.ceil((stopped.retryAfterMs ?? 60_000) / 1_000) }])
    return
  }
  throw toAppError(stopped)
}
