import type { Clock } from './types.ts'

/** A wake-up that can still be called off. */
export interface Timer {
  cancel(): void
}

interface Entry {
  atMs: number
  /** Breaks ties: what was asked for first runs first. */
  order: number
  run: (() => void) | null
}

/** Timers take at most 2³¹ − 1 ms; waking each hour also bounds the harm of a clock that is set. */
const MAX_SLEEP_MS = 3_600_000

/** Any number of wake-ups on one timer: a binary heap by due time. */
export class TimerHeap {
  private readonly clock: Clock
  private readonly onError: (error: unknown) => void
  private readonly heap: Entry[] = []
  private order = 0
  private stopSleep: (() => void) | null = null
  private sleepsUntilMs = Number.POSITIVE_INFINITY
  private stopped = false

  /** @param onError told of what a wake-up throws; the others still run */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.clock = clock
    this.onError = onError
  }

  /** Runs `run` once at `atMs` (milliseconds since 1970), or soon when that has passed. */
  at(atMs: number, run: () => void): Timer {
    const entry: Entry = { atMs, order: this.order++, run }
    this.push(entry)
    this.sleep()
    return {
      cancel: () => {
        entry.run = null
      },
    }
  }

  /** Nothing runs after this. */
  stop(): void {
    this.stopped = true
    this.stopSleep?.()
    this.heap.length = 0
  }

  private sleep(): void {
    const next = this.heap[0]
    if (this.stopped || !next || next.atMs >= this.sleepsUntilMs) return
    this.stopSleep?.()
    const delayMs = Math.min(MAX_SLEEP_MS, Math.max(0, next.atMs - this.clock.now()))
    this.sleepsUntilMs = next.atMs
    this.stopSleep = this.clock.setTimer(() => this.wake(), delayMs)
  }

  private wake(): void {
    this.stopSleep = null
    // Until the loop is done, nothing that `run` adds needs a timer of its own.
    this.sleepsUntilMs = Number.NEGATIVE_INFINITY
    for (;;) {
      const next = this.heap[0]
      if (!next || (next.run && next.atMs > this.clock.now())) break
      this.pop()
      try {
        next.run?.()
      } catch (error) {
        this.onError(error)
      }
    }
    this.sleepsUntilMs = Number.POSITIVE_INFINITY
    this.sleep()
  }

  private push(entry: Entry): void {
    const { heap } = this
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex]
      if (!parent || before(parent, entry)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = entry
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let index = 0
    for (;;) {
      let childIndex = 2 * index + 1
      let child = heap[childIndex]
      if (!child) break
      const right = heap[childIndex + 1]
      if (right && before(right, child)) {
        childIndex += 1
        child = right
      }
      if (before(last, child)) break
      heap[index] = child
      index = childIndex
    }
    heap[index] = last
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
