import type { BreakerMode, BreakerReport, BreakerState, Clock, Logger } from '../ports.ts'
import { isTimeout } from './timeout.ts'

export interface BreakerOptions {
  /** Failures in a row after which it opens. */
  failures?: number
  /** How long it stays open before a request may try, where nobody has probed meanwhile. */
  openForMs?: number
  mode?: BreakerMode
  /** Told of every change of state, once. */
  log?: Pick<Logger, 'info' | 'warn'>
}

/** A breaker of this isolate as operators see it; counts are since the isolate began. */
export interface OwnBreakerReport extends BreakerReport {
  mode: BreakerMode
}

/** A probe may close it long before its time is over: nobody is told to stay away for longer. */
const MOST_RETRY_AFTER_MS = 5_000
const LEAST_RETRY_AFTER_MS = 1_000

/** What an open breaker answers with, at once. */
export class BreakerOpenError extends Error {
  readonly retryAfterMs: number
  constructor(name: string, retryAfterMs: number) {
    super(`${name} is not being called for the moment, after repeated failures.`)
    this.name = 'BreakerOpenError'
    this.retryAfterMs = retryAfterMs
  }
}

/** Which errors speak of the dependency's health (a refused statement does not). */
export type CountsAsFailure = (error: unknown) => boolean

/**
 * Stops calling a dependency that keeps failing, so that those who wait for it get their answer at once.
 * A probe, which is nobody's request, opens it ahead of them and closes it; where none has come for a while,
 * one request tries.
 */
export class Breaker {
  readonly name: string
  readonly mode: BreakerMode
  readonly #clock: Clock
  readonly #failuresToOpen: number
  readonly #openForMs: number
  readonly #log: BreakerOptions['log']
  #failedInARow = 0
  #openedAtMs: number | null = null
  /** From then on a request may try; every failure meanwhile puts it off. */
  #openUntilMs = 0
  /** The try under way, if there is one: a probe's or a request's. */
  #trial: { sinceMs: number } | null = null
  #answeredAtMs = Number.NEGATIVE_INFINITY
  #told: BreakerState = 'closed'
  #successes = 0
  #failures = 0
  #timeouts = 0
  #rejects = 0

  constructor(name: string, clock: Clock, options: BreakerOptions = {}) {
    this.name = name
    this.mode = options.mode ?? 'enforce'
    this.#clock = clock
    this.#failuresToOpen = options.failures ?? 5
    this.#openForMs = options.openForMs ?? 30_000
    this.#log = options.log
  }

  /** As callers have to take it: for them, one that only observes is never open. */
  get state(): BreakerState {
    return this.mode === 'observe' ? 'closed' : this.#actualState()
  }

  /** Whether the last call failed, or the breaker is not closed: worth a probe soon. */
  get isTroubled(): boolean {
    return this.#failedInARow > 0 || this.#openedAtMs !== null
  }

  /** The actual state, also of one that only observes. */
  report(): OwnBreakerReport {
    return {
      name: this.name,
      mode: this.mode,
      state: this.#actualState(),
      ...this.#counts(),
      openedAtMs: this.#openedAtMs,
    }
  }

  /**
   * Runs a call, unless the breaker is open.
   * @throws BreakerOpenError without calling, or whatever the call throws
   */
  async run<T>(call: () => Promise<T>, counts: CountsAsFailure = () => true): Promise<T> {
    const state = this.#actualState()
    const isRefused = state === 'open' || (state === 'half-open' && this.#isOnTrial())
    if (isRefused) {
      this.#rejects += 1
      if (this.mode === 'enforce') throw new BreakerOpenError(this.name, this.#retryAfterMs())
    }
    const trial = state === 'half-open' && !isRefused ? this.#beginTrial() : null
    if (trial !== null) this.#tell('half-open')
    try {
      const result = await call()
      this.#succeed(isRefused)
      return result
    } catch (error) {
      // Whoever refuses is there.
      if (counts(error)) this.#fail(error, isRefused)
      else this.#succeed(isRefused)
      throw error
    } finally {
      this.#endTrial(trial)
    }
  }

  /**
   * Tries the dependency on nobody's behalf: an answer closes the breaker at once, and two failures one after
   * the other open it; where it is open already, one keeps it so. No request tries meanwhile. Never rejects.
   * @param ask rejects in time
   */
  async probe(ask: () => Promise<unknown>, counts: CountsAsFailure = () => true): Promise<void> {
    const trial = this.#beginTrial()
    try {
      for (let left = this.#openedAtMs === null ? 2 : 1; left > 0; left--) {
        const askedAtMs = this.#clock.now()
        const failure = await ask().then(
          () => null,
          (error: unknown) => (counts(error) ? { error } : null),
        )
        if (failure === null) return this.#succeed(false)
        this.#count(failure.error)
        // Others were answered while this one waited: it is no proof of anything.
        if (this.#answeredAtMs > askedAtMs) return
      }
      this.#open()
    } finally {
      this.#endTrial(trial)
    }
  }

  #actualState(): BreakerState {
    if (this.#openedAtMs === null) return 'closed'
    return this.#clock.now() >= this.#openUntilMs ? 'half-open' : 'open'
  }

  #counts() {
    return {
      successes: this.#successes,
      failures: this.#failures,
      timeouts: this.#timeouts,
      rejects: this.#rejects,
    }
  }

  #retryAfterMs(): number {
    const leftMs = this.#openUntilMs - this.#clock.now()
    return Math.min(MOST_RETRY_AFTER_MS, Math.max(LEAST_RETRY_AFTER_MS, leftMs))
  }

  /** A try whose caller has gone away never ends; another is made in its place after a while. */
  #isOnTrial(): boolean {
    return this.#trial !== null && this.#clock.now() - this.#trial.sinceMs < this.#openForMs
  }

  #beginTrial(): { sinceMs: number } {
    this.#trial = { sinceMs: this.#clock.now() }
    return this.#trial
  }

  #endTrial(trial: { sinceMs: number } | null): void {
    if (trial !== null && this.#trial === trial) this.#trial = null
  }

  /** @param isObserved the call would have been refused: it is counted, and decides nothing */
  #succeed(isObserved: boolean): void {
    this.#successes += 1
    if (isObserved) return
    this.#answeredAtMs = this.#clock.now()
    this.#failedInARow = 0
    this.#openedAtMs = null
    this.#tell('closed')
  }

  #fail(error: unknown, isObserved: boolean): void {
    this.#count(error)
    if (isObserved) return
    this.#failedInARow += 1
    if (this.#openedAtMs !== null || this.#failedInARow >= this.#failuresToOpen) this.#open()
  }

  #count(error: unknown): void {
    if (isTimeout(error)) this.#timeouts += 1
    else this.#failures += 1
  }

  #open(): void {
    const now = this.#clock.now()
    this.#openedAtMs ??= now
    this.#openUntilMs = now + this.#openForMs
    this.#tell('open')
  }

  #tell(state: BreakerState): void {
    if (state === this.#told) return
    this.#told = state
    const level = state === 'open' ? 'warn' : 'info'
    this.#log?.[level](`breaker ${state}`, { breaker: this.name, mode: this.mode, ...this.#counts() })
  }
}
