import { expect, test } from 'vitest'
import { invitationMail, type Message, passwordResetMail, verificationMail } from './messages.ts'

const URL = 'https://tidemark.example/join?token=abc'
const MEAN = 'Ada\r\nBcc: eve@example.com\n\n<script>alert(1)</script>'
const EXPIRES_AT = '2026-11-24T14:05:00.000Z'

const invite = (more: { workspaceName?: string; inviterName?: string } = {}) =>
  invitationMail({
    workspaceName: 'Acme',
    inviterName: 'Ada',
    role: 'viewer',
    url: URL,
    expiresAt: EXPIRES_AT,
    ...more,
  })

const MAILS: [string, (name: string) => Message][] = [
  ['a new password', (name) => passwordResetMail({ name, url: URL, expiresInMinutes: 60 })],
  ['a confirmation', (name) => verificationMail({ name, url: URL })],
  ['an invitation', (name) => invite({ inviterName: name })],
  ['an invitation to a workspace', (name) => invite({ workspaceName: name })],
]

test.each(MAILS)('%s: both forms greet or name people, and carry the link', (_, make) => {
  const { subject, text, html } = make('Ada')
  expect(subject).not.toBe('')
  for (const body of [text, html]) {
    expect(body).toContain('Ada')
    expect(body).toContain(URL)
  }
})

test.each(MAILS)('%s: a name is neither markup, nor a paragraph, nor a header', (_, make) => {
  const { subject, text, html } = make(MEAN)
  expect(subject).not.toMatch(/\p{Cc}/u)
  expect(text).toContain('Ada Bcc: eve@example.com <script>')
  expect(text.split('\n')).toHaveLength(make('Ada').text.split('\n').length)
  expect(html).not.toContain('<script')
  expect(html).toContain('&lt;script&gt;')
})

test.each(MAILS)('%s: a name that is long is cut, one that is missing is not missed', (_, make) => {
  const { subject, text } = make(`Ada ${'🦊'.repeat(100)}`)
  expect(text).toContain(`Ada ${'🦊'.repeat(55)}…`)
  expect(subject.length).toBeLessThan(200)
  const nameless = make(' \n ')
  expect(nameless.subject + nameless.text).not.toMatch(/ {2}| ,|undefined|“”/)
})

test('how long a link is good for is said in words', () => {
  expect(passwordResetMail({ name: 'Ada', url: URL, expiresInMinutes: 1 }).text).toContain('for 1 minute.')
  expect(passwordResetMail({ name: 'Ada', url: URL, expiresInMinutes: 60 }).text).toContain('for 60 minutes.')
  expect(invite().text).toContain('until 24 November 2026 at 14:05 UTC')
  expect(invite()).toMatchObject({ subject: 'Ada invites you to Acme on Tidemark' })
  expect(invite().text).toContain('as viewer')
})
