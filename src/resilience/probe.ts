import type { Clock } from '../ports.ts'
import type { Breaker, CountsAsFailure } from './breaker.ts'
import { within } from './timeout.ts'

/** While all is well, of what requests would notice at once. */
const WELL_EVERY_MS = 60_000
/** While a breaker is not closed, or the last call failed. */
const TROUBLED_EVERY_MS = 3_000

/** A dependency, and the cheapest question to ask of it. */
export interface ProbeTarget {
  breaker: Breaker
  ask(): Promise<unknown>
  /** What has not answered by then has failed. */
  timeoutMs: number
  /** How often it is asked while all is well; once a minute by default. */
  wellEveryMs?: number
  counts?: CountsAsFailure
}

export interface Probe {
  /** Asks, after the answer of whoever is served now, what is due to be asked. Waits for nothing, and costs next to nothing. */
  soon(): void
  /** Asks all of them, whatever is due, and waits for what they say. Never rejects. */
  now(): Promise<void>
}

/**
 * Asks dependencies how they are, so that no request has to find out: breakers open before requests wait for
 * what does not answer, and close as soon as it does again. One an isolate; it lives on the isolate's traffic.
 */
export function createProbe(
  targets: readonly ProbeTarget[],
  parts: { clock: Clock; waitUntil(work: Promise<unknown>): void },
): Probe {
  const { clock, waitUntil } = parts
  // The first look is a while away, unless something fails: a fresh isolate has enough to do.
  const beganAtMs = clock.now()
  const dues = targets.map((target) => ({
    target,
    wellAtMs: beganAtMs + (target.wellEveryMs ?? WELL_EVERY_MS),
    troubledAtMs: beganAtMs,
  }))

  function look(due: (typeof dues)[number], now: number): Promise<void> {
    due.wellAtMs = now + (due.target.wellEveryMs ?? WELL_EVERY_MS)
    due.troubledAtMs = now + TROUBLED_EVERY_MS
    const { breaker, ask, timeoutMs, counts } = due.target
    return breaker.probe(() => within(timeoutMs, ask()), counts)
  }

  return {
    soon() {
      const now = clock.now()
      for (const due of dues)
        if (now >= (due.target.breaker.isTroubled ? due.troubledAtMs : due.wellAtMs))
          waitUntil(look(due, now))
    },
    async now() {
      const now = clock.now()
      await Promise.all(dues.map((due) => look(due, now)))
    },
  }
}
