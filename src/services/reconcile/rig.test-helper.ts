import type { TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import type { Logger, QueueMessage } from '../../ports.ts'

export const NOW = '2026-04-10T03:07:00.000Z'
export const NIGHT = '2026-04-10'

/** What reconciliation works with, and what it told the log and the queue. */
export function makeRig(database: TestDatabase, nowMs: () => number = () => Date.parse(NOW)) {
  const errors: { message: string; fields: object }[] = []
  const queued: QueueMessage[] = []
  const log: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (message, fields) => void errors.push({ message, fields: fields ?? {} }),
    with: () => log,
  }
  const deps = {
    ...quietDeps(database.db),
    log,
    clock: { now: nowMs },
    queue: { publish: async (messages: QueueMessage[]) => void queued.push(...messages) },
  }
  return { deps, errors, queued }
}

/** Both rollups as they are stored, but for when they were read. */
export async function rollupsOf(database: TestDatabase, workspaceId: string) {
  const rows = (table: string, time: string) =>
    database.sql<Record<string, unknown>>(
      `SELECT to_jsonb(r) - 'workspace_id' AS row FROM ${table} r WHERE workspace_id = $1
       ORDER BY account_id, ${time}`,
      [workspaceId],
    )
  return { days: await rows('account_days', 'day'), quarters: await rows('account_quarters', 'quarter') }
}
