import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { newId } from '../../lib/ids.ts'
import type { Actor, Role } from '../context.ts'
import { createInvitation, listInvitationsPage } from './invitations.ts'
import { changeMember, listMembersPage, removeMember } from './members.ts'
import type { UpdateMember } from './schemas.ts'
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

const ROLES: readonly Role[] = ['owner', 'admin', 'analyst', 'viewer']
const change = (by: Actor, of: Person, input: UpdateMember) =>
  changeMember(team.as(by), of.userId, input, team.directory)
const remove = (by: Actor, of: Pick<Person, 'userId'>) => removeMember(team.as(by), of.userId, team.directory)
const transfer = (by: Actor, to: Pick<Person, 'userId'>) =>
  transferWorkspace(team.as(by), { userId: to.userId }, team.directory)
const actionsOf = async () => (await team.log()).map(({ action }) => action)

describe('the list of members', () => {
  it('says who they are, what they see, and how many keys of theirs work', async () => {
    const brand = await team.brand()
    const viewer = await team.member('viewer', [brand], 'Vera')
    const [live, expired, revoked] = [
      await team.key(viewer, 'read'),
      await team.key(viewer, 'read'),
      await team.key(viewer, 'read'),
    ]
    await database.sql("UPDATE api_keys SET expires_at = '2026-03-10T12:00:00Z' WHERE id = $1", [
      expired.keyId,
    ])
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [revoked.keyId])
    expect(live).toBeDefined()
    const { items, next } = await listMembersPage(team.as(owner), { limit: 10, after: null })
    expect(next).toBeNull()
    expect(items).toEqual([
      {
        userId: owner.userId,
        name: 'Olga',
        email: owner.email,
        role: 'owner',
        brands: null,
        joinedAt: expect.any(String),
        apiKeys: 0,
      },
      {
        userId: viewer.userId,
        name: 'Vera',
        email: viewer.email,
        role: 'viewer',
        brands: [brand],
        joinedAt: expect.any(String),
        apiKeys: 1,
      },
    ])
  })

  it('comes in pages without gaps, and holds nobody of another workspace', async () => {
    const people = [owner]
    for (let i = 0; i < 4; i++) people.push(await team.member('viewer'))
    await (await Team.make(database)).member('owner')
    const seen: string[] = []
    let after: Awaited<ReturnType<typeof listMembersPage>>['next'] = null
    do {
      const page = await listMembersPage(team.as(owner), { limit: 2, after })
      seen.push(...page.items.map(({ userId }) => userId))
      after = page.next
    } while (after !== null)
    expect(seen.toSorted()).toEqual(people.map(({ userId }) => userId).toSorted())
    // Some may have come in the same millisecond.
    const inOrder = await database.sql<{ id: string }>(
      'SELECT user_id AS id FROM workspace_members WHERE workspace_id = $1 ORDER BY created_at, user_id',
      [team.workspaceId],
    )
    expect(seen).toEqual(inOrder.map(({ id }) => id))
  })
})

