import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import type { Mail } from '../../ports.ts'
import type { Actor, Role, ServiceContext } from '../context.ts'
import {
  acceptInvitation,
  createInvitation,
  getInvitationPreview,
  listInvitationsPage,
  withdrawInvitation,
} from './invitations.ts'
import { CreateInvitation } from './schemas.ts'
import { codeOf, doneBy, type Person, pointersOf, Team } from './team.test-helper.ts'

const DAY_MS = 86_400_000

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

const invite = (by: Actor = owner, given: Partial<CreateInvitation> = {}) =>
  createInvitation(team.as(by), { role: 'viewer', ...given })
const accept = (person: Actor, token: string) => acceptInvitation(team.as(person), token, team.directory)
const list = async () => (await listInvitationsPage(team.as(owner), { limit: 100, before: null })).items
const stateOf = async (id: string) => (await list()).find((one) => one.id === id)?.state
const tokenOf = ({ url }: { url: string }) => url.split('#')[1] ?? ''
const NEVER_MADE = `tmi_${'A'.repeat(43)}`

describe('a new invitation', () => {
  it('is a link that is shown this once', async () => {
    const made = await invite(owner, { role: 'admin' })
    expect(made).toEqual({
      id: expect.any(String),
      email: null,
      role: 'admin',
      brands: null,
      invitedBy: 'Olga',
      createdAt: '2026-03-10T12:00:00Z',
      expiresAt: '2026-03-17T12:00:00Z',
      state: 'open',
      acceptedAt: null,
      url: expect.stringMatching(/^https:\/\/tidemark\.example\/invite#tmi_[A-Za-z0-9_-]{43}$/),
      mailed: false,
    })
    const { url: _, mailed: __, ...shown } = made
    expect(await list()).toEqual([shown])
    const [row] = await database.sql('SELECT * FROM invitations WHERE id = $1', [made.id])
    expect(row).toMatchObject({ token_hash: await sha256Hex(tokenOf(made)), created_by: owner.userId })
    expect(JSON.stringify([row, await team.log()])).not.toContain(tokenOf(made).slice(4))
  })

  it('is written down with who made it', async () => {
    const made = await invite(owner, { email: 'vera@example.com', expiresInDays: 1 })
    expect(await team.log()).toEqual([
      {
        action: 'invitation.created',
        ...doneBy(owner),
        target_kind: 'invitation',
        target_id: made.id,
        target_name: 'vera@example.com',
        details: { role: 'viewer', brands: null, expiresAt: '2026-03-11T12:00:00.000Z' },
      },
    ])
  })

  it('that a key makes is of whoever made the key', async () => {
    const key = await team.key(owner, 'read', 'write', 'admin')
    expect((await invite(key)).invitedBy).toBe('Olga')
    expect(await team.log()).toMatchObject([doneBy(key)])
  })

  it('gives no more than whoever makes it has', async () => {
    const RANKS: Record<Role, number> = { owner: 3, admin: 2, analyst: 1, viewer: 0 }
    const roles = ['owner', 'admin', 'analyst', 'viewer'] as const
    for (const by of roles) {
      const actor = await team.member(by)
      for (const role of roles)
        expect(`${by} ${role} ${await codeOf(invite(actor, { role }))}`).toBe(
          `${by} ${role} ${RANKS[by] >= 2 && RANKS[role] <= RANKS[by] ? 'none' : 'insufficient_role'}`,
        )
    }
    expect(await codeOf(invite(await team.key(owner, 'read', 'write', 'admin'), { role: 'owner' }))).toBe(
      'insufficient_role',
    )
    expect(await codeOf(invite(await team.key(owner, 'read', 'admin'), { role: 'analyst' }))).toBe(
      'insufficient_role',
    )
    expect(await codeOf(invite(await team.key(owner, 'read', 'write')))).toBe('insufficient_scope')
  })

  it('names brands that do not exist, and roles that cannot be limited', async () => {
    const [own, theirs] = [await team.brand(), await (await Team.make(database)).brand()]
    expect((await invite(owner, { brands: [own, own] })).brands).toEqual([own])
    expect((await invite(owner, { brands: [] })).brands).toEqual([])
    expect(await pointersOf(invite(owner, { brands: [theirs, own, newId()] }))).toEqual([
      '/brands/0',
      '/brands/2',
    ])
    expect(await pointersOf(invite(owner, { role: 'admin', brands: [own] }))).toEqual(['/brands'])
    expect(await pointersOf(invite(owner, { role: 'owner', brands: [] }))).toEqual(['/brands'])
  })

  it('is for an address in lower case, and not for a member', async () => {
    const email = CreateInvitation.parse({ role: 'viewer', email: ' Vera@Example.COM ' }).email ?? ''
    expect((await invite(owner, { email })).email).toBe('vera@example.com')
    expect(await codeOf(invite(owner, { email: owner.email }))).toBe('conflict')
    for (const wrong of ['vera', 'a@b', 'a b@example.com', 'a@example.com\r\nBcc: b@example.com', ''])
      expect(CreateInvitation.safeParse({ role: 'viewer', email: wrong }).success).toBe(false)
    for (const expiresInDays of [0, 31, 1.5])
      expect(CreateInvitation.safeParse({ role: 'viewer', expiresInDays }).success).toBe(false)
  })

  it('is one of a hundred open ones at most, also of many that are made at once', async () => {
    for (let i = 0; i < 94; i++)
      await database.sql(
        `INSERT INTO invitations (id, workspace_id, role, token_hash, expires_at)
         VALUES ($1, $2, 'viewer', $1::uuid::text, '2026-03-11T00:00:00Z')`,
        [newId(), team.workspaceId],
      )
    const withdrawn = await invite()
    await withdrawInvitation(team.as(owner), withdrawn.id)
    const codes = await Promise.all(Array.from({ length: 10 }, () => codeOf(invite())))
    expect(codes.filter((code) => code === 'none')).toHaveLength(6)
    expect(codes.filter((code) => code === 'conflict')).toHaveLength(4)
    expect(await team.log()).toHaveLength(2 + 6)
    // Those that have expired do not count.
    team.time.nowMs += DAY_MS
    expect(await codeOf(invite())).toBe('none')
  })
})

describe('the mail of an invitation', () => {
  const sendingBy = (send: (mail: Mail) => Promise<void>): ServiceContext => ({
    ...team.as(owner),
    mailer: { send },
  })

  it('goes to whom it is for, with the link', async () => {
    const sent: Mail[] = []
    const ctx = sendingBy(async (mail) => void sent.push(mail))
    const made = await createInvitation(ctx, { role: 'analyst', email: 'vera@example.com' })
    expect(made.mailed).toBe(true)
    expect(sent).toMatchObject([{ to: 'vera@example.com', subject: expect.stringContaining('Olga') }])
    expect(sent[0]?.text).toContain(made.url)
    expect(sent[0]?.text).toContain('analyst')
    expect((await createInvitation(ctx, { role: 'analyst' })).mailed).toBe(false)
    expect(sent).toHaveLength(1)
  })

  it('may fail: the invitation is made all the same, and the link is not logged', async () => {
    const warned: unknown[] = []
    const ctx = sendingBy(() => Promise.reject(new Error('no mail today')))
    const log = { ...ctx.log, warn: (...words: unknown[]) => void warned.push(...words) }
    const made = await createInvitation({ ...ctx, log }, { role: 'viewer', email: 'vera@example.com' })
    expect(made.mailed).toBe(false)
    expect(await stateOf(made.id)).toBe('open')
    expect(warned).toHaveLength(2)
    expect(JSON.stringify(warned)).not.toContain(tokenOf(made))
  })
})

describe('an invitation', () => {
  it('makes somebody a member, once', async () => {
    const brand = await team.brand()
    const made = await invite(owner, { role: 'analyst', brands: [brand] })
    const [vera, other] = [await team.person('Vera'), await team.person()]
    expect(await accept(vera, tokenOf(made))).toEqual({ workspaceId: team.workspaceId })
    expect(await team.roleOf(vera)).toBe('analyst')
    expect(
      await database.sql('SELECT brand_id AS id FROM member_brands WHERE user_id = $1', [vera.userId]),
    ).toEqual([{ id: brand }])
    expect(team.forgotten.users).toEqual([vera.userId])
    expect((await list())[0]).toMatchObject({ state: 'accepted', acceptedAt: '2026-03-10T12:00:00Z' })
    // The same person is told the same again; nobody else gets in by it.
    expect(await accept(vera, tokenOf(made))).toEqual({ workspaceId: team.workspaceId })
    expect(await codeOf(accept(other, tokenOf(made)))).toBe('gone')
    expect((await team.log()).filter(({ action }) => action !== 'invitation.created')).toEqual([
      {
        action: 'member.joined',
        ...doneBy(vera),
        target_kind: 'member',
        target_id: vera.userId,
        target_name: vera.email,
        details: { role: 'analyst', invitationId: made.id, brands: [brand] },
      },
    ])
  })

  it('takes one of many who come at once', async () => {
    const token = tokenOf(await invite())
    const people: Person[] = []
    for (let i = 0; i < 6; i++) people.push(await team.person())
    const codes = await Promise.all(people.map((person) => codeOf(accept(person, token))))
    expect(codes.sort()).toEqual([...Array.from({ length: 5 }, () => 'gone'), 'none'])
    expect((await team.roles()).size).toBe(2)
    expect((await team.log()).filter(({ action }) => action === 'member.joined')).toHaveLength(1)
  })

  it('is for the address that it names alone, however that is written', async () => {
    const vera = await team.person()
    await database.sql('UPDATE auth_users SET email = upper(email) WHERE id = $1', [vera.userId])
    const token = tokenOf(await invite(owner, { email: vera.email }))
    expect(await codeOf(accept(await team.person(), token))).toBe('wrong_person')
    expect(await codeOf(accept(vera, token))).toBe('none')
  })

  it('stays good for others where a member opens it', async () => {
    const [made, analyst] = [await invite(), await team.member('analyst')]
    expect(await codeOf(accept(analyst, tokenOf(made)))).toBe('none')
    expect(await team.roleOf(analyst)).toBe('analyst')
    expect(await stateOf(made.id)).toBe('open')
  })

  it('does not bring back whoever was removed since', async () => {
    const [token, vera] = [tokenOf(await invite()), await team.person()]
    await accept(vera, token)
    await database.sql('DELETE FROM workspace_members WHERE user_id = $1', [vera.userId])
    expect(await codeOf(accept(vera, token))).toBe('gone')
  })

  it('limits to those of its brands that are still there, be that none', async () => {
    const [stays, goes] = [await team.brand(), await team.brand()]
    const [both, one] = [
      await invite(owner, { brands: [stays, goes] }),
      await invite(owner, { brands: [goes] }),
    ]
    await database.sql('DELETE FROM brands WHERE id = $1', [goes])
    const [ann, ben] = [await team.person(), await team.person()]
    await accept(ann, tokenOf(both))
    await accept(ben, tokenOf(one))
    const seen = (person: Person) =>
      database.sql('SELECT brand_ids FROM app_person($1, $2)', [person.userId, ''])
    expect(await seen(ann)).toEqual([{ brand_ids: [stays] }])
    expect(await seen(ben)).toEqual([{ brand_ids: [] }])
  })

  it('ends when it expires, and when it is withdrawn', async () => {
    const [expiring, withdrawn] = [await invite(owner, { expiresInDays: 1 }), await invite()]
    await withdrawInvitation(team.as(owner), withdrawn.id)
    const vera = await team.person()
    expect(await codeOf(accept(vera, tokenOf(withdrawn)))).toBe('gone')
    team.time.nowMs += DAY_MS - 1
    expect(await stateOf(expiring.id)).toBe('open')
    team.time.nowMs += 1
    expect(await stateOf(expiring.id)).toBe('expired')
    expect(await codeOf(accept(vera, tokenOf(expiring)))).toBe('gone')
    expect(await team.roleOf(vera)).toBeNull()
  })

  it('is not there where it was never made, and not for keys', async () => {
    const vera = await team.person()
    for (const token of [NEVER_MADE, '', 'nothing', "tmi_'", `${NEVER_MADE}\n`, 'a\0b'])
      expect(await codeOf(accept(vera, token))).toBe('not_found')
    const key = await team.key(owner, 'read', 'write', 'admin')
    expect(await codeOf(accept(key, tokenOf(await invite())))).toBe('insufficient_scope')
  })

  it('tells whoever has its link what it is', async () => {
    const made = await invite(owner, { email: 'vera@example.com', role: 'analyst' })
    const preview = () => getInvitationPreview(team.ctx, tokenOf(made))
    expect(await preview()).toEqual({
      workspaceName: 'Test',
      role: 'analyst',
      email: 'vera@example.com',
      invitedBy: 'Olga',
      expiresAt: made.expiresAt,
      state: 'open',
    })
    await withdrawInvitation(team.as(owner), made.id)
    expect((await preview()).state).toBe('withdrawn')
    for (const token of [NEVER_MADE, '', 'a\0b'])
      expect(await codeOf(getInvitationPreview(team.ctx, token))).toBe('not_found')
  })
})

describe('withdrawing an invitation', () => {
  it('is written down once, and changes nothing where it is worthless already', async () => {
    const made = await invite()
    await Promise.all(Array.from({ length: 4 }, () => withdrawInvitation(team.as(owner), made.id)))
    await withdrawInvitation(team.as(owner), made.id)
    expect((await team.log()).slice(1)).toEqual([
      {
        action: 'invitation.withdrawn',
        ...doneBy(owner),
        target_kind: 'invitation',
        target_id: made.id,
        target_name: null,
        details: { role: 'viewer' },
      },
    ])
  })

  it('and accepting it at once end with one of the two', async () => {
    for (let round = 0; round < 8; round++) {
      const [made, vera] = [await invite(), await team.person()]
      const [accepted, withdrawn] = await Promise.all([
        codeOf(accept(vera, tokenOf(made))),
        codeOf(withdrawInvitation(team.as(owner), made.id)),
      ])
      expect(['none conflict', 'gone none']).toContain(`${accepted} ${withdrawn}`)
      expect(await team.roleOf(vera)).toBe(accepted === 'none' ? 'viewer' : null)
    }
  })

  it('is refused for one that was accepted, and for what stands above', async () => {
    const [made, asOwner] = [await invite(), await invite(owner, { role: 'owner' })]
    await accept(await team.person(), tokenOf(made))
    const withdraw = (by: Actor, id: string) => codeOf(withdrawInvitation(team.as(by), id))
    expect(await withdraw(owner, made.id)).toBe('conflict')
    expect(await withdraw(await team.member('admin'), asOwner.id)).toBe('insufficient_role')
    expect(await withdraw(await team.member('analyst'), asOwner.id)).toBe('insufficient_role')
    expect(await withdraw(owner, asOwner.id)).toBe('none')
  })

  it('knows none of another workspace', async () => {
    const there = await Team.make(database)
    const made = await createInvitation(there.as(await there.member('owner')), { role: 'viewer' })
    for (const id of [made.id, newId(), '', 'nothing', 'a\0b'])
      expect(await codeOf(withdrawInvitation(team.as(owner), id))).toBe('not_found')
    expect(await list()).toEqual([])
  })
})

describe('the list of invitations', () => {
  it('comes in pages, the newest first, without gaps', async () => {
    const made: string[] = []
    for (let i = 0; i < 5; i++) {
      team.time.nowMs += 1
      made.unshift((await invite()).id)
    }
    const seen: string[] = []
    let before: string | null = null
    do {
      const page = await listInvitationsPage(team.as(owner), { limit: 2, before })
      seen.push(...page.items.map(({ id }) => id))
      before = page.next
    } while (before !== null)
    expect(seen).toEqual(made)
  })
})
