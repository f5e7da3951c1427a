import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  ApiKey,
  CreatedInvitation,
  Invitation,
  InvitationPreview,
  Member,
  WorkspaceSummary,
} from '../../src/services/access/schemas.ts'
import { Account } from '../../src/services/accounts/schemas.ts'
import { Brand } from '../../src/services/brands/schemas.ts'
import { type Client, expectProblem, nobody, parsed, pointersOf } from './support/client.ts'
import { type LiveSocket, listenLive } from './support/live.ts'
import { bearer, importFile, makeKey, ndjson, type Person, signUp } from './support/people.ts'
import { sql, sqlRow, stack } from './support/stack.ts'
import { until } from './support/wait.ts'

/** How long access may outlast its end. */
const MUST_END_WITHIN_MS = 10_000
const NO_ACCESS = 4403

const Me = z.object({
  user: z.object({ id: z.string(), emailVerified: z.boolean() }).nullable(),
  workspace: z.object({ id: z.string(), role: z.string().nullable() }),
  brands: z.array(z.string()).nullable(),
  permissions: z.array(z.string()),
})
const Accepted = z.object({ workspaceId: z.string() })
const Mails = z.object({ mails: z.array(z.looseObject({ text: z.string() })) })

/** Somebody, asking for a workspace of theirs that need not be the first. */
const inside = (person: Person, workspaceId: string): Client =>
  person.session.with({ 'x-workspace-id': workspaceId })
const membersOf = (id: string) => `/api/v1/workspaces/${id}/members`
const invitationsOf = (id: string) => `/api/v1/workspaces/${id}/invitations`
const idOf = async (person: Person) => (await person.session.read(Me, '/api/v1/me')).user?.id ?? ''
const tokenOf = ({ url }: { url: string }) => new URL(url).hash.slice(1)

const invite = (by: Client, workspaceId: string, given: object = {}) =>
  by.make(CreatedInvitation, invitationsOf(workspaceId), { role: 'viewer', ...given })
const accept = (by: Client, token: string) => by.post('/api/v1/invitations/accept', { token })

/** Makes somebody a member by a link. */
async function join(person: Person, by: Person, given: object = {}): Promise<string> {
  const made = await invite(by.session, by.workspaceId, given)
  expect(parsed(Accepted, await accept(person.session, tokenOf(made)))).toEqual({
    workspaceId: by.workspaceId,
  })
  return idOf(person)
}

/** Resolves when a call is answered with one of these. */
async function endsWith(ask: () => Promise<{ status: number }>, statuses: number[]): Promise<void> {
  await until('access ends', async () => (statuses.includes((await ask()).status) ? true : null), {
    timeoutMs: MUST_END_WITHIN_MS,
    everyMs: 250,
  })
}

async function endsSoon(socket: LiveSocket): Promise<void> {
  await until('the connection ends', async () => (socket.isOpen ? null : true), {
    timeoutMs: MUST_END_WITHIN_MS,
    everyMs: 20,
  })
}

const actionsOf = async (workspaceId: string) =>
  (
    await sql<{ action: string }>('SELECT action FROM audit_log WHERE workspace_id = $1 ORDER BY at, id', [
      workspaceId,
    ])
  ).map(({ action }) => action)

