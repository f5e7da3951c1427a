import { dictionary } from '@zxcvbn-ts/language-common'
import { fingerprint } from '../../src/adapters/auth/common-passwords.ts'
import { MIN_PASSWORD_LENGTH } from '../../src/adapters/auth/password-rules.ts'

/** Where the Worker has them. */
export const FINGERPRINTS_FILE = 'src/adapters/auth/common-password-fingerprints.ts'

/** The well-known passwords that are long enough for the rules to have to know them, in lower case. */
export function commonPasswords(): string[] {
  const all = dictionary['passwords-common'].map((password) => password.toLowerCase())
  return [...new Set(all)].filter((password) => [...password].length >= MIN_PASSWORD_LENGTH)
}

/** The source of `FINGERPRINTS_FILE`: their fingerprints in order, four bytes each. */
export function renderFingerprints(): string {
  const sorted = [...new Set(commonPasswords().map(fingerprint))].sort((a, b) => a - b)
  const bytes = Buffer.alloc(sorted.length * 4)
  for (const [at, value] of sorted.entries()) bytes.writeUInt32BE(value, at * 4)
  return `/**
 * Made by \`node scripts/passwords/fingerprints-command.ts\` from the list of @zxcvbn-ts/language-common (MIT):
 * ${sorted.length} numbers of four bytes, big-endian, sorted, in base64.
 */
export const COMMON_PASSWORD_FINGERPRINTS =
  '${bytes.toString('base64')}'
`
}