describe('changing a member', () => {
  it('gives them another role, and is written down', async () => {
    const viewer = await team.member('viewer')
    const changed = await change(owner, viewer, { role: 'analyst' })
    expect(changed).toMatchObject({ userId: viewer.userId, role: 'analyst', brands: null })
    expect(await team.roleOf(viewer)).toBe('analyst')
    expect(await team.log()).toEqual([
      {
        action: 'member.changed',
        ...doneBy(owner),
        target_kind: 'member',
        target_id: viewer.userId,
        target_name: viewer.email,
        details: { from: { role: 'viewer', brands: null }, to: { role: 'analyst', brands: null } },
      },
    ])
    // Whoever only gains stays connected.
    expect(team.closed).toEqual([])
    expect(team.forgotten.users).toEqual([viewer.userId])
  })

  it('limits them to brands, and lifts that again', async () => {
    const [first, second] = [await team.brand(), await team.brand()]
    const viewer = await team.member('viewer')
    const set = async (brands: string[] | null) => (await change(owner, viewer, { brands })).brands
    expect(await set([second, first, second])).toEqual([first, second].sort())
    expect(await set([second])).toEqual([second])
    expect(await set([])).toEqual([])
    expect(await set(null)).toBeNull()
    expect(await database.sql('SELECT 1 FROM member_brands WHERE user_id = $1', [viewer.userId])).toEqual([])
    expect(await actionsOf()).toHaveLength(4)
    expect(team.closed).toEqual(Array.from({ length: 4 }, () => `user:${viewer.userId}`))
  })

  it('that changes nothing writes nothing', async () => {
    const brand = await team.brand()
    const viewer = await team.member('viewer', [brand])
    for (const input of [{}, { role: 'viewer' as const }, { brands: [brand] }, { brands: [brand, brand] }])
      await change(owner, viewer, input)
    expect(await team.log()).toEqual([])
    expect(team.forgotten.users).toEqual([])
  })

  it('names brands that do not exist, and roles that cannot be limited', async () => {
    const theirs = await (await Team.make(database)).brand()
    const own = await team.brand()
    const viewer = await team.member('viewer', [own])
    expect(await pointersOf(change(owner, viewer, { brands: [own, theirs, newId()] }))).toEqual([
      '/brands/1',
      '/brands/2',
    ])
    for (const role of ['owner', 'admin'] as const) {
      expect(await pointersOf(change(owner, viewer, { role, brands: [own] }))).toEqual(['/brands'])
      // They are limited already.
      expect(await pointersOf(change(owner, viewer, { role }))).toEqual(['/brands'])
      expect(await pointersOf(change(owner, viewer, { role, brands: [] }))).toEqual(['/brands'])
    }
    expect(await team.log()).toEqual([])
    expect((await change(owner, viewer, { role: 'admin', brands: null })).brands).toBeNull()
  })

  it('takes the keys and the open invitations that rested on what they were', async () => {
    const [admin, other] = [await team.member('owner'), await team.member('owner')]
    const [key, theirs] = [await team.key(admin, 'read', 'admin'), await team.key(other, 'read')]
    const invite = (role: Role) => createInvitation(team.as(admin), { role })
    const [asOwner, asViewer] = [await invite('owner'), await invite('viewer')]
    const states = async () => {
      const { items } = await listInvitationsPage(team.as(owner), { limit: 10, before: null })
      return new Map(items.map(({ id, state }) => [id, state]))
    }
    await change(owner, admin, { role: 'admin' })
    expect(await team.liveKeys()).toEqual([key.keyId, theirs.keyId].sort())
    expect(await states()).toEqual(
      new Map([
        [asViewer.id, 'open'],
        [asOwner.id, 'withdrawn'],
      ]),
    )
    expect((await team.log()).at(-1)?.details).toEqual({
      from: { role: 'owner', brands: null },
      to: { role: 'admin', brands: null },
      withdrawnInvitations: [asOwner.id],
    })
    const changed = await change(owner, admin, { role: 'analyst' })
    expect(changed.apiKeys).toBe(0)
    expect(await team.liveKeys()).toEqual([theirs.keyId])
    expect((await states()).get(asViewer.id)).toBe('withdrawn')
    expect((await team.log()).at(-1)?.details).toMatchObject({
      revokedKeys: [{ id: key.keyId, name: 'A key' }],
      withdrawnInvitations: [asViewer.id],
    })
    expect(team.forgotten.keys).toEqual([`hash of ${key.keyId}`])
    expect(team.closed).toContain(`key:${key.keyId}`)
    expect(team.closed).not.toContain(`key:${theirs.keyId}`)
  })

  it('is refused where the last owner would go', async () => {
    for (const role of ['admin', 'analyst', 'viewer'] as const)
      expect(await codeOf(change(owner, owner, { role }))).toBe('conflict')
    expect(await team.roleOf(owner)).toBe('owner')
    await team.member('owner')
    expect((await change(owner, owner, { role: 'viewer' })).role).toBe('viewer')
  })

  it('knows nobody of another workspace', async () => {
    const stranger = await (await Team.make(database)).member('viewer')
    for (const userId of [stranger.userId, 'nobody', '', "'", 'a\0b']) {
      expect(await codeOf(change(owner, { ...stranger, userId }, { role: 'admin' }))).toBe('not_found')
      expect(await codeOf(remove(owner, { userId }))).toBe('not_found')
      expect(await codeOf(transfer(owner, { userId }))).toBe('not_found')
    }
    expect(await team.log()).toEqual([])
  })
})

