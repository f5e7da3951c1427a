import type { DescribedOperation } from './described-operations.ts'
import type { Caller, Role, Scope } from './team.ts'

/** Who may do what, as the contract has it: written down a second time, so that a slip in either shows. */

interface Right {
  roles: readonly Role[]
  /** What a key needs; `null`: no key may, only people. */
  scope: Scope | null
}

const EVERYBODY: readonly Role[] = ['owner', 'admin', 'analyst', 'viewer']
const ANALYSTS: readonly Role[] = ['owner', 'admin', 'analyst']
const ADMINS: readonly Role[] = ['owner', 'admin']

/** By what an operation's description says under `x-permission`. */
const RIGHTS: Record<string, Right> = {
  'analytics.read': { roles: EVERYBODY, scope: 'read' },
  'usage.read': { roles: EVERYBODY, scope: 'read' },
  'accounts.write': { roles: ANALYSTS, scope: 'write' },
  'imports.write': { roles: ANALYSTS, scope: 'write' },
  'brands.write': { roles: ADMINS, scope: 'admin' },
  'workspace.write': { roles: ADMINS, scope: 'admin' },
  'members.manage': { roles: ADMINS, scope: 'admin' },
  'keys.manage': { roles: ADMINS, scope: 'admin' },
  'audit.read': { roles: ADMINS, scope: 'admin' },
  'workspace.transfer': { roles: ['owner'], scope: null },
  'workspaces.create': { roles: EVERYBODY, scope: null },
  'workspace.leave': { roles: EVERYBODY, scope: null },
  operator: { roles: [], scope: 'operator' },
}
/** Whoever is known at all. */
const ANYBODY = 'any'
/** For people alone, though its description says `any`: a key is nobody who could become a member. */
const PEOPLE_ONLY: readonly string[] = ['POST /api/v1/invitations/accept']
/** Of what the owner began: theirs and the admins' alone. A key with one scope is neither. */
const WHOEVER_BEGAN: readonly string[] = [
  'GET /api/v1/accounts/authorizations/{id}',
  'POST /api/v1/accounts/authorizations/{id}/connect',
]

/** Whether somebody may ask this of the workspace that they speak of. */
export function mayAsk(
  { role, scope }: Pick<Caller, 'role' | 'scope'>,
  operation: DescribedOperation,
): boolean {
  const permission = permissionOf(operation)
  if (permission === ANYBODY) return role !== null || !PEOPLE_ONLY.includes(operation.name)
  if (WHOEVER_BEGAN.includes(operation.name)) return role !== null && ADMINS.includes(role)
  const right = RIGHTS[permission]
  if (right === undefined)
    throw new Error(`Nobody says who may "${permission}": add it to RIGHTS (test/e2e/support/permissions.ts)`)
  return role === null ? right.scope !== null && right.scope === scope : right.roles.includes(role)
}

/** What an operation needs. @throws where its description does not say it */
export function permissionOf({ name, permission, isPublic }: DescribedOperation): string {
  if (permission !== null) return permission
  if (isPublic) return 'public'
  throw new Error(`${name} does not say who may ask for it: give its route an "x-permission"`)
}
