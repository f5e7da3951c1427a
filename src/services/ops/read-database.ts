import { databasePartitions, databaseState, databaseTables } from '../../db/queries/ops.ts'
import { ACCOUNTS_COUNTER, DRIFT_COUNTER } from '../../db/queries/reconcile.ts'
import { selectCounters } from '../../db/queries/usage.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import type { DatabaseReport } from './schemas.ts'

const MOST_TABLES = 40
/** Sizes wait for whoever rewrites a table. */
const TIMEOUT_MS = 5_000
const DAY_MS = 86_400_000
const COUNTED_DAYS = 14

/** How big the database is, and how busy. */
export async function readDatabase(ctx: ServiceContext): Promise<DatabaseReport> {
  requireOperator(ctx.actor)
  const options = { timeoutMs: TIMEOUT_MS }
  const since = new Date(ctx.clock.now() - COUNTED_DAYS * DAY_MS).toISOString().slice(0, 10)
  const [[state], tables, partitions, counters] = await Promise.all([
    ctx.db.outside(databaseState(), options),
    ctx.db.outside(databaseTables(MOST_TABLES), options),
    ctx.db.outside(databasePartitions(), options),
    ctx.db.outside(selectCounters(since), options),
  ])
  if (state === undefined) throw new AppError('unavailable', 'The database tells nothing of itself.')
  return { ...state, tables, partitions, reconciliations: reconciliationsOf(counters) }
}

/** By UTC day, in the order of the counters; days on which nothing was compared are left out. */
function reconciliationsOf(
  counters: readonly { name: string; day: string; value: number }[],
): DatabaseReport['reconciliations'] {
  const ours = counters.filter(({ name }) => name === ACCOUNTS_COUNTER || name === DRIFT_COUNTER)
  return [...Map.groupBy(ours, ({ day }) => day)].map(([day, ofDay]) => {
    const counted = (counter: string) => ofDay.find(({ name }) => name === counter)?.value ?? 0
    return { day, accounts: counted(ACCOUNTS_COUNTER), driftCells: counted(DRIFT_COUNTER) }
  })
}
