import { countInDeployment } from '../../db/queries/usage.ts'
import type { ServiceDeps } from '../context.ts'

/** Work that is older has been planned anew: the claims it stands for have long run out. */
const DROPPED_AFTER_MS = 24 * 3_600_000

/**
 * Whether a message is so old that a newer plan has taken its place; it is counted and done with then.
 * @param plannedAt missing in messages of before they said so
 */
export async function isOutdated(
  deps: Pick<ServiceDeps, 'db' | 'clock' | 'log'>,
  plannedAt: string | undefined,
): Promise<boolean> {
  const now = deps.clock.now()
  if (plannedAt === undefined || now - Date.parse(plannedAt) <= DROPPED_AFTER_MS) return false
  deps.log.info('outdated message dropped', { plannedAt })
  await deps.db.outside(countInDeployment('sync.messages_outdated', new Date(now).toISOString(), 1))
  return true
}