describe('nobody', () => {
  const RANKS: Record<Role, number> = { owner: 3, admin: 2, analyst: 1, viewer: 0 }

  it('changes or removes somebody above them, or gives more than they have', async () => {
    await team.member('owner')
    for (const by of ROLES)
      for (const of of ROLES)
        for (const to of ROLES.filter((role) => role !== of)) {
          const [actor, target] = [await team.member(by), await team.member(of)]
          const may = RANKS[by] >= 2 && RANKS[of] <= RANKS[by] && RANKS[to] <= RANKS[by]
          const code = await codeOf(change(actor, target, { role: to }))
          expect(`${by} makes ${of} ${to}: ${code}`).toBe(
            `${by} makes ${of} ${to}: ${may ? 'none' : 'insufficient_role'}`,
          )
          expect(await team.roleOf(target)).toBe(may ? to : of)
        }
    for (const by of ROLES)
      for (const of of ROLES) {
        const [actor, target] = [await team.member(by), await team.member(of)]
        const may = RANKS[by] >= 2 && RANKS[of] <= RANKS[by]
        expect(`${by} ${of} ${await codeOf(remove(actor, target))}`).toBe(
          `${by} ${of} ${may ? 'none' : 'insufficient_role'}`,
        )
        expect(await team.roleOf(target)).toBe(may ? null : of)
      }
  })

  it('does so by a key: it stands below owners, and gives no scope that it lacks', async () => {
    for (const [scopes, of, to, code] of [
      [['read', 'write', 'admin'], 'viewer', 'admin', 'none'],
      [['read', 'write', 'admin'], 'viewer', 'owner', 'insufficient_role'],
      [['read', 'write', 'admin'], 'owner', 'viewer', 'insufficient_role'],
      [['read', 'admin'], 'viewer', 'analyst', 'insufficient_role'],
      [['read', 'admin'], 'analyst', 'viewer', 'insufficient_role'],
      [['read', 'write'], 'analyst', 'viewer', 'insufficient_scope'],
    ] as const) {
      await team.member('owner')
      const target = await team.member(of)
      const key = await team.key(owner, ...scopes)
      expect(`${scopes} ${of} ${to} ${await codeOf(change(key, target, { role: to }))}`).toBe(
        `${scopes} ${of} ${to} ${code}`,
      )
    }
    expect((await team.log()).map(({ actor_kind }) => actor_kind)).toEqual(['apiKey'])
  })

  it('does so with rights that were taken a moment ago', async () => {
    const [admin, viewer] = [await team.member('admin'), await team.member('viewer')]
    await change(owner, admin, { role: 'viewer' })
    // What the request knows of them is some seconds old.
    expect(await codeOf(change(admin, viewer, { role: 'admin' }))).toBe('insufficient_role')
    expect(await codeOf(remove(admin, viewer))).toBe('insufficient_role')
    await remove(owner, admin)
    expect(await codeOf(change(admin, viewer, { role: 'admin' }))).toBe('insufficient_role')
    expect(await codeOf(createInvitation(team.as(admin), { role: 'viewer' }))).toBe('insufficient_role')
    expect(await team.roleOf(viewer)).toBe('viewer')
    expect(await actionsOf()).toEqual(['member.changed', 'member.removed'])
  })
})
