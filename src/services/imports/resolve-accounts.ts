import { findAccountsByHandle, type ImportHandle, insertImportedAccounts } from '../../db/queries/imports.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import type { Platform } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import type { ServiceDeps } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'

type ResolveDeps = Pick<ServiceDeps, 'clock' | 'db' | 'generations' | 'hub' | 'log' | 'waitUntil'>

/**
 * The accounts that a file's handles mean: live ones of the platform, however they came in, and new ones
 * where there are none.
 *
 * @returns account ids by handle
 */
export async function resolveAccounts(
  deps: ResolveDeps,
  workspaceId: string,
  platform: Platform,
  handles: readonly ImportHandle[],
): Promise<Map<string, string>> {
  if (handles.length === 0) return new Map()
  const find = findAccountsByHandle(workspaceId, platform, handles)
  const [found] = await deps.db.inWorkspace(workspaceId, [find])
  const byHandle = new Map(found.map(({ handle, accountId }) => [handle, accountId]))
  const missing = handles.filter(({ handle }) => !byHandle.has(handle))
  if (missing.length === 0) return byHandle

  const nowMs = deps.clock.now()
  // Of several spellings of a new handle, the file's first.
  const firsts = new Map(missing.toReversed().map((handle) => [handle.folded, handle]))
  const drafts = [...firsts.values()].map((handle) => ({ ...handle, id: newId(nowMs) }))
  const [, , , pending, foundNow] = await deps.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    insertImportedAccounts(workspaceId, platform, drafts, new Date(nowMs).toISOString()),
    raiseGeneration(workspaceId, [
      { type: 'metrics.updated', data: { accounts: drafts.map(({ id }) => ({ id, delta: {} })), posts: [] } },
    ]),
    undeliveredEvents(workspaceId),
    find,
  ])
  await deliverEvents(deps, workspaceId, pending)
  for (const { handle, accountId } of foundNow) byHandle.set(handle, accountId)
  const lost = handles.find(({ handle }) => !byHandle.has(handle))
  if (lost !== undefined) throw new AppError('internal', 'An account of the import was not stored.')
  return byHandle
}
