import type { Clock } from '../ports.ts'

export interface BreakerOptions {
  /** Failures in a row after which it opens. */
  failures?: number
  /** How long it stays open before one attempt is let through. */
  openForMs?: number
}

export type BreakerState = 'closed' | 'open' | 'half-open'

/** What an open breaker answers with, at once. */
export class BreakerOpenError extends Error {
  readonly retryAfterMs: number
  constructor(name: string, retryAfterMs: number) {
    super(`${name} is not being called for the moment, after repeated failures.`)
    this.name = 'BreakerOpenError'
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Stops calling a dependency that keeps failing, so that those who wait for it get their answer at once, and
 * tries it again with one call after a while.
 */
export class Breaker {
  readonly name: string
  readonly #clock: Clock
  readonly #failures: number
  readonly #openForMs: number
  #failed = 0
  #openedAtMs: number | null = null
  #probing = false

  constructor(name: string, clock: Clock, options: BreakerOptions = {}) {
    this.name = name
    this.#clock = clock
    this.#failures = options.failures ?? 5
    this.#openForMs = options.openForMs ?? 30_000
  }

  get state(): BreakerState {
    if (this.#openedAtMs === null) return 'closed'
    return this.#clock.now() - this.#openedAtMs >= this.#openForMs ? 'half-open' : 'open'
  }

  /**
   * Runs a call, unless the breaker is open. `counts` says whether an error speaks of the dependency's
   * health (a refused statement does not).
   * @throws BreakerOpenError without calling, or whatever the call throws
   */
  async run<T>(call: () => Promise<T>, counts: (error: unknown) => boolean = () => true): Promise<T> {
    const state = this.state
    if (state === 'open' || (state === 'half-open' && this.#probing)) {
      const waited = this.#clock.now() - (this.#openedAtMs ?? 0)
      throw new BreakerOpenError(this.name, Math.max(1_000, this.#openForMs - waited))
    }
    this.#probing = state === 'half-open'
    try {
      const result = await call()
      this.#failed = 0
      this.#openedAtMs = null
      return result
    } catch (error) {
      if (counts(error)) this.#fail()
      throw error
    } finally {
      this.#probing = false
    }
  }

  #fail(): void {
    this.#failed += 1
    if (this.#openedAtMs !== null || this.#failed >= this.#failures) this.#openedAtMs = this.#clock.now()
  }
}
