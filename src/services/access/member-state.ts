import type { SQL } from 'drizzle-orm'
import type { Statement } from '../../db/client.ts'
import { lockRights, proceedOnlyIf, revokeApiKeys, stillStands } from '../../db/queries/access.ts'
import { withdrawInvitations } from '../../db/queries/invitations.ts'
import {
  addMemberBrands,
  keepMemberBrands,
  lockInvitationsOf,
  type MemberState,
  memberIs,
  selectMember,
  updateMember,
} from '../../db/queries/members.ts'
import { AppError, notFound } from '../../errors.ts'
import { isStorable } from '../../lib/text.ts'
import type { ServiceContext } from '../context.ts'
import { type Losses, lossesOf, type Position } from './losses.ts'
import { standingOf } from './standing.ts'

/** Fetches a member and all that hangs from their rights. @throws not_found */
export async function readMember(ctx: ServiceContext, userId: string): Promise<MemberState> {
  const workspaceId = ctx.workspace.id
  if (!isStorable(userId)) throw notFound('member')
  const stands = stillStands(workspaceId, standingOf(ctx.actor))
  const [[member]] = await ctx.db.inWorkspace(workspaceId, [
    selectMember(workspaceId, userId, stands, nowIso(ctx)),
  ])
  if (member === undefined) throw notFound('member')
  return member
}

/** @throws conflict for the last owner: somebody has to be there who may do everything */
export function assertNotLastOwner({ role, owners }: MemberState): void {
  if (role === 'owner' && owners === 1)
    throw new AppError('conflict', 'This is the last owner of the workspace: make somebody else one first.')
}

/** Begins a transaction that goes on only if members are still as they were read, and others wait for it. */
export function onlyWhile(
  ctx: ServiceContext,
  members: readonly MemberState[],
  alsoWhile?: SQL,
): Statement<never>[] {
  const workspaceId = ctx.workspace.id
  return [
    lockRights(workspaceId),
    ...members.flatMap(({ userId, state }) => [
      lockInvitationsOf(workspaceId, userId),
      proceedOnlyIf(memberIs(workspaceId, userId, state)),
    ]),
    ...(alsoWhile === undefined ? [] : [proceedOnlyIf(alsoWhile)]),
  ]
}

/** Gives a member another position, and takes what does not go with it. */
export function move(ctx: ServiceContext, member: MemberState, to: Position): Statement<never>[] {
  const { id } = ctx.workspace
  const { userId } = member
  return [
    updateMember(id, userId, { role: to.role, allBrands: to.brands === null }),
    keepMemberBrands(id, userId, to.brands ?? []),
    addMemberBrands(id, userId, to.brands ?? []),
    ...takeAway(ctx, lossesOf(member, to)),
  ]
}

/** Revokes keys and withdraws invitations. */
export function takeAway(ctx: ServiceContext, { keys, invitations }: Losses): Statement<never>[] {
  const { id } = ctx.workspace
  const ids = (things: readonly { id: string }[]) => things.map((thing) => thing.id)
  return [revokeApiKeys(id, ids(keys)), withdrawInvitations(id, ids(invitations), nowIso(ctx))]
}

export function targetOf({ userId, email }: MemberState): { kind: string; id: string; name: string } {
  return { kind: 'member', id: userId, name: email }
}

export function nowIso(ctx: Pick<ServiceContext, 'clock'>): string {
  return new Date(ctx.clock.now()).toISOString()
}
