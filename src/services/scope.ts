import { AppError } from '../errors.ts'
import type { Actor, Role, Scope } from './context.ts'

/** What each role may do. An analyst works with data; an admin also with access. */
const ROLE_SCOPES: Record<Role, readonly Scope[]> = {
  owner: ['read', 'write', 'admin'],
  admin: ['read', 'write', 'admin'],
  analyst: ['read', 'write'],
  viewer: ['read'],
}

/** What an actor may do in its workspace. */
export function scopesOf(actor: Actor): readonly Scope[] {
  switch (actor.kind) {
    case 'user':
      return ROLE_SCOPES[actor.role]
    case 'apiKey':
      return actor.scopes
    case 'system':
      return ['read', 'write', 'admin', 'operator']
  }
}

/** @throws insufficient_scope or insufficient_role when the actor may not do this */
export function requireScope(actor: Actor, scope: Scope): void {
  if (scopesOf(actor).includes(scope)) return
  if (actor.kind === 'apiKey')
    throw new AppError('insufficient_scope', `This API key lacks the scope "${scope}".`)
  throw new AppError('insufficient_role', 'Your role in this workspace does not allow this.')
}
