/** The last events of a hub, as those who send them to sockets see them. */
import type { LiveLimits, SequencedEvent, Subscription } from './protocol.ts'
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
  /** The last events, as many of them as have together about so many characters of data. */
  latest(length: number): SequencedEvent[]
  /** The last kept event of the topics at or before `seq`, or `null`. */
  lastSeqUpTo(seq: number, topics: Subscription): number | null
  countAfter(seq: number, topics: Subscription): number
}

/** How much is remembered. */
export type LogLimits = Pick<LiveLimits, 'keptEvents' | 'rememberedLength'>

/** The same in memory, of a hub's events that somebody else keeps: the last ones, as many as the limits allow. */
export class MemoryLog implements EventLog {
  readonly #limits: LogLimits
  readonly #events: SequencedEvent[] = []
  /** Characters of all data together. */
  #length = 0
  #isCut = false

  constructor(events: readonly SequencedEvent[], limits: LogLimits) {
    this.#limits = limits
    this.append(events)
  }

  /** Whether events were forgotten because of their size. */
  get isCut(): boolean {
    return this.#isCut
  }

  append(events: readonly SequencedEvent[]): void {
    for (const event of events) {
      this.#events.push(event)
      this.#length += event.data.length
    }
    let forgotten = 0
    for (const { data } of this.#events) {
      const isTooMany = this.#events.length - forgotten > this.#limits.keptEvents
      if (!isTooMany && this.#length <= this.#limits.rememberedLength) break
      this.#isCut ||= !isTooMany
      this.#length -= data.length
      forgotten += 1
    }
    this.#events.splice(0, forgotten)
  }

  oldestSeq(): number | null {
    return this.#events[0]?.seq ?? null
  }

  eventsAfter(seq: number, topics: Subscription): SequencedEvent[] {
    return this.#events.filter((event) => event.seq > seq && isDue(event, topics))
  }

  latest(length: number): SequencedEvent[] {
    let left = length
    const tooMuch = this.#events.findLastIndex(({ data }) => {
      left -= data.length
      return left < 0
    })
    return this.#events.slice(tooMuch + 1)
  }

  lastSeqUpTo(seq: number, topics: Subscription): number | null {
    return this.#events.findLast((event) => event.seq <= seq && isDue(event, topics))?.seq ?? null
  }

  countAfter(seq: number, topics: Subscription): number {
    return this.eventsAfter(seq, topics).length
  }
}

/**
 * A log that is read once and then remembered: reading a thousand events takes several times as long as sending
 * them. What is too large to be remembered is read whenever it is asked for.
 */
export class RememberedLog implements EventLog {
  readonly #kept: EventLog
  readonly #limits: LogLimits
  #memory: MemoryLog | null = null
  #isTooLarge = false

  constructor(kept: EventLog, limits: LogLimits) {
    this.#kept = kept
    this.#limits = limits
  }

  /** To be told of what `kept` has got. */
  append(events: readonly SequencedEvent[]): void {
    this.#memory?.append(events)
    if (this.#memory?.isCut) this.#forget()
  }

  oldestSeq(): number | null {
    return (this.#memory ?? this.#kept).oldestSeq()
  }

  eventsAfter(seq: number, topics: Subscription): SequencedEvent[] {
    return this.#remembered().eventsAfter(seq, topics)
  }

  latest(length: number): SequencedEvent[] {
    return this.#remembered().latest(length)
  }

  lastSeqUpTo(seq: number, topics: Subscription): number | null {
    return (this.#memory ?? this.#kept).lastSeqUpTo(seq, topics)
  }

  countAfter(seq: number, topics: Subscription): number {
    return (this.#memory ?? this.#kept).countAfter(seq, topics)
  }

  #remembered(): EventLog {
    if (this.#memory === null && !this.#isTooLarge) {
      this.#memory = new MemoryLog(this.#kept.latest(this.#limits.rememberedLength), this.#limits)
      if (this.#memory.oldestSeq() !== this.#kept.oldestSeq()) this.#forget()
    }
    return this.#memory ?? this.#kept
  }

  #forget(): void {
    this.#memory = null
    this.#isTooLarge = true
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
