/** The way from a hub to one of its shards: events in order, one call at a time. */

import type { ShardCensus } from './placement.ts'
import { LIVE_LIMITS } from './protocol.ts'
import { type Delivery, reminderOf } from './shard.ts'

export interface ShardLinkParts {
  /** Answers who is connected, where that has changed. */
  send(delivery: Delivery): Promise<ShardCensus | null>
  onCensus(census: ShardCensus): void
  /** Told when a shard could not be reached, however often it was tried. */
  onLost(error: unknown): void
  sleep(ms: number): Promise<void>
}

/** After a failure it is tried again after these pauses; what is sent then goes with it. */
const RETRY_MS = [50, 200, 1_000, 5_000]

/**
 * What comes while a call is under way goes with the next one. What fails is tried again; a shard that has missed
 * something asks for it by itself, so that nothing needs to be kept for one that cannot be reached.
 */
export class ShardLink {
  readonly #parts: ShardLinkParts
  #next: Delivery | null = null
  #isBusy = false

  constructor(parts: ShardLinkParts) {
    this.#parts = parts
  }

  /** Takes events to be sent. Resolves when there is nothing more to do, and never rejects. */
  async push(delivery: Delivery): Promise<void> {
    this.#next = this.#next === null ? bounded(delivery) : joined(this.#next, bounded(delivery))
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      while (this.#next !== null) await this.#sendNext()
    } finally {
      this.#isBusy = false
    }
  }

  async #sendNext(): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      // Taken anew each time: more may have come meanwhile.
      const delivery = this.#next
      if (delivery === null) return
      this.#next = null
      try {
        const census = await this.#parts.send(delivery)
        if (census !== null) this.#parts.onCensus(census)
        return
      } catch (error) {
        const pauseMs = RETRY_MS[failures]
        if (pauseMs === undefined) {
          this.#parts.onLost(error)
          return
        }
        this.#next = this.#next === null ? delivery : joined(delivery, this.#next)
        await this.#parts.sleep(pauseMs)
      }
    }
  }
}

/** More is not worth sending: the shard asks for what it misses. */
const MOST_JOINED = 200
/** Characters of data; what a shard asks for is at most twice as long. */
const MOST_LENGTH = LIVE_LIMITS.rememberedLength / 2

/** One delivery of two, or a reminder where they are too much, or where the second does not follow the first. */
function joined(first: Delivery, second: Delivery): Delivery {
  const events = [...first.events, ...second.events]
  const follows = first.after.seq === second.before.seq
  if (!follows || events.length > MOST_JOINED) return reminderOf(second.after)
  return bounded({ events, before: first.before, after: second.after })
}

function bounded(delivery: Delivery): Delivery {
  const length = delivery.events.reduce((sum, { data }) => sum + data.length, 0)
  return length > MOST_LENGTH ? reminderOf(delivery.after) : delivery
}
