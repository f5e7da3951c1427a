import type { Statement } from '../../db/client.ts'
import {
  type ImportGuard,
  type IngestCounts,
  ingestPosts,
  type PostAbsence,
  type PostReading,
} from '../../db/queries/ingest/posts.ts'
import { ingestProfiles, type ProfileReading } from '../../db/queries/ingest/profiles.ts'
import {
  lockWorkspace,
  raiseAfterIngest,
  refreshTopPosts,
  undeliveredEvents,
} from '../../db/queries/ingest/transaction.ts'
import type { ServiceDeps } from '../context.ts'
import { deliverEvents } from './deliver-events.ts'

export interface IngestInput {
  workspaceId: string
  profiles?: ProfileReading[]
  posts?: PostReading[]
  absences?: PostAbsence[]
  guard?: ImportGuard
  /** Bookkeeping of the caller's, done if and only if the readings are. */
  alongside?: Statement<unknown>[]
}

export interface IngestResult extends IngestCounts {
  /** The generation that this raised; `null` when nothing that can be seen has changed. */
  generation: number | null
  /** Rows of each statement of `alongside`. */
  alongside: unknown[][]
}

/**
 * The one way in for observations, whoever made them: sync, backfill, imports. One atomic round trip, then
 * the workspace's listeners are told. Repeating a call changes nothing.
 */
export async function ingest(
  deps: Pick<ServiceDeps, 'db' | 'generations' | 'hub' | 'log' | 'waitUntil'>,
  input: IngestInput,
): Promise<IngestResult> {
  const { workspaceId } = input
  const [, , [counts], , [raised], pending, ...alongside] = await deps.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    ingestProfiles(workspaceId, input.profiles ?? []),
    ingestPosts(workspaceId, input.posts ?? [], input.absences ?? [], input.guard),
    refreshTopPosts(workspaceId),
    raiseAfterIngest(workspaceId),
    undeliveredEvents(workspaceId),
    ...(input.alongside ?? []),
  ])
  if (pending !== undefined && pending.length > 0) await deliverEvents(deps, workspaceId, pending)
  return {
    inserted: counts?.inserted ?? 0,
    updated: counts?.updated ?? 0,
    unchanged: counts?.unchanged ?? 0,
    generation: raised?.generation ?? null,
    alongside,
  }
}
