import { renameWorkspace } from '../../db/queries/access.ts'
import {
  lockWorkspace,
  raiseGeneration,
  refreshTopPosts,
  undeliveredEvents,
} from '../../db/queries/ingest/index.ts'
import { workspaceState } from '../../db/queries/overview.ts'
import { clearDays, rebuildDays, setTimezone } from '../../db/queries/rollups.ts'
import { isTimezone } from '../../domain/periods.ts'
import { invalidRequest, notFound } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { requireScope } from '../scope.ts'
import type { UpdateWorkspace } from './schemas.ts'

/**
 * Renames a workspace or moves it to another timezone. With the timezone the days of its rollups are made
 * anew from quarter hours, in the same transaction: no reader sees days of one timezone under another's name.
 */
export async function updateWorkspace(
  ctx: ServiceContext,
  id: string,
  input: UpdateWorkspace,
): Promise<void> {
  requireScope(ctx.actor, 'admin')
  if (id !== ctx.workspace.id) throw notFound('workspace')
  if (input.timezone !== undefined && !isTimezone(input.timezone))
    throw invalidRequest([
      { pointer: '/timezone', detail: 'There is no such timezone; use an IANA name such as Europe/Berlin.' },
    ])
  const { timezone } = input
  const rebuilding =
    timezone === undefined || (await hasTimezone(ctx, timezone))
      ? []
      : [setTimezone(id, timezone), clearDays(id), rebuildDays(id), refreshTopPosts(id)]
  const [, , , pending] = await ctx.db.inWorkspace(id, [
    lockWorkspace(id),
    renameWorkspace(id, input.name ?? null),
    raiseGeneration(id, [{ type: 'metrics.updated', data: { accounts: [], posts: [] } }]),
    undeliveredEvents(id),
    ...rebuilding,
  ])
  await deliverEvents(ctx, id, pending)
}

/** Asked of the database: what the caller knows of the workspace may be some seconds old. */
async function hasTimezone(ctx: ServiceContext, timezone: string): Promise<boolean> {
  const [[state]] = await ctx.db.inWorkspace(ctx.workspace.id, [workspaceState(ctx.workspace.id)])
  return state?.timezone === timezone
}
