import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Client, chunkedBody, expectProblem, parsed, pointersOf } from './support/client.ts'
import { cookiesOf, freshEmail, freshIp, signUp } from './support/people.ts'
import { logLines, sql } from './support/stack.ts'
import { until } from './support/wait.ts'

/** `RATE_LIMITS` of the tests' stack. */
const SIGN_INS_A_MINUTE = 20

const from = (ip: string) => new Client({ 'cf-connecting-ip': ip })
const Me = z.object({ kind: z.string(), user: z.object({ email: z.string() }), scopes: z.array(z.string()) })

describe('signing in', () => {
  it('gives a cookie that only this host and no script can read, and that opens the API', async () => {
    const { email, password, workspaceId } = await signUp()
    const answer = await from(freshIp()).post('/auth/sign-in/email', { email, password })
    expect(answer.status).toBe(200)
    const cookies = answer.headers.getSetCookie()
    expect(cookies.length).toBeGreaterThan(0)
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__Host-/)
      expect(cookie.split(/; */).map((part) => part.toLowerCase())).toEqual(
        expect.arrayContaining(['httponly', 'secure', 'path=/', 'samesite=lax']),
      )
    }
    const session = new Client({ cookie: cookiesOf(answer.headers) })
    const me = parsed(Me, await session.get('/api/v1/me'))
    expect(me).toMatchObject({ kind: 'user', user: { email }, scopes: ['read', 'write', 'admin'] })
    expect((await session.get('/api/v1/me')).text).toContain(workspaceId)
  })

  it('refuses a wrong password and an unknown person in the same words, without a cookie', async () => {
    const { email, password } = await signUp()
    const wrong = await from(freshIp()).post('/auth/sign-in/email', { email, password: `${password}x` })
    const unknown = await from(freshIp()).post('/auth/sign-in/email', { email: freshEmail(), password })
    const [said, same] = [wrong, unknown].map((answer) => {
      expect(answer.headers.getSetCookie()).toEqual([])
      const { requestId: _, ...problem } = expectProblem(answer, 401, 'unauthorized')
      return problem
    })
    expect(said).toEqual(same)
  })

  it('ends with a sign-out', async () => {
    const { session } = await signUp()
    const answer = await session.post('/auth/sign-out', {})
    expect(answer.status).toBe(200)
    // A browser drops what is set to nothing.
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).toMatch(/max-age=0/i)
    expect(answer.headers.getSetCookie().length).toBeGreaterThan(0)
  })

  it('takes nobody in twice, and no weak password', async () => {
    const { email, password } = await signUp()
    const again = await from(freshIp()).post('/auth/sign-up/email', { name: 'Again', email, password })
    expectProblem(again, 422, 'signup_refused')
    const weak = freshEmail()
    const short = await from(freshIp()).post('/auth/sign-up/email', {
      name: 'Weak',
      email: weak,
      password: 'short',
    })
    expect(pointersOf(expectProblem(short, 400, 'invalid_request'))).toEqual(['/password'])
    expect(await sql('SELECT 1 FROM auth_users WHERE email = $1', [weak])).toEqual([])
  })

  it('takes no more about a person than their cookie can carry', async () => {
    const signUpAs = (more: object) =>
      from(freshIp()).post('/auth/sign-up/email', {
        ...{ name: 'Ada', email: freshEmail(), password: 'long enough it is' },
        ...more,
      })
    for (const [field, value] of [
      ['name', 'x'.repeat(101)],
      ['name', 'a\0b'],
      ['image', `https://example.com/${'x'.repeat(500)}`],
      ['email', `${'x'.repeat(320)}@example.com`],
    ] as const) {
      const problem = expectProblem(await signUpAs({ [field]: value }), 400, 'invalid_request')
      expect(pointersOf(problem)).toEqual([`/${field}`])
    }
    const largest = await signUpAs({ name: '😀'.repeat(50), image: `https://example.com/${'x'.repeat(480)}` })
    expect(largest.status).toBe(200)
    for (const cookie of largest.headers.getSetCookie()) expect(cookie.length).toBeLessThan(4_096)
    expect((await new Client({ cookie: cookiesOf(largest.headers) }).get('/api/v1/me')).status).toBe(200)
  })

  it('reads no body that is too large for it, whatever it says of its length', async () => {
    const headers = { 'content-type': 'application/json' }
    for (const path of ['/auth/sign-in/email', '/auth/update-user']) {
      for (const body of [new Uint8Array(64 * 1024 + 1), chunkedBody(64 * 1024 + 1)])
        expectProblem(await from(freshIp()).send('POST', path, { body, headers }), 413, 'payload_too_large')
    }
    const broken = await from(freshIp()).send('POST', '/auth/sign-in/email', { body: '{"email":', headers })
    expect(broken.status).toBe(400)
  })

  it('writes nothing into its log of what people enter, also when the database refuses it', async () => {
    const email = freshEmail()
    const password = 'this must not be written down'
    await sql(`ALTER TABLE auth_users ADD CONSTRAINT refused CHECK (email <> '${email}')`)
    try {
      const answer = await from(freshIp()).post('/auth/sign-up/email', {
        name: 'Ada Secret',
        email,
        password,
      })
      expectProblem(answer, 422, 'signup_refused')
      expect(answer.text).not.toContain(email)
    } finally {
      await sql('ALTER TABLE auth_users DROP CONSTRAINT refused')
    }
    const lines = await until('the refusal is logged', async () => {
      const found = (await logLines()).filter((line) => line.includes('Failed to create user'))
      return found.length > 0 ? found : null
    })
    for (const secret of [email, password, 'Ada Secret']) expect(lines.join('\n')).not.toContain(secret)
  })

  it('lets nobody guess on: neither from one address, nor at one person’s from many', async () => {
    const ip = freshIp()
    const email = freshEmail()
    const guess = (client: Client, whose: string) =>
      client.post('/auth/sign-in/email', { email: whose, password: 'not the password' })
    for (let i = 0; i < SIGN_INS_A_MINUTE; i++) expect((await guess(from(ip), email)).status).toBe(401)
    expectProblem(await guess(from(ip), freshEmail()), 429, 'rate_limited')
    const refused = await guess(from(freshIp()), email)
    expectProblem(refused, 429, 'rate_limited')
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(120)
    expect(refused.headers.get('ratelimit-policy')).toBe(`"sign-in";q=${SIGN_INS_A_MINUTE};w=60`)
    expect(refused.headers.get('ratelimit')).toMatch(/^"sign-in";r=0;t=\d+$/)
    expect((await guess(from(freshIp()), freshEmail())).status).toBe(401)
  })
})
