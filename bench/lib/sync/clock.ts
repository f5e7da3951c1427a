import type { Clock } from '../../../src/ports.ts'

/** The present, which can be moved ahead: nobody waits for a platform's window to end. */
export class MovableClock implements Clock {
  #aheadMs = 0

  /** Milliseconds since 1970. */
  readonly now = (): number => Date.now() + this.#aheadMs

  advance(ms: number): void {
    this.#aheadMs += ms
  }
}
