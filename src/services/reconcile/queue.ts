import type { QueueMessage } from '../../ports.ts'
import type { ReconcileWorkspaceMessage } from './messages.ts'

/** Workspaces reconciled at once, by all the messages together: it is work for the night, not for haste. */
const PARALLELISM = 2

/** One message for each place that a night's reconciliation of a workspace reaches. */
export function reconcileMessage(body: ReconcileWorkspaceMessage): QueueMessage {
  const place = body.from === null ? 'start' : Date.parse(body.from)
  return {
    topic: 'reconcile/workspace',
    body,
    deduplicationId: `reconcile-${body.workspaceId}-${body.night}-${place}`,
    flow: { key: 'reconcile', parallelism: PARALLELISM },
    retries: 3,
  }
}
