/** The last events of a hub, as those who send them to sockets see them. */
import type { SequencedEvent, Subscription } from './protocol.ts'
import { lastSeqOf } from './sequence.ts'

/** A topic's last event, and how many there ever were. */
export interface TopicState {
  lastSeq: number
  count: number
}

/** Where a hub stands. */
export interface HubState {
  seq: number
  generation: number
  topics: Map<string, TopicState>
}

export interface EventLog {
  /** The smallest sequence number kept, or `null` when there is none. */
  oldestSeq(): number | null
  eventsAfter(seq: number, topics: Subscription): SequencedEvent[]
  /** The last kept event of the topics at or before `seq`, or `null`. */
  lastSeqUpTo(seq: number, topics: Subscription): number | null
  countAfter(seq: number, topics: Subscription): number
}

/** The same in memory, of a hub's events that somebody else keeps. */
export class MemoryLog implements EventLog {
  readonly #most: number
  readonly #events: SequencedEvent[]

  constructor(events: readonly SequencedEvent[], most: number) {
    this.#events = [...events]
    this.#most = most
  }

  /** Characters of all data together. */
  dataLength(): number {
    return this.#events.reduce((sum, { data }) => sum + data.length, 0)
  }

  append(events: readonly SequencedEvent[]): void {
    for (const event of events) this.#events.push(event)
    this.#events.splice(0, this.#events.length - this.#most)
  }

  oldestSeq(): number | null {
    return this.#events[0]?.seq ?? null
  }

  eventsAfter(seq: number, topics: Subscription): SequencedEvent[] {
    return this.#events.filter((event) => event.seq > seq && isDue(event, topics))
  }

  lastSeqUpTo(seq: number, topics: Subscription): number | null {
    return this.#events.findLast((event) => event.seq <= seq && isDue(event, topics))?.seq ?? null
  }

  countAfter(seq: number, topics: Subscription): number {
    return this.eventsAfter(seq, topics).length
  }
}

/** More is not held in memory, of which an object has little, but read when it is asked for. */
const MOST_REMEMBERED = 8 * 1024 * 1024

/**
 * A log that is read once and then remembered: reading a thousand events takes several times as long as sending
 * them.
 */
export class RememberedLog implements EventLog {
  readonly #kept: EventLog
  readonly #most: number
  #memory: MemoryLog | null = null
  /** Appended since the size was last looked at. */
  #appended = 0
  #isTooLarge = false

  /** @param most events that `kept` keeps */
  constructor(kept: EventLog, most: number) {
    this.#kept = kept
    this.#most = most
  }

  /** To be told of what `kept` has got. */
  append(events: readonly SequencedEvent[]): void {
    if (this.#memory === null) return
    this.#memory.append(events)
    for (const { data } of events) this.#appended += data.length
    if (this.#appended <= MOST_REMEMBERED / 2) return
    this.#appended = 0
    this.#forgetIfTooLarge(this.#memory)
  }

  oldestSeq(): number | null {
    return (this.#memory ?? this.#kept).oldestSeq()
  }

  eventsAfter(seq: number, topics: Subscription): SequencedEvent[] {
    return this.#remembered().eventsAfter(seq, topics)
  }

  lastSeqUpTo(seq: number, topics: Subscription): number | null {
    return (this.#memory ?? this.#kept).lastSeqUpTo(seq, topics)
  }

  countAfter(seq: number, topics: Subscription): number {
    return (this.#memory ?? this.#kept).countAfter(seq, topics)
  }

  #remembered(): EventLog {
    if (this.#memory === null && !this.#isTooLarge) {
      this.#memory = new MemoryLog(this.#kept.eventsAfter(0, null), this.#most)
      this.#forgetIfTooLarge(this.#memory)
    }
    return this.#memory ?? this.#kept
  }

  #forgetIfTooLarge(memory: MemoryLog): void {
    this.#isTooLarge = memory.dataLength() > MOST_REMEMBERED
    if (this.#isTooLarge) this.#memory = null
  }
}

/** Whether a subscription lets an event through. */
export function isDue(event: SequencedEvent, topics: Subscription): boolean {
  return topics === null || topics.has(event.topic)
}

/** The last event of the topics at or before `seq`; `seq` itself when it is too long ago to be known. */
export function lastSeqBefore(seq: number, topics: Subscription, state: HubState, log: EventLog): number {
  const last = lastSeqOf(state, topics)
  return last <= seq ? last : (log.lastSeqUpTo(seq, topics) ?? seq)
}
