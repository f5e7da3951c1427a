import type { Random } from '../../scripts/local/platforms/random.ts'
import type { Disturbance } from '../../scripts/local/qstash/index.ts'
import type { Toll } from './toll.ts'

const HELD = 0.25
const MOST_HELD_MS = 4_000
const REPEATED = 0.15
const MOST_REPEATED_AFTER_MS = 8_000
const UNANSWERED = 0.05

/** A queue that delivers at least once and in no certain order, and makes use of it. */
export function mishaps(random: Random, toll: Toll): Disturbance {
  const happens = (chance: number, what: 'held' | 'repeated' | 'answersLost') => {
    const isSo = random.chance(chance)
    if (isSo) toll[what] += 1
    return isSo
  }
  return () => ({
    heldMs: happens(HELD, 'held') ? random.int(50, MOST_HELD_MS) : 0,
    repeatedAfterMs: happens(REPEATED, 'repeated') ? random.int(0, MOST_REPEATED_AFTER_MS) : null,
    losesAnswer: happens(UNANSWERED, 'answersLost'),
  })
}
