import { allUndelivered } from '../../db/queries/sync.ts'
import type { ServiceDeps } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'

/** Younger events are being delivered by whoever wrote them. */
const OLDER_THAN_SECONDS = 10
const MOST = 1_000

/** Delivers the events that a crash, or a hub that did not answer, has left behind. */
export async function sweepOutbox(deps: ServiceDeps): Promise<{ events: number }> {
  const rows = await deps.db.outside(allUndelivered(OLDER_THAN_SECONDS, MOST))
  for (const [workspaceId, events] of Map.groupBy(rows, (row) => row.workspaceId))
    await deliverEvents(deps, workspaceId, events)
  return { events: rows.length }
}
