import { didOf, snowflakeOf } from './identity.ts'
import { hash32 } from './random.ts'
import type { AccountSpec } from './types.ts'

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'

/** The id of an account in its platform's own format; the same for the same seed and key, for ever. */
export function accountIdOf(seed: string, spec: AccountSpec): string {
  const { platform, key } = spec
  const hashed = (alphabet: string, length: number): string =>
    characters(alphabet, length, seed, 'account', platform, key)
  switch (platform) {
    case 'bluesky':
      return didOf(seed, key)
    case 'mastodon':
      return snowflakeOf(Date.parse(spec.createdAt), hash32(seed, 'account', key) & 0xffff)
    case 'youtube':
      return `UC${hashed(BASE64, 22)}`
    case 'x':
      return `1${hashed(DIGITS, 18)}`
    case 'instagram':
      return `17841${hashed(DIGITS, 12)}`
    case 'threads':
      return `26${hashed(DIGITS, 15)}`
    case 'facebook':
      return `1${hashed(DIGITS, 14)}`
    case 'tiktok':
      return `-000${hashed(BASE64, 32)}`
    case 'linkedin':
      return `1${hashed(DIGITS, 8)}`
    case 'reddit':
      return `${spec.isCommunity ? 't5' : 't2'}_${hashed(BASE36, 9)}`
  }
}

function characters(alphabet: string, length: number, ...parts: readonly string[]): string {
  return Array.from({ length }, (_, index) =>
    alphabet.charAt(hash32(...parts, index) % alphabet.length),
  ).join('')
}
