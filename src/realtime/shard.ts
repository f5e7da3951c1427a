/**
 * A part of a workspace's sockets, for a hub that has more than one object can serve well. It keeps no events: what
 * it has not heard or does not remember, it asks the hub for. It knows no runtime, as the hub.
 */
import { Broadcaster, type BroadcasterDeps, type ConnectOptions } from './broadcaster.ts'
import { type HubState, MemoryLog } from './event-log.ts'
import type { ShardCensus } from './placement.ts'
import type { SequencedEvent } from './protocol.ts'
import type { HubSocket } from './sockets.ts'

/** Events as the hub sends them on, with where it stood before and after them. */
export interface Delivery {
  events: SequencedEvent[]
  before: HubState
  after: HubState
}

/** A delivery without events: it says where the hub stands, and a shard that is elsewhere asks for what it lacks. */
export function reminderOf(state: HubState): Delivery {
  return { events: [], before: state, after: state }
}

/** The last events that the hub keeps. */
export interface HubSnapshot {
  state: HubState
  /** As many as a shard remembers. */
  events: SequencedEvent[]
  /** Where the hub stood when it had sent what it was asked about; `null`: too long ago. */
  before: HubState | null
}

export interface ShardDeps extends BroadcasterDeps {
  /** The last sequence number that was sent to sockets, as `onSent` was told; `null`: none. */
  sentSeq: number | null
  /** Told of it, so that it outlives this object's memory. */
  onSent(seq: number): void
}

/** For as long nobody is let in again whose access was taken away: a little longer than the way from the hub. */
const SHUT_OUT_MS = 20_000

export class Shard {
  readonly #deps: ShardDeps
  readonly #broadcaster: Broadcaster
  readonly #shutOut = new Map<string, number>()
  #accepted: string[] = []
  #toldChanges = -1
  #censusOrder = 0
  #sentSeq: number | null
  /** Where the hub stood after what was sent last; `null` after waking. */
  #state: HubState | null = null
  /** Events up to there; `null`: none are remembered. */
  #log: MemoryLog | null = null

  constructor(deps: ShardDeps) {
    this.#deps = deps
    this.#broadcaster = new Broadcaster(deps)
    this.#sentSeq = deps.sentSeq
  }

  get sentSeq(): number | null {
    return this.#sentSeq
  }

  /** Sends on what is new of a delivery. @returns `false`: something before it is missing; ask for a snapshot */
  take({ events, before, after }: Delivery): boolean {
    const state = this.#state ?? (before.seq === this.#sentSeq ? before : null)
    if (state === null || state.seq < before.seq) return false
    const fresh = events.filter((event) => event.seq > state.seq)
    if (fresh.length === 0) {
      this.#state = state
      return true
    }
    this.#send(fresh, state, after)
    this.#log?.append(fresh)
    return true
  }

  /** Learns what the hub keeps, and sends what is new of it, or that something is missing. */
  adopt({ state, events, before }: HubSnapshot): void {
    // Deliveries may have come while it was on its way.
    if (this.#state !== null && state.seq < this.#state.seq) return
    const known = this.#state ?? before
    this.#log = new MemoryLog(events, this.#deps.limits)
    const oldest = events[0]?.seq ?? state.seq + 1
    if (known === null || known.seq + 1 < oldest) {
      this.#state = state
      this.#note(state.seq)
      this.#broadcaster.resync(state, 'too_old')
      return
    }
    const fresh = events.filter((event) => event.seq > known.seq)
    if (fresh.length > 0) this.#send(fresh, known, state)
    else this.#state = state
  }

  /** Whether messages of clients can be understood: the shard knows where its hub stood. */
  get isAwake(): boolean {
    return this.#state !== null
  }

  /** Whether a connection can be greeted that the hub sent when it stood at `hubSeq`. */
  isReadyFor(hubSeq: number): boolean {
    return this.#state !== null && this.#log !== null && this.#state.seq >= hubSeq
  }

  /** Whether a user may come in. */
  isShutOut(userId: string): boolean {
    return (this.#shutOut.get(userId) ?? 0) > this.#deps.clock.now()
  }

  /**
   * Greets an accepted socket, and sends what it missed.
   * @param connection what the hub calls it
   * @throws Error when the shard is not ready for it
   */
  connect(socket: HubSocket, connection: string, options: ConnectOptions): void {
    const [state, log] = [this.#state, this.#log]
    if (state === null || log === null) throw new Error('The shard does not know its hub yet.')
    this.#accepted.push(connection)
    this.#broadcaster.connect(socket, options, { state, log })
  }

  /** Acts on one message of a client. @throws Error when the shard does not know its hub yet */
  receive(socket: HubSocket, text: string | ArrayBuffer): void {
    if (this.#state === null) throw new Error('The shard does not know its hub yet.')
    const log = this.#log ?? new MemoryLog([], this.#deps.limits)
    this.#broadcaster.receive(socket, text, { state: this.#state, log })
  }

  closed(socket: HubSocket, code: number, reason: string): void {
    this.#broadcaster.closed(socket, code, reason)
  }

  /** As `Hub.revoke`. */
  revoke(userId: string): number {
    const nowMs = this.#deps.clock.now()
    for (const [user, untilMs] of this.#shutOut) if (untilMs <= nowMs) this.#shutOut.delete(user)
    this.#shutOut.set(userId, nowMs + SHUT_OUT_MS)
    return this.#broadcaster.revoke(userId)
  }

  /** As `census`; `null` where nobody has come or gone since. */
  news(): ShardCensus | null {
    return this.#broadcaster.changes === this.#toldChanges ? null : this.census()
  }

  /** Who is there, for the hub; what was accepted is said once. */
  census(): ShardCensus {
    this.#toldChanges = this.#broadcaster.changes
    const accepted = this.#accepted
    this.#accepted = []
    const users = this.#broadcaster.users()
    const open = [...users.values()].reduce((sum, count) => sum + count, 0)
    // Also above what an earlier life of this object has said.
    this.#censusOrder = Math.max(this.#censusOrder + 1, this.#deps.clock.now())
    return { order: this.#censusOrder, open, users: Object.fromEntries(users), accepted }
  }

  #send(events: readonly SequencedEvent[], before: HubState, after: HubState): void {
    this.#state = after
    this.#note(after.seq)
    this.#broadcaster.broadcast(events, before, after)
  }

  #note(seq: number): void {
    if (seq === this.#sentSeq) return
    this.#sentSeq = seq
    this.#deps.onSent(seq)
  }
}
