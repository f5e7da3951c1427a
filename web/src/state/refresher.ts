export interface RefresherOptions {
  /** Starts of two runs are at least this far apart. */
  minIntervalMs: number
  /** Fetches what has changed. A rejection is the runner's to show; the refresher only goes on. */
  run: () => Promise<void>
  /** Milliseconds since any fixed moment. */
  now?: () => number
}

/**
 * Turns a stream of "something changed" into few fetches: a request runs at once when nothing ran lately;
 * whatever comes meanwhile becomes one run more, so that the last change is never missed.
 */
export class Refresher {
  readonly #options: Required<RefresherOptions>
  #lastStartMs = Number.NEGATIVE_INFINITY
  #running = false
  #wanted = false
  #held = false
  #stopped = false
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(options: RefresherOptions) {
    this.#options = { now: () => performance.now(), ...options }
  }

  /** Something changed: fetch soon. */
  request(): void {
    this.#wanted = true
    this.#consider()
  }

  /** While held, requests wait: nobody looks at a hidden page. */
  hold(held: boolean): void {
    this.#held = held
    this.#consider()
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #consider(): void {
    if (!this.#wanted || this.#running || this.#held || this.#stopped || this.#timer !== null) return
    const waitMs = this.#lastStartMs + this.#options.minIntervalMs - this.#options.now()
    if (waitMs > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = null
        this.#consider()
      }, waitMs)
      return
    }
    void this.#start()
  }

  async #start(): Promise<void> {
    this.#wanted = false
    this.#running = true
    this.#lastStartMs = this.#options.now()
    try {
      await this.#options.run()
    } catch {
      // Shown by the runner; a later change asks again.
    } finally {
      this.#running = false
      this.#consider()
    }
  }
}
