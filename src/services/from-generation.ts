import { readingAtLeast } from '../db/client.ts'
import type { ServiceDeps } from './context.ts'

/**
 * The same context for a read whose answer serves if it is of this generation or a later one, so that a replica
 * may give it. `null`: how new it has to be is not known, and the primary is asked.
 */
export function fromGeneration<C extends Pick<ServiceDeps, 'db'>>(ctx: C, atLeast: number | null): C {
  return { ...ctx, db: readingAtLeast(ctx.db, atLeast) }
}
