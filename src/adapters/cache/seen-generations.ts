import { LRUCache } from 'lru-cache'
import { atMost } from '../../lib/lru.ts'

/**
 * The generations that an isolate has seen of each scope: read from the database, or raised here. What is
 * older is not used here any more, and a Redis that missed a raise learns of it with the next question.
 * Of those somebody here has been told: whoever made the change, or was shown what it was part of.
 */
export function createSeenGenerations() {
  const seen = new LRUCache<string, number>(atMost(20_000))
  const told = new LRUCache<string, number>(atMost(20_000))
  /** Raises that Redis has not heard of. */
  const untold = new LRUCache<string, number>(atMost(5_000))
  function note(scope: string, generation: number): void {
    if (generation > (seen.get(scope) ?? 0)) seen.set(scope, generation)
  }
  return {
    of: (scope: string): number => seen.get(scope) ?? 0,
    toldOf: (scope: string): number => told.get(scope) ?? 0,
    note,
    noteTold(scope: string, generation: number): void {
      note(scope, generation)
      if (generation > (told.get(scope) ?? 0)) told.set(scope, generation)
    },
    keepUntold(scope: string, generation: number): void {
      if (generation > (untold.get(scope) ?? 0)) untold.set(scope, generation)
    },
    hasUntold: (): boolean => untold.size > 0,
    /** Hands them over, to be told now. */
    takeUntold(): [scope: string, generation: number][] {
      const entries = [...untold.entries()]
      untold.clear()
      return entries
    },
  }
}

export type SeenGenerations = ReturnType<typeof createSeenGenerations>
