import {
  lockWorkspace,
  raiseAfterIngest,
  refreshTopPosts,
  undeliveredEvents,
} from '../../db/queries/ingest/transaction.ts'
import {
  ACCOUNTS_COUNTER,
  countAccounts,
  type Drift,
  endOfRange,
  limitTimes,
  type ReconciledScope,
  reconcileDays,
  reconcileQuarters,
} from '../../db/queries/reconcile.ts'
import { countInDeployment } from '../../db/queries/usage.ts'
import type { ServiceDeps } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import type { ReconcileWorkspaceMessage } from './messages.ts'
import { reconcileMessage } from './queue.ts'

const DAY_MS = 86_400_000
const QUARTER_MS = 15 * 60_000

/** Snapshots are kept whole for 90 days and by the day for two years; gains are told by whole ones alone. */
const GAINS_TOLD_FOR_DAYS = 85
const SNAPSHOTS_KEPT_FOR_DAYS = 700

/** Posts, snapshots and rollup rows that one transaction reads of each, about. */
const ROWS_PER_RANGE = 20_000
/** Others wait for the workspace while a range is worked on, and it for them. */
const LIMITS = { lockMs: 2_000, statementMs: 5_000 }
/** Nothing new is begun after this long; the next message goes on. */
const BUDGET_MS = 10_000
/** A plan of later comes before what is as old as that. */
const DROPPED_AFTER_MS = 36 * 3_600_000

export interface Reconciliation {
  ranges: number
  /** Rows of rollups that were mended. */
  driftCells: number
  /** Where the next message begins; `null`: the workspace is done. */
  next: string | null
}

type Deps = Pick<ServiceDeps, 'db' | 'queue' | 'clock' | 'generations' | 'hub' | 'log' | 'waitUntil'>

/**
 * Compares the rollups of a workspace with its raw rows, range by range in order of time, each under the
 * workspace's lock, and mends what differs: that is an error of ours, and is logged as one. Repeating it
 * changes nothing.
 * @throws unavailable where an ingest holds the lock for long, or the database is slow; what is done stays done
 */
export async function reconcileWorkspace(
  deps: Deps,
  { workspaceId, night, from }: ReconcileWorkspaceMessage,
  rowsPerRange = ROWS_PER_RANGE,
): Promise<Reconciliation> {
  const startedMs = deps.clock.now()
  const done: Reconciliation = { ranges: 0, driftCells: 0, next: from ?? '-infinity' }
  if (startedMs - Date.parse(night) > DROPPED_AFTER_MS) return { ...done, next: null }
  const scope = scopeAt(workspaceId, startedMs)
  while (done.next !== null && (done.ranges === 0 || deps.clock.now() - startedMs < BUDGET_MS)) {
    const begun = { ...scope, from: done.next }
    const [, [end]] = await deps.db.inWorkspace(workspaceId, [
      limitTimes(LIMITS),
      endOfRange(begun, rowsPerRange),
    ])
    const to = end?.to ?? null
    done.driftCells += await reconcileRange(deps, { ...begun, to: to ?? 'infinity' })
    done.ranges += 1
    done.next = to
  }
  if (done.next !== null) {
    await deps.queue.publish([reconcileMessage({ workspaceId, night, from: done.next })])
    return done
  }
  const [[counted]] = await deps.db.inWorkspace(workspaceId, [countAccounts(workspaceId)])
  await deps.db.outside(countInDeployment(ACCOUNTS_COUNTER, scope.nowIso, counted?.accounts ?? 0))
  return done
}

function scopeAt(workspaceId: string, nowMs: number): Omit<ReconciledScope, 'from' | 'to'> {
  const iso = (ms: number) => new Date(ms).toISOString()
  const gainsFromMs = nowMs - GAINS_TOLD_FOR_DAYS * DAY_MS
  return {
    workspaceId,
    gainsFrom: iso(gainsFromMs - (gainsFromMs % QUARTER_MS)),
    snapshotsKeptFrom: iso(nowMs - SNAPSHOTS_KEPT_FOR_DAYS * DAY_MS),
    nowIso: iso(nowMs),
  }
}

/** One transaction. @returns how many rows it mended */
async function reconcileRange(deps: Deps, scope: ReconciledScope): Promise<number> {
  const { workspaceId } = scope
  const [, , [quarters], [days], , , pending] = await deps.db.inWorkspace(workspaceId, [
    limitTimes(LIMITS),
    lockWorkspace(workspaceId),
    reconcileQuarters(scope),
    reconcileDays(scope),
    refreshTopPosts(workspaceId),
    raiseAfterIngest(workspaceId),
    undeliveredEvents(workspaceId),
  ])
  report(deps, workspaceId, 'account_quarters', quarters)
  report(deps, workspaceId, 'account_days', days)
  const cells = (quarters?.cells ?? 0) + (days?.cells ?? 0)
  if (cells > 0) await deliverEvents(deps, workspaceId, pending)
  return cells
}

function report(deps: Pick<Deps, 'log'>, workspaceId: string, table: string, drift: Drift | undefined): void {
  if (drift === undefined || drift.cells === 0) return
  const { cells, metrics, examples } = drift
  deps.log.error('rollups had drifted from the raw rows', { workspaceId, table, cells, metrics, examples })
}
