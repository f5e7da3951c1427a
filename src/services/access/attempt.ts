import { wasOvertaken } from '../../db/queries/access.ts'
import { AppError } from '../../errors.ts'
import { sleep } from '../../lib/sleep.ts'

const MAX_ATTEMPTS = 30
/** The longest pause after the first attempt; it grows with each. */
const PAUSE_MS = 20
const MAX_PAUSE_MS = 300

/**
 * Reads, decides and writes; again where what the decision rests on has changed meanwhile, which the
 * transaction finds out (`proceedOnlyIf`).
 * @throws unavailable where others are faster every time
 */
export async function decideAndWrite<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!wasOvertaken(error)) throw error
      if (tried === MAX_ATTEMPTS)
        throw new AppError('unavailable', 'Others are changing the same thing at the moment.', {
          cause: error,
        })
      // At random, so that those who met do not meet again.
      await sleep(Math.random() * Math.min(MAX_PAUSE_MS, PAUSE_MS * tried))
    }
  }
}
