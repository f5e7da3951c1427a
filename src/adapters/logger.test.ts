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
