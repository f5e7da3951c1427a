import { betterAuth } from 'better-auth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import { libraryOptions } from '../../adapters/auth/auth.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import { cookiesOf, ORIGIN, type PeopleRigOptions, peopleRig, somebody } from './people.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

/** As on the first day. */
async function unclaim() {
  await database.sql('DELETE FROM auth_users')
  await database.sql('UPDATE deployment SET claimed_at = NULL')
}

const rigOf = (options: PeopleRigOptions = {}) => peopleRig(database, options)

async function claimed() {
  await unclaim()
  const first = somebody()
  expect((await rigOf().post('/auth/sign-up/email', first)).status).toBe(200)
  return first
}

const codeOf = async (response: Response) => `${response.status} ${(await response.json()).code}`
const known = async (email: string) =>
  (await database.sql('SELECT 1 FROM auth_users WHERE email = $1', [email])).length === 1

async function invite(fields: { email?: string; state?: 'withdrawn' | 'expired' | 'accepted' } = {}) {
  const workspaceId = await makeWorkspace(database)
  const token = `tmi_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`
  const at = (state: string) => (fields.state === state ? new Date() : null)
  await database.sql(
    `INSERT INTO invitations (id, workspace_id, email, role, token_hash, expires_at, withdrawn_at, accepted_at)
     VALUES ($1, $2, $3, 'analyst', $4, now() + $5::interval, $6, $7)`,
    [
      ...[newId(), workspaceId, fields.email ?? null, await sha256Hex(token)],
      ...[fields.state === 'expired' ? '-1 minute' : '1 day', at('withdrawn'), at('accepted')],
    ],
  )
  return { workspaceId, invitation: token }
}

describe('the first person', () => {
  beforeEach(unclaim)

  it.each(['invite', 'open', 'closed'] as const)(
    'may come while sign-up is %s, and is the operator',
    async (signupMode) => {
      const rig = rigOf({ signupMode })
      const response = await rig.post('/auth/sign-up/email', somebody())
      expect(response.status).toBe(200)
      const me = await (await rig.ask('/api/v1/me', { headers: { cookie: cookiesOf(response) } })).json()
      expect(me).toMatchObject({ actor: { role: 'owner', operator: true } })
    },
  )

  it('is one, of several at once', async () => {
    const rig = rigOf({ signupMode: 'invite' })
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => rig.post('/auth/sign-up/email', somebody())),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 403, 403, 403])
    expect(await database.sql('SELECT user_id FROM operators')).toHaveLength(1)
    expect(await database.sql('SELECT id FROM auth_users')).toHaveLength(1)
    expect(await database.sql('SELECT id FROM auth_sessions')).toHaveLength(1)
  })

  it('has to be one of the operators whom the configuration names', async () => {
    const operator = somebody()
    const rig = rigOf({ operatorEmails: [operator.email] })
    const other = somebody()
    expect(await codeOf(await rig.post('/auth/sign-up/email', other))).toBe('403 signup_closed')
    expect(await known(other.email)).toBe(false)
    const answer = await rig.post('/auth/sign-up/email', { ...operator, email: operator.email.toUpperCase() })
    expect(answer.status).toBe(200)
    expect((await rig.post('/auth/sign-up/email', other)).status).toBe(200)
  })
})

describe('signing up later', () => {
  it.each([
    ['open', true],
    ['invite', false],
    ['closed', false],
  ] as const)('is possible for anybody where sign-up is %s: %s', async (signupMode, isPossible) => {
    const first = await claimed()
    const rig = rigOf({ signupMode })
    const stranger = somebody()
    const answer = await rig.post('/auth/sign-up/email', stranger)
    expect(answer.status).toBe(isPossible ? 200 : 403)
    expect(await known(stranger.email)).toBe(isPossible)
    if (isPossible) return
    // Nothing tells whom there is an account for.
    const refusal = await rig.post('/auth/sign-up/email', { ...stranger, email: first.email })
    const { requestId: _, ...same } = await answer.json()
    expect(await refusal.json()).toMatchObject(same)
  })

  it('leads those who were invited into that workspace, and gives them no other one', async () => {
    await claimed()
    const rig = rigOf({ signupMode: 'invite' })
    const invited = somebody()
    const { workspaceId, invitation } = await invite({ email: invited.email })
    const response = await rig.post('/auth/sign-up/email', { ...invited, invitation })
    expect(response.status).toBe(200)
    const me = await (await rig.ask('/api/v1/me', { headers: { cookie: cookiesOf(response) } })).json()
    expect(me.workspaces).toMatchObject([{ workspaceId, role: 'analyst' }])
    expect(me.actor).toMatchObject({ operator: false })
    const log = await database.sql('SELECT action, actor_name FROM audit_log WHERE workspace_id = $1', [
      workspaceId,
    ])
    expect(log).toEqual([{ action: 'member.joined', actor_name: invited.email }])
  })

  it.each([
    ['for another address', { email: 'another@example.com' }, '403 wrong_person'],
    ['that was withdrawn', { state: 'withdrawn' }, '410 gone'],
    ['that was accepted', { state: 'accepted' }, '410 gone'],
    ['that is too old', { state: 'expired' }, '410 gone'],
  ] as const)('is not possible with an invitation %s', async (_, fields, expected) => {
    await claimed()
    const { invitation } = await invite(fields)
    for (const signupMode of ['invite', 'open'] as const) {
      const person = somebody()
      expect(
        await codeOf(await rigOf({ signupMode }).post('/auth/sign-up/email', { ...person, invitation })),
      ).toBe(expected)
      expect(await known(person.email)).toBe(false)
    }
  })

  it.each(['', 'tmi_', `tmi_${'a'.repeat(43)}`, "tmi_'"])(
    'is not possible with the invitation %j',
    async (invitation) => {
      await claimed()
      const answer = await rigOf({ signupMode: 'invite' }).post('/auth/sign-up/email', {
        ...somebody(),
        invitation,
      })
      expect(await codeOf(answer)).toBe('404 not_found')
    },
  )

  it('lets one in by an invitation, of several at once', async () => {
    await claimed()
    const rig = rigOf({ signupMode: 'invite' })
    const { invitation, workspaceId } = await invite()
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => rig.post('/auth/sign-up/email', { ...somebody(), invitation })),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 410, 410])
    expect(
      await database.sql('SELECT 1 FROM workspace_members WHERE workspace_id = $1', [workspaceId]),
    ).toHaveLength(1)
    expect(await database.sql('SELECT 1 FROM auth_users')).toHaveLength(2)
  })

  it('is not possible where nobody may, not even with an invitation', async () => {
    await claimed()
    const { invitation } = await invite()
    const answer = await rigOf({ signupMode: 'closed' }).post('/auth/sign-up/email', {
      ...somebody(),
      invitation,
    })
    expect(await codeOf(answer)).toBe('403 signup_closed')
  })

  it('with an address that somebody has leaves their account alone, and tells them', async () => {
    const first = await claimed()
    const rig = rigOf()
    for (let i = 0; i < 4; i += 1) {
      const answer = await rig.post('/auth/sign-up/email', { ...somebody(), email: first.email })
      expect(await codeOf(answer)).toBe('422 signup_refused')
      expect(answer.headers.getSetCookie()).toEqual([])
    }
    await rig.settled()
    const toThem = rig.mails.filter(({ to }) => to === first.email)
    // No more than anybody may be sent: 3 an hour.
    expect(toThem.map(({ subject }) => subject)).toEqual(Array(3).fill('You have a Tidemark account already'))
    expect((await rig.post('/auth/sign-in/email', first)).status).toBe(200)
  })
})

