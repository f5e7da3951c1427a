import { stillStands } from '../../db/queries/access.ts'
import { brandsAmong } from '../../db/queries/brands.ts'
import { deleteMember, listMembers, type MemberPosition, type MemberRow } from '../../db/queries/members.ts'
import { invalidRequest } from '../../errors.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { decideAndWrite } from './attempt.ts'
import { describeLosses, type Forgetful, lossesOf, makeFelt, type Position } from './losses.ts'
import {
  assertNotLastOwner,
  move,
  nowIso,
  onlyWhile,
  readMember,
  takeAway,
  targetOf,
} from './member-state.ts'
import { Member, type UpdateMember } from './schemas.ts'
import { includesRole, requireAllOf, rightsChanged, standingOf, userIdOf } from './standing.ts'

function present(row: MemberRow): Member {
  return Member.parse(row)
}

export interface MemberPage {
  items: Member[]
  next: MemberPosition | null
}

/** Who belongs to the workspace, whoever came first first. */
export async function listMembersPage(
  ctx: ServiceContext,
  page: { limit: number; after: MemberPosition | null },
): Promise<MemberPage> {
  requirePermission(ctx.actor, 'members.manage')
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [
    listMembers(ctx.workspace.id, page, nowIso(ctx)),
  ])
  const items = rows.slice(0, page.limit).map(present)
  return { items, next: rows.length > page.limit ? (items.at(-1) ?? null) : null }
}

/**
 * Changes what a member may do, and what they see. With rights go the keys and open invitations that rested
 * on them.
 * @throws insufficient_role for a role above one's own; conflict for the last owner
 */
export async function changeMember(
  ctx: ServiceContext,
  userId: string,
  input: UpdateMember,
  directory: Forgetful,
): Promise<Member> {
  requirePermission(ctx.actor, 'members.manage')
  const change = input.brands == null ? input : { ...input, brands: await knownBrands(ctx, input.brands) }
  await decideAndWrite(async () => {
    const member = await readMember(ctx, userId)
    if (!member.stands) throw rightsChanged()
    const from: Position = { role: member.role, brands: member.brands }
    const to: Position = {
      role: change.role ?? from.role,
      brands: change.brands === undefined ? from.brands : change.brands,
    }
    requireAllOf(ctx.actor, from.role)
    requireAllOf(ctx.actor, to.role)
    assertBrandsFit(to)
    if (to.role !== 'owner') assertNotLastOwner(member)
    const sameBrands = JSON.stringify(from.brands) === JSON.stringify(to.brands)
    if (from.role === to.role && sameBrands) return
    const losses = lossesOf(member, to)
    const { id } = ctx.workspace
    await ctx.db.inWorkspace(id, [
      ...onlyWhile(ctx, [member], stillStands(id, standingOf(ctx.actor))),
      ...move(ctx, member, to),
      audit(ctx, {
        action: 'member.changed',
        target: targetOf(member),
        details: { from, to, ...describeLosses(losses) },
      }),
    ])
    // Somebody who only gained keeps their connections.
    if (sameBrands && includesRole(to.role, from.role)) await directory.forgetUser(userId)
    else await makeFelt(ctx, directory, { userId, keys: losses.keys })
  })
  return present(await readMember(ctx, userId))
}

/** Removes a member, or leaves where it is oneself. @throws conflict for the last owner */
export async function removeMember(ctx: ServiceContext, userId: string, directory: Forgetful): Promise<void> {
  const leaving = userId === userIdOf(ctx.actor)
  requirePermission(ctx.actor, leaving ? 'workspace.leave' : 'members.manage')
  await decideAndWrite(async () => {
    const member = await readMember(ctx, userId)
    // Whoever leaves may do so as whatever they are by now.
    if (!leaving) {
      if (!member.stands) throw rightsChanged()
      requireAllOf(ctx.actor, member.role)
    }
    assertNotLastOwner(member)
    const losses = lossesOf(member, null)
    const { role, brands } = member
    const { id } = ctx.workspace
    await ctx.db.inWorkspace(id, [
      ...onlyWhile(ctx, [member], leaving ? undefined : stillStands(id, standingOf(ctx.actor))),
      ...takeAway(ctx, losses),
      deleteMember(id, userId),
      audit(ctx, {
        action: leaving ? 'member.left' : 'member.removed',
        target: targetOf(member),
        details: { role, brands, ...describeLosses(losses) },
      }),
    ])
    await makeFelt(ctx, directory, { userId, keys: losses.keys })
  })
}

/** @throws invalid_request at `/brands` where a role sees everything */
export function assertBrandsFit({ role, brands }: Position): void {
  if (brands !== null && (role === 'owner' || role === 'admin'))
    throw invalidRequest([
      { pointer: '/brands', detail: 'Owners and admins see everything: they cannot be limited to brands.' },
    ])
}

/** Ids of brands without repeats, in order. @throws invalid_request naming those that do not exist */
export async function knownBrands(ctx: ServiceContext, ids: readonly string[]): Promise<string[]> {
  const [found] = await ctx.db.inWorkspace(ctx.workspace.id, [brandsAmong(ctx.workspace.id, ids)])
  const known = new Set(found.map(({ id }) => id))
  const missing = ids.flatMap((id, i) =>
    known.has(id) ? [] : [{ pointer: `/brands/${i}`, detail: 'There is no such brand.' }],
  )
  if (missing.length > 0) throw invalidRequest(missing)
  return [...known].sort()
}
