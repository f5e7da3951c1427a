import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { signDelivery } from '../../scripts/local/qstash/signing.ts'
import { createSignatureCheck } from './signature.ts'

const CURRENT = 'sig_current_key_of_the_tests'
const NEXT = 'sig_next_key_of_the_tests'
const URL_OF_CALL = 'https://tidemark.example.com/callbacks/sync/plan'
const BODY = '{"ünïcode":"✓"}'

const verify = createSignatureCheck({ current: CURRENT, next: NEXT })

let signature: string
beforeEach(() => {
  signature = sign({})
})

function sign(changes: { key?: string; url?: string; body?: string; ageMs?: number }): string {
  return signDelivery({
    url: changes.url ?? URL_OF_CALL,
    body: Buffer.from(changes.body ?? BODY),
    key: changes.key ?? CURRENT,
    nowMs: Date.now() - (changes.ageMs ?? 0),
  })
}

const check = (changes: { signature?: string; url?: string; body?: string } = {}) =>
  verify({ signature, url: URL_OF_CALL, body: BODY, ...changes })

/** A token with claims of one's own, rightly signed. */
function forge(claims: object, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${createHmac('sha256', CURRENT).update(text).digest('base64url')}`
}

describe('a signature', () => {
  it('is right under the current key and under the next', async () => {
    expect(await check()).toBe(true)
    expect(await check({ signature: sign({ key: NEXT }) })).toBe(true)
  })

  it('is right for an empty body', async () => {
    expect(await check({ signature: sign({ body: '' }), body: '' })).toBe(true)
  })

  it.each([
    ['another body', { body: `${BODY} ` }],
    ['no body', { body: '' }],
    ['another topic', { url: `${URL_OF_CALL}s` }],
    ['another deployment', { url: URL_OF_CALL.replace('tidemark', 'other') }],
    ['a query', { url: `${URL_OF_CALL}?x=1` }],
    ['another scheme', { url: URL_OF_CALL.replace('https', 'http') }],
  ])('is wrong for %s', async (_, changes) => {
    expect(await check(changes)).toBe(false)
  })

  it('is wrong under any other key', async () => {
    expect(await check({ signature: sign({ key: 'sig_of_somebody_else' }) })).toBe(false)
    expect(await check({ signature: sign({ key: '' }) })).toBe(false)
  })

  it('is right until it expires, and not before its time, give or take the clocks', async () => {
    expect(await check({ signature: sign({ ageMs: 295_000 }) })).toBe(true)
    expect(await check({ signature: sign({ ageMs: 310_000 }) })).toBe(false)
    expect(await check({ signature: sign({ ageMs: -3_000 }) })).toBe(true)
    expect(await check({ signature: sign({ ageMs: -10_000 }) })).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['a word', 'nonsense'],
    ['points', '..'],
    ['parts that are nothing', 'a.b.c'],
    ['parts that cannot be read', '%%%.%%%.%%%'],
    ['something long', `${'a'.repeat(100_000)}.b.c`],
  ])('is wrong, and no failure, as %s', async (_, nonsense) => {
    expect(await check({ signature: nonsense })).toBe(false)
  })

  it('is wrong with a character changed, or with more', async () => {
    const last = signature.at(-2) === 'A' ? 'B' : 'A'
    expect(await check({ signature: `${signature.slice(0, -2)}${last}${signature.at(-1)}` })).toBe(false)
    expect(await check({ signature: `${signature}.more` })).toBe(false)
    expect(await check({ signature: signature.split('.').slice(0, 2).join('.') })).toBe(false)
  })

  it('is wrong without claims that it must have, though rightly signed', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const [, claims = ''] = signature.split('.')
    const whole: Record<string, unknown> = JSON.parse(Buffer.from(claims, 'base64url').toString())
    expect(await check({ signature: forge(whole) })).toBe(true)
    for (const name of ['iss', 'sub', 'body']) {
      const { [name]: _, ...rest } = whole
      expect(await check({ signature: forge(rest) }), name).toBe(false)
    }
    expect(await check({ signature: forge({ ...whole, iss: 'Somebody' }) })).toBe(false)
    expect(await check({ signature: forge({ ...whole, exp: now - 60 }) })).toBe(false)
  })

  it('is wrong where it chooses not to be signed', async () => {
    const [, claims = ''] = signature.split('.')
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    expect(await check({ signature: `${none}.${claims}.` })).toBe(false)
  })
})

describe('development', () => {
  it('is no reason to believe anybody', async () => {
    const before = process.env.QSTASH_DEV
    process.env.QSTASH_DEV = 'true'
    try {
      const check = createSignatureCheck({ current: CURRENT, next: NEXT })
      expect(await check({ signature: 'nonsense', url: URL_OF_CALL, body: BODY })).toBe(false)
    } finally {
      if (before === undefined) delete process.env.QSTASH_DEV
      else process.env.QSTASH_DEV = before
    }
  })
})
