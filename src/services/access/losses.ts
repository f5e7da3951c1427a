import type { MemberState } from '../../db/queries/members.ts'
import type { Role, ServiceContext } from '../context.ts'
import { isAllowed, scopesOfRole } from '../permissions.ts'
import type { Directory } from './identify.ts'
import { includesRole } from './standing.ts'

/** What a member is in a workspace. */
export interface Position {
  role: Role
  /** Brands whose accounts alone they see; `null`: all. */
  brands: readonly string[] | null
}

/** What goes with rights that somebody no longer has. */
export interface Losses {
  keys: MemberState['keys']
  invitations: MemberState['invitations']
}

/**
 * Keys and open invitations of a member that they could not make any more.
 * @param to what they will be; `null`: no member
 */
export function lossesOf(member: MemberState, to: Position | null): Losses {
  if (to === null) return { keys: member.keys, invitations: member.invitations }
  const actor = {
    kind: 'user' as const,
    userId: member.userId,
    email: member.email,
    operator: false,
    role: to.role,
    brands: to.brands,
  }
  const scopes: readonly string[] = [...scopesOfRole(to.role), 'operator']
  return {
    keys: isAllowed(actor, 'keys.manage')
      ? member.keys.filter((key) => !key.scopes.every((scope) => scopes.includes(scope)))
      : member.keys,
    invitations: isAllowed(actor, 'members.manage')
      ? member.invitations.filter((invitation) => !includesRole(to.role, invitation.role))
      : member.invitations,
  }
}

/** Losses as the audit log tells of them; nothing where there are none. */
export function describeLosses({ keys, invitations }: Losses): Record<string, unknown> {
  return {
    ...(keys.length > 0 && { revokedKeys: keys.map(({ id, name }) => ({ id, name })) }),
    ...(invitations.length > 0 && { withdrawnInvitations: invitations.map(({ id }) => id) }),
  }
}

/** What forgets rights that were taken. */
export type Forgetful = Pick<Directory, 'forgetKey' | 'forgetUser'>

/**
 * Makes losses felt at once: this isolate forgets what it knew, and live connections end. Others believe
 * what they know for some seconds.
 */
export async function makeFelt(
  ctx: Pick<ServiceContext, 'hub' | 'log' | 'workspace'>,
  directory: Forgetful,
  lost: { userId: string | null; keys: readonly { id: string; hash: string }[] },
): Promise<void> {
  await Promise.all([
    lost.userId !== null && directory.forgetUser(lost.userId),
    ...lost.keys.map(({ hash }) => directory.forgetKey(hash)),
  ])
  const names = lost.keys.map(({ id }) => `key:${id}`)
  if (lost.userId !== null) names.push(`user:${lost.userId}`)
  await Promise.all(
    names.map((name) =>
      ctx.hub.revoke(ctx.workspace.id, name).catch((error: unknown) => {
        ctx.log.warn('live connections not closed', { workspaceId: ctx.workspace.id, of: name, error })
      }),
    ),
  )
}
