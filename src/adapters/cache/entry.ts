import type { CacheEntry, SendableEntry } from '../../ports.ts'

const FRESH_MARK = '"stale":false}'
const STALE_MARK = '"stale":true}'

const encoder = new TextEncoder()

/** Whether an answer says of itself that it may be out of date. */
export const isStale = (entry: CacheEntry): boolean => entry.body.endsWith(STALE_MARK)

/** An entry ready to be sent. */
export function sendable(entry: CacheEntry): SendableEntry {
  const { body, etag, generation, computedAtMs } = entry
  const stale = isStale(entry)
  return { body, etag, generation, computedAtMs, bytes: encoder.encode(body), gzip: null, stale }
}

/** The same answer, saying of itself that it may be out of date. */
export function markStale(entry: CacheEntry): CacheEntry {
  if (!entry.body.endsWith(FRESH_MARK)) return entry
  return {
    ...entry,
    body: entry.body.slice(0, -FRESH_MARK.length) + STALE_MARK,
    etag: entry.etag.replace(/"$/, '-stale"'),
  }
}

/** A strong ETag of a text: its SHA-256, shortened to 128 bits. */
export async function etagOf(body: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(body)))
  let text = ''
  for (const byte of digest.subarray(0, 16)) text += byte.toString(16).padStart(2, '0')
  return `"${text}"`
}
