import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { AppError } from '../../errors.ts'
import type { Actor, Role, Scope } from '../context.ts'
import { createApiKey } from './api-keys.ts'
import { acceptInvitation, createInvitation } from './invitations.ts'
import { changeMember, removeMember } from './members.ts'
import { type Person, Team } from './team.test-helper.ts'
import { transferWorkspace } from './transfer-workspace.ts'

/** Whatever members do to each other, in whatever order and at once: what always holds. */
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const ROLES = ['owner', 'admin', 'analyst', 'viewer'] as const
const RANKS: Record<Role, number> = { owner: 3, admin: 2, analyst: 1, viewer: 0 }
const SCOPES: Record<Role, readonly Scope[]> = {
  owner: ['read', 'write', 'admin'],
  admin: ['read', 'write', 'admin'],
  analyst: ['read', 'write'],
  viewer: ['read'],
}
const PEOPLE = 5

const person = fc.nat(PEOPLE - 1)
const role = fc.constantFrom(...ROLES)
/** Which of two brands; `null`: all. */
const brands = fc.option(fc.subarray([0, 1]), { nil: null, freq: 2 })
const step = fc.oneof(
  fc.record({ does: fc.constant('invite' as const), by: person, role, brands }),
  fc.record({ does: fc.constant('accept' as const), by: person, which: fc.nat(9) }),
  fc.record({ does: fc.constant('leave' as const), by: person }),
  fc.record({ does: fc.constant('remove' as const), by: person, of: person }),
  fc.record({ does: fc.constant('transfer' as const), by: person, of: person }),
  fc.record({
    does: fc.constant('change' as const),
    by: person,
    of: person,
    role: fc.option(role, { nil: undefined }),
    brands: fc.option(brands, { nil: undefined }),
  }),
  fc.record({
    does: fc.constant('key' as const),
    by: person,
    scopes: fc.subarray(['read', 'write', 'admin'] as const, { minLength: 1 }),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A workspace of its own, with what a sequence of steps knows. */
class World {
  readonly team: Team
  readonly people: Person[] = []
  readonly brandIds: string[] = []
  readonly tokens: string[] = []
  done = 0

  private constructor(team: Team) {
    this.team = team
  }

  static async make(): Promise<World> {
    const world = new World(await Team.make(database))
    for (let i = 0; i < 2; i++) world.brandIds.push(await world.team.brand())
    world.people.push(await world.team.member('owner'))
    while (world.people.length < PEOPLE) world.people.push(await world.team.person())
    return world
  }

  /** Somebody as requests see them now; `null`: not a member, so that no request comes this far. */
  async actor(index: number): Promise<Extract<Actor, { kind: 'user' }> | null> {
    const { userId, email } = this.at(index)
    const [row] = await database.sql<{ role: Role | null; brand_ids: string[] | null }>(
      'SELECT role, brand_ids FROM app_person($1, $2) WHERE workspace_id = $3',
      [userId, '', this.team.workspaceId],
    )
    if (row?.role == null) return null
    return { kind: 'user', userId, email, operator: false, role: row.role, brands: row.brand_ids }
  }

  at(index: number): Person {
    const found = this.people[index]
    if (found === undefined) throw new Error('nobody')
    return found
  }

  /** Makes a step; refusals are part of the game, other failures are not. */
  async make(one: Step, actor: Actor | null): Promise<void> {
    try {
      await this.carryOut(one, actor)
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal' || error.code === 'unavailable')
        throw error
    }
  }

  private async carryOut(one: Step, actor: Actor | null): Promise<void> {
    const { team } = this
    const idsOf = (some: readonly number[] | null) =>
      some === null ? null : some.map((i) => this.brandIds[i] ?? '')
    if (one.does === 'accept') {
      const token = this.tokens[one.which % Math.max(1, this.tokens.length)]
      if (token === undefined) return
      await acceptInvitation(team.as(actor ?? this.at(one.by)), token, team.directory)
      // A member stays what they are.
      if (actor === null) this.done += 1
      return
    }
    if (actor === null) return
    const ctx = team.as(actor)
    switch (one.does) {
      case 'invite': {
        const made = await createInvitation(ctx, { role: one.role, brands: idsOf(one.brands) })
        this.tokens.push(made.url.split('#')[1] ?? '')
        this.done += 1
        return
      }
      case 'leave':
        await removeMember(ctx, this.at(one.by).userId, team.directory)
        this.done += 1
        return
      case 'remove':
        await removeMember(ctx, this.at(one.of).userId, team.directory)
        this.done += 1
        return
      case 'transfer':
        await transferWorkspace(ctx, { userId: this.at(one.of).userId }, team.directory)
        this.done += 1
        return
      case 'key':
        await createApiKey(ctx, { name: 'CI', scopes: [...one.scopes] })
        this.done += 1
        return
      case 'change': {
        const before = team.forgotten.users.length
        const input = {
          ...(one.role !== undefined && { role: one.role }),
          ...(one.brands !== undefined && { brands: idsOf(one.brands) }),
        }
        await changeMember(ctx, this.at(one.of).userId, input, team.directory)
        // What changes nothing is neither written down nor forgotten.
        if (team.forgotten.users.length > before) this.done += 1
      }
    }
  }

  /** Everything that holds at any time. */
  async check(): Promise<void> {
    const roles = await this.team.roles()
    expect([...roles.values()]).toContain('owner')
    const limited = await database.sql<{ role: Role; all_brands: boolean; brands: number }>(
      `SELECT m.role, m.all_brands, (SELECT count(*)::int FROM member_brands b
         WHERE b.workspace_id = m.workspace_id AND b.user_id = m.user_id) AS brands
       FROM workspace_members m WHERE workspace_id = $1`,
      [this.team.workspaceId],
    )
    for (const { role: is, all_brands: all, brands: count } of limited) {
      if (RANKS[is] >= 2) expect(all).toBe(true)
      if (all) expect(count).toBe(0)
    }
    // Whoever could not make a key or an invitation any more has none.
    const left = await database.sql<{ by: string; scopes: Scope[] | null; role: Role | null }>(
      `SELECT created_by AS by, scopes, NULL AS role FROM api_keys
         WHERE workspace_id = $1 AND revoked_at IS NULL
       UNION ALL SELECT created_by, NULL, role FROM invitations
         WHERE workspace_id = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL`,
      [this.team.workspaceId],
    )
    for (const { by, scopes, role: given } of left) {
      const is = roles.get(by)
      if (is === undefined) throw new Error('Somebody who is gone has left a way in.')
      expect(RANKS[is]).toBeGreaterThanOrEqual(2)
      if (given !== null) expect(RANKS[is]).toBeGreaterThanOrEqual(RANKS[given])
      for (const scope of scopes ?? []) expect(SCOPES[is]).toContain(scope)
    }
  }
}

/** Roles that were given, by the log, by whoever had which at that moment. */
async function checkGivers({ team, people }: World): Promise<void> {
  const has = new Map<string, Role>([[people[0]?.userId ?? '', 'owner']])
  const offered = new Map<string, Role>()
  for (const { action, actor_id: actor, target_id: target, details } of await team.log()) {
    const giver = has.get(actor ?? '')
    const id = target ?? ''
    const roleIn = (value: unknown) => ROLES.find((one) => one === Reflect.get(Object(value), 'role'))
    const gives = (given: Role | undefined) => {
      if (giver === undefined || given === undefined) throw new Error(`${action} by nobody`)
      expect(RANKS[giver]).toBeGreaterThanOrEqual(RANKS[given])
    }
    switch (action) {
      case 'invitation.created':
        gives(roleIn(details))
        offered.set(id, roleIn(details) ?? 'viewer')
        break
      case 'member.joined':
        expect(roleIn(details)).toBe(offered.get(String(details.invitationId)))
        has.set(id, roleIn(details) ?? 'viewer')
        break
      case 'member.changed':
        expect(roleIn(details.from)).toBe(has.get(id))
        gives(roleIn(details.from))
        gives(roleIn(details.to))
        has.set(id, roleIn(details.to) ?? 'viewer')
        break
      case 'workspace.transferred':
        expect(giver).toBe('owner')
        has.set(actor ?? '', 'admin')
        has.set(id, 'owner')
        break
      case 'member.left':
      case 'member.removed':
        if (action === 'member.removed') gives(has.get(id))
        has.delete(id)
    }
  }
  expect(has).toEqual(await team.roles())
}

it('keeps an owner, gives nobody more than their giver had, and writes every change down once', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const world = await World.make()
      for (const one of steps) {
        // Later than the step before, for the log's order.
        world.team.time.nowMs += 1
        await world.make(one, await world.actor(one.by))
        await world.check()
      }
      await checkGivers(world)
      expect(await world.team.log()).toHaveLength(world.done)
    }),
    { numRuns: 15 },
  )
})

it('keeps to the same where steps are made at once, by people whose rights are as they were a moment ago', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 2, maxLength: 4 }), { minLength: 2, maxLength: 8 }),
      async (rounds) => {
        const world = await World.make()
        for (const round of rounds) {
          world.team.time.nowMs += 1
          const actors: (Actor | null)[] = []
          for (const one of round) actors.push(await world.actor(one.by))
          await Promise.all(round.map((one, i) => world.make(one, actors[i] ?? null)))
          await world.check()
        }
        await checkGivers(world)
      },
    ),
    { numRuns: 15 },
  )
})
