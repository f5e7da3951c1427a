import { untoldPublicTrends } from '../../db/queries/public-trends.ts'
import { allUndelivered } from '../../db/queries/sync.ts'
import type { ServiceDeps } from '../context.ts'
import { tellPublicTrends } from '../hashtags/index.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { outboxNow } from '../ops/read-outbox.ts'
import type { OutboxState } from '../ops/schemas.ts'

/** Younger events are being delivered by whoever wrote them. */
const OLDER_THAN_SECONDS = 10
const MOST = 1_000

export interface OutboxSweep extends OutboxState {
  /** How many it tried to deliver. */
  events: number
}

/**
 * Delivers the events that a crash, or a hub that did not answer, has left behind; then looks at what is left, and says
 * so in the log where that is too much or too old.
 */
export async function sweepOutbox(deps: ServiceDeps): Promise<OutboxSweep> {
  const marks: Promise<unknown>[] = []
  // What was delivered is not counted as left: its marks are waited for.
  const delivering = { ...deps, waitUntil: (work: Promise<unknown>) => void marks.push(work) }
  const rows = await deps.db.outside(allUndelivered(OLDER_THAN_SECONDS, MOST))
  for (const [workspaceId, events] of Map.groupBy(rows, (row) => row.workspaceId))
    await deliverEvents(delivering, workspaceId, events)
  const untold = await deps.db.outside(untoldPublicTrends(OLDER_THAN_SECONDS))
  for (const news of untold) await tellPublicTrends(delivering, news)
  await Promise.allSettled(marks)

  const left = await outboxNow(deps)
  const { level, ...figures } = left
  if (level === 'warning') deps.log.warn('events wait to be told', figures)
  if (level === 'critical') deps.log.error('events are not told', figures)
  return { events: rows.length + untold.length, ...left }
}
