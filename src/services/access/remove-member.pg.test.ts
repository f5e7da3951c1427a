import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import type { Actor } from '../context.ts'
import { createInvitation } from './invitations.ts'
import { changeMember, removeMember } from './members.ts'
import type { UpdateMember } from './schemas.ts'
import { codeOf, doneBy, type Person, Team } from './team.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let team: Team
let owner: Person
beforeEach(async () => {
  team = await Team.make(database)
  owner = await team.member('owner', null, 'Olga')
})

const change = (by: Actor, of: Person, input: UpdateMember) =>
  changeMember(team.as(by), of.userId, input, team.directory)
const remove = (by: Actor, of: Pick<Person, 'userId'>) => removeMember(team.as(by), of.userId, team.directory)
const actionsOf = async () => (await team.log()).map(({ action }) => action)

describe('removing a member', () => {
  it('takes everything that they made and that lets somebody in', async () => {
    const admin = await team.member('admin')
    const [made, old] = [await team.key(admin, 'read'), await team.key(admin, 'read')]
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [old.keyId])
    const invitation = await createInvitation(team.as(admin), { role: 'viewer' })
    await remove(owner, admin)
    expect(await team.roleOf(admin)).toBeNull()
    expect(await team.liveKeys()).toEqual([])
    expect((await team.log()).at(-1)).toEqual({
      action: 'member.removed',
      ...doneBy(owner),
      target_kind: 'member',
      target_id: admin.userId,
      target_name: admin.email,
      details: {
        role: 'admin',
        brands: null,
        revokedKeys: [{ id: made.keyId, name: 'A key' }],
        withdrawnInvitations: [invitation.id],
      },
    })
    expect(team.closed.toSorted()).toEqual([`key:${made.keyId}`, `user:${admin.userId}`].sort())
    expect(team.forgotten).toEqual({ users: [admin.userId], keys: [`hash of ${made.keyId}`] })
  })

  it('is leaving, where it is oneself, which anybody may but the last owner', async () => {
    const brand = await team.brand()
    const limited = await team.member('viewer', [brand])
    await remove(limited, limited)
    expect(await team.roleOf(limited)).toBeNull()
    expect(await team.log()).toMatchObject([
      { action: 'member.left', ...doneBy(limited), details: { role: 'viewer', brands: [brand] } },
    ])
    expect(await codeOf(remove(owner, owner))).toBe('conflict')
    expect(await codeOf(remove(await team.key(owner, 'read', 'write', 'admin'), owner))).toBe(
      'insufficient_role',
    )
    expect(await team.roleOf(owner)).toBe('owner')
  })

  it('succeeds though live connections cannot be reached', async () => {
    const viewer = await team.member('viewer')
    const hub = { ...team.ctx.hub, revoke: () => Promise.reject(new Error('unreachable')) }
    await removeMember({ ...team.as(owner), hub }, viewer.userId, team.directory)
    expect(await team.roleOf(viewer)).toBeNull()
  })

  it('leaves one owner where all leave at once', async () => {
    for (let round = 0; round < 5; round++) {
      const there = await Team.make(database)
      const owners = [await there.member('owner'), await there.member('owner'), await there.member('owner')]
      const codes = await Promise.all(
        owners.map((one) => codeOf(removeMember(there.as(one), one.userId, there.directory))),
      )
      expect(codes.sort()).toEqual(['conflict', 'none', 'none'])
      expect([...(await there.roles()).values()]).toEqual(['owner'])
      expect((await there.log()).map(({ action }) => action)).toEqual(['member.left', 'member.left'])
    }
  })

  it('leaves one owner where two demote each other at once', async () => {
    for (let round = 0; round < 5; round++) {
      const there = await Team.make(database)
      const [one, two] = [await there.member('owner'), await there.member('owner')]
      const demote = (by: Person, of: Person) =>
        codeOf(changeMember(there.as(by), of.userId, { role: 'viewer' }, there.directory))
      const codes = await Promise.all([demote(one, two), demote(two, one)])
      expect(codes.filter((code) => code === 'none')).toHaveLength(1)
      expect([...(await there.roles()).values()].sort()).toEqual(['owner', 'viewer'])
      expect(await there.log()).toHaveLength(1)
    }
  })

  it('is written down once, however many remove them at once', async () => {
    const viewer = await team.member('viewer')
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(remove(owner, viewer))))
    expect(codes.sort()).toEqual(['none', ...Array.from({ length: 4 }, () => 'not_found')])
    expect(await actionsOf()).toEqual(['member.removed'])
  })

  it('is written down as one chain, however many change them at once', async () => {
    const viewer = await team.member('viewer')
    const roles = ['analyst', 'admin', 'owner', 'analyst', 'admin'] as const
    await Promise.all(roles.map((role) => change(owner, viewer, { role })))
    let role: unknown = 'viewer'
    for (const { details } of await team.log()) {
      expect(details).toMatchObject({ from: { role } })
      role = Reflect.get(Object(details.to), 'role')
    }
    expect(await team.roleOf(viewer)).toBe(role)
  })
})
