import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { cookiesOf, type PeopleRig, peopleRig, somebody } from './people.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let rig: PeopleRig
beforeEach(() => {
  rig = peopleRig(database)
})

type Credentials = ReturnType<typeof somebody>
const NEW_PASSWORD = 'otter canal seventeen'

async function newcomer(): Promise<Credentials & { cookie: string; id: string; workspaceId: string }> {
  const person = somebody()
  const response = await rig.post('/auth/sign-up/email', person)
  const cookie = cookiesOf(response)
  const me = await (await rig.ask('/api/v1/me', { headers: { cookie } })).json()
  return { ...person, cookie, id: me.id, workspaceId: me.workspaces[0].workspaceId }
}

/** Another device. */
async function signIn(
  { email, password }: Credentials,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await rig.post('/auth/sign-in/email', { email, password }, headers)
  expect(response.status).toBe(200)
  return cookiesOf(response)
}

const isSignedIn = async (cookie: string, by = rig) =>
  (await by.ask('/api/v1/me', { headers: { cookie } })).status === 200

const codeOf = async (response: Response) => `${response.status} ${(await response.json()).code}`
const pointersOf = async (response: Response) => {
  const { errors } = await response.json()
  return errors.map(({ pointer }: { pointer: string }) => pointer)
}

const actionsIn = (workspaceId: string) =>
  database.sql<{ action: string; details: object; ip: string; user_agent: string; request_id: string }>(
    "SELECT action, details, ip, user_agent, request_id FROM audit_log WHERE workspace_id = $1 AND action <> 'workspace.created' ORDER BY at, id",
    [workspaceId],
  )

/** What stands behind `#` in the last mail's link. */
function tokenOf(to: string): string {
  const { text = '' } = rig.mails.findLast((mail) => mail.to === to) ?? {}
  const [, token] = /#(\S+)/.exec(text) ?? []
  if (token === undefined) throw new Error(`No link for ${to} in: ${text}`)
  return token
}

async function askForReset(email: string): Promise<string> {
  expect((await rig.post('/auth/request-password-reset', { email })).status).toBe(200)
  await rig.settled()
  return tokenOf(email)
}

