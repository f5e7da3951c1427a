/**
 * The live hub of one workspace: gives every event a sequence number, keeps the last ones, and sends them
 * to the sockets that want them. It knows no runtime: storage, sockets and the clock are handed in, and
 * whatever must outlive a hibernation is in the store or in a socket's attachment.
 */
import type { Clock, LiveEvent, TicketRecord } from '../ports.ts'
import {
  CLOSE_CODES,
  encodeFrame,
  encodeHello,
  encodeResync,
  LIVE_LIMITS,
  type LiveLimits,
  PONG,
  parseClientMessage,
  type ResyncReason,
  type SequencedEvent,
  SocketAttachment,
  StoredTicket,
  type Subscription,
  topicOf,
  withoutDetails,
} from './protocol.ts'
import type { EventBatch } from './rpc.ts'
import { dueCountOf, frameCache, lastSeqOf, limitedFrameCache } from './sequence.ts'
import { answerClose, countOpen, type HubSocket, type HubSockets, isOpen, trySend } from './sockets.ts'
import type { HubState, HubStore, TicketBearer } from './store.ts'

export interface HubDeps {
  store: HubStore
  sockets: HubSockets
  clock: Clock
  limits?: LiveLimits
}

/**
 * How long nobody comes in again after their access changed. What they may do is believed elsewhere for some
 * seconds more, in which they could still be given a ticket.
 */
const SHUT_OUT_MS = 10_000

export type Admission = ({ ok: true } & TicketBearer) | { ok: false; code: number; reason: string }

export interface ConnectOptions {
  userId: string
  /** Whether they are told what changed, or only that something did. */
  limited: boolean
  /** The last sequence number the client has; `null` when it has none and wants no replay. */
  since: number | 'invalid' | null
  topics: Subscription
}

/** What the attachment says, with its topics as a set. */
interface Connection {
  attachment: SocketAttachment
  topics: Subscription
}

export class Hub {
  readonly #store: HubStore
  readonly #sockets: HubSockets
  readonly #clock: Clock
  readonly #limits: LiveLimits
  /** Attachments already read since waking, so that a broadcast does not parse them again. */
  readonly #connections = new WeakMap<HubSocket, Connection>()
  #state: HubState

  constructor(deps: HubDeps) {
    this.#store = deps.store
    this.#sockets = deps.sockets
    this.#clock = deps.clock
    this.#limits = deps.limits ?? LIVE_LIMITS
    this.#state = deps.store.load()
  }

  /** Sequences and sends the batches whose generation is above every one before; the others are dropped. */
  publish(batches: readonly EventBatch[]): void {
    const fresh: { generation: number; event: LiveEvent }[] = []
    let { generation } = this.#state
    for (const batch of batches) {
      if (batch.generation <= generation) continue
      generation = batch.generation
      for (const event of batch.events) fresh.push({ generation, event })
    }
    if (generation > this.#state.generation) this.#append(fresh, generation)
  }

  /** Sequences and sends events that have no generation of their own: they carry the current one. */
  announce(events: readonly LiveEvent[]): void {
    const { generation } = this.#state
    if (events.length === 0) return
    this.#append(
      events.map((event) => ({ generation, event })),
      generation,
    )
  }

  /**
   * Keeps a ticket until it is used or expires.
   * @throws ZodError when it is not one that `admit` could find again.
   */
  issueTicket(ticket: TicketRecord): void {
    this.#store.putTicket(StoredTicket.parse(ticket), this.#clock.now())
  }

