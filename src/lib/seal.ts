import { fromBase64Url, toBase64Url } from './base64url.ts'

/** A key of AES-256-GCM, and the name under which what it seals is stored. */
export interface SealingKey {
  /** 16 hex digits that tell keys apart and nothing about them. */
  id: string
  key: CryptoKey
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
const ID_LABEL = new TextEncoder().encode('tidemark-key-id')
const ID_HEX_DIGITS = 16

/** What was sealed cannot be opened: it, its key or what it is bound to is another. Says nothing of the content. */
export class SealBrokenError extends Error {
  constructor() {
    super('What was sealed cannot be opened: it was changed, or belongs elsewhere.')
    this.name = 'SealBrokenError'
  }
}

/** Makes a key usable that is given as 32 bytes in base64. @throws RangeError when it has another length */
export async function importSealingKey(base64: string): Promise<SealingKey> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  if (bytes.byteLength !== 32) throw new RangeError('A sealing key has 32 bytes.')
  const labelled = new Uint8Array([...ID_LABEL, ...bytes])
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', labelled))
  const id = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .slice(0, ID_HEX_DIGITS)
  return { id, key: await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']) }
}

/**
 * Seals a text: nonce, ciphertext and tag as base64url. It opens under the same key and `boundTo` alone. The
 * nonce is random: one key may seal 2^32 texts.
 */
export async function seal({ key }: SealingKey, text: string, boundTo: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const sealed = await crypto.subtle.encrypt(algorithm(nonce, boundTo), key, new TextEncoder().encode(text))
  return toBase64Url(new Uint8Array([...nonce, ...new Uint8Array(sealed)]))
}

/** The text that was sealed. @throws SealBrokenError when anything about it is another than it was */
export async function unseal({ key }: SealingKey, sealed: string, boundTo: string): Promise<string> {
  try {
    const bytes = new Uint8Array(fromBase64Url(sealed))
    // The last digit has bits that count for nothing, and decoders are lenient: there is one way to write it.
    if (bytes.byteLength < NONCE_BYTES + TAG_BYTES || toBase64Url(bytes) !== sealed)
      throw new SealBrokenError()
    const text = await crypto.subtle.decrypt(
      algorithm(bytes.slice(0, NONCE_BYTES), boundTo),
      key,
      bytes.slice(NONCE_BYTES),
    )
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text)
  } catch {
    throw new SealBrokenError()
  }
}

function algorithm(iv: Uint8Array<ArrayBuffer>, boundTo: string): AesGcmParams {
  return {
    name: 'AES-GCM',
    iv,
    additionalData: new TextEncoder().encode(boundTo),
    tagLength: TAG_BYTES * 8,
  }
}