describe('a session', () => {
  it('has a token of its own after each sign-in, whatever cookie came along', async () => {
    const person = await newcomer()
    const tokenIn = (cookie: string) => /session_token=([^;]+)/.exec(cookie)?.[1]
    const again = await signIn(person, { cookie: person.cookie })
    expect(tokenIn(again)).toBeDefined()
    expect(tokenIn(again)).not.toBe(tokenIn(person.cookie))
    const planted = '__Host-tidemark.session_token=planted'
    expect(await signIn(person, { cookie: planted })).not.toContain('planted')
  })

  it('comes in cookies for this host alone, that no script reads', async () => {
    const person = await newcomer()
    const response = await rig.post('/auth/sign-in/email', person)
    const cookies = response.headers.getSetCookie()
    expect(cookies.length).toBeGreaterThanOrEqual(2)
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__Host-/)
      const attributes = cookie.toLowerCase().split(/; */).slice(1)
      expect(attributes).toEqual(expect.arrayContaining(['httponly', 'secure', 'path=/', 'samesite=lax']))
      expect(cookie).not.toMatch(/domain=/i)
    }
  })

  it('ends with a sign-out, also for copies of its cookie', async () => {
    const person = await newcomer()
    const other = await signIn(person)
    expect((await rig.post('/auth/sign-out', {}, { cookie: person.cookie })).status).toBe(200)
    expect(await isSignedIn(person.cookie)).toBe(false)
    expect(await isSignedIn(other)).toBe(true)
    // Somebody is still there.
    expect(rig.revoked).toEqual([])
    await rig.post('/auth/sign-out', {}, { cookie: other })
    expect(rig.revoked).toEqual([`${person.workspaceId} user:${person.id}`])
    expect(await actionsIn(person.workspaceId)).toEqual([])
  })

  it.each([
    ['/auth/revoke-sessions', false],
    ['/auth/revoke-other-sessions', true],
  ])('of another device is ended by %s; one’s own stands: %s', async (path, ownStands) => {
    const person = await newcomer()
    const others = [await signIn(person), await signIn(person)]
    for (const cookie of others) expect(await isSignedIn(cookie)).toBe(true)
    const headers = {
      cookie: person.cookie,
      ...{ 'cf-connecting-ip': '203.0.113.9', 'user-agent': 'A browser', 'x-request-id': 'request-1' },
    }
    expect((await rig.post(path, {}, headers)).status).toBe(200)
    for (const cookie of others) expect(await isSignedIn(cookie)).toBe(false)
    expect(await isSignedIn(person.cookie)).toBe(ownStands)
    expect(rig.revoked).toEqual([`${person.workspaceId} user:${person.id}`])
    expect(await actionsIn(person.workspaceId)).toEqual([
      {
        action: 'sessions.ended',
        details: { sessionsEnded: ownStands ? 2 : 3 },
        ...{ ip: '203.0.113.9', user_agent: 'A browser', request_id: 'request-1' },
      },
    ])
  })

  it('can be ended from a list of them, by whoever they belong to', async () => {
    const [person, stranger] = [await newcomer(), await newcomer()]
    const other = await signIn(person)
    const list = await (await rig.ask('/auth/list-sessions', { headers: { cookie: person.cookie } })).json()
    expect(list).toHaveLength(2)
    const token = /session_token=([^.;]+)/.exec(other)?.[1]
    expect(list.map((session: { token: string }) => session.token)).toContain(token)
    await rig.post('/auth/revoke-session', { token }, { cookie: stranger.cookie })
    expect(await isSignedIn(other)).toBe(true)
    expect(await actionsIn(stranger.workspaceId)).toEqual([])
    expect((await rig.post('/auth/revoke-session', { token }, { cookie: person.cookie })).status).toBe(200)
    expect(await isSignedIn(other)).toBe(false)
    expect(await actionsIn(person.workspaceId)).toMatchObject([
      { action: 'sessions.ended', details: { sessionsEnded: 1 } },
    ])
  })

  it('that has ended changes nothing, however well its cookie is signed', async () => {
    const person = await newcomer()
    await rig.post('/auth/sign-out', {}, { cookie: person.cookie })
    // Another isolate, which has not heard of it.
    const elsewhere = peopleRig(database)
    const headers = { cookie: person.cookie }
    for (const [path, json] of [
      ['/auth/update-user', { name: 'Mallory' }],
      ['/auth/change-password', { currentPassword: person.password, newPassword: NEW_PASSWORD }],
      ['/auth/revoke-sessions', {}],
    ] as const)
      expect(await codeOf(await elsewhere.post(path, json, headers))).toBe('401 unauthorized')
    expect((await elsewhere.ask('/auth/list-sessions', { headers })).status).toBe(401)
    expect(await (await elsewhere.ask('/auth/get-session', { headers })).json()).toBeNull()
    expect(await isSignedIn(person.cookie, elsewhere)).toBe(false)
  })
})

