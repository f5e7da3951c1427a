import {
  type ExpiringCredential,
  expiringCredentials,
  requireNewCredential,
} from '../../db/queries/credentials.ts'
import type { ServiceDeps } from '../context.ts'
import { openCredentials } from './open-credentials.ts'

/** Bounds of one run, the first for each platform; what is left over is due at the next. */
const MOST = 500
const BUDGET_MS = 20_000
const CONCURRENT = 3

export interface RefreshReport {
  /** Credentials that end soon enough to be renewed. */
  due: number
  renewedOrStanding: number
  /** Their accounts need somebody who signs in again. */
  refused: number
  /** For a passing reason. */
  failed: number
  /** Left for the next run. */
  left: number
}

/**
 * Renews credentials that end soon, in all workspaces. Those of accounts that are read are renewed as they are
 * used; this is for accounts that are paused or rarely read, whose credentials would end unnoticed.
 */
export async function refreshExpiringCredentials(deps: ServiceDeps): Promise<RefreshReport> {
  const nowMs = deps.clock.now()
  const report: RefreshReport = { due: 0, renewedOrStanding: 0, refused: 0, failed: 0, left: 0 }
  const waiting: ExpiringCredential[] = []
  for (const { platform, oauth } of Object.values(await deps.connectors())) {
    if (oauth === undefined) continue
    const beforeIso = new Date(nowMs + oauth.refreshAheadMs).toISOString()
    waiting.push(...(await deps.db.outside(expiringCredentials(platform, beforeIso, MOST))))
  }
  report.due = waiting.length
  const worker = async () => {
    while (deps.clock.now() < nowMs + BUDGET_MS) {
      const credential = waiting.shift()
      if (credential === undefined) return
      report[await refreshOne(deps, credential)] += 1
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, worker))
  report.left = waiting.length
  return report
}

async function refreshOne(
  deps: ServiceDeps,
  { workspaceId, accountId, platform }: ExpiringCredential,
): Promise<'renewedOrStanding' | 'refused' | 'failed'> {
  const connector = (await deps.connectors())[platform]
  if (connector === undefined) return 'failed'
  try {
    const opened = await openCredentials(deps, connector, null, [{ workspaceId, id: accountId }])
    const credential = opened.get(accountId)
    if (credential?.error === undefined) return 'renewedOrStanding'
    const { error, storedAt } = credential
    // What an operator mends goes on by itself.
    if (error.kind !== 'auth' || error.retryAfterMs !== null || storedAt === null) return 'failed'
    const version = { workspaceId, accountId, updatedAt: storedAt }
    await deps.db.inWorkspace(workspaceId, [requireNewCredential(version, error.message)])
    return 'refused'
  } catch (error) {
    deps.log.warn('credential not renewed', { workspaceId, accountId, error })
    return 'failed'
  }
}