describe('what is served below /auth', () => {
  const SERVED = [
    ...['POST /sign-up/email', 'POST /sign-in/email', 'POST /sign-out', 'POST /request-password-reset'],
    ...[
      'POST /reset-password',
      'POST /send-verification-email',
      'GET /verify-email',
      'POST /change-password',
    ],
    ...['GET /list-sessions', 'POST /revoke-session', 'POST /revoke-sessions', 'POST /revoke-other-sessions'],
    ...['POST /update-user', 'GET /get-session'],
  ]

  it('is this, of all that the sign-in library has', async () => {
    const rig = rigOf()
    const auth = betterAuth(libraryOptions(rig.options))
    const endpoints = Object.values(auth.api).flatMap(({ path, options }) => {
      const methods: unknown = options.method
      // Some are for the server's own code alone, and have no path.
      if (typeof path !== 'string') return []
      return [methods].flat().map((method) => ({ method: String(method), path }))
    })
    expect(endpoints.length).toBeGreaterThan(SERVED.length)
    const served: string[] = []
    for (const { method, path } of endpoints) {
      const url = `/auth${path.replaceAll(/:\w+/g, 'x')}`
      const { status } = await rig.ask(url, method === 'GET' ? {} : { method, json: {} })
      if (status === 404 || status === 405) continue
      served.push(`${method} ${path}`)
    }
    expect(served.toSorted()).toEqual(SERVED.toSorted())
  })

  it.each([
    '/auth',
    '/auth/',
    '/auth/ok',
    '/auth/sign-out/',
    '/auth//sign-out',
    '/auth/__proto__',
    '/auth/constructor',
  ])('does not know %s', async (path) => {
    expect((await rigOf().post(path)).status).toBe(404)
  })

  it('says which method a path takes', async () => {
    const answer = await rigOf().ask('/auth/sign-in/email')
    expect(`${answer.status} ${answer.headers.get('allow')}`).toBe('405 OPTIONS, POST')
  })

  it.each([
    [{ origin: 'https://elsewhere.example' }],
    [{ origin: 'null' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
  ])('takes nothing from other sites’ pages: %j', async (headers) => {
    const rig = rigOf()
    const person = somebody()
    expect(await codeOf(await rig.post('/auth/sign-up/email', person, headers))).toBe(
      '403 insufficient_scope',
    )
    const cookie = cookiesOf(await rig.post('/auth/sign-up/email', person, { origin: ORIGIN }))
    for (const path of ['/auth/sign-out', '/auth/revoke-sessions', '/auth/update-user'])
      expect(await codeOf(await rig.post(path, { name: 'Mallory' }, { ...headers, cookie }))).toBe(
        '403 insufficient_scope',
      )
    expect((await rig.ask('/api/v1/me', { headers: { cookie } })).status).toBe(200)
  })

  it('takes JSON alone: forms are what other sites’ pages can send', async () => {
    const rig = rigOf()
    const answer = await rig.ask('/auth/sign-in/email', {
      method: 'POST',
      json: somebody(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(await codeOf(answer)).toBe('415 unsupported_media_type')
  })

  it('sends nobody anywhere', async () => {
    const rig = rigOf()
    const person = somebody()
    const answer = await rig.post('/auth/sign-up/email', {
      ...person,
      callbackURL: 'https://elsewhere.example',
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('location')).toBeNull()
    await rig.settled()
    expect(JSON.stringify(rig.mails)).not.toContain('elsewhere')
    const verify = await rig.ask('/auth/verify-email?token=nothing&callbackURL=https://elsewhere.example')
    expect(await codeOf(verify)).toBe('410 gone')
  })
})