  /** Uses up a ticket and says whether its bearer may connect. `null` is no ticket at all. */
  admit(ticketHash: string | null): Admission {
    const bearer = ticketHash === null ? null : this.#store.takeTicket(ticketHash, this.#clock.now())
    if (bearer === null) {
      return {
        ok: false,
        code: CLOSE_CODES.badTicket,
        reason: 'The ticket is unknown, was used, or has expired.',
      }
    }
    if (this.#store.isShutOut(bearer.userId, this.#clock.now())) {
      return {
        ok: false,
        code: CLOSE_CODES.noAccess,
        reason: 'Access changed a moment ago; ask for a new ticket in some seconds.',
      }
    }
    if (countOpen(this.#sockets.ofUser(bearer.userId)) >= this.#limits.socketsPerUser) {
      return {
        ok: false,
        code: CLOSE_CODES.tooManySockets,
        reason: 'This user has too many live connections.',
      }
    }
    if (countOpen(this.#sockets.all()) >= this.#limits.socketsPerWorkspace) {
      return {
        ok: false,
        code: CLOSE_CODES.tooManySockets,
        reason: 'This workspace has too many live connections.',
      }
    }
    return { ok: true, ...bearer }
  }

  /** Greets an accepted socket, and sends what it missed or that this cannot be told. */
  connect(socket: HubSocket, options: ConnectOptions): void {
    const { topics, since } = options
    const position = { seq: this.#state.seq, generation: this.#state.generation }
    const at = this.#now()
    const resync = this.#reasonToResync(since)
    const resumesAt = resync === null && typeof since === 'number' ? since : null

    this.#write(socket, {
      v: 1,
      userId: options.userId,
      limited: options.limited,
      connectedAtMs: this.#clock.now(),
      topics: topics === null ? null : [...topics],
      startSeq: resumesAt ?? position.seq,
      priorSeq: resumesAt === null ? lastSeqOf(this.#state, topics) : this.#lastSeqUpTo(resumesAt, topics),
      ack: null,
      badMessages: 0,
    })

    socket.send(encodeHello(position, at))
    if (resync !== null) socket.send(encodeResync(position, at, resync))
    if (resumesAt === null || resumesAt === position.seq) return
    let prevSeq = this.#lastSeqUpTo(resumesAt, topics)
    for (const event of this.#store.eventsAfter(resumesAt, topics)) {
      socket.send(encodeFrame(options.limited ? withoutDetails(event) : event, prevSeq))
      prevSeq = event.seq
    }
  }

  /** Acts on one message of a client. */
  receive(socket: HubSocket, text: string | ArrayBuffer): void {
    const connection = this.#read(socket)
    if (connection === null) return
    const message = parseClientMessage(text, this.#limits.messageLength)
    switch (message.kind) {
      case 'ping':
        // Usually answered by the runtime without waking anybody.
        socket.send(PONG)
        return
      case 'subscribe':
        this.#subscribe(socket, connection, message.topics)
        return
      case 'ack':
        if (message.seq <= this.#state.seq) this.#acknowledge(socket, connection, message.seq)
        else this.#countBadMessage(socket, connection)
        return
      case 'unknown':
        this.#countBadMessage(socket, connection)
    }
  }

  /** Answers a client's close frame with ours, where its code is one that may be sent. */
  closed(socket: HubSocket, code: number, reason: string): void {
    answerClose(socket, code, reason)
  }

  /**
   * Closes a user's sockets and lets them in with no ticket for a while; answers how many sockets were open.
   */
  revoke(userId: string): number {
    const now = this.#clock.now()
    this.#store.shutOut(userId, now + SHUT_OUT_MS, now)
    const open = this.#sockets.ofUser(userId).filter(isOpen)
    for (const socket of open) socket.close(CLOSE_CODES.noAccess, 'Access to this workspace was taken away.')
    return open.length
  }

  hasOpenSockets(): boolean {
    return this.#sockets.all().some(isOpen)
  }

  #append(items: readonly { generation: number; event: LiveEvent }[], generation: number): void {
    const before = this.#state
    const after: HubState = { seq: before.seq, generation, topics: new Map(before.topics) }
    const at = this.#now()
    const events = items.map((item): SequencedEvent => {
      after.seq += 1
      const topic = topicOf(item.event.type)
      after.topics.set(topic, { lastSeq: after.seq, count: (after.topics.get(topic)?.count ?? 0) + 1 })
      return this.#sequence(item.event, { seq: after.seq, topic, at, generation: item.generation })
    })
    // Memory follows the store, never the other way round: a write that fails leaves both as they were.
    this.#store.append(events, after, after.seq - this.#limits.keptEvents)
    this.#state = after
    this.#broadcast(events, before)
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

  #broadcast(events: readonly SequencedEvent[], before: HubState): void {
    if (events.length === 0) return
    const encodeWhole = frameCache()
    const encodeLimited = limitedFrameCache()
    for (const socket of this.#sockets.all()) {
      if (!isOpen(socket)) continue
      const connection = this.#read(socket)
      if (connection === null) continue
      const { topics, attachment } = connection
      const due = topics === null ? events : events.filter((event) => topics.has(event.topic))
      if (due.length === 0) continue
      if (this.#isTooSlow(socket, connection)) {
        socket.close(CLOSE_CODES.tooSlow, 'This client reads too slowly.')
        continue
      }
      const lastSeq = lastSeqOf(before, topics)
      let prevSeq = lastSeq > attachment.startSeq ? lastSeq : attachment.priorSeq
      const encode = attachment.limited ? encodeLimited : encodeWhole
      for (const event of due) {
        if (!trySend(socket, encode(event, prevSeq))) break
        prevSeq = event.seq
      }
    }
  }

  #isTooSlow(socket: HubSocket, { attachment, topics }: Connection): boolean {
    if ((socket.bufferedAmount ?? 0) > this.#limits.bufferedBytes) return true
    if (attachment.ack === null) return false
    return dueCountOf(this.#state, topics) - attachment.ack.dueCount > this.#limits.unacknowledgedEvents
  }

  #subscribe(socket: HubSocket, { attachment, topics }: Connection, wanted: ReadonlySet<string>): void {
    const lastSeq = lastSeqOf(this.#state, topics)
    const { ack } = attachment
    this.#write(socket, {
      ...attachment,
      topics: [...wanted],
      startSeq: this.#state.seq,
      // The next frame follows what was due under the old subscription: no gap where nothing was lost.
      priorSeq: lastSeq > attachment.startSeq ? lastSeq : attachment.priorSeq,
      ack: ack && {
        seq: ack.seq,
        dueCount: dueCountOf(this.#state, wanted) - (dueCountOf(this.#state, topics) - ack.dueCount),
      },
    })
  }

  #acknowledge(socket: HubSocket, { attachment, topics }: Connection, seq: number): void {
    if (attachment.ack !== null && seq <= attachment.ack.seq) return
    const pending = topics === null ? this.#state.seq - seq : this.#store.countAfter(seq, topics)
    const ack = { seq, dueCount: dueCountOf(this.#state, topics) - pending }
    this.#write(socket, { ...attachment, ack })
  }

  #countBadMessage(socket: HubSocket, { attachment }: Connection): void {
    const badMessages = attachment.badMessages + 1
    this.#write(socket, { ...attachment, badMessages })
    if (badMessages > this.#limits.badMessages) {
      socket.close(CLOSE_CODES.policyViolation, 'Too many messages that mean nothing here.')
    }
  }

  #reasonToResync(since: number | 'invalid' | null): ResyncReason | null {
    if (since === null) return null
    if (since === 'invalid') return 'invalid_since'
    if (since > this.#state.seq) return 'ahead'
    if (since === this.#state.seq) return null
    const oldest = this.#store.oldestSeq()
    return oldest === null || oldest > since + 1 ? 'too_old' : null
  }

  /** The last event of the topics at or before `seq`; `seq` itself when it is too long ago to be known. */
  #lastSeqUpTo(seq: number, topics: Subscription): number {
    const last = lastSeqOf(this.#state, topics)
    if (last <= seq) return last
    return this.#store.lastSeqUpTo(seq, topics) ?? seq
  }

  /** What a socket's attachment says; a socket without a valid one is closed. */
  #read(socket: HubSocket): Connection | null {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const parsed = SocketAttachment.safeParse(socket.deserializeAttachment())
    if (!parsed.success) {
      socket.close(CLOSE_CODES.internal, 'The state of this connection was lost.')
      return null
    }
    return this.#remember(socket, parsed.data)
  }

  #write(socket: HubSocket, attachment: SocketAttachment): void {
    socket.serializeAttachment(attachment)
    this.#remember(socket, attachment)
  }

  #remember(socket: HubSocket, attachment: SocketAttachment): Connection {
    const topics = attachment.topics === null ? null : new Set(attachment.topics)
    const connection = { attachment, topics }
    this.#connections.set(socket, connection)
    return connection
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString()
  }
}
