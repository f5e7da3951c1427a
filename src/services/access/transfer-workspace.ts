import { stillStands } from '../../db/queries/access.ts'
import { invalidRequest } from '../../errors.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { decideAndWrite } from './attempt.ts'
import { describeLosses, type Forgetful, lossesOf, makeFelt, type Position } from './losses.ts'
import { move, onlyWhile, readMember, targetOf } from './member-state.ts'
import type { TransferWorkspace } from './schemas.ts'
import { rightsChanged, standingOf, userIdOf } from './standing.ts'

const OWNER: Position = { role: 'owner', brands: null }
const ADMIN: Position = { role: 'admin', brands: null }

/** Makes another member the owner and the caller an admin, at once. */
export async function transferWorkspace(
  ctx: ServiceContext,
  input: TransferWorkspace,
  directory: Forgetful,
): Promise<void> {
  requirePermission(ctx.actor, 'workspace.transfer')
  const callerId = userIdOf(ctx.actor)
  if (callerId === null || callerId === input.userId)
    throw invalidRequest([{ pointer: '/userId', detail: 'has to be another member' }])
  await decideAndWrite(async () => {
    const [caller, heir] = await Promise.all([readMember(ctx, callerId), readMember(ctx, input.userId)])
    if (!caller.stands) throw rightsChanged()
    const losses = lossesOf(caller, ADMIN)
    const { id } = ctx.workspace
    await ctx.db.inWorkspace(id, [
      ...onlyWhile(ctx, [caller, heir], stillStands(id, standingOf(ctx.actor))),
      ...move(ctx, heir, OWNER),
      ...move(ctx, caller, ADMIN),
      audit(ctx, {
        action: 'workspace.transferred',
        target: targetOf(heir),
        details: {
          from: { userId: callerId, email: caller.email },
          to: { userId: heir.userId, email: heir.email },
          ...describeLosses(losses),
        },
      }),
    ])
    await makeFelt(ctx, directory, { userId: callerId, keys: losses.keys })
    if (heir.brands === null) await directory.forgetUser(heir.userId)
    else await makeFelt(ctx, directory, { userId: heir.userId, keys: [] })
  })
}
