import { workspacesToReconcile } from '../../db/queries/reconcile.ts'
import type { ServiceDeps } from '../context.ts'
import type { PlanReconciliationMessage } from './messages.ts'
import { reconcileMessage } from './queue.ts'

const WORKSPACES_PER_PLAN = 200
/** No id is less. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

/**
 * Queues one `reconcile/workspace` for every workspace that has accounts, a page at a time. Planning twice on
 * the same UTC day, within the queue's memory, queues nothing twice; and what is done twice changes nothing.
 */
export async function planReconciliation(
  deps: Pick<ServiceDeps, 'db' | 'queue' | 'clock'>,
  { goOn }: PlanReconciliationMessage,
): Promise<{ workspaces: number }> {
  const night = goOn?.night ?? new Date(deps.clock.now()).toISOString().slice(0, 10)
  const rows = await deps.db.outside(workspacesToReconcile(goOn?.after ?? FIRST_ID, WORKSPACES_PER_PLAN))
  const messages = rows.map(({ workspaceId }) => reconcileMessage({ workspaceId, night, from: null }))
  const last = rows.length === WORKSPACES_PER_PLAN ? rows.at(-1) : undefined
  if (last !== undefined)
    messages.push({
      topic: 'reconcile/plan',
      body: { goOn: { night, after: last.workspaceId } } satisfies PlanReconciliationMessage,
      deduplicationId: `reconcile-plan-${night}-${last.workspaceId}`,
      retries: 3,
    })
  if (messages.length > 0) await deps.queue.publish(messages)
  return { workspaces: rows.length }
}
