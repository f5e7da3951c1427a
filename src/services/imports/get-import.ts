import { selectImport, selectImportErrors } from '../../db/queries/imports.ts'
import { workspaceState } from '../../db/queries/overview.ts'
import { notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import { creatorWithinReach, jobStatusAt } from '../jobs/index.ts'
import { requirePermission } from '../permissions.ts'
import type { ImportReport } from './schemas.ts'

/**
 * How an import stands, also while it is under way.
 * @throws not_found, also for what could be no id and for another workspace's import; to members limited to
 *   brands, also for one that is not their own
 */
export async function getImport(ctx: ServiceContext, id: string): Promise<ImportReport> {
  requirePermission(ctx.actor, 'analytics.read')
  if (!isId(id)) throw notFound('import')
  const [[row], errors, [state]] = await ctx.db.inWorkspace(
    ctx.workspace.id,
    [
      selectImport(ctx.workspace.id, id, creatorWithinReach(ctx.actor)),
      selectImportErrors(ctx.workspace.id, id),
      workspaceState(ctx.workspace.id),
    ],
    { snapshot: true },
  )
  if (row === undefined) throw notFound('import')
  // Who is told that it is done may ask for what it has changed.
  ctx.generations.note(ctx.workspace.id, state?.generation ?? 0)
  const { platform, format, sizeBytes, inserted, updated, unchanged, rejected, createdAt } = row
  return {
    id,
    status: jobStatusAt(row, ctx.clock.now()),
    platform,
    format,
    sizeBytes,
    processedBytes: row.nextOffset,
    accepted: inserted + updated + unchanged,
    inserted,
    updated,
    unchanged,
    rejected,
    errors,
    createdAt,
  }
}
