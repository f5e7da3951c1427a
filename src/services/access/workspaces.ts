import {
  insertOwner,
  insertWorkspace,
  lockPerson,
  proceedOnlyIf,
  renameWorkspace,
  selectSettings,
  settingsAre,
  workspaceExists,
} from '../../db/queries/access.ts'
import {
  lockWorkspace,
  raiseGeneration,
  refreshTopPosts,
  undeliveredEvents,
} from '../../db/queries/ingest/index.ts'
import { clearDays, rebuildDays, setTimezone } from '../../db/queries/rollups.ts'
import { isTimezone } from '../../domain/periods.ts'
import { AppError, invalidRequest, notFound } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { requirePermission } from '../permissions.ts'
import { decideAndWrite } from './attempt.ts'
import type { Forgetful } from './losses.ts'
import type { CreateWorkspace, UpdateWorkspace, WorkspaceSummary } from './schemas.ts'
import { userIdOf } from './standing.ts'

/** A person can be given more, by those who hand theirs over. */
const MAX_OWNED = 20

/** Makes another workspace of the caller's. @throws conflict for whoever owns 20 */
export async function createWorkspace(
  ctx: ServiceContext,
  input: CreateWorkspace,
  directory: Forgetful,
): Promise<WorkspaceSummary> {
  requirePermission(ctx.actor, 'workspaces.create')
  const ownerId = userIdOf(ctx.actor)
  if (ownerId === null) throw new AppError('insufficient_scope', 'Only people may do this, no API key.')
  const { name, timezone = 'UTC' } = input
  assertTimezone(timezone)
  const id = newId(ctx.clock.now())
  const [, [made]] = await ctx.db.inWorkspace(id, [
    lockPerson(ownerId),
    insertWorkspace({ id, name, timezone, ownerId }, MAX_OWNED),
    insertOwner(id, ownerId),
    audit(
      { ...ctx, workspace: { id, timezone } },
      {
        action: 'workspace.created',
        target: { kind: 'workspace', id, name },
        details: { timezone },
        onlyIf: workspaceExists(id),
      },
    ),
  ])
  if (made === undefined) throw new AppError('conflict', `A person owns at most ${MAX_OWNED} workspaces.`)
  await directory.forgetUser(ownerId)
  return { id, name, timezone, role: 'owner' }
}

/**
 * Renames a workspace or moves it to another timezone. With the timezone the days of its rollups are made
 * anew from quarter hours, in the same transaction: no reader sees days of one timezone under another's name.
 * What is as it was raises nothing.
 */
export async function updateWorkspace(
  ctx: ServiceContext,
  id: string,
  input: UpdateWorkspace,
): Promise<void> {
  requirePermission(ctx.actor, 'workspace.write')
  if (id !== ctx.workspace.id) throw notFound('workspace')
  if (input.timezone !== undefined) assertTimezone(input.timezone)
  await decideAndWrite(async () => {
    const [[before]] = await ctx.db.inWorkspace(id, [selectSettings(id)])
    if (before === undefined) throw notFound('workspace')
    const { name = before.name, timezone = before.timezone } = input
    const renamed = name !== before.name
    const moved = timezone !== before.timezone
    if (!renamed && !moved) return
    const changed = (settings: typeof before) => ({
      ...(renamed && { name: settings.name }),
      ...(moved && { timezone: settings.timezone }),
    })
    const [, , , , pending] = await ctx.db.inWorkspace(id, [
      lockWorkspace(id),
      proceedOnlyIf(settingsAre(id, before)),
      renameWorkspace(id, name),
      raiseGeneration(id, [{ type: 'metrics.updated', data: { accounts: [], posts: [] } }]),
      undeliveredEvents(id),
      audit(ctx, {
        action: 'workspace.changed',
        target: { kind: 'workspace', id, name: before.name },
        details: { from: changed(before), to: changed({ name, timezone }) },
      }),
      ...(moved ? [setTimezone(id, timezone), clearDays(id), rebuildDays(id), refreshTopPosts(id)] : []),
    ])
    await deliverEvents(ctx, id, pending)
  })
}

function assertTimezone(timezone: string): void {
  if (!isTimezone(timezone))
    throw invalidRequest([
      { pointer: '/timezone', detail: 'There is no such timezone; use an IANA name such as Europe/Berlin.' },
    ])
}
