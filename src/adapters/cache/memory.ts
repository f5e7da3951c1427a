import { LRUCache } from 'lru-cache'
import type { CacheEntry } from '../../ports.ts'

/** What an isolate may hold of answers; it has 128 MB for everything. */
const MAX_BYTES = 24 * 1024 * 1024

export interface MemoryEntry extends CacheEntry {
  /** When a tier that knows of changes last vouched for it. */
  validatedAtMs: number
}

/** The isolate's own answers, bounded in bytes. */
export function createMemoryTier(maxBytes = MAX_BYTES) {
  const entries = new LRUCache<string, MemoryEntry>({
    maxSize: maxBytes,
    // Text is two bytes a character at worst; the rest of an entry is small change.
    sizeCalculation: (entry, key) => (entry.body.length + key.length) * 2 + 200,
  })
  return {
    get: (key: string): MemoryEntry | undefined => entries.get(key),
    put(key: string, entry: MemoryEntry): void {
      const known = entries.get(key)
      // A slow reader must not replace what a later one has read.
      if (known !== undefined && known.generation > entry.generation) return
      entries.set(key, entry)
    },
    clear: () => entries.clear(),
  }
}
export type MemoryTier = ReturnType<typeof createMemoryTier>
