import { LRUCache } from 'lru-cache'
import { atMost } from '../lib/lru.ts'
import type { Clock, Logger } from '../ports.ts'
import { type Breaker, BreakerOpenError } from '../resilience/breaker.ts'
import type { Db } from './client.ts'

/** With what a read may take of the primary after it, no longer than the lock under which answers are made anew. */
const REPLICA_TIMEOUT_MS = 500
/** One that was behind a workspace is not asked about it again before. */
const BEHIND_PAUSE_MS = 1_000

export interface ReplicaParts {
  db: Db
  /** Its own: every failure counts, as the primary has the answer. */
  breaker: Breaker
  clock: Clock
  log: Pick<Logger, 'warn'>
}

/**
 * The database with a replica beside it, which answers reads that say how new their answer has to be
 * (`RunOptions.atLeast`). Where it is behind, too slow or away, the primary answers as if there were none.
 * Everything else is asked of the primary alone.
 */
export function withReplica(primary: Db, replica: ReplicaParts): Db {
  const { db, breaker, clock, log } = replica
  /** Until when it is not asked about a workspace. */
  const behind = new LRUCache<string, number>(atMost(1_000))

  return {
    async inWorkspace(workspaceId, statements, options = {}) {
      const { atLeast = null, timeoutMs = REPLICA_TIMEOUT_MS } = options
      const ask = () => primary.inWorkspace(workspaceId, statements, options)
      if (atLeast === null || options.snapshot !== true) return ask()
      if (clock.now() < (behind.get(workspaceId) ?? 0)) return ask()
      try {
        const results = await breaker.run(() =>
          db.inWorkspace(workspaceId, statements, {
            ...options,
            timeoutMs: Math.min(timeoutMs, REPLICA_TIMEOUT_MS),
          }),
        )
        if (generationOf(results) >= atLeast) return results
        behind.set(workspaceId, clock.now() + BEHIND_PAUSE_MS)
      } catch (error) {
        if (!(error instanceof BreakerOpenError)) log.warn('replica does not answer', { error })
      }
      return ask()
    },
    outside: (query, options) => primary.outside(query, options),
  }
}

/** What the first row of the first statement says; of one that says nothing, less than any. */
function generationOf([rows]: readonly (readonly unknown[])[]): number {
  const row = rows?.[0]
  if (typeof row !== 'object' || row === null || !('generation' in row)) return -1
  return typeof row.generation === 'number' ? row.generation : -1
}
