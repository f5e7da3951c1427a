import { outboxState } from '../../db/queries/ops.ts'
import { outboxLevel } from '../../domain/outbox.ts'
import type { ServiceContext, ServiceDeps } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import type { OutboxState } from './schemas.ts'

/**
 * Events that listeners have not been told of, those of all workspaces and of the public.
 * @param timeoutMs gives up after this long
 */
export async function outboxNow({ db }: Pick<ServiceDeps, 'db'>, timeoutMs?: number): Promise<OutboxState> {
  const options = timeoutMs === undefined ? {} : { timeoutMs }
  const [state = { undelivered: 0, oldestSeconds: null }] = await db.outside(outboxState(), options)
  return { ...state, level: outboxLevel(state) }
}

/** The same for operators. */
export async function readOutbox(ctx: ServiceContext): Promise<OutboxState> {
  requireOperator(ctx.actor)
  return outboxNow(ctx)
}
