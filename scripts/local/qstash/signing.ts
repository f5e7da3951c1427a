import { createHash, createHmac } from 'node:crypto'
import { newId } from './ids.ts'

/** As QStash: a signature is good for five minutes. */
const LIFETIME_SECONDS = 300

const JWT_HEADER = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url')

/**
 * Makes the `Upstash-Signature` of one delivery: a JWT over the destination and the body's hash.
 * @param nowMs milliseconds since 1970, by the clock that the receiver checks against
 */
export function signDelivery(input: { url: string; body: Buffer; key: string; nowMs: number }): string {
  const nowSeconds = Math.floor(input.nowMs / 1000)
  const claims = {
    iss: 'Upstash',
    sub: input.url,
    exp: nowSeconds + LIFETIME_SECONDS,
    nbf: nowSeconds,
    iat: nowSeconds,
    jti: newId('jwt'),
    body: paddedBase64Url(createHash('sha256').update(input.body).digest('base64')),
  }
  const signed = `${JWT_HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const signature = createHmac('sha256', input.key).update(signed).digest('base64url')
  return `${signed}.${signature}`
}

/** QStash keeps the padding of the body's hash, so that receivers must cope with it. */
function paddedBase64Url(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_')
}
