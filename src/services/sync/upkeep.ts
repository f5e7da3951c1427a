import { ensurePartitions, expireOldRows } from '../../db/queries/sync.ts'
import type { ServiceDeps } from '../context.ts'

/** Once a day: the next months' partitions ahead of time, and what is past its time out. */
export async function dailyUpkeep(deps: ServiceDeps): Promise<Record<string, number>> {
  const [made] = await deps.db.outside(ensurePartitions())
  const [expired] = await deps.db.outside(expireOldRows(new Date(deps.clock.now()).toISOString()))
  const done = { partitionsMade: made?.made ?? 0, ...expired }
  deps.log.info('daily upkeep', done)
  return done
}
