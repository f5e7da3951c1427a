import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Client, expectProblem, nobody, parsed } from './support/client.ts'
import { issueTicket, LiveSocket } from './support/live.ts'
import { cookiesOf, freshIp, type Person, signUp } from './support/people.ts'
import { sql, sqlRow, stack } from './support/stack.ts'
import { until } from './support/wait.ts'

/** What a deployment promises: an ended session is of no more use anywhere. */
const ENDED_WITHIN_MS = 10_000
/** The same of what was changed behind the product's back. */
const FOUND_WITHIN_MS = 15_000
const NEW_PASSWORD = 'otter canal seventeen'

const stranger = () => new Client({ 'cf-connecting-ip': freshIp() })

/** A person on another device. */
async function otherDevice({ email, password }: Pick<Person, 'email' | 'password'>): Promise<Client> {
  const answer = await stranger().post('/auth/sign-in/email', { email, password })
  expect(answer.status).toBe(200)
  return new Client({ cookie: cookiesOf(answer.headers) })
}

const Mails = z.object({ mails: z.array(z.object({ subject: z.string(), text: z.string() })) })

/** What stands behind `#` in the newest mail of that subject. */
function linkTokenOf(to: string, subject: string): Promise<string> {
  return until(`a mail comes: ${subject}`, async () => {
    const response = await fetch(`${stack.mailUrl}/mails.json?to=${encodeURIComponent(to)}`)
    const { mails } = Mails.parse(await response.json())
    const { text = '' } = mails.find((mail) => mail.subject === subject) ?? {}
    return /#(\S+)/.exec(text)?.[1]
  })
}

/** How long a client's session goes on, in milliseconds. */
async function endsWithin(client: Client): Promise<number> {
  const startedMs = performance.now()
  await until('the session has ended', async () => (await client.get('/api/v1/me')).status === 401 || null)
  return performance.now() - startedMs
}

describe('signing out everywhere', () => {
  it('ends the other devices, and copies of their cookies, and closes what they listen to', async () => {
    const person = await signUp()
    const [phone, laptop] = [await otherDevice(person), await otherDevice(person)]
    const socket = new LiveSocket((await issueTicket(phone)).url)
    await until('it listens', async () => socket.frames[0])
    for (const device of [phone, laptop, person.session])
      expect((await device.get('/api/v1/me')).status).toBe(200)
    expect((await person.session.post('/auth/revoke-sessions', {})).status).toBe(200)
    for (const device of [phone, laptop, person.session])
      expect(await endsWithin(device)).toBeLessThan(ENDED_WITHIN_MS)
    expect((await socket.closed).code).toBe(4403)
    const { details } = await sqlRow<{ details: object }>(
      "SELECT details FROM audit_log WHERE workspace_id = $1 AND action = 'sessions.ended'",
      [person.workspaceId],
    )
    expect(details).toEqual({ sessionsEnded: 3 })
    expectProblem(await phone.post('/auth/update-user', { name: 'Mallory' }), 401, 'unauthorized')
    // Keys are no sessions.
    expect((await person.key.get('/api/v1/me')).status).toBe(200)
  })

  it('counts where another isolate did it, though the cookie is signed for minutes', async () => {
    const person = await signUp()
    const device = await otherDevice(person)
    expect((await device.get('/api/v1/me')).status).toBe(200)
    // As an isolate that has heard of nothing finds it.
    await sql('DELETE FROM auth_sessions WHERE user_id = (SELECT id FROM auth_users WHERE email = $1)', [
      person.email,
    ])
    expect(await endsWithin(device)).toBeLessThan(FOUND_WITHIN_MS + 1_000)
    expect(await endsWithin(person.session)).toBeLessThan(FOUND_WITHIN_MS + 1_000)
  })
})

describe('a forgotten password', () => {
  it('is set anew by the link in a mail, once, and ends all sessions', async () => {
    const person = await signUp()
    const asked = await stranger().post('/auth/request-password-reset', { email: person.email })
    const unknown = await stranger().post('/auth/request-password-reset', {
      email: 'nobody-here@example.com',
    })
    expect([asked.status, asked.text]).toEqual([unknown.status, unknown.text])
    const token = await linkTokenOf(person.email, 'Reset your Tidemark password')
    const reset = () => stranger().post('/auth/reset-password', { token, newPassword: NEW_PASSWORD })
    expect((await reset()).status).toBe(200)
    expectProblem(await reset(), 410, 'gone')
    expect(await endsWithin(person.session)).toBeLessThan(ENDED_WITHIN_MS)
    const { email, password } = person
    expectProblem(await stranger().post('/auth/sign-in/email', { email, password }), 401, 'unauthorized')
    await otherDevice({ email, password: NEW_PASSWORD })
  })
})

describe('a new address', () => {
  it('is confirmed by the link in the mail that came', async () => {
    const person = await signUp()
    const token = await linkTokenOf(person.email, 'Confirm your e-mail address for Tidemark')
    const answer = await stranger().get(`/auth/verify-email?token=${encodeURIComponent(token)}`)
    expect(answer.status).toBe(200)
    const { verified } = await sqlRow<{ verified: boolean }>(
      'SELECT email_verified AS verified FROM auth_users WHERE email = $1',
      [person.email],
    )
    expect(verified).toBe(true)
  })
})

describe('what a page for signing in is told', () => {
  const Deployment = z.strictObject({ signup: z.string(), claimed: z.boolean(), mail: z.boolean() })

  it('is how people come in, and nothing else', async () => {
    const answer = await nobody.get('/api/v1/public/deployment')
    expect(parsed(Deployment, answer)).toEqual({ signup: 'open', claimed: true, mail: true })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })
})

describe('the built Worker', () => {
  it('hashes passwords with the runtime’s scrypt: it has no other one', async () => {
    const directory = new URL('../../dist/worker/', import.meta.url)
    const names = await readdir(directory)
    const read = (suffix: string) =>
      Promise.all(
        names
          .filter((name) => name.endsWith(suffix))
          .map((name) => readFile(new URL(name, directory), 'utf8')),
      )
    const source = (await read('.js')).join('\n')
    expect(source).toMatch(/import\s*\{[^}]*\bscrypt\b[^}]*\}\s*from\s*"node:crypto"/)
    // Source maps name what a module is made of: this one would be there, too.
    const Sources = z.object({ sources: z.array(z.string()) })
    const sources = (await read('.js.map')).flatMap((map) => Sources.parse(JSON.parse(map)).sources)
    expect(sources).toContainEqual(expect.stringContaining('node_modules/@noble/hashes/hmac.js'))
    expect(sources).not.toContainEqual(expect.stringContaining('@noble/hashes/scrypt'))
    expect(source).not.toContain('scryptAsync')
  })
})
