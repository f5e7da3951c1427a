import { databasePartitions, databaseState, databaseTables } from '../../db/queries/ops.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import type { DatabaseReport } from './schemas.ts'

const MOST_TABLES = 20
/** Sizes wait for whoever rewrites a table. */
const TIMEOUT_MS = 5_000

/** How big the database is, and how busy. */
export async function readDatabase(ctx: ServiceContext): Promise<DatabaseReport> {
  requireOperator(ctx.actor)
  const options = { timeoutMs: TIMEOUT_MS }
  const [[state], tables, partitions] = await Promise.all([
    ctx.db.outside(databaseState(), options),
    ctx.db.outside(databaseTables(MOST_TABLES), options),
    ctx.db.outside(databasePartitions(), options),
  ])
  if (state === undefined) throw new AppError('unavailable', 'The database tells nothing of itself.')
  return { ...state, tables, partitions }
}
