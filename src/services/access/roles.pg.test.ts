import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { namedPeriod } from '../../domain/periods.ts'
import { newId } from '../../lib/ids.ts'
import { removeAccount } from '../accounts/manage-accounts.ts'
import { listAuditLog } from '../audit/list-audit-log.ts'
import { createBrand, getBrands } from '../brands/brands.ts'
import type { Actor, Role, Scope, ServiceContext } from '../context.ts'
import { streamOf } from '../imports/rig.test-helper.ts'
import { startImport } from '../imports/start-import.ts'
import { isAllowed, PERMISSIONS, type Permission, permissionsOf } from '../permissions.ts'
import { readUsage } from '../usage/read-usage.ts'
import { listApiKeysPage } from './api-keys.ts'
import { listMembersPage, removeMember } from './members.ts'
import { codeOf, type Person, Team } from './team.test-helper.ts'
import { transferWorkspace } from './transfer-workspace.ts'
import { createWorkspace, updateWorkspace } from './workspaces.ts'

/** Who may do what, said once more, in other words than the code's; and one verb for each permission. */
interface Expectation {
  roles: readonly Role[]
  /** `null`: no key. */
  scope: Scope | null
  withinBrands: boolean
  verb(ctx: ServiceContext, team: Team): Promise<unknown>
}

const page = { limit: 10, before: null }
const everybody: readonly Role[] = ['owner', 'admin', 'analyst', 'viewer']
const admins: readonly Role[] = ['owner', 'admin']

const EXPECTED: Record<Permission, Expectation> = {
  'analytics.read': { roles: everybody, scope: 'read', withinBrands: true, verb: getBrands },
  'usage.read': {
    roles: everybody,
    scope: 'read',
    withinBrands: false,
    verb: (ctx) => readUsage(ctx, namedPeriod('7d', 'UTC', ctx.clock.now())),
  },
  'accounts.write': {
    roles: ['owner', 'admin', 'analyst'],
    scope: 'write',
    withinBrands: true,
    verb: (ctx) => removeAccount(ctx, newId()),
  },
  'imports.write': {
    roles: ['owner', 'admin', 'analyst'],
    scope: 'write',
    withinBrands: false,
    verb: (ctx) =>
      startImport(ctx, { platform: 'x', handle: 'example', format: 'ndjson', body: streamOf('{}\n') }),
  },
  'brands.write': {
    roles: admins,
    scope: 'admin',
    withinBrands: false,
    verb: (ctx) => createBrand(ctx, { name: newId() }),
  },
  'workspace.write': {
    roles: admins,
    scope: 'admin',
    withinBrands: false,
    verb: (ctx) => updateWorkspace(ctx, ctx.workspace.id, { name: newId() }),
  },
  'members.manage': {
    roles: admins,
    scope: 'admin',
    withinBrands: false,
    verb: (ctx) => listMembersPage(ctx, { limit: 10, after: null }),
  },
  'keys.manage': {
    roles: admins,
    scope: 'admin',
    withinBrands: false,
    verb: (ctx) => listApiKeysPage(ctx, page),
  },
  'audit.read': {
    roles: admins,
    scope: 'admin',
    withinBrands: false,
    verb: (ctx) =>
      listAuditLog(ctx, {
        filter: { actors: [], actions: [], from: null, until: null },
        after: null,
        limit: 5,
      }),
  },
  'workspace.transfer': {
    roles: ['owner'],
    scope: null,
    withinBrands: false,
    verb: (ctx, team) => transferWorkspace(ctx, { userId: newId() }, team.directory),
  },
  'workspaces.create': {
    roles: everybody,
    scope: null,
    withinBrands: true,
    verb: (ctx, team) => createWorkspace(ctx, { name: 'Another' }, team.directory),
  },
  'workspace.leave': {
    roles: everybody,
    scope: null,
    withinBrands: true,
    verb: (ctx, team) =>
      removeMember(ctx, ctx.actor.kind === 'user' ? ctx.actor.userId : newId(), team.directory),
  },
}

let database: TestDatabase
let team: Team
beforeAll(async () => {
  database = await createTestDatabase()
  team = await Team.make(database)
  await team.member('owner')
})
afterAll(() => database.close())

const ROLE_CASES: [Role, boolean][] = everybody.flatMap((role) =>
  // Owners and admins cannot be limited; were they, they would lose what a limited member may not do.
  [false, true].map((limited): [Role, boolean] => [role, limited]),
)
const SCOPE_CASES: { scopes: Scope[] }[] = [
  { scopes: ['read'] },
  { scopes: ['write'] },
  { scopes: ['admin'] },
  { scopes: ['operator'] },
  { scopes: ['read', 'write', 'admin', 'operator'] },
]
const NAMES = Object.keys(EXPECTED) as Permission[]

/** Whether a verb gets as far as its work; `not_found` and others come after the question of rights. */
async function isRefused(permission: Permission, actor: Actor): Promise<boolean> {
  const code = await codeOf(EXPECTED[permission].verb(team.as(actor), team))
  return code === 'insufficient_role' || code === 'insufficient_scope'
}

async function actorOf(role: Role, limited: boolean): Promise<Person> {
  return team.member(role, limited ? [] : null)
}

describe.each(NAMES)('%s', (permission) => {
  const { roles, scope, withinBrands } = EXPECTED[permission]

  it.each(ROLE_CASES)(
    'is as expected for a person who is %s (limited to brands: %s)',
    async (role, limited) => {
      const actor = await actorOf(role, limited)
      const may = roles.includes(role) && (withinBrands || !limited)
      expect(isAllowed(actor, permission)).toBe(may)
      expect(permissionsOf(actor).includes(permission)).toBe(may)
      expect(await isRefused(permission, actor)).toBe(!may)
    },
  )

  it.each(SCOPE_CASES)('is as expected for a key with $scopes', async ({ scopes }) => {
    const actor = await team.key(null, ...scopes)
    const may = scope !== null && scopes.includes(scope)
    expect(isAllowed(actor, permission)).toBe(may)
    expect(permissionsOf(actor).includes(permission)).toBe(may)
    if (permission !== 'workspace.leave') expect(await isRefused(permission, actor)).toBe(!may)
  })
})

it('is said of every permission that there is', () => {
  expect(NAMES.toSorted()).toEqual(Object.keys(PERMISSIONS).toSorted())
})
