import { AppError } from '../../errors.ts'
import { sleep as pause } from '../../lib/sleep.ts'

export interface PaceOptions {
  /** At least so long is left to others after each turn. */
  pauseMs: number
  /** Who has waited for longer is refused. */
  maxWaitMs: number
  /** Milliseconds since 1970. */
  now?: () => number
  sleep?: (ms: number) => Promise<void>
}

/** Whoever was given up in the midst of their turn is waited for no longer. */
const MAX_TURN_MS = 2_000

type Pace = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Does work that keeps an isolate busy one piece after another, and leaves as much time to others as it takes.
 * Nobody waits for another request to go on, which may be given up at any time: all look at the time alone.
 * Rejects with `unavailable` who would wait too long.
 */
export function createPace(options: PaceOptions): Pace {
  const { pauseMs, maxWaitMs, now = () => Date.now(), sleep = pause } = options
  let freeAtMs = 0
  return async (work) => {
    const untilMs = now() + maxWaitMs
    for (let waitMs = freeAtMs - now(); waitMs > 0; waitMs = freeAtMs - now()) {
      if (now() >= untilMs)
        throw new AppError('unavailable', 'Too many people sign up or in at the moment.', {
          retryAfterMs: waitMs,
        })
      // It may be free earlier than it seems.
      await sleep(Math.min(waitMs, pauseMs))
    }
    const startedMs = now()
    freeAtMs = startedMs + MAX_TURN_MS
    try {
      return await work()
    } finally {
      const endedMs = now()
      // The clock may stand still while work is done: then it took about as long as the pause.
      freeAtMs = Math.max(endedMs + Math.max(pauseMs, endedMs - startedMs), startedMs + 2 * pauseMs)
    }
  }
}
