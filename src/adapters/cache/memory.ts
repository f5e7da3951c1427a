import { LRUCache } from 'lru-cache'
import type { SendableEntry } from '../../ports.ts'

/** What an isolate may hold of answers; it has 128 MB for everything. */
const MAX_BYTES = 24 * 1024 * 1024

export interface MemoryEntry {
  answer: SendableEntry
  /** When a tier that knows of changes last vouched for it; what is older is worth nothing without one. */
  validatedAtMs: number
  /** From then on it is renewed in the background while it still serves. */
  renewAtMs: number
  /** From then on it does not serve. */
  usableUntilMs: number
}

/** The isolate's own answers, bounded in bytes. */
export function createMemoryTier(maxBytes = MAX_BYTES) {
  const entries = new LRUCache<string, MemoryEntry>({
    maxSize: maxBytes,
    // Text is two bytes a character at worst; its bytes beside it, and less than half as many compressed.
    sizeCalculation: ({ answer }, key) =>
      (answer.body.length + key.length) * 2 + Math.ceil(answer.bytes.length * 1.5) + 300,
  })
  return {
    get: (key: string): MemoryEntry | undefined => entries.get(key),
    put(key: string, entry: MemoryEntry): void {
      const known = entries.get(key)
      // A slow reader must not replace what a later one has read.
      if (known !== undefined && known.answer.generation > entry.answer.generation) return
      entries.set(key, entry)
    },
  }
}

export type MemoryTier = ReturnType<typeof createMemoryTier>
