import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import type { Actor, Role } from '../context.ts'
import { createInvitation } from './invitations.ts'
import { listMembersPage } from './members.ts'
import { codeOf, doneBy, type Person, pointersOf, Team } from './team.test-helper.ts'
import { transferWorkspace } from './transfer-workspace.ts'

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

const transfer = (by: Actor, to: Pick<Person, 'userId'>) =>
  transferWorkspace(team.as(by), { userId: to.userId }, team.directory)
const actionsOf = async () => (await team.log()).map(({ action }) => action)

describe('handing a workspace over', () => {
  it('makes another member the owner and the caller an admin', async () => {
    const brand = await team.brand()
    const heir = await team.member('analyst', [brand])
    const [key, asOwner] = [
      await team.key(owner, 'read', 'admin'),
      await createInvitation(team.as(owner), { role: 'owner' }),
    ]
    await transfer(owner, heir)
    expect(await team.roles()).toEqual(
      new Map<string, Role>([
        [owner.userId, 'admin'],
        [heir.userId, 'owner'],
      ]),
    )
    const { items } = await listMembersPage(team.as({ ...owner, role: 'admin' }), { limit: 5, after: null })
    expect(items.map(({ brands }) => brands)).toEqual([null, null])
    // An admin may still make such keys.
    expect(await team.liveKeys()).toEqual([key.keyId])
    expect((await team.log()).slice(1)).toEqual([
      {
        action: 'workspace.transferred',
        ...doneBy(owner),
        target_kind: 'member',
        target_id: heir.userId,
        target_name: heir.email,
        details: {
          from: { userId: owner.userId, email: owner.email },
          to: { userId: heir.userId, email: heir.email },
          withdrawnInvitations: [asOwner.id],
        },
      },
    ])
    expect(team.closed.toSorted()).toEqual([`user:${heir.userId}`, `user:${owner.userId}`].sort())
  })

  it('is for owners alone, and not to oneself', async () => {
    const [admin, heir] = [await team.member('admin'), await team.member('viewer')]
    expect(await codeOf(transfer(admin, heir))).toBe('insufficient_role')
    expect(await codeOf(transfer(await team.key(owner, 'read', 'write', 'admin'), heir))).toBe(
      'insufficient_scope',
    )
    expect(await pointersOf(transfer(owner, owner))).toEqual(['/userId'])
    expect(await team.log()).toEqual([])
  })

  it('happens once, though it is asked for to two at once', async () => {
    const heirs = [await team.member('viewer'), await team.member('viewer')]
    const codes = await Promise.all(heirs.map((heir) => codeOf(transfer(owner, heir))))
    expect(codes.sort()).toEqual(['insufficient_role', 'none'])
    expect([...(await team.roles()).values()].sort()).toEqual(['admin', 'owner', 'viewer'])
    expect(await actionsOf()).toEqual(['workspace.transferred'])
  })
})
