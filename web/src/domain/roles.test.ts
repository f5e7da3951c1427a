import { describe, expect, it } from 'vitest'
import { PERMISSIONS } from '../../../src/services/permissions.ts'
import { lastOwnerReason, mayManage, ROLE_RIGHTS, ROLES, rolesWithin } from './roles.ts'

/** What needs no row in the table: everybody may do it. */
const NOT_TOLD = ['workspaces.create', 'workspace.leave', 'usage.read']

describe('the table of roles', () => {
  it('says of every permission what the server decides', () => {
    const told = ROLE_RIGHTS.map(({ permission, roles }) => [permission, [...roles]])
    const decided = Object.entries(PERMISSIONS)
      .filter(([permission]) => !NOT_TOLD.includes(permission))
      .map(([permission, { roles }]) => [permission, [...roles]])
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(decided))
  })

  it('leaves out only what every role may do', () => {
    for (const [permission, { roles }] of Object.entries(PERMISSIONS))
      if (NOT_TOLD.includes(permission)) expect([...roles]).toEqual([...ROLES])
  })
})

describe('who may manage whom', () => {
  it('lets nobody give more than they have', () => {
    expect(rolesWithin('owner')).toEqual(['owner', 'admin', 'analyst', 'viewer'])
    expect(rolesWithin('admin')).toEqual(['admin', 'analyst', 'viewer'])
    expect(rolesWithin(null)).toEqual([])
  })

  it('keeps those above out of reach', () => {
    expect(mayManage('admin', 'owner')).toBe(false)
    expect(mayManage('admin', 'admin')).toBe(true)
    expect(mayManage('owner', 'owner')).toBe(true)
  })

  it('keeps the last owner', () => {
    const ada = { userId: 'ada', role: 'owner' } as const
    const bob = { userId: 'bob', role: 'admin' } as const
    expect(lastOwnerReason([ada, bob], 'ada')).toMatch(/last owner/)
    expect(lastOwnerReason([ada, bob], 'bob')).toBeNull()
    expect(lastOwnerReason([ada, { ...bob, role: 'owner' }], 'ada')).toBeNull()
  })
})
