import { invalidRequest } from '../errors.ts'
import { fromBase64Url, toBase64Url } from './base64url.ts'

/** Positions in one list, made opaque and signed: a client can hand one back, and not make one up. */
export interface CursorCodec {
  encode(position: unknown): Promise<string>
  /** @throws invalid_request at `/query/cursor` for anything that this deployment did not make for this list */
  decode(cursor: string): Promise<unknown>
}

const SIGNATURE_BYTES = 12

/**
 * @param secret the deployment's; cursors of another one are refused
 * @param list names the list; cursors of another one are refused
 */
export function createCursorCodec(secret: string, list: string): CursorCodec {
  const key = crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(`cursor:${secret}`),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  )
  const sign = async (payload: string) => {
    const signature = await crypto.subtle.sign(
      'HMAC',
      await key,
      new TextEncoder().encode(`${list}\n${payload}`),
    )
    return toBase64Url(new Uint8Array(signature).subarray(0, SIGNATURE_BYTES))
  }
  const refused = () =>
    invalidRequest([
      { pointer: '/query/cursor', detail: 'This cursor was not made by this list; start without one.' },
    ])
  return {
    async encode(position) {
      const payload = toBase64Url(new TextEncoder().encode(JSON.stringify(position)))
      return `${payload}.${await sign(payload)}`
    },
    async decode(cursor) {
      const [payload = '', signature = ''] = cursor.split('.', 2)
      // A cursor is no secret: how long the comparison takes tells nothing worth knowing.
      if (payload === '' || signature !== (await sign(payload)) || cursor !== `${payload}.${signature}`)
        throw refused()
      return JSON.parse(new TextDecoder().decode(fromBase64Url(payload)))
    },
  }
}
