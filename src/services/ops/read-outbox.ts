import { outboxState } from '../../db/queries/ops.ts'
import type { ServiceContext } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import type { OutboxState } from './schemas.ts'

/** The sweep comes every minute and takes what is older than ten seconds. */
const WARNING_SECONDS = 60
const CRITICAL_SECONDS = 300

/** How an outbox is whose oldest event has waited so long. */
export function outboxLevel(oldestSeconds: number | null): OutboxState['level'] {
  if (oldestSeconds === null || oldestSeconds < WARNING_SECONDS) return 'ok'
  return oldestSeconds < CRITICAL_SECONDS ? 'warning' : 'critical'
}

/** Events of all workspaces that listeners have not been told of. */
export async function readOutbox(ctx: ServiceContext): Promise<OutboxState> {
  requireOperator(ctx.actor)
  const [row = { undelivered: 0, oldestSeconds: null }] = await ctx.db.outside(outboxState())
  return { ...row, level: outboxLevel(row.oldestSeconds) }
}
