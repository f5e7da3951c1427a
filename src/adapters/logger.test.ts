import { DrizzleQueryError } from 'drizzle-orm/errors'
import { describe, expect, it } from 'vitest'
import type { LogFields } from '../ports.ts'
import { createLogger, redact } from './logger.ts'

/** What a log holds after these fields were written, as text and as an object. */
function logged(fields: LogFields): { line: string; entry: Record<string, unknown> } {
  let line = ''
  createLogger({}, (text) => {
    line = text
  }).info('something happened', fields)
  return { line, entry: JSON.parse(line) }
}

const KEY = 'tm_AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEE'

describe('a log', () => {
  it('is one JSON line an event, with its level, time and fields', () => {
    const lines: string[] = []
    const log = createLogger({ service: 'tidemark' }, (line) => lines.push(line)).with({ requestId: 'r1' })
    log.debug('one')
    log.info('two\nlines', { n: 2, none: null, missing: undefined, list: [1, 'a'] })
    log.warn('three')
    log.error('four', { requestId: 'r2' })
    expect(lines.every((line) => !line.includes('\n'))).toBe(true)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'debug', message: 'one', service: 'tidemark', requestId: 'r1' },
      { level: 'info', message: 'two\nlines', n: 2, none: null, list: [1, 'a'] },
      { level: 'warn', message: 'three' },
      { level: 'error', message: 'four', requestId: 'r2', at: expect.stringMatching(/^\d{4}-.*Z$/) },
    ])
  })

  it.each([
    'password',
    'newPassword',
    'DB_PASSWORD',
    'secret',
    'BETTER_AUTH_SECRET',
    'token',
    'accessToken',
    'authorization',
    'Cookie',
    'set-cookie',
    'credentials',
    'apiKey',
    'api_key',
    'x-api-key',
    'QSTASH_CURRENT_SIGNING_KEY',
    'private_key',
    'upstash-signature',
  ])('leaves out the value of a field called %s, however deep', (name) => {
    const { line, entry } = logged({ [name]: 'hunter2', deep: { er: [{ [name]: { inner: 'hunter2' } }] } })
    expect(line).not.toContain('hunter2')
    expect(entry[name]).toBe('[redacted]')
  })

  it('shows that such a field was empty', () => {
    expect(logged({ token: null, password: undefined }).entry).toMatchObject({ token: null })
  })

  it.each([
    [`the key ${KEY} was used`, 'the key tm_[redacted] was used'],
    ['Authorization: Bearer abc.DEF-123_~+/= and more', 'Authorization: Bearer [redacted] and more'],
    ['bearer  eyJhbGciOi.x.y', 'Bearer [redacted]'],
    ['postgres://app:hunter2@db.example.com/x', 'postgres://[redacted]@db.example.com/x'],
    ['redis://:hunter2@redis.example.com', 'redis://[redacted]@redis.example.com'],
    ['https://hunter2@example.com/a', 'https://[redacted]@example.com/a'],
    ['postgres://app:hun@ter2@db.example.com/x', 'postgres://[redacted]@db.example.com/x'],
    [
      'first postgres://a:hunter2@one/x, then postgres://b:hunter2@two/y',
      'first postgres://[redacted]@one/x, then postgres://[redacted]@two/y',
    ],
  ])('leaves secrets out of texts: %s', (text, shown) => {
    expect(redact(text)).toBe(shown)
    expect(logged({ deep: { text } }).entry).toMatchObject({ deep: { text: shown } })
  })

  it.each([
    'https://social.example/@somebody/1',
    'https://social.example?to=somebody@example.com',
    'see https://example.com/a:b and write to somebody@example.com',
    'item_tm_x',
  ])('leaves other texts as they are: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  it('leaves secrets out of errors, their stacks and their causes', () => {
    const inner = new Error(`connecting to postgres://app:hunter2@db.example.com failed`)
    const outer = Object.assign(new Error(`refused: Bearer hunter2`, { cause: inner }), {
      code: 'ECONNREFUSED',
      config: { password: 'hunter2' },
    })
    const { line, entry } = logged({ error: outer, list: [inner] })
    expect(line).not.toContain('hunter2')
    expect(entry.error).toMatchObject({
      name: 'Error',
      message: 'refused: Bearer [redacted]',
      code: 'ECONNREFUSED',
      stack: expect.stringContaining('at '),
      cause: { message: 'connecting to postgres://[redacted]@db.example.com failed' },
    })
  })

  it('leaves out what a failed query was given', () => {
    const error = new DrizzleQueryError(
      'insert into auth_users (email, password) values ($1, $2)',
      ['somebody@example.com', 'line one\nhunter2'],
      new Error('connection closed'),
    )
    const { line, entry } = logged({ error })
    expect(line).not.toContain('hunter2')
    expect(line).not.toContain('somebody@example.com')
    expect(entry.error).toMatchObject({
      message: 'Failed query: insert into auth_users (email, password) values ($1, $2)\nparams: [redacted]',
      stack: expect.stringMatching(/params: \[redacted\]\n {4}at /),
      cause: { message: 'connection closed' },
    })
  })

  it('shows the state of a refused statement', () => {
    expect(logged({ error: Object.assign(new Error('x'), { sqlState: '23505' }) }).entry.error).toMatchObject(
      {
        sqlState: '23505',
      },
    )
  })

  it('cuts long texts, and no secret in two', () => {
    const text = `${'x'.repeat(1_980)} postgres://app:hunter2@db.example.com/x`
    const shown = redact(text)
    expect(shown).toHaveLength(2_000)
    expect(shown).not.toContain('hunt')
  })

  it('ends, also in circles, and fails over nothing', () => {
    const circle: Record<string, unknown> = { name: 'circle' }
    circle.self = circle
    const error = new Error('caused by itself')
    error.cause = error
    const { line } = logged({
      circle,
      error,
      big: 12n,
      when: new Date('2026-11-22T10:00:00Z'),
      never: new Date(Number.NaN),
      call: () => 1,
      sign: Symbol('s'),
      many: Array.from({ length: 1_000 }, (_, i) => i),
    })
    const entry: unknown = JSON.parse(line)
    expect(entry).toMatchObject({ big: '12', when: '2026-11-22T10:00:00.000Z', never: null })
    expect(line.length).toBeLessThan(20_000)
  })
})

