import { COMMON_PASSWORD_FINGERPRINTS } from './common-password-fingerprints.ts'

/**
 * The Worker carries fingerprints of the list, and not its words: they are a quarter of the size. One in
 * three million other passwords has the fingerprint of one of them, and is refused as well.
 */
let known: ReadonlySet<number> | undefined

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** 32 bits of a text: FNV-1a over its UTF-8 bytes. */
export function fingerprint(text: string): number {
  let hash = FNV_OFFSET
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, FNV_PRIME)
  return hash >>> 0
}

/** Whether a password, in lower case, is among the best known ones of at least ten characters. */
export function isCommonPassword(lowerCase: string): boolean {
  known ??= readFingerprints()
  return known.has(fingerprint(lowerCase))
}

function readFingerprints(): Set<number> {
  const bytes = Uint8Array.from(atob(COMMON_PASSWORD_FINGERPRINTS), (character) => character.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  return new Set(Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(at * 4)))
}
