import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { codeOf, doneBy, type Person, pointersOf, Team } from './team.test-helper.ts'
import { createWorkspace } from './workspaces.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let team: Team
let person: Person
beforeEach(async () => {
  team = await Team.make(database)
  person = await team.member('viewer')
})

const make = (input: { name: string; timezone?: string } = { name: 'Another' }) =>
  createWorkspace(team.as(person), input, team.directory)
const owned = async () =>
  (
    await database.sql<{ id: string }>(
      "SELECT workspace_id AS id FROM workspace_members WHERE user_id = $1 AND role = 'owner'",
      [person.userId],
    )
  ).length

describe('a workspace of one’s own', () => {
  it('is made by whoever may be nothing but a viewer elsewhere', async () => {
    const made = await make({ name: 'Another', timezone: 'Europe/Berlin' })
    expect(made).toEqual({
      id: expect.any(String),
      name: 'Another',
      timezone: 'Europe/Berlin',
      role: 'owner',
    })
    expect(
      await database.sql(
        `SELECT w.name, w.timezone, m.user_id, m.role, m.all_brands FROM workspaces w
         JOIN workspace_members m ON m.workspace_id = w.id WHERE w.id = $1`,
        [made.id],
      ),
    ).toEqual([
      { name: 'Another', timezone: 'Europe/Berlin', user_id: person.userId, role: 'owner', all_brands: true },
    ])
    expect(team.forgotten.users).toEqual([person.userId])
  })

  it('is written down in itself', async () => {
    const { id } = await make()
    expect(await team.log()).toEqual([])
    const log = await database.sql(
      'SELECT action, actor_kind, actor_id, actor_name, target_id, details, ip, user_agent, request_id FROM audit_log WHERE workspace_id = $1',
      [id],
    )
    expect(log).toEqual([
      { action: 'workspace.created', ...doneBy(person), target_id: id, details: { timezone: 'UTC' } },
    ])
  })

  it('is refused to keys, and in timezones that do not exist', async () => {
    const key = await team.key(person, 'read', 'write', 'admin')
    expect(await codeOf(createWorkspace(team.as(key), { name: 'No' }, team.directory))).toBe(
      'insufficient_scope',
    )
    expect(await pointersOf(make({ name: 'No', timezone: 'Mars/Olympus' }))).toEqual(['/timezone'])
    expect(await owned()).toBe(0)
  })

  it('is one of twenty at most, also of many that are made at once', async () => {
    const codes = await Promise.all(Array.from({ length: 24 }, () => codeOf(make())))
    expect(codes.filter((code) => code === 'none')).toHaveLength(20)
    expect(codes.filter((code) => code === 'conflict')).toHaveLength(4)
    expect(await owned()).toBe(20)
    expect(await database.sql('SELECT 1 FROM audit_log WHERE actor_id = $1', [person.userId])).toHaveLength(
      20,
    )
    const other = await team.member('viewer')
    expect(await codeOf(createWorkspace(team.as(other), { name: 'Mine' }, team.directory))).toBe('none')
  })
})