/** Secrets of every kind, each as it stands in the texts that carry it. */
const SECRETS = {
  apiKey: 'tm_Zq1Zq2Zq3Zq4Zq5Zq6Zq7Zq8Zq9Zq0Zq1Zq2Zq3Zq4Zq',
  bearer: 'Hb7xBearerValue.~+/Hb7x',
  password: 'Pw5Correct-horse-Pw5',
  connection: 'Cn6DatabasePw-Cn6',
  accessToken: 'At8QueryValue-At8',
  sessionToken: 'Sc9CookieValue.Sc9%3D',
  jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJJd3QzSnd0MyI6MX0.Jwt3SignatureJwt3',
  signingKey: 'sig_Sk4Sk4Sk4Sk4Sk4Sk4Sk4Sk4',
  sealed: 'Se2SealedCredential-Se2==',
  invitation: 'Iv1InvitationToken0123456789Iv1',
  parameter: 'Qp0Parameter Qp0\n    at Qp0Frame (x.ts:1:1)\nQp0End',
}
/** What betrays each, even a part of it. */
const TRACES = ['Zq1Z', 'Hb7x', 'Pw5', 'Cn6', 'At8', 'Sc9', 'Jwt3', 'eyJ', 'Sk4', 'Se2', 'Iv1', 'Qp0']

/** Texts as programs write them. */
const TEXTS = [
  `the key ${SECRETS.apiKey} is not valid`,
  `Authorization: Bearer ${SECRETS.bearer}`,
  `Authorization: Basic ${btoa(`user:${SECRETS.password}`)} ${SECRETS.apiKey}`,
  `connecting to postgres://app:${SECRETS.connection}@db.example.com:5432/x?sslmode=require failed`,
  `bad DSN host=db user=app password=${SECRETS.connection} dbname=x`,
  `GET https://api.example.com/me?fields=id&access_token=${SECRETS.accessToken}&limit=1 failed`,
  `callback https://app.example.com/oauth?code=${SECRETS.accessToken}&state=${SECRETS.accessToken}`,
  `Cookie: theme=dark; __Host-tidemark.session_token=${SECRETS.sessionToken}; a=b`,
  `set-cookie: __Host-tidemark.session_data=${SECRETS.sessionToken}; Path=/`,
  `sent __Host-tidemark.session_token=${SECRETS.sessionToken} along`,
  `Upstash-Signature: ${SECRETS.jwt}`,
  `the queue signed ${SECRETS.jwt} with ${SECRETS.signingKey}`,
  `body {"password":"${SECRETS.password}","refresh_token":"${SECRETS.accessToken}"}`,
  JSON.stringify(`body {"newPassword": "${SECRETS.password}", "sealed":"${SECRETS.sealed}"}`),
  `sealed=${SECRETS.sealed} could not be opened`,
  `mail to somebody: https://app.example.com/invitations/${SECRETS.invitation}`,
  `mail to somebody: https://app.example.com/accept?invitation=${SECRETS.invitation}#token=${SECRETS.invitation}`,
  `Failed query: select 1\nparams: ${SECRETS.parameter}`,
]

