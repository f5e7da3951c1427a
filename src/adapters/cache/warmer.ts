import { AppError } from '../../errors.ts'
import { concurrently } from '../../lib/concurrently.ts'
import { sleep } from '../../lib/sleep.ts'
import type { CacheRead, Compute, Logger, Rephrase } from '../../ports.ts'
import type { WarmQuestion } from './region.ts'

export interface WarmerParts {
  rephrase(): Promise<Rephrase>
  /** Makes an answer anew, unless somebody else is about to or has done it. */
  renew(request: CacheRead, compute: Compute): Promise<void>
  log: Logger
  waitUntil(work: Promise<unknown>): void
}

/** The runtime allows six connections at a time; what is asked for meanwhile has some of them left. */
const AT_A_TIME = 3
/** Whoever is to be told of the change does not wait longer for answers to be there before the question. */
const PATIENCE_MS = 250

/**
 * Answers again, after a change, what people are looking at, so that whoever is told of it finds the answer made.
 * What takes longer than a moment goes on by itself. Never rejects: what fails here is made when it is asked for.
 */
export function createWarmer({ rephrase, renew, log, waitUntil }: WarmerParts) {
  async function warmOne(scope: string, minGeneration: number, question: WarmQuestion): Promise<void> {
    const { key, policy, recipe } = question
    try {
      const compute = (await rephrase())(scope, recipe)
      // Nobody asks for it now: that it is made is no reason to keep it warm, so it goes without its recipe.
      if (compute !== null) await renew({ scope, key, minGeneration, policy }, compute)
    } catch (error) {
      // What cannot be asked was refused before, too.
      if (error instanceof AppError && error.code !== 'unavailable') return
      log.warn('answer not kept warm', { scope, error })
    }
  }

  return async (scope: string, generation: number, questions: readonly WarmQuestion[]): Promise<void> => {
    if (questions.length === 0) return
    const all = concurrently(AT_A_TIME, questions, (question) => warmOne(scope, generation, question))
    waitUntil(all)
    await Promise.race([all, sleep(PATIENCE_MS)])
  }
}
