import { notFound } from '../../errors.ts'
import type { DeadLetters } from '../../ports.ts'
import { actorName, type ServiceContext } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import type { DeadLetter } from './schemas.ts'

/**
 * A page of what the queue has given up, newest first.
 * @param callbacksUrl what the queue calls, beside the public address
 */
export async function listDeadLetters(
  ctx: ServiceContext,
  letters: DeadLetters,
  page: { cursor: string | null; limit: number },
  callbacksUrl: string,
): Promise<{ items: DeadLetter[]; nextCursor: string | null }> {
  requireOperator(ctx.actor)
  const { items, nextCursor } = await letters.list(page)
  const origins = [callbacksUrl, ctx.publicUrl]
  return {
    items: items.map(({ url, ...letter }) => ({ ...letter, callback: callbackOf(url, origins) })),
    nextCursor,
  }
}

/** Our own callbacks by their path; an older address of the deployment has to be seen as what it is. */
function callbackOf(url: string, origins: readonly string[]): string {
  const origin = origins.find((one) => url.startsWith(`${one}/`)) ?? ''
  return url.slice(origin.length)
}

/**
 * Sends a dead letter on its way again. Work is repeatable, so one that had been done in part does no harm.
 * @throws not_found
 */
export async function retryDeadLetter(ctx: ServiceContext, letters: DeadLetters, id: string): Promise<void> {
  requireOperator(ctx.actor)
  if (!(await letters.retry(id))) throw notFound('dead letter')
  note(ctx, 'dead letter retried', id)
}

/**
 * Gives a dead letter up for good.
 * @throws not_found
 */
export async function dropDeadLetter(ctx: ServiceContext, letters: DeadLetters, id: string): Promise<void> {
  requireOperator(ctx.actor)
  if (!(await letters.remove(id))) throw notFound('dead letter')
  note(ctx, 'dead letter dropped', id)
}

/** The audit logs are the workspaces' own; what is done to the deployment stands in its log. */
function note(ctx: ServiceContext, what: string, deadLetterId: string): void {
  ctx.log.info(what, { deadLetterId, by: actorName(ctx.actor), requestId: ctx.requestId })
}
