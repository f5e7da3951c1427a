import { describe, expect, it } from 'vitest'
import { signDelivery } from './signing.ts'
import { CURRENT_KEY, NEXT_KEY, receiverOf } from './test-support.ts'

const url = 'https://example.com/callbacks/sync?x=1'
const body = '{"ünïcode":"✓"}'
const sign = (key: string, nowMs = Date.now()) => signDelivery({ url, body: Buffer.from(body), key, nowMs })

describe('signDelivery', () => {
  it('is accepted by the vendor’s receiver, signed with the current key', async () => {
    await expect(receiverOf().verify({ signature: sign(CURRENT_KEY), body, url })).resolves.toBe(true)
  })

  it('is accepted by the vendor’s receiver, signed with its next key', async () => {
    await expect(receiverOf().verify({ signature: sign(NEXT_KEY), body, url })).resolves.toBe(true)
  })

  it('is refused under any other key', async () => {
    const signature = sign('sig_of_somebody_else')
    await expect(receiverOf().verify({ signature, body, url })).rejects.toThrow(
      'signature verification failed',
    )
  })

  it('is refused for another body and for another URL', async () => {
    const signature = sign(CURRENT_KEY)
    await expect(receiverOf().verify({ signature, body: `${body} `, url })).rejects.toThrow('body hash')
    await expect(receiverOf().verify({ signature, body, url: `${url}2` })).rejects.toThrow('invalid subject')
  })

  it('is refused when it has expired, and before its time', async () => {
    // The receiver tells of the last key that it tried, so both are the right one.
    const receiver = receiverOf(CURRENT_KEY, CURRENT_KEY)
    const expired = sign(CURRENT_KEY, Date.now() - 301_000)
    await expect(receiver.verify({ signature: expired, body, url })).rejects.toThrow('"exp"')
    const early = sign(CURRENT_KEY, Date.now() + 60_000)
    await expect(receiver.verify({ signature: early, body, url })).rejects.toThrow('"nbf"')
  })

  it('has QStash’s header and claims, each token with an id of its own', () => {
    const [header, claims] = decode(sign(CURRENT_KEY, 1_656_580_312_999))
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(claims).toEqual({
      iss: 'Upstash',
      sub: url,
      exp: 1_656_580_612,
      nbf: 1_656_580_312,
      iat: 1_656_580_312,
      jti: expect.stringMatching(/^jwt_\w{20,}$/),
      body: expect.stringMatching(/^[\w-]{43}=$/),
    })
    const [, others] = decode(sign(CURRENT_KEY, 1_656_580_312_999))
    expect(others).not.toEqual(claims)
  })
})

function decode(token: string): unknown[] {
  const [header = '', claims = ''] = token.split('.')
  return [header, claims].map((part): unknown => JSON.parse(Buffer.from(part, 'base64url').toString()))
}
