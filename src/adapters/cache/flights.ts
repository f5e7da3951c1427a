import type { Clock } from '../../ports.ts'

/** Work that has not ended by then was given up with its request, and somebody else may do it. */
const FORGOTTEN_AFTER_MS = 4_000
/** Who asks right after a failure is told of it, and does not try again. */
const FAILURE_STANDS_MS = 500

/**
 * What requests of this isolate are looking up at the moment, so that the others wait for it. The runtime
 * lets no request await another one's promise: all they share are these notes.
 */
export function createFlights(clock: Clock) {
  const underWay = new Map<string, number>()
  const failures = new Map<string, { error: unknown; atMs: number }>()
  const isUnderWay = (name: string): boolean => {
    const sinceMs = underWay.get(name)
    return sinceMs !== undefined && clock.now() - sinceMs < FORGOTTEN_AFTER_MS
  }
  return {
    isUnderWay,
    /** Whether the caller is the one to do it, who has to say `end`. */
    begin(name: string): boolean {
      if (isUnderWay(name)) return false
      underWay.set(name, clock.now())
      return true
    },
    end(name: string): void {
      underWay.delete(name)
    },
    fail(name: string, error: unknown): void {
      // Failures are few, and forgotten soon: there is no need to look after them one by one.
      if (failures.size > 1_000) failures.clear()
      failures.set(name, { error, atMs: clock.now() })
      underWay.delete(name)
    },
    /** Why it failed, since a moment and not long ago; `null`: it did not. */
    failedSince(name: string, sinceMs: number): { error: unknown } | null {
      const failure = failures.get(name)
      if (failure === undefined) return null
      if (clock.now() - failure.atMs > FAILURE_STANDS_MS) {
        failures.delete(name)
        return null
      }
      return failure.atMs >= sinceMs ? failure : null
    },
  }
}
