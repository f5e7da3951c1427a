import type { CacheEntry } from '../../ports.ts'

const FRESH_MARK = '"stale":false}'
const STALE_MARK = '"stale":true}'

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
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body)))
  let text = ''
  for (const byte of digest.subarray(0, 16)) text += byte.toString(16).padStart(2, '0')
  return `"${text}"`
}
