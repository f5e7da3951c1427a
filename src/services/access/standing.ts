import type { Standing } from '../../db/queries/access.ts'
import { AppError } from '../../errors.ts'
import type { Actor, Role } from '../context.ts'
import { scopesOfRole } from '../permissions.ts'

const RANKS: Record<Role, number> = { owner: 3, admin: 2, analyst: 1, viewer: 0 }

/** An actor as the database can check whether they still are what their request was allowed for. */
export function standingOf(actor: Actor): Standing {
  switch (actor.kind) {
    case 'user':
      return { userId: actor.userId, role: actor.role, limited: actor.brands !== null }
    case 'apiKey':
      return { keyId: actor.keyId }
    case 'system':
      return null
  }
}

/** The person who acts; `null` for keys and the system. */
export function userIdOf(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.userId : null
}

/** Whether one role has all that another has. */
export function includesRole(role: Role, other: Role): boolean {
  return RANKS[role] >= RANKS[other]
}

/** Whether an actor has all that a role has. No key does what owners alone may. */
function hasAllOf(actor: Actor, role: Role): boolean {
  switch (actor.kind) {
    case 'user':
      return includesRole(actor.role, role)
    case 'apiKey':
      return role !== 'owner' && scopesOfRole(role).every((scope) => actor.scopes.includes(scope))
    case 'system':
      return true
  }
}

/** @throws insufficient_role where an actor has less than a role that they want to give, or to change */
export function requireAllOf(actor: Actor, role: Role): void {
  if (hasAllOf(actor, role)) return
  throw new AppError(
    'insufficient_role',
    `You have less than this workspace's role "${role}", so you can neither give nor change it.`,
  )
}

/** What is answered where somebody's rights were taken while their request was under way. */
export function rightsChanged(): AppError {
  return new AppError('insufficient_role', 'Your rights in this workspace have just changed.')
}
