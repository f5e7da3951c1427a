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
  /** When the attempt under way began, if there is one. */
  #probingSinceMs: number | null = null

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
    if (state === 'open' || (state === 'half-open' && this.#isProbing())) {
      const waited = this.#clock.now() - (this.#openedAtMs ?? 0)
      throw new BreakerOpenError(this.name, Math.max(1_000, this.#openForMs - waited))
    }
    const probe = state === 'half-open' ? this.#clock.now() : null
    if (probe !== null) this.#probingSinceMs = probe
    try {
      const result = await call()
      this.#recover()
      return result
    } catch (error) {
      // Whoever refuses is there.
      if (counts(error)) this.#fail()
      else this.#recover()
      throw error
    } finally {
      if (probe !== null && this.#probingSinceMs === probe) this.#probingSinceMs = null
    }
  }

  /** An attempt whose caller has gone away never ends here; another is made in its place after a while. */
  #isProbing(): boolean {
    return this.#probingSinceMs !== null && this.#clock.now() - this.#probingSinceMs < this.#openForMs
  }

  #recover(): void {
    this.#failed = 0
    this.#openedAtMs = null
  }

  #fail(): void {
    this.#failed += 1
    if (this.#openedAtMs !== null || this.#failed >= this.#failures) this.#openedAtMs = this.#clock.now()
  }
}
