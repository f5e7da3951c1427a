import { untoldPublicTrends } from '../../db/queries/public-trends.ts'
import { allUndelivered } from '../../db/queries/sync.ts'
import { concurrently } from '../../lib/concurrently.ts'
import type { ServiceDeps } from '../context.ts'
import { tellPublicTrends } from '../hashtags/index.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { outboxNow } from '../ops/read-outbox.ts'
import type { OutboxState } from '../ops/schemas.ts'

/** Younger events are being delivered by whoever wrote them. */
const OLDER_THAN_SECONDS = 10
const MOST = 1_000
/** Workspaces at a time: a hub that takes its time until it is given up keeps the others waiting for a part of them. */
const HUBS_AT_ONCE = 8

export interface OutboxSweep extends OutboxState {
  /** How many it tried to deliver. */
  events: number
}

/** Tells one hub what waits for it. */
type Delivery = (delivering: ServiceDeps) => Promise<void>

/**
 * Delivers the events that a crash, or a hub that did not answer, has left behind, of several workspaces at once and of
 * each in order; then looks at what is left, and says so in the log where that is too much or too old.
 */
export async function sweepOutbox(deps: ServiceDeps): Promise<OutboxSweep> {
  const [rows, untold] = await Promise.all([
    deps.db.outside(allUndelivered(OLDER_THAN_SECONDS, MOST)),
    deps.db.outside(untoldPublicTrends(OLDER_THAN_SECONDS)),
  ])
  const deliveries: Delivery[] = [
    ...Array.from(
      Map.groupBy(rows, (row) => row.workspaceId),
      ([workspaceId, events]): Delivery =>
        (delivering) =>
          deliverEvents(delivering, workspaceId, events),
    ),
    ...untold.map(
      (news): Delivery =>
        (delivering) =>
          tellPublicTrends(delivering, news),
    ),
  ]
  await concurrently(HUBS_AT_ONCE, deliveries, async (deliver) => {
    const marks: Promise<unknown>[] = []
    await deliver({ ...deps, waitUntil: (work: Promise<unknown>) => void marks.push(work) })
    // What was delivered is not counted as left: its marks are waited for.
    await Promise.allSettled(marks)
  })

  const left = await outboxNow(deps)
  const { level, ...figures } = left
  if (level === 'warning') deps.log.warn('events wait to be told', figures)
  if (level === 'critical') deps.log.error('events are not told', figures)
  return { events: rows.length + untold.length, ...left }
}
