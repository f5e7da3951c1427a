import type { Queue, QueueMessage } from '../../src/ports.ts'

/** The real queue forgets an id after this. */
const REMEMBERS_MS = 600_000
const DEFAULT_RETRIES = 5

export interface Delivery {
  message: QueueMessage
  dueMs: number
  /** Earlier attempts that failed. */
  retried: number
}

/**
 * A queue that keeps what is published until a test takes it: delays by the given clock, repeated ids dropped
 * for ten minutes, bodies as the JSON that they travel as.
 */
export class TestQueue implements Queue {
  readonly published: QueueMessage[] = []
  /** What was given up. */
  readonly dead: { message: QueueMessage; error: unknown }[] = []
  readonly #now: () => number
  readonly #seen = new Map<string, number>()
  #waiting: Delivery[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  async publish(messages: QueueMessage[]): Promise<void> {
    for (const message of messages) {
      const id = message.deduplicationId
      const seenMs = id === undefined ? undefined : this.#seen.get(id)
      if (seenMs !== undefined && this.#now() - seenMs < REMEMBERS_MS) continue
      if (id !== undefined) this.#seen.set(id, this.#now())
      const travelled: QueueMessage = { ...message, body: JSON.parse(JSON.stringify(message.body)) }
      this.published.push(travelled)
      this.#waiting.push({
        message: travelled,
        dueMs: this.#now() + (message.delaySeconds ?? 0) * 1_000,
        retried: 0,
      })
    }
  }

  /** What is due, in the order of publication; it waits no longer. */
  takeDue(): Delivery[] {
    const due = this.#waiting.filter((delivery) => delivery.dueMs <= this.#now())
    this.#waiting = this.#waiting.filter((delivery) => delivery.dueMs > this.#now())
    return due
  }

  /** Loses what waits, as a queue does not. */
  lose(): QueueMessage[] {
    const lost = this.#waiting.map(({ message }) => message)
    this.#waiting = []
    return lost
  }

  /** When the next message is due; `null` where none waits. */
  nextDueMs(): number | null {
    return this.#waiting.length === 0 ? null : Math.min(...this.#waiting.map(({ dueMs }) => dueMs))
  }

  get waiting(): QueueMessage[] {
    return this.#waiting.map(({ message }) => message)
  }

  /** Takes a failed delivery back, or gives it up after the last attempt. */
  retry(delivery: Delivery, error: unknown, afterMs: number): void {
    const retried = delivery.retried + 1
    if (retried > (delivery.message.retries ?? DEFAULT_RETRIES)) this.giveUp(delivery, error)
    else this.#waiting.push({ ...delivery, dueMs: this.#now() + afterMs, retried })
  }

  giveUp({ message }: Delivery, error: unknown): void {
    this.dead.push({ message, error })
  }
}
