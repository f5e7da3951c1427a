import { recordApiUsage } from '../../db/queries/usage.ts'
import type { ServiceDeps } from '../context.ts'
import { writeNotes } from './note-malformed.ts'
import type { UsageLedger } from './usage-ledger.ts'

/**
 * Writes what no transaction has taken along, and what was not used of answers. Never fails: that calls were
 * made is no reason to fail what they were made for, and is logged.
 */
export async function writeUsage(
  deps: Pick<ServiceDeps, 'db' | 'log' | 'clock'>,
  ledger: UsageLedger,
): Promise<void> {
  await writeNotes(deps, ledger.takeMalformed())
  const rows = await ledger.unwritten()
  if (rows.length === 0) return
  try {
    await deps.db.outside(recordApiUsage(rows))
    ledger.written(rows)
  } catch (error) {
    deps.log.warn('calls not accounted for', { rows: rows.length, error })
  }
}