describe('a password', () => {
  it('is refused when it would be guessed, and the field is named', async () => {
    const refused = await rig.post('/auth/sign-up/email', { ...somebody(), password: 'password1234' })
    expect(await pointersOf(refused)).toEqual(['/password'])
    const person = await newcomer()
    const weak = `${person.email.split('@')[0]}xyz`
    const change = { currentPassword: person.password, newPassword: weak }
    const headers = { cookie: person.cookie }
    expect(await pointersOf(await rig.post('/auth/change-password', change, headers))).toEqual([
      '/newPassword',
    ])
    const token = await askForReset(person.email)
    const reset = await rig.post('/auth/reset-password', { token, newPassword: weak })
    expect(await pointersOf(reset)).toEqual(['/newPassword'])
    // The link is still good.
    expect((await rig.post('/auth/reset-password', { token, newPassword: NEW_PASSWORD })).status).toBe(200)
  })

  it('is changed by who knows it', async () => {
    const person = await newcomer()
    const other = await signIn(person)
    const change = (currentPassword: string, more: object = {}) =>
      rig.post(
        '/auth/change-password',
        { currentPassword, newPassword: NEW_PASSWORD, ...more },
        { cookie: person.cookie },
      )
    expect(await pointersOf(await change('not the password'))).toEqual(['/currentPassword'])
    const link = await askForReset(person.email)
    const response = await change(person.password, { revokeOtherSessions: true })
    expect(response.status).toBe(200)
    expect(await isSignedIn(other)).toBe(false)
    // The own one as well: copies of its cookie are of no more use, and a new one came.
    expect(await isSignedIn(person.cookie)).toBe(false)
    expect(await isSignedIn(cookiesOf(response))).toBe(true)
    expect(await codeOf(await rig.post('/auth/sign-in/email', person))).toBe('401 unauthorized')
    await signIn({ ...person, password: NEW_PASSWORD })
    expect(await actionsIn(person.workspaceId)).toMatchObject([
      { action: 'password.changed', details: { sessionsEnded: 2 } },
    ])
    expect(rig.revoked).toEqual([`${person.workspaceId} user:${person.id}`])
    const late = await rig.post('/auth/reset-password', { token: link, newPassword: 'les sanglots longs' })
    expect(await codeOf(late)).toBe('410 gone')
  })

  it('is set anew by a link from a mail, once, and everybody has to sign in again', async () => {
    const person = await newcomer()
    const [unused, token] = [await askForReset(person.email), await askForReset(person.email)]
    expect(rig.mails.at(-1)?.text).toContain(`https://tidemark.example/reset-password#${token}`)
    const reset = (by: string) => rig.post('/auth/reset-password', { token: by, newPassword: NEW_PASSWORD })
    const answers = await Promise.all([reset(token), reset(token)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 410])
    expect(await isSignedIn(person.cookie)).toBe(false)
    await signIn({ ...person, password: NEW_PASSWORD })
    for (const used of [token, unused, 'nothing']) expect(await codeOf(await reset(used))).toBe('410 gone')
    expect(await actionsIn(person.workspaceId)).toMatchObject([{ action: 'password.reset' }])
    expect(rig.revoked).toContain(`${person.workspaceId} user:${person.id}`)
  })

  it('is set anew within half an hour, by a link that is kept as its hash alone', async () => {
    const person = await newcomer()
    const token = await askForReset(person.email)
    const [row] = await database.sql<{ row: string; minutes: number }>(
      `SELECT v::text AS row, (extract(epoch FROM expires_at - now()) / 60)::float8 AS minutes
       FROM auth_verifications v WHERE value = $1`,
      [person.id],
    )
    expect(row?.row).not.toContain(token)
    expect(row?.minutes).toBeGreaterThan(28)
    expect(row?.minutes).toBeLessThanOrEqual(30)
    await database.sql('UPDATE auth_verifications SET expires_at = now() WHERE value = $1', [person.id])
    const answer = await rig.post('/auth/reset-password', { token, newPassword: NEW_PASSWORD })
    expect(await codeOf(answer)).toBe('410 gone')
  })

  it('is asked for in the same way whether or not there is such a person, three times an hour', async () => {
    const person = await newcomer()
    rig.mails.length = 0
    const ask = async (email: string, ip: string) =>
      rig.post('/auth/request-password-reset', { email }, { 'cf-connecting-ip': ip })
    const [known, unknown] = [
      await ask(person.email, '203.0.113.1'),
      await ask('nobody@example.com', '203.0.113.2'),
    ]
    expect([known.status, await known.text()]).toEqual([unknown.status, await unknown.text()])
    await rig.settled()
    expect(rig.mails.map(({ to }) => to)).toEqual([person.email])
    for (const ip of ['203.0.113.3', '203.0.113.4'])
      expect((await ask(person.email.toUpperCase(), ip)).status).toBe(200)
    expect((await ask(person.email, '203.0.113.5')).status).toBe(429)
    for (const email of ['a@example.com', 'b@example.com'])
      expect((await ask(email, '203.0.113.1')).status).toBe(200)
    expect((await ask('c@example.com', '203.0.113.1')).status).toBe(429)
  })

  it('is not asked for where no mail can be sent', async () => {
    const without = peopleRig(database, { canMail: false })
    for (const path of ['/auth/request-password-reset', '/auth/send-verification-email'])
      expect(await codeOf(await without.post(path, { email: 'a@example.com' }))).toBe('503 unavailable')
    expect((await without.post('/auth/sign-up/email', somebody())).status).toBe(200)
  })

  it('is not guessed faster for an unknown address', async () => {
    const person = await newcomer()
    // What the processor did: how long it took tells more of what else runs on the machine.
    const workOf = async (email: string, ip: string) => {
      const before = process.cpuUsage()
      await rig.post(
        '/auth/sign-in/email',
        { email, password: 'not the password' },
        { 'cf-connecting-ip': ip },
      )
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    const [known, unknown]: [number[], number[]] = [[], []]
    for (const ip of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) {
      known.push(await workOf(person.email, ip))
      unknown.push(await workOf('nobody-here@example.com', ip))
    }
    // Both of them hash; without it the answer would take a tenth of the work.
    expect(Math.min(...unknown)).toBeGreaterThan(Math.min(...known) / 2)
  })
})

describe('an address', () => {
  it('is confirmed by the link that came at sign-up', async () => {
    const person = await newcomer()
    await rig.settled()
    expect(rig.mails.at(-1)).toMatchObject({
      to: person.email,
      subject: 'Confirm your e-mail address for Tidemark',
    })
    const token = tokenOf(person.email)
    expect((await rig.ask(`/auth/verify-email?token=${encodeURIComponent(token)}`)).status).toBe(200)
    expect(await database.sql('SELECT email_verified FROM auth_users WHERE id = $1', [person.id])).toEqual([
      { email_verified: true },
    ])
    const again = await rig.post(
      '/auth/send-verification-email',
      { email: person.email },
      { cookie: person.cookie },
    )
    expect(await codeOf(again)).toBe('409 conflict')
    const forged = `${token.slice(0, -4)}AAAA`
    expect((await rig.ask(`/auth/verify-email?token=${forged}`)).status).toBe(410)
  })

  it('of an operator is confirmed by whoever is signed in with it', async () => {
    const person = somebody()
    rig = peopleRig(database, { operatorEmails: [person.email] })
    await database.sql('UPDATE deployment SET claimed_at = now()')
    const cookie = cookiesOf(await rig.post('/auth/sign-up/email', person))
    await rig.settled()
    const path = `/auth/verify-email?token=${encodeURIComponent(tokenOf(person.email))}`
    const stranger = await newcomer()
    const operates = async () =>
      (await (await rig.ask('/api/v1/me', { headers: { cookie } })).json()).actor.operator
    for (const headers of [{}, { cookie: stranger.cookie }])
      expect(await codeOf(await rig.ask(path, { headers }))).toBe('401 unauthorized')
    expect(await operates()).toBe(false)
    expect((await rig.ask(path, { headers: { cookie } })).status).toBe(200)
    expect(await operates()).toBe(true)
  })

  it('cannot be changed, nor the account be deleted', async () => {
    const person = await newcomer()
    const headers = { cookie: person.cookie }
    await rig.post('/auth/update-user', { name: 'Grace H.', email: 'other@example.com' }, headers)
    expect(await database.sql('SELECT name, email FROM auth_users WHERE id = $1', [person.id])).toEqual([
      { name: 'Grace H.', email: person.email },
    ])
    for (const path of ['/auth/delete-user', '/auth/change-email'])
      expect((await rig.post(path, { newEmail: 'other@example.com' }, headers)).status).toBe(404)
  })
})
