import { LRUCache } from 'lru-cache'
import { atMost } from '../../lib/lru.ts'
import type { CallerRecords, Clock, Fence } from '../../ports.ts'

/**
 * For so long what is shared is not asked where a change was not told to it: until all that was looked up
 * before the change is no longer fresh there.
 */
const UNSURE_MS = 15_000

interface Change {
  atMs: number
  ended: boolean
  /** Until when what is shared may not know of it. */
  unsureUntilMs: number
}

/** What changed by way of this isolate: known here at once, whatever others know. */
export interface Fences {
  /** Whether one of these has ended. */
  haveEnded(fences: readonly Fence[]): boolean
  /** Whether what was asked for at a moment is from after every change. */
  stand(fences: readonly Fence[], askedAtMs: number): boolean
  /** Whether what is shared knows of every change. */
  areShared(fences: readonly Fence[]): boolean
  /** Takes note of a change at once; resolves when others could know, or a while after. Never rejects. */
  forget(fences: readonly Fence[]): Promise<void>
  /** As `forget`, for good. */
  end(fences: readonly Fence[]): Promise<void>
}

export function createFences(clock: Clock, records: CallerRecords | null): Fences {
  const changes = new LRUCache<Fence, Change>(atMost(20_000))

  function note(fences: readonly Fence[], ended: boolean): Change {
    const atMs = clock.now()
    const change = { atMs, ended, unsureUntilMs: atMs + UNSURE_MS }
    for (const fence of fences) if (changes.get(fence)?.ended !== true) changes.set(fence, change)
    return change
  }

  return {
    haveEnded: (fences) => fences.some((fence) => changes.get(fence)?.ended === true),
    stand(fences, askedAtMs) {
      for (const fence of fences) {
        const change = changes.get(fence)
        if (change !== undefined && (change.ended || askedAtMs <= change.atMs)) return false
      }
      return true
    },
    areShared: (fences) =>
      fences.every((fence) => clock.now() >= (changes.get(fence)?.unsureUntilMs ?? Number.NEGATIVE_INFINITY)),
    async forget(fences) {
      const change = note(fences, false)
      // A later change of the same is another object, and not sure because this one is.
      if (await records?.forget(fences)) change.unsureUntilMs = Number.NEGATIVE_INFINITY
    },
    async end(fences) {
      const change = note(fences, true)
      if (await records?.end(fences)) change.unsureUntilMs = Number.NEGATIVE_INFINITY
    },
  }
}
