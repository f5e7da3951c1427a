import { countAccounts } from '../../db/queries/accounts.ts'
import { findAccountsByHandle, type ImportHandle, insertImportedAccounts } from '../../db/queries/imports.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { MAX_ACCOUNTS } from '../../domain/account-limit.ts'
import type { Platform } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import type { ServiceDeps } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'

type ResolveDeps = Pick<ServiceDeps, 'clock' | 'db' | 'generations' | 'hub' | 'log' | 'waitUntil'>

/**
 * The accounts that a file's handles mean: live ones of the platform, however they came in, and new ones
 * where there are none, as many as the workspace has room for.
 *
 * @returns account ids by handle; a handle that is left out would be one account too many
 */
export async function resolveAccounts(
  deps: ResolveDeps,
  workspaceId: string,
  platform: Platform,
  handles: readonly ImportHandle[],
): Promise<Map<string, string>> {
  if (handles.length === 0) return new Map()
  const find = findAccountsByHandle(workspaceId, platform, handles)
  const count = countAccounts(workspaceId)
  const [found, [before]] = await deps.db.inWorkspace(workspaceId, [find, count])
  const byHandle = new Map(found.map(({ handle, accountId }) => [handle, accountId]))
  const missing = handles.filter(({ handle }) => !byHandle.has(handle))
  const room = Math.max(0, MAX_ACCOUNTS - (before?.live ?? 0))
  if (missing.length === 0 || room === 0) return byHandle

  const nowMs = deps.clock.now()
  // Of several spellings of a new handle, the file's first.
  const firsts = new Map<string, ImportHandle>()
  for (const handle of missing) if (!firsts.has(handle.folded)) firsts.set(handle.folded, handle)
  const drafts = [...firsts.values()].slice(0, room).map((handle) => ({ ...handle, id: newId(nowMs) }))
  const [, , , pending, foundNow, [after]] = await deps.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    insertImportedAccounts(workspaceId, platform, drafts, {
      mostLive: MAX_ACCOUNTS,
      nowIso: new Date(nowMs).toISOString(),
    }),
    raiseGeneration(workspaceId, [
      { type: 'metrics.updated', data: { accounts: drafts.map(({ id }) => ({ id, delta: {} })), posts: [] } },
    ]),
    undeliveredEvents(workspaceId),
    find,
    count,
  ])
  await deliverEvents(deps, workspaceId, pending)
  for (const { handle, accountId } of foundNow) byHandle.set(handle, accountId)
  const isFull = (after?.live ?? 0) >= MAX_ACCOUNTS
  if (!isFull && handles.some(({ handle }) => !byHandle.has(handle)))
    throw new AppError('internal', 'An account of the import was not stored.')
  return byHandle
}
