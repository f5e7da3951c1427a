import type { Role } from '../../../src/http/wire.ts'

/** Roles, the one with the most rights first. */
export const ROLES = ['owner', 'admin', 'analyst', 'viewer'] as const satisfies readonly Role[]

export const ROLE_LABELS: Readonly<Record<Role, string>> = {
  owner: 'Owner',
  admin: 'Admin',
  analyst: 'Analyst',
  viewer: 'Viewer',
}

export const ROLE_HELP: Readonly<Record<Role, string>> = {
  owner: 'Everything, and may hand the workspace over.',
  admin: 'Manages members, brands, keys and the workspace.',
  analyst: 'Connects accounts, syncs and imports.',
  viewer: 'Looks at everything, changes nothing.',
}

/** What each role may do, in the order of the table that tells of it. */
export const ROLE_RIGHTS: readonly { permission: string; does: string; roles: readonly Role[] }[] = [
  {
    permission: 'analytics.read',
    does: 'See accounts, posts, figures and trends',
    roles: ['owner', 'admin', 'analyst', 'viewer'],
  },
  {
    permission: 'accounts.write',
    does: 'Connect, sync, pause and remove accounts',
    roles: ['owner', 'admin', 'analyst'],
  },
  { permission: 'imports.write', does: 'Import files', roles: ['owner', 'admin', 'analyst'] },
  { permission: 'brands.write', does: 'Make and remove brands', roles: ['owner', 'admin'] },
  { permission: 'members.manage', does: 'Invite, change and remove members', roles: ['owner', 'admin'] },
  { permission: 'keys.manage', does: 'Make and revoke API keys', roles: ['owner', 'admin'] },
  { permission: 'audit.read', does: 'Read and export the audit log', roles: ['owner', 'admin'] },
  {
    permission: 'workspace.write',
    does: 'Rename the workspace, change its timezone',
    roles: ['owner', 'admin'],
  },
  { permission: 'workspace.transfer', does: 'Hand the workspace over', roles: ['owner'] },
]

/** Roles that somebody with this role may give: none above their own. */
export function rolesWithin(own: Role | null): readonly Role[] {
  return own === null ? [] : ROLES.slice(ROLES.indexOf(own))
}

/** Whether somebody with this role may change or remove one with that: nobody above them. */
export function mayManage(own: Role | null, other: Role): boolean {
  return rolesWithin(own).includes(other)
}

/** Whether members with this role can be limited to brands; owners and admins see everything. */
export function canBeLimited(role: Role): boolean {
  return role === 'analyst' || role === 'viewer'
}

/** Why nobody may change this member's role or remove them; `null`: they can. */
export function lastOwnerReason(
  members: readonly { userId: string; role: Role }[],
  userId: string,
): string | null {
  const owners = members.filter(({ role }) => role === 'owner')
  return owners.length === 1 && owners[0]?.userId === userId
    ? 'The last owner stays: hand the workspace over first.'
    : null
}
