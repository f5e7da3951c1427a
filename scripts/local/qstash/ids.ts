import { randomBytes } from 'node:crypto'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const ID_LENGTH = 27

/** A random identifier such as `msg_2XavMm…`. */
export function newId(prefix: 'msg' | 'scd' | 'jwt' | 'sig'): string {
  let id = ''
  for (const byte of randomBytes(ID_LENGTH)) id += ALPHABET[byte % ALPHABET.length]
  return `${prefix}_${id}`
}
