/**
 * The live hub of one workspace: gives every event a sequence number, keeps the last ones, and sends them
 * to the sockets that want them; beyond what one object serves well, shards do that for it. It knows no runtime:
 * storage, sockets and the clock are handed in, and whatever must outlive a hibernation is in the store or in a
 * socket's attachment.
 */
import type { Clock, LiveEvent, TicketRecord } from '../ports.ts'
import { Broadcaster, type ConnectOptions } from './broadcaster.ts'
import { mergeMetrics, metricsEvent, metricsOf, type PendingMetrics, pendingMetrics } from './coalesce.ts'
import { type HubState, lastSeqBefore, RememberedLog, type TopicState } from './event-log.ts'
import { Placements, type ShardCensus } from './placement.ts'
import {
  CLOSE_CODES,
  LIVE_LIMITS,
  type LiveLimits,
  type ResyncReason,
  type SequencedEvent,
  storedTicket,
  topicOf,
} from './protocol.ts'
import type { EventBatch } from './rpc.ts'
import { type Delivery, type HubSnapshot, reminderOf } from './shard.ts'
import type { HubSocket, HubSockets } from './sockets.ts'
import type { HubStore, TicketBearer } from './store.ts'

export interface HubDeps {
  store: HubStore
  sockets: HubSockets
  clock: Clock
  /** Hands what was sent to the hub's own sockets to the shards that hold the others. */
  deliver?: (slots: readonly number[], delivery: Delivery) => void
  limits?: LiveLimits
}

/**
 * How long nobody comes in again after their access changed. What they may do is believed elsewhere for some
 * seconds more, in which they could still be given a ticket.
 */
const SHUT_OUT_MS = 20_000

export type Admission =
  | ({
      ok: true
      /** The shard that is to take the connection; `null`: the hub itself. */
      slot: number | null
    } & TicketBearer)
  | { ok: false; code: number; reason: string }

interface Item {
  generation: number
  event: LiveEvent
}

export class Hub {
  readonly #store: HubStore
  readonly #log: RememberedLog
  readonly #clock: Clock
  readonly #limits: LiveLimits
  readonly #deliver: NonNullable<HubDeps['deliver']>
  readonly #broadcaster: Broadcaster
  readonly #placements: Placements
  #state: HubState
  #pending: PendingMetrics | null
  #metricsAtMs = Number.NEGATIVE_INFINITY

  constructor({ store, sockets, clock, deliver = () => {}, limits = LIVE_LIMITS }: HubDeps) {
    this.#store = store
    this.#log = new RememberedLog(store, limits)
    this.#clock = clock
    this.#limits = limits
    this.#deliver = deliver
    this.#broadcaster = new Broadcaster({ sockets, clock, limits })
    this.#placements = new Placements(store.shards(), limits.socketsPerObject)
    this.#state = store.load()
    this.#pending = readPending(store.loadPending())
  }