describe('two people and their workspaces', () => {
  let ada: Person
  let ben: Person
  beforeEach(async () => {
    ;[ada, ben] = [await signUp('Ada'), await signUp('Ben')]
  })

  it('make, list, rename and choose them', async () => {
    const made = await ada.session.make(WorkspaceSummary, '/api/v1/workspaces', {
      name: 'Second',
      timezone: 'Asia/Tokyo',
    })
    expect(made).toEqual({ id: made.id, name: 'Second', timezone: 'Asia/Tokyo', role: 'owner' })
    const listed = await ada.session.readAll(WorkspaceSummary, '/api/v1/workspaces')
    expect(listed.map(({ id }) => id)).toEqual([ada.workspaceId, made.id])
    // A key has the one that it belongs to.
    expect(await ada.key.readAll(WorkspaceSummary, '/api/v1/workspaces')).toMatchObject([
      { id: ada.workspaceId, role: null },
    ])
    // The path says which is meant, without a header.
    expect((await ada.session.patch(`/api/v1/workspaces/${made.id}`, { name: 'Renamed' })).status).toBe(204)
    expect((await ada.session.readAll(WorkspaceSummary, '/api/v1/workspaces'))[1]?.name).toBe('Renamed')
    expect((await inside(ada, made.id).read(Me, '/api/v1/me')).workspace).toEqual(
      expect.objectContaining({ id: made.id, role: 'owner' }),
    )
    expectProblem(await ada.key.post('/api/v1/workspaces', { name: 'No' }), 403, 'insufficient_scope')
    const wrong = expectProblem(
      await ada.session.post('/api/v1/workspaces', { name: '', timezone: 5, more: 1 }),
      400,
      'invalid_request',
    )
    expect(pointersOf(wrong)).toEqual(['/more', '/name', '/timezone'])
    expect(await actionsOf(made.id)).toEqual(['workspace.created', 'workspace.changed'])
  })

  it('change nothing by a change that names nothing', async () => {
    const generation = () =>
      sqlRow<{ n: string }>('SELECT generation::text AS n FROM workspaces WHERE id = $1', [ada.workspaceId])
    const before = await generation()
    expect((await ada.session.patch(`/api/v1/workspaces/${ada.workspaceId}`, {})).status).toBe(204)
    expect(await generation()).toEqual(before)
  })

  it('invite each other by a link that is mailed, and shown once', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() }
    const body = { role: 'analyst', email: ben.email.toUpperCase() }
    const [made, again] = [
      parsed(CreatedInvitation, await ada.session.post(invitationsOf(ada.workspaceId), body, key), 201),
      parsed(CreatedInvitation, await ada.session.post(invitationsOf(ada.workspaceId), body, key), 201),
    ]
    // What is shown once is not kept to be shown again.
    expect(tokenOf(again)).not.toBe(tokenOf(made))
    const kept = await sqlRow<{ n: number }>(
      'SELECT count(*)::int AS n FROM idempotency_keys WHERE workspace_id = $1',
      [ada.workspaceId],
    )
    expect(kept.n).toBe(0)
    expect(made).toMatchObject({ email: ben.email, invitedBy: 'Ada', state: 'open', mailed: true })
    expect(made.url.startsWith(`${stack.url}/invite#tmi_`)).toBe(true)
    const mails = await fetch(`${stack.mailUrl}/mails.json?to=${encodeURIComponent(ben.email)}`)
    expect(Mails.parse(await mails.json()).mails.some(({ text }) => text.includes(made.url))).toBe(true)

    const token = tokenOf(made)
    const preview = { token }
    expect(await nobody.make(InvitationPreview, '/api/v1/public/invitations/preview', preview)).toEqual({
      workspaceName: "Ada's workspace",
      role: 'analyst',
      email: ben.email,
      invitedBy: 'Ada',
      expiresAt: made.expiresAt,
      state: 'open',
    })
    expectProblem(
      await nobody.post('/api/v1/public/invitations/preview', { token: `tmi_${'A'.repeat(43)}` }),
      404,
      'not_found',
    )
    expectProblem(await nobody.post('/api/v1/public/invitations/preview', {}), 400, 'invalid_request')

    // It is for Ben, and for no key.
    const carla = await signUp('Carla')
    expectProblem(await accept(carla.session, token), 403, 'wrong_person')
    expectProblem(await accept(ben.key, token), 403, 'insufficient_scope')
    expect(parsed(Accepted, await accept(ben.session, token))).toEqual({ workspaceId: ada.workspaceId })
    // The next request knows it.
    expect(await inside(ben, ada.workspaceId).read(Me, '/api/v1/me')).toMatchObject({
      workspace: { id: ada.workspaceId, role: 'analyst' },
      brands: null,
    })
    expectProblem(await accept(carla.session, token), 410, 'gone')
    expect(
      (await ben.session.readAll(WorkspaceSummary, '/api/v1/workspaces')).map(({ role }) => role),
    ).toEqual(['owner', 'analyst'])
    const listed = await ada.session.readAll(Invitation, invitationsOf(ada.workspaceId))
    expect(listed.map(({ state }) => state)).toEqual(['open', 'accepted'])
    expect(JSON.stringify(listed)).not.toContain('tmi_')
  })

  it('refuse links that were withdrawn, have expired or never were', async () => {
    const [withdrawn, expired] = [
      await invite(ada.session, ada.workspaceId),
      await invite(ada.session, ada.workspaceId),
    ]
    const path = `${invitationsOf(ada.workspaceId)}/${withdrawn.id}`
    expectProblem(await ben.session.delete(path), 404, 'not_found')
    expect((await ada.session.delete(path)).status).toBe(204)
    await sql("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1", [expired.id])
    for (const made of [withdrawn, expired])
      expectProblem(await accept(ben.session, tokenOf(made)), 410, 'gone')
    expectProblem(await accept(ben.session, 'nothing'), 404, 'not_found')
    expectProblem(await accept(nobody, tokenOf(expired)), 401, 'unauthorized')
  })

  it('see each other as their roles allow', async () => {
    const benId = await join(ben, ada, { role: 'viewer' })
    const there = inside(ben, ada.workspaceId)
    expectProblem(await there.get(membersOf(ada.workspaceId)), 403, 'insufficient_role')
    expectProblem(
      await there.patch(`${membersOf(ada.workspaceId)}/${benId}`, { role: 'admin' }),
      403,
      'insufficient_role',
    )
    expectProblem(
      await there.post('/api/v1/api-keys', { name: 'No', scopes: ['read'] }),
      403,
      'insufficient_role',
    )
    const members = await ada.session.readAll(Member, `${membersOf(ada.workspaceId)}?limit=1`)
    expect(members.map(({ name, role }) => [name, role])).toEqual([
      ['Ada', 'owner'],
      ['Ben', 'viewer'],
    ])
    // Whoever is no member finds nothing, not even with a key that may do everything elsewhere.
    const carla = await signUp('Carla')
    for (const client of [carla.session, carla.key])
      for (const answer of [
        await client.get(membersOf(ada.workspaceId)),
        await client.post(invitationsOf(ada.workspaceId), {}),
        await client.patch(`${membersOf(ada.workspaceId)}/${benId}`, {}),
        await client.post(`/api/v1/workspaces/${ada.workspaceId}/transfer`, {}),
      ])
        expectProblem(answer, 404, 'not_found')
  })

  it('limit a member to a brand, who then sees its accounts alone', async () => {
    for (const handle of ['first', 'second'])
      await importFile(ada.key, {
        handle,
        body: ndjson([{ post_id: handle, posted_at: '2026-11-01T10:00:00Z', likes: 1 }]),
      })
    const accounts = await ada.session.readAll(Account, '/api/v1/accounts')
    const brand = await ada.session.make(Brand, '/api/v1/brands', { name: 'Harbour' })
    const taken = expectProblem(
      await ada.session.post('/api/v1/brands', { name: 'HARBOUR' }),
      409,
      'conflict',
    )
    expect(taken.existingId).toBe(brand.id)
    const other = await ada.session.make(Brand, '/api/v1/brands', { name: 'Quay' })
    await ada.session.patch(`/api/v1/accounts/${accounts[0]?.id}`, { brandId: brand.id })
    const benId = await join(ben, ada, { role: 'analyst', brands: [brand.id] })
    const there = inside(ben, ada.workspaceId)
    expect((await there.read(Me, '/api/v1/me')).brands).toEqual([brand.id])
    expect((await there.readAll(Account, '/api/v1/accounts')).map(({ id }) => id)).toEqual([accounts[0]?.id])
    expect(await there.readAll(Brand, '/api/v1/brands')).toMatchObject([{ id: brand.id, accounts: 1 }])
    expectProblem(await there.post('/api/v1/brands', { name: 'Mine' }), 403, 'insufficient_role')
    const wrong = await ada.session.patch(`${membersOf(ada.workspaceId)}/${benId}`, { role: 'admin' })
    expect(pointersOf(expectProblem(wrong, 400, 'invalid_request'))).toEqual(['/brands'])
    const moved = await ada.session.patch(`${membersOf(ada.workspaceId)}/${benId}`, { brands: [other.id] })
    expect(parsed(Member, moved).brands).toEqual([other.id])
    await until('the new limit holds', async () =>
      (await there.readAll(Account, '/api/v1/accounts')).length === 0 ? true : null,
    )
    // Without the brand that they saw alone they see nothing, and not everything.
    expect((await ada.session.delete(`/api/v1/brands/${other.id}`)).status).toBe(204)
    expect((await ada.session.delete(`/api/v1/brands/${other.id}`)).status).toBe(404)
    expect(await there.readAll(Account, '/api/v1/accounts')).toEqual([])
    expect(await ada.session.readAll(Account, '/api/v1/accounts')).toHaveLength(2)
  })

  it('lose access soon after it is taken, on open connections as well', async () => {
    const benId = await join(ben, ada, { role: 'admin' })
    const there = inside(ben, ada.workspaceId)
    const made = await makeKey(there, ['read', 'write'])
    const [bySession, byKey] = [await listenLive(there), await listenLive(bearer(made.key))]
    const stays = await listenLive(ada.session)
    expect((await ada.session.delete(`${membersOf(ada.workspaceId)}/${benId}`)).status).toBe(204)
    await Promise.all([endsSoon(bySession), endsSoon(byKey)])
    await endsWith(() => there.get('/api/v1/accounts'), [404])
    await endsWith(() => bearer(made.key).get('/api/v1/accounts'), [401])
    expect((await ada.session.readAll(ApiKey, '/api/v1/api-keys')).map(({ id }) => id)).not.toContain(made.id)
    // Ben keeps what is his own, and Ada her connection.
    expect((await ben.session.get('/api/v1/accounts')).status).toBe(200)
    stays.send('ping')
    await until('pong', async () => stays.texts.find((text) => text === 'pong'))
    expect(stays.isOpen).toBe(true)
    stays.close()
    for (const socket of [bySession, byKey]) expect(await socket.closed).toMatchObject({ code: NO_ACCESS })
    expect(await actionsOf(ada.workspaceId)).toEqual([
      'api_key.created',
      'invitation.created',
      'member.joined',
      'api_key.created',
      'member.removed',
    ])
  })

  it('lose what a smaller role does not allow, and keep the rest', async () => {
    const benId = await join(ben, ada, { role: 'admin' })
    const there = inside(ben, ada.workspaceId)
    const made = await makeKey(there, ['read'])
    const socket = await listenLive(there)
    const path = `${membersOf(ada.workspaceId)}/${benId}`
    expect(parsed(Member, await ada.session.patch(path, { role: 'viewer' }))).toMatchObject({
      role: 'viewer',
      apiKeys: 0,
    })
    await endsSoon(socket)
    await endsWith(() => bearer(made.key).get('/api/v1/accounts'), [401])
    await endsWith(() => there.get(membersOf(ada.workspaceId)), [403])
    expect((await there.get('/api/v1/accounts')).status).toBe(200)
  })

  it('hand a workspace over, and leave it', async () => {
    const benId = await join(ben, ada)
    const adaId = await idOf(ada)
    const members = membersOf(ada.workspaceId)
    expectProblem(await ada.session.delete(`${members}/${adaId}`), 409, 'conflict')
    expectProblem(await ada.session.patch(`${members}/${adaId}`, { role: 'viewer' }), 409, 'conflict')
    const transfer = `/api/v1/workspaces/${ada.workspaceId}/transfer`
    expectProblem(await ada.key.post(transfer, { userId: benId }), 403, 'insufficient_scope')
    expect((await ada.session.post(transfer, { userId: benId })).status).toBe(204)
    const there = inside(ben, ada.workspaceId)
    await until('Ben owns it', async () =>
      (await there.read(Me, '/api/v1/me')).workspace.role === 'owner' ? true : null,
    )
    await endsWith(() => ada.session.post(transfer, { userId: benId }), [403])
    // Admins stand below owners.
    expectProblem(await ada.session.delete(`${members}/${benId}`), 403, 'insufficient_role')
    expect((await ada.session.delete(`${members}/${adaId}`)).status).toBe(204)
    await endsWith(() => inside(ada, ada.workspaceId).get('/api/v1/accounts'), [404])
    // Whoever has none left is given one of their own.
    const own = await ada.session.read(Me, '/api/v1/me')
    expect(own.workspace).toMatchObject({ role: 'owner' })
    expect(own.workspace.id).not.toBe(ada.workspaceId)
    expect((await actionsOf(ada.workspaceId)).slice(-2)).toEqual(['workspace.transferred', 'member.left'])
  })
})

describe('a key with limits', () => {
  it('says so in the list, with who made it and when it was used', async () => {
    const ada = await signUp('Ada')
    const limits = { readsPerMinute: 7 }
    const made = parsed(
      ApiKey,
      await ada.session.post('/api/v1/api-keys', { name: 'Slow', scopes: ['read'], limits }),
      201,
    )
    expect(made).toMatchObject({ createdBy: 'Ada', limits: { readsPerMinute: 7, writesPerMinute: null } })
    const wrong = await ada.session.post('/api/v1/api-keys', {
      name: 'Slow',
      scopes: ['read'],
      limits: { readsPerMinute: 0 },
    })
    expect(pointersOf(expectProblem(wrong, 400, 'invalid_request'))).toEqual(['/limits/readsPerMinute'])
    const keys = await ada.session.readAll(ApiKey, '/api/v1/api-keys?limit=1')
    expect(keys.map(({ id }) => id)).toContain(made.id)
    expect(keys.find(({ name }) => name === 'Test')?.lastUsedAt).toBeDefined()
  })
})
