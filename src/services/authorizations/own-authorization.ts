import { type AuthorizationRow, selectAuthorization } from '../../db/queries/authorizations.ts'
import { AppError, notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import { type Actor, actorName, type ServiceContext } from '../context.ts'
import { requirePermission, scopesOf } from '../permissions.ts'

/**
 * An authorization for whoever may go on with it: who began it, who came back from the platform, and admins.
 * @throws not_found; insufficient_role or insufficient_scope for everybody else
 */
export async function getOwnAuthorization(ctx: ServiceContext, id: string): Promise<AuthorizationRow> {
  requirePermission(ctx.actor, 'accounts.write')
  const workspaceId = ctx.workspace.id
  const [[row]] = isId(id)
    ? await ctx.db.inWorkspace(workspaceId, [selectAuthorization(workspaceId, id)])
    : [[]]
  if (row === undefined) throw notFound('authorization')
  if (mayGoOn(ctx.actor, row)) return row
  throw new AppError(
    ctx.actor.kind === 'apiKey' ? 'insufficient_scope' : 'insufficient_role',
    'Somebody else began this; they go on with it, or an admin of the workspace does.',
  )
}

function mayGoOn(actor: Actor, row: AuthorizationRow): boolean {
  if (actorName(actor) === row.createdBy || scopesOf(actor).includes('admin')) return true
  return actor.kind === 'user' && actor.userId === row.sessionUserId
}
