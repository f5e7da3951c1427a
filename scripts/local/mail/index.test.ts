import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Mailbox, startMailbox } from './index.ts'
import { StoredMail } from './mail-store.ts'

const API_KEY = 're_secret'
const MAIL = {
  from: 'Tidemark <t@x.example>',
  to: ['ada@x.example'],
  subject: 'Hi',
  text: 'T',
  html: '<p>H</p>',
}

let directory: string
let dataFile: string
let mailbox: Mailbox
let nowMs: number
const lines: string[] = []

async function start(): Promise<void> {
  mailbox = await startMailbox({
    apiKey: API_KEY,
    dataFile,
    now: () => nowMs,
    log: (line) => lines.push(line),
  })
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-mail-'))
  dataFile = join(directory, 'mail.json')
  nowMs = Date.parse('2026-11-22T10:00:00Z')
  lines.length = 0
  await start()
})
afterEach(async () => {
  await mailbox.stop()
  rmSync(directory, { recursive: true, force: true })
})

function send(mail: object | string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${mailbox.url}/emails`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json', ...headers },
    body: typeof mail === 'string' ? mail : JSON.stringify(mail),
  })
}

async function sent(mail: object, headers: Record<string, string> = {}): Promise<string> {
  const response = await send(mail, headers)
  expect(response.status).toBe(200)
  return z.object({ id: z.string() }).parse(await response.json()).id
}

async function listed(query = ''): Promise<StoredMail[]> {
  const response = await fetch(`${mailbox.url}/mails.json${query}`)
  return z.object({ mails: z.array(StoredMail) }).parse(await response.json()).mails
}

describe('sending', () => {
  it('is answered with an id, and the mail is kept as it was sent', async () => {
    const id = await sent(MAIL)
    expect(await listed()).toEqual([{ id, at: '2026-11-22T10:00:00.000Z', ...MAIL }])
  })

  it('takes one recipient as a text, and one of the two bodies', async () => {
    const { html: _, ...rest } = MAIL
    await sent({ ...rest, to: 'Bob <bob@x.example>' })
    expect(await listed()).toMatchObject([{ to: ['Bob <bob@x.example>'], html: null, text: 'T' }])
  })

  it.each([
    [{ authorization: '' }, 'missing_api_key'],
    [{ authorization: 'Basic re_secret' }, 'missing_api_key'],
    [{ authorization: 'Bearer re_secreT' }, 'invalid_api_key'],
  ])('%j is refused', async (headers, name) => {
    const response = await send(MAIL, headers)
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ statusCode: 401, name })
    expect(await listed()).toEqual([])
  })

  it('names every field that is missing', async () => {
    const response = await send({ from: MAIL.from, to: '' })
    expect(response.status).toBe(422)
    expect(await response.json()).toEqual({
      statusCode: 422,
      name: 'missing_required_field',
      message: 'Missing `to`, `subject`, `html`',
    })
  })

  it.each([
    [{ to: ['nobody'] }, 422, '`to`'],
    [{ to: [] }, 422, '`to`'],
    [{ from: 'a@b@c <x>' }, 422, '`from`'],
    [{ subject: 'Hi\r\nBcc: eve@x.example' }, 422, '`subject`'],
  ])('names what is wrong: %j', async (change, status, field) => {
    const response = await send({ ...MAIL, ...change })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ message: expect.stringContaining(field) })
    expect(await listed()).toEqual([])
  })

  it('refuses what is no JSON, and what is too large', async () => {
    expect((await send('{')).status).toBe(400)
    expect((await send({ ...MAIL, text: 'x'.repeat(1_100_000) })).status).toBe(413)
    expect(await listed()).toEqual([])
  })

  it('happens once a key, and a key is for one mail', async () => {
    const key = { 'idempotency-key': 'k1' }
    const id = await sent(MAIL, key)
    expect(await sent(MAIL, key)).toBe(id)
    const other = await send({ ...MAIL, subject: 'Other' }, key)
    expect(other.status).toBe(409)
    expect(await other.json()).toMatchObject({ name: 'invalid_idempotent_request' })
    expect(await listed()).toHaveLength(1)
    nowMs += 24 * 3_600_000 + 1
    expect(await sent(MAIL, key)).not.toBe(id)
    expect((await send(MAIL, { 'idempotency-key': 'k'.repeat(257) })).status).toBe(400)
  })
})

describe('the mails', () => {
  it('survive a restart, with their keys, for this user alone', async () => {
    const id = await sent(MAIL, { 'idempotency-key': 'k1' })
    await mailbox.stop()
    await start()
    expect((await listed()).map((mail) => mail.id)).toEqual([id])
    expect(await sent(MAIL, { 'idempotency-key': 'k1' })).toBe(id)
    expect(statSync(dataFile).mode & 0o777).toBe(0o600)
  })

  it('are the last 200, newest first', async () => {
    await Promise.all(Array.from({ length: 203 }, (_, at) => sent({ ...MAIL, subject: `old ${at}` })))
    await sent({ ...MAIL, subject: 'newest' })
    const mails = await listed()
    expect(mails).toHaveLength(200)
    expect(mails[0]?.subject).toBe('newest')
    expect(JSON.parse(readFileSync(dataFile, 'utf8'))).toHaveLength(200)
  })

  it('can be asked for by recipient, and be forgotten', async () => {
    await sent(MAIL)
    await sent({ ...MAIL, to: ['bob@x.example'] })
    expect(await listed('?to=bob%40x.example')).toMatchObject([{ to: ['bob@x.example'] }])
    expect((await fetch(`${mailbox.url}/mails.json`, { method: 'DELETE' })).status).toBe(204)
    expect(await listed()).toEqual([])
  })

  it('begin anew where the file is broken, and that is said', async () => {
    await sent(MAIL)
    await mailbox.stop()
    writeFileSync(dataFile, '[{"mail":')
    await start()
    expect(await listed()).toEqual([])
    expect(lines).toEqual([expect.stringContaining('cannot be read')])
    await sent(MAIL)
    expect(await listed()).toHaveLength(1)
  })

  it('are not sent again to whoever has them', async () => {
    await sent(MAIL)
    const etag = (await fetch(`${mailbox.url}/mails.json`)).headers.get('etag') ?? ''
    const ask = () => fetch(`${mailbox.url}/mails.json`, { headers: { 'if-none-match': etag } })
    expect((await ask()).status).toBe(304)
    await sent({ ...MAIL, subject: 'Another' })
    expect((await ask()).status).toBe(200)
  })
})

describe('the page', () => {
  const MEAN = {
    ...MAIL,
    subject: '<script>alert(1)</script>',
    text: '</pre><img src=x>',
    from: '"<b>" <a@b.example>',
  }

  it('says that there is nothing yet', async () => {
    const response = await fetch(mailbox.url)
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/)
    expect(await response.text()).toContain('No mail yet')
  })

  it('lists mails, and shows one, without taking markup from them', async () => {
    const id = await sent({ ...MEAN, from: MAIL.from })
    for (const path of ['/', `/mails/${id}`]) {
      const page = await (await fetch(mailbox.url + path)).text()
      expect(page).toContain('&lt;script&gt;alert(1)')
      expect(page).not.toMatch(/<script>|<img/)
      expect(page).toContain('2026-11-22 10:00:00 UTC')
      expect(page).toContain('ada@x.example')
    }
  })

  it('shows HTML in a frame that can do nothing, its links open beside', async () => {
    const id = await sent({ ...MAIL, html: '<html><head><title>x</title></head><body>H</body></html>' })
    const response = await fetch(`${mailbox.url}/mails/${id}/html`)
    const policy = response.headers.get('content-security-policy')
    expect(policy).toMatch(/^sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';/)
    expect(policy).not.toContain('script')
    expect(await response.text()).toContain('<head><base target="_blank"><title>')
    expect(await (await fetch(`${mailbox.url}/mails/${id}`)).text()).toContain(`src="/mails/${id}/html"`)
  })

  it('answers nobody who came by another name', async () => {
    const status = await new Promise((resolve, reject) => {
      request(`${mailbox.url}/mails.json`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })

  it('has nothing to say about mails that are not there', async () => {
    expect((await fetch(`${mailbox.url}/mails/0000`)).status).toBe(404)
    expect((await fetch(`${mailbox.url}/mails/0000/html`)).status).toBe(404)
    expect((await fetch(`${mailbox.url}/emails`)).status).toBe(404)
    expect((await fetch(`${mailbox.url}/`, { method: 'PUT' })).status).toBe(405)
  })
})
