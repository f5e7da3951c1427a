import { hash32 } from './random.ts'

/** Identifiers in the platforms' own formats, made from times and hashes so that they can be read back. */

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
/** The alphabet of Bluesky record keys, in which the order of text is the order of time. */
const BASE32_SORTABLE = '234567abcdefghijklmnopqrstuvwxyz'
const TID_LENGTH = 13
const SNOWFLAKE_SEQUENCE_BITS = 16n
/** How many accounts the low bits of a snowflake id can tell apart. */
export const MAX_ACCOUNTS = 2 ** 16

/** `did:plc:` and 24 characters. */
export function didOf(seed: string, accountKey: string): string {
  return `did:plc:${base32Hash(24, seed, 'did', accountKey)}`
}

/** The content id of a record: other content, other id. */
export function cidOf(...content: readonly string[]): string {
  return `bafyrei${base32Hash(52, 'cid', ...content)}`
}

/** A blob's content id, as in image and video references. */
export function blobCidOf(...content: readonly string[]): string {
  return `bafkrei${base32Hash(52, 'blob', ...content)}`
}

/** A Bluesky record key for a time in epoch milliseconds; `salt` fills the bits below them. */
export function tidOf(atMs: number, salt: number): string {
  const micros = BigInt(atMs) * 1000n + BigInt(salt % 1000)
  let value = (micros << 10n) | BigInt((salt >>> 12) % 1024)
  let text = ''
  for (let index = 0; index < TID_LENGTH; index += 1) {
    text = BASE32_SORTABLE.charAt(Number(value & 31n)) + text
    value >>= 5n
  }
  return text
}

/** The epoch milliseconds a record key was made from, or undefined where it is none. */
export function timeOfTid(tid: string): number | undefined {
  if (tid.length !== TID_LENGTH) return undefined
  let value = 0n
  for (const character of tid) {
    const digit = BASE32_SORTABLE.indexOf(character)
    if (digit < 0) return undefined
    value = (value << 5n) | BigInt(digit)
  }
  return Number((value >> 10n) / 1000n)
}

/** A Mastodon id: 48 bits of epoch milliseconds, then 16 bits that tell simultaneous objects apart. */
export function snowflakeOf(atMs: number, sequence: number): string {
  return String((BigInt(atMs) << SNOWFLAKE_SEQUENCE_BITS) | BigInt(sequence % MAX_ACCOUNTS))
}

/** The parts of a Mastodon id, or undefined where the text is none. */
export function partsOfSnowflake(id: string): { atMs: number; sequence: number } | undefined {
  if (!/^\d{1,19}$/.test(id)) return undefined
  const value = BigInt(id)
  return {
    atMs: Number(value >> SNOWFLAKE_SEQUENCE_BITS),
    sequence: Number(value & BigInt(MAX_ACCOUNTS - 1)),
  }
}

function base32Hash(length: number, ...parts: readonly string[]): string {
  let text = ''
  for (let block = 0; text.length < length; block += 1) {
    let word = hash32(block, ...parts)
    // Six characters use 30 of the 32 bits.
    for (let index = 0; index < 6; index += 1) {
      text += BASE32.charAt(word & 31)
      word >>>= 5
    }
  }
  return text.slice(0, length)
}