/** Objects of which a log may be told, with secrets in every corner. */
function corners(text: string): unknown[] {
  const query = new DrizzleQueryError(
    'insert into x values ($1)',
    [SECRETS.parameter, SECRETS.password],
    new Error(text),
  )
  const request = new Request(
    `https://${SECRETS.password}.example.com/?access_token=${SECRETS.accessToken}`.replace(
      SECRETS.password,
      'x',
    ),
    {
      method: 'POST',
      body: text,
      headers: {
        authorization: `Bearer ${SECRETS.bearer}`,
        cookie: `a=${SECRETS.sessionToken}`,
        'x-api-key': SECRETS.password,
        'upstash-signature': SECRETS.jwt,
      },
    },
  )
  return [
    text,
    [text],
    [[text]],
    { [text]: 1 },
    { deep: { er: text } },
    new Map([[text, { inner: text }]]),
    new Map<unknown, unknown>([
      ['password', SECRETS.password],
      [{ text }, text],
    ]),
    new Set([text]),
    new Error(text),
    new Error('outer', { cause: new Error('middle', { cause: new Error(text) }) }),
    new AggregateError([new Error(text), text], text),
    Object.assign(new Error('x'), { code: text, name: text, config: { password: SECRETS.password } }),
    query,
    new Error('outer', { cause: query }),
    request,
    request.headers,
    [...request.headers],
    new Response(text, { headers: { 'set-cookie': `a=${SECRETS.sessionToken}` } }),
    new URL(`https://user:${SECRETS.connection}@example.com/?token=${SECRETS.accessToken}`),
    new URLSearchParams({ client_secret: SECRETS.password, q: text }),
    { name: 'cookie', value: SECRETS.sessionToken },
    { headers: [{ key: 'Authorization', value: SECRETS.password }] },
    { credentials: { anything: SECRETS.sealed }, DATABASE_URL: SECRETS.connection },
    { toJSON: () => ({ password: SECRETS.password }), password: SECRETS.password },
    new TextEncoder().encode(text),
    new String(text),
    Object.assign(Object.create({ inherited: text }), { own: text }),
  ]
}

describe('secrets in a log', () => {
  /** Everything that a logger writes while it is told of this in every way that there is. */
  function written(value: unknown): string {
    const lines: string[] = []
    const log = createLogger({ bound: value }, (line) => lines.push(line))
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('x', { value, list: [value] })
    log.with({ more: value }).info('x', { nested: { value } })
    if (typeof value === 'string') log.info(value)
    expect(lines).toHaveLength(typeof value === 'string' ? 6 : 5)
    return lines.join('\n')
  }

  it.each(TEXTS)('are nowhere after: %s', (text) => {
    for (const value of corners(text)) {
      const all = written(value)
      for (const trace of TRACES) expect(all).not.toContain(trace)
    }
  })

  it('are not half shown where a text is cut, wherever that is', () => {
    for (const text of TEXTS)
      for (let before = 1_900; before < 3_010; before += 7) {
        const shown = String(redact(`${'x '.repeat(before / 2)}${text} ${'y'.repeat(4_000)}`))
        for (const trace of TRACES) expect(shown).not.toContain(trace)
        // Shortening what stands before must not bring the end of what was read into view.
        const shortened = String(redact(`Bearer ${'b'.repeat(before)} ${text} ${'y'.repeat(4_000)}`))
        for (const trace of TRACES) expect(shortened).not.toContain(trace)
      }
  })

  it('do not take long to look for, whatever a text is like', () => {
    const started = performance.now()
    for (const piece of ['a.', 'token', 'x=', 'a://', '"', 'params: ', 'cookie ', 'eyJaaaaa.', '-_.'])
      redact(piece.repeat(3_000))
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  it.each([
    'Unexpected token < in JSON at position 4',
    'The signature does not match.',
    'no ticket for workspace 0193b3a0-0000-7000-8000-000000000000',
    '3 tokens left of the budget bluesky',
    'at tokenOf (file:///src/tokens.ts:12:3)',
    'https://social.example/@ada/1?limit=40&max_id=12',
  ])('are not seen where there is none: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  it('leave a log that can be written, whatever it is told of', () => {
    const hostile = {
      get boom() {
        throw new Error('getter')
      },
    }
    const lines: string[] = []
    createLogger({}, (line) => lines.push(line)).warn('still told', { hostile, fine: 1 })
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'still told', hostile: '[unreadable]', fine: 1 },
    ])
  })
})
