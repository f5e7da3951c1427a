import { markDelivered, type OutboxRow } from '../../db/queries/ingest/transaction.ts'
import type { ServiceDeps } from '../context.ts'

/**
 * Tells a workspace's caches and listeners of changes that are committed, in order. The caches first: who is
 * told of a generation must not read an older one. A failure is logged and left to the sweeper; the data
 * themselves are safe.
 */
export async function deliverEvents(
  deps: Pick<ServiceDeps, 'db' | 'generations' | 'hub' | 'log' | 'waitUntil'>,
  workspaceId: string,
  rows: OutboxRow[],
): Promise<void> {
  const newest = rows.at(-1)
  if (newest === undefined) return
  try {
    await deps.generations.raise(workspaceId, newest.generation)
    await deps.hub.publish(workspaceId, rows)
  } catch (error) {
    deps.log.warn('events not delivered; the sweeper will', { workspaceId, error })
    return
  }
  deps.waitUntil(
    deps.db
      .inWorkspace(workspaceId, [markDelivered(workspaceId, newest.generation)])
      .catch((error: unknown) => deps.log.warn('delivered events not marked', { workspaceId, error })),
  )
}