  /**
   * Sequences and sends the batches whose generation is above every one before; the others are dropped. Changes
   * of metrics that come faster than one in `metricsPauseMs` become one, which `flush` sends.
   */
  publish(batches: readonly EventBatch[]): void {
    const items: Item[] = []
    let { generation } = this.#state
    let pending = this.#pending
    /** What is pending comes where the last of it came. */
    let position = 0
    for (const batch of batches) {
      if (batch.generation <= generation) continue
      generation = batch.generation
      for (const event of batch.events) {
        const data = metricsOf(event)
        if (data === null) items.push({ generation, event })
        else {
          pending = { generation, data: pending === null ? data : mergeMetrics(pending.data, data) }
          position = items.length
        }
      }
    }
    if (generation === this.#state.generation) return
    const isTooSoon = this.#clock.now() < this.#metricsAtMs + this.#limits.metricsPauseMs
    if (!isTooSoon) items.splice(position, 0, ...told(pending))
    this.#append(items, generation, isTooSoon ? pending : null)
  }

  /** Sends what is pending, if its time has come. */
  flush(): void {
    const flushAtMs = this.flushAtMs()
    if (flushAtMs === null || this.#clock.now() < flushAtMs) return
    this.#append(told(this.#pending), this.#state.generation, null)
  }

  /** When `flush` is to be called, milliseconds since 1970; `null`: nothing is pending. */
  flushAtMs(): number | null {
    if (this.#pending === null) return null
    // After waking, nobody knows when the last one was sent.
    return Math.max(0, this.#metricsAtMs + this.#limits.metricsPauseMs)
  }

  /** Sequences and sends events that have no generation of their own: they carry the current one. */
  announce(events: readonly LiveEvent[]): void {
    const { generation } = this.#state
    if (events.length === 0) return
    this.#append(
      events.map((event) => ({ generation, event })),
      generation,
      this.#pending,
    )
  }

  /**
   * Keeps a ticket until it is used or expires.
   * @throws ZodError when it is not one that `admit` could find again.
   */
  issueTicket(ticket: TicketRecord): void {
    this.#store.putTicket(storedTicket().parse(ticket), this.#clock.now())
  }

  /**
   * Uses up a ticket and says whether its bearer may connect, and to whom. `null` is no ticket at all. Shards must
   * have been counted before (`uncountedShards`).
   */
  admit(ticketHash: string | null): Admission {
    const nowMs = this.#clock.now()
    const bearer = ticketHash === null ? null : this.#store.takeTicket(ticketHash, nowMs)
    if (bearer === null || ticketHash === null)
      return refusal(CLOSE_CODES.badTicket, 'The ticket is unknown, was used, or has expired.')
    const { userId } = bearer
    if (this.#store.isShutOut(userId, nowMs))
      return refusal(
        CLOSE_CODES.noAccess,
        'Access changed a moment ago; ask for a new ticket in some seconds.',
      )
    const { socketsPerUser, socketsPerWorkspace, socketsPerObject } = this.#limits
    const elsewhere = this.#placements.open(nowMs)
    if (this.#broadcaster.countOpenOf(userId) + this.#placements.open(nowMs, userId) >= socketsPerUser)
      return refusal(CLOSE_CODES.tooManySockets, 'This user has too many live connections.')
    if (this.#broadcaster.countOpen() + elsewhere >= socketsPerWorkspace)
      return refusal(CLOSE_CODES.tooManySockets, 'This workspace has too many live connections.')
    if (this.#broadcaster.countOpen() < socketsPerObject) return { ok: true, ...bearer, slot: null }
    const { slot, isNew } = this.#placements.place(ticketHash, userId, nowMs)
    if (isNew) this.#store.addShard(slot)
    return { ok: true, ...bearer, slot }
  }

  /** Shards that must be asked for their sockets before anybody is admitted. */
  uncountedShards(): number[] {
    return this.#placements.uncounted()
  }

  /**
   * Notes what a shard says of its sockets; one without any is told nothing from then on, until somebody comes to
   * it, who may have missed something by then: it is told where the hub stands.
   */
  countShard(slot: number, census: ShardCensus): void {
    const isKnown = this.#placements.slots().includes(slot)
    const isEmpty = this.#placements.count(slot, census, this.#clock.now())
    if (isEmpty) this.#store.removeShard(slot)
    else this.#store.addShard(slot)
    if (!isEmpty && !isKnown) this.remind([slot])
  }

  /** Tells shards where the hub stands, so that they find out whether they have missed something. */
  remind(slots: readonly number[] = this.shards()): void {
    if (slots.length > 0) this.#deliver(slots, reminderOf(this.#state))
  }

  /** Shards that hold sockets, or may. */
  shards(): number[] {
    return this.#placements.slots()
  }

  /** Where the hub stands. */
  get state(): HubState {
    return this.#state
  }

  /** What a shard remembers, for one that has sent everything up to `sentSeq`; `null`: nothing. */
  snapshot(sentSeq: number | null): HubSnapshot {
    const state = this.#state
    const events = this.#log.latest(this.#limits.rememberedLength)
    const oldest = events[0]?.seq ?? state.seq + 1
    const isKnown = sentSeq !== null && sentSeq <= state.seq && sentSeq + 1 >= oldest
    return {
      state,
      events,
      before: isKnown ? this.#stateAt(sentSeq) : null,
    }
  }

  /** Greets an accepted socket, and sends what it missed or that this cannot be told. */
  connect(socket: HubSocket, options: ConnectOptions): void {
    this.#broadcaster.connect(socket, options, { state: this.#state, log: this.#log })
  }

  /** Acts on one message of a client. */
  receive(socket: HubSocket, text: string | ArrayBuffer): void {
    this.#broadcaster.receive(socket, text, { state: this.#state, log: this.#log })
  }

  /** Answers a client's close frame with ours, where its code is one that may be sent. */
  closed(socket: HubSocket, code: number, reason: string): void {
    this.#broadcaster.closed(socket, code, reason)
  }

  /**
   * Closes a user's sockets and lets them in with no ticket for a while; answers how many sockets were open here.
   * Shards are to be told as well.
   */
  revoke(userId: string): number {
    const now = this.#clock.now()
    this.#store.shutOut(userId, now + SHUT_OUT_MS, now)
    return this.#broadcaster.revoke(userId)
  }

  /** Whether anybody listens, here or at a shard. */
  hasOpenSockets(): boolean {
    return this.#broadcaster.hasOpen() || this.#placements.open(this.#clock.now()) > 0
  }

  #append(items: readonly Item[], generation: number, pending: PendingMetrics | null): void {
    const before = this.#state
    const after: HubState = { seq: before.seq, generation, topics: new Map(before.topics) }
    const at = new Date(this.#clock.now()).toISOString()
    const events = items.map((item): SequencedEvent => {
      after.seq += 1
      const topic = topicOf(item.event.type)
      after.topics.set(topic, { lastSeq: after.seq, count: (after.topics.get(topic)?.count ?? 0) + 1 })
      return this.#sequence(item.event, { seq: after.seq, topic, at, generation: item.generation })
    })
    // Memory follows the store, never the other way round: a write that fails leaves both as they were.
    const text = pending === null ? null : JSON.stringify(pending)
    this.#store.append(events, after, after.seq - this.#limits.keptEvents, text)
    this.#log.append(events)
    this.#state = after
    this.#pending = pending
    if (items.some(({ event }) => metricsOf(event) !== null)) this.#metricsAtMs = this.#clock.now()
    if (events.length === 0) return
    const slots = this.#placements.slots()
    // First, as it takes them longer.
    if (slots.length > 0) this.#deliver(slots, { events, before, after })
    this.#broadcaster.broadcast(events, before, after)
  }

  #sequence(event: LiveEvent, place: Omit<SequencedEvent, 'type' | 'data'>): SequencedEvent {
    const data = JSON.stringify(event.data ?? null)
    if (data.length <= this.#limits.eventDataLength) return { ...place, type: event.type, data }
    // Too much for a message (and for a row): the reader fetches what changed instead.
    const reason: ResyncReason = 'too_large'
    return {
      ...place,
      type: 'resync',
      data: JSON.stringify({ seq: place.seq, generation: place.generation, reason }),
    }
  }

  /** Where the hub stood after an event that it keeps, or the one before the first of them. */
  #stateAt(seq: number): HubState {
    const state = this.#state
    const topics = new Map<string, TopicState>()
    for (const [topic, { count }] of state.topics) {
      const only = new Set([topic])
      topics.set(topic, {
        lastSeq: lastSeqBefore(seq, only, state, this.#log),
        count: count - this.#log.countAfter(seq, only),
      })
    }
    return { seq, generation: state.generation, topics }
  }
}

function refusal(code: number, reason: string): Admission {
  return { ok: false, code, reason }
}

function told(pending: PendingMetrics | null): Item[] {
  return pending === null ? [] : [{ generation: pending.generation, event: metricsEvent(pending.data) }]
}

/** What an earlier life of the hub had still to send. */
function readPending(text: string | null): PendingMetrics | null {
  return text === null ? null : pendingMetrics().parse(JSON.parse(text))
}
