import { AppError } from '../errors.ts'
import type { Actor, Role, Scope } from './context.ts'

interface Rule {
  /** What it allows, as the documents say it. */
  does: string
  /** The scope that an API key needs; `null`: no key may, only people. */
  scope: Scope | null
  roles: readonly Role[]
  /** Whether a member who is limited to brands may do it, within them. */
  withinBrands: boolean
}

const EVERYBODY: readonly Role[] = ['owner', 'admin', 'analyst', 'viewer']
const ANALYSTS: readonly Role[] = ['owner', 'admin', 'analyst']
const ADMINS: readonly Role[] = ['owner', 'admin']

/** Everything that can be done in a workspace, and by whom. Services ask; routes only say which it is. */
export const PERMISSIONS = {
  'analytics.read': {
    does: 'See accounts, posts, figures, trends and live updates',
    scope: 'read',
    roles: EVERYBODY,
    withinBrands: true,
  },
  'usage.read': {
    does: 'See what was called at which platform, and what it cost',
    scope: 'read',
    roles: EVERYBODY,
    withinBrands: false,
  },
  'accounts.write': {
    does: 'Connect, change, pause, sync, hide and restore accounts, and cancel what was begun',
    scope: 'write',
    roles: ANALYSTS,
    withinBrands: true,
  },
  'imports.write': {
    does: 'Upload files, which may add to any account',
    scope: 'write',
    roles: ANALYSTS,
    withinBrands: false,
  },
  'brands.write': {
    does: 'Make, rename and remove brands',
    scope: 'admin',
    roles: ADMINS,
    withinBrands: false,
  },
  'workspace.write': {
    does: 'Rename the workspace and change its timezone',
    scope: 'admin',
    roles: ADMINS,
    withinBrands: false,
  },
  'members.manage': {
    does: 'See members, invite, change and remove them; nobody gives more than they have',
    scope: 'admin',
    roles: ADMINS,
    withinBrands: false,
  },
  'keys.manage': {
    does: 'See, make and revoke API keys; nobody gives more than they have',
    scope: 'admin',
    roles: ADMINS,
    withinBrands: false,
  },
  'audit.read': {
    does: 'Read and export the audit log',
    scope: 'admin',
    roles: ADMINS,
    withinBrands: false,
  },
  'workspace.transfer': {
    does: 'Hand the workspace over to another member',
    scope: null,
    roles: ['owner'],
    withinBrands: false,
  },
  'workspaces.create': {
    does: 'Make another workspace',
    scope: null,
    roles: EVERYBODY,
    withinBrands: true,
  },
  'workspace.leave': {
    does: 'Leave the workspace; its last owner cannot',
    scope: null,
    roles: EVERYBODY,
    withinBrands: true,
  },
} as const satisfies Record<string, Rule>
export type Permission = keyof typeof PERMISSIONS
const PERMISSION_NAMES = Object.keys(PERMISSIONS) as Permission[]

/** Scopes that stand for a role, as `/me` shows them and as they bound the keys that a person may make. */
const ROLE_SCOPES: Record<Role, readonly Scope[]> = {
  owner: ['read', 'write', 'admin'],
  admin: ['read', 'write', 'admin'],
  analyst: ['read', 'write'],
  viewer: ['read'],
}

/** What a role amounts to in scopes. */
export function scopesOfRole(role: Role): readonly Scope[] {
  return ROLE_SCOPES[role]
}

/** What an actor may do, in scopes. */
export function scopesOf(actor: Actor): readonly Scope[] {
  switch (actor.kind) {
    case 'user':
      return actor.operator ? [...ROLE_SCOPES[actor.role], 'operator'] : ROLE_SCOPES[actor.role]
    case 'apiKey':
      return actor.scopes
    case 'system':
      return ['read', 'write', 'admin', 'operator']
  }
}

export function isAllowed(actor: Actor, permission: Permission): boolean {
  const rule: Rule = PERMISSIONS[permission]
  switch (actor.kind) {
    case 'system':
      return true
    case 'apiKey':
      return rule.scope !== null && actor.scopes.includes(rule.scope)
    case 'user':
      return rule.roles.includes(actor.role) && (actor.brands === null || rule.withinBrands)
  }
}

/** Everything that an actor may do, by name. */
export function permissionsOf(actor: Actor): Permission[] {
  return PERMISSION_NAMES.filter((name) => isAllowed(actor, name))
}

/** @throws insufficient_scope or insufficient_role when the actor may not do this */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (isAllowed(actor, permission)) return
  if (actor.kind !== 'apiKey')
    throw new AppError('insufficient_role', 'Your role in this workspace does not allow this.')
  const { scope }: Rule = PERMISSIONS[permission]
  throw new AppError(
    'insufficient_scope',
    scope === null ? 'Only people may do this, no API key.' : `This API key lacks the scope "${scope}".`,
  )
}

/** @throws insufficient_scope or insufficient_role for whoever does not run the deployment */
export function requireOperator(actor: Actor): void {
  if (scopesOf(actor).includes('operator')) return
  if (actor.kind === 'apiKey')
    throw new AppError('insufficient_scope', 'This API key lacks the scope "operator".')
  throw new AppError('insufficient_role', 'This is for the operators of the deployment alone.')
}
