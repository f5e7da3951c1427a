/** What is left of a timer while nobody counts. */
interface Timer {
  callback: () => void
  dueMs: number
  handle: NodeJS.Timeout | null
}

/** The clock and the timers of a client whose machine sleeps. */
export class SleepyClock {
  #offsetMs = 0
  #sleepsSinceMs: number | null = null
  readonly #timers = new Set<Timer>()

  /** Stands still while asleep. */
  readonly now = (): number => (this.#sleepsSinceMs ?? performance.now()) + this.#offsetMs

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    const timer: Timer = { callback, dueMs: this.now() + delayMs, handle: null }
    this.#timers.add(timer)
    this.#start(timer)
    return timer
  }

  readonly clearTimeout = (timer: unknown): void => {
    for (const known of this.#timers) if (known === timer) this.#end(known)
  }

  sleep(): void {
    this.#sleepsSinceMs = performance.now()
    for (const { handle } of this.#timers) if (handle !== null) clearTimeout(handle)
  }

  /** Wakes up so much later: whatever should have happened meanwhile happens now. */
  wake(laterMs: number): void {
    if (this.#sleepsSinceMs !== null) this.#offsetMs += this.#sleepsSinceMs - performance.now()
    this.#sleepsSinceMs = null
    this.skip(laterMs)
  }

  /** Lets time pass at once. */
  skip(ms: number): void {
    this.#offsetMs += ms
    for (const timer of this.#timers) this.#start(timer)
  }

  #start(timer: Timer): void {
    if (timer.handle !== null) clearTimeout(timer.handle)
    if (this.#sleepsSinceMs !== null) return
    timer.handle = setTimeout(
      () => {
        this.#end(timer)
        timer.callback()
      },
      Math.max(0, timer.dueMs - this.now()),
    )
  }

  #end(timer: Timer): void {
    if (timer.handle !== null) clearTimeout(timer.handle)
    this.#timers.delete(timer)
  }
}
