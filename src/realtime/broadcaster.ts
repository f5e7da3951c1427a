/**
 * Sends a hub's events to sockets: greets them, replays what they missed, follows their subscriptions, and drops
 * those that read too slowly. What must outlive a hibernation is in a socket's attachment.
 */
import type { Clock } from '../ports.ts'
import { type EventLog, type HubState, isDue, lastSeqBefore } from './event-log.ts'
import {
  CLOSE_CODES,
  encodeFrame,
  encodeHello,
  encodeResync,
  type LiveLimits,
  PONG,
  parseClientMessage,
  type ResyncReason,
  type SequencedEvent,
  type SocketAttachment,
  type Subscription,
  socketAttachment,
  withoutDetails,
} from './protocol.ts'
import { dueCountOf, frameCache, lastSeqOf, limitedFrameCache } from './sequence.ts'
import { answerClose, countOpen, type HubSocket, type HubSockets, isOpen, trySend } from './sockets.ts'

export interface BroadcasterDeps {
  sockets: HubSockets
  clock: Clock
  limits: LiveLimits
}

export interface ConnectOptions {
  userId: string
  /** Whether they are told what changed, or only that something did. */
  limited: boolean
  /** The last sequence number the client has; `null` when it has none and wants no replay. */
  since: number | 'invalid' | null
  topics: Subscription
}

/** Where the events stand, and the last of them. */
export interface Position {
  state: HubState
  log: EventLog
}

/** What the attachment says, with its topics as a set. */
interface Connection {
  attachment: SocketAttachment
  topics: Subscription
}

/** The runtime may forget to say that a socket is gone: what was counted is looked at anew now and then. */
const RECOUNT_MS = 60_000

export class Broadcaster {
  readonly #sockets: HubSockets
  readonly #clock: Clock
  readonly #limits: LiveLimits
  /** Attachments already read since waking, so that a broadcast does not parse them again. */
  readonly #connections = new WeakMap<HubSocket, Connection>()
  /** Sockets that are counted as gone, however often the runtime says so. */
  readonly #gone = new WeakSet<HubSocket>()
  /** Open sockets; `null` until they were counted, which takes as long as there are many. */
  #open: number | null = null
  #countedAtMs = 0
  #changes = 0

  constructor({ sockets, clock, limits }: BroadcasterDeps) {
    this.#sockets = sockets
    this.#clock = clock
    this.#limits = limits
  }

  /** How many sockets are open. */
  countOpen(): number {
    const nowMs = this.#clock.now()
    if (this.#open === null || nowMs - this.#countedAtMs > RECOUNT_MS) {
      this.#open = countOpen(this.#sockets.all())
      this.#countedAtMs = nowMs
    }
    return this.#open
  }

  /** Rises whenever somebody came or went. */
  get changes(): number {
    return this.#changes
  }

  hasOpen(): boolean {
    return this.#sockets.all().some(isOpen)
  }

  /** How many of a user's sockets are open. */
  countOpenOf(userId: string): number {
    return countOpen(this.#sockets.ofUser(userId))
  }

  /** Whose sockets are open, and how many. */
  users(): Map<string, number> {
    const users = new Map<string, number>()
    for (const socket of this.#sockets.all()) {
      const connection = isOpen(socket) ? this.#read(socket) : null
      if (connection === null) continue
      const { userId } = connection.attachment
      users.set(userId, (users.get(userId) ?? 0) + 1)
    }
    return users
  }

  /** Greets an accepted socket, and sends what it missed or that this cannot be told. */
  connect(socket: HubSocket, options: ConnectOptions, { state, log }: Position): void {
    const { topics, since } = options
    const position = { seq: state.seq, generation: state.generation }
    const at = this.#now()
    const resync = reasonToResync(since, state, log)
    const resumesAt = resync === null && typeof since === 'number' ? since : null

    const open = this.#open
    this.#write(socket, {
      v: 1,
      userId: options.userId,
      limited: options.limited,
      connectedAtMs: this.#clock.now(),
      topics: topics === null ? null : [...topics],
      startSeq: resumesAt ?? position.seq,
      priorSeq: resumesAt === null ? lastSeqOf(state, topics) : lastSeqBefore(resumesAt, topics, state, log),
      ack: null,
      badMessages: 0,
    })
    this.#changes += 1
    // Counted now or later, and not twice.
    if (open !== null) this.#open = open + 1

    socket.send(encodeHello(position, at))
    if (resync !== null) socket.send(encodeResync(position, at, resync))
    if (resumesAt === null || resumesAt === position.seq) return
    let prevSeq = lastSeqBefore(resumesAt, topics, state, log)
    for (const event of log.eventsAfter(resumesAt, topics)) {
      socket.send(encodeFrame(options.limited ? withoutDetails(event) : event, prevSeq))
      prevSeq = event.seq
    }
  }

  /**
   * Sends events to those who want them.
   * @param before where the hub stood before the first of them
   * @param after where it stands now
   */
  broadcast(events: readonly SequencedEvent[], before: HubState, after: HubState): void {
    if (events.length === 0) return
    const encodeWhole = frameCache()
    const encodeLimited = limitedFrameCache()
    for (const socket of this.#sockets.all()) {
      if (!isOpen(socket)) continue
      const connection = this.#read(socket)
      if (connection === null) continue
      const { topics, attachment } = connection
      const due = dueTo(attachment.startSeq, topics, events)
      if (due.length === 0) continue
      if (this.#isTooSlow(socket, connection, after)) {
        this.#close(socket, CLOSE_CODES.tooSlow, 'This client reads too slowly.')
        continue
      }
      const lastSeq = lastSeqOf(before, topics)
      let prevSeq = lastSeq > attachment.startSeq ? lastSeq : attachment.priorSeq
      const encode = attachment.limited ? encodeLimited : encodeWhole
      for (const event of due) {
        if (!trySend(socket, encode(event, prevSeq))) {
          this.#noteGone(socket)
          break
        }
        prevSeq = event.seq
      }
    }
  }

  /** Tells everybody that events are missing: what they show must be fetched anew. */
  resync(state: HubState, reason: ResyncReason): void {
    const frame = encodeResync({ seq: state.seq, generation: state.generation }, this.#now(), reason)
    for (const socket of this.#sockets.all()) {
      const connection = isOpen(socket) ? this.#read(socket) : null
      if (connection === null) continue
      const { attachment, topics } = connection
      this.#write(socket, {
        ...attachment,
        startSeq: state.seq,
        priorSeq: lastSeqOf(state, topics),
        ack: null,
      })
      if (!trySend(socket, frame)) this.#noteGone(socket)
    }
  }

  /** Acts on one message of a client. */
  receive(socket: HubSocket, text: string | ArrayBuffer, position: Position): void {
    const connection = this.#read(socket)
    if (connection === null) return
    const message = parseClientMessage(text, this.#limits.messageLength)
    switch (message.kind) {
      case 'ping':
        // Usually answered by the runtime without waking anybody.
        socket.send(PONG)
        return
      case 'subscribe':
        this.#subscribe(socket, connection, message.topics, position.state)
        return
      case 'ack':
        if (message.seq <= position.state.seq) this.#acknowledge(socket, connection, message.seq, position)
        else this.#countBadMessage(socket, connection)
        return
      case 'unknown':
        this.#countBadMessage(socket, connection)
    }
  }

  /** Answers a client's close frame with ours, where its code is one that may be sent. */
  closed(socket: HubSocket, code: number, reason: string): void {
    this.#noteGone(socket)
    answerClose(socket, code, reason)
  }

  /** Closes a user's sockets because they may not listen any more; answers how many were open. */
  revoke(userId: string): number {
    const open = this.#sockets.ofUser(userId).filter(isOpen)
    for (const socket of open)
      this.#close(socket, CLOSE_CODES.noAccess, 'Access to this workspace was taken away.')
    return open.length
  }

  #close(socket: HubSocket, code: number, reason: string): void {
    this.#noteGone(socket)
    socket.close(code, reason)
  }

  #noteGone(socket: HubSocket): void {
    if (this.#gone.has(socket)) return
    this.#gone.add(socket)
    this.#changes += 1
    if (this.#open !== null) this.#open -= 1
  }

  #isTooSlow(socket: HubSocket, { attachment, topics }: Connection, state: HubState): boolean {
    if ((socket.bufferedAmount ?? 0) > this.#limits.bufferedBytes) return true
    if (attachment.ack === null) return false
    return dueCountOf(state, topics) - attachment.ack.dueCount > this.#limits.unacknowledgedEvents
  }

  #subscribe(
    socket: HubSocket,
    { attachment, topics }: Connection,
    wanted: ReadonlySet<string>,
    state: HubState,
  ): void {
    const lastSeq = lastSeqOf(state, topics)
    const { ack } = attachment
    this.#write(socket, {
      ...attachment,
      topics: [...wanted],
      startSeq: state.seq,
      // The next frame follows what was due under the old subscription: no gap where nothing was lost.
      priorSeq: lastSeq > attachment.startSeq ? lastSeq : attachment.priorSeq,
      ack: ack && {
        seq: ack.seq,
        dueCount: dueCountOf(state, wanted) - (dueCountOf(state, topics) - ack.dueCount),
      },
    })
  }

  #acknowledge(
    socket: HubSocket,
    { attachment, topics }: Connection,
    seq: number,
    { state, log }: Position,
  ): void {
    if (attachment.ack !== null && seq <= attachment.ack.seq) return
    const pending = topics === null ? state.seq - seq : log.countAfter(seq, topics)
    const ack = { seq, dueCount: dueCountOf(state, topics) - pending }
    this.#write(socket, { ...attachment, ack })
  }

  #countBadMessage(socket: HubSocket, { attachment }: Connection): void {
    const badMessages = attachment.badMessages + 1
    this.#write(socket, { ...attachment, badMessages })
    if (badMessages > this.#limits.badMessages)
      this.#close(socket, CLOSE_CODES.policyViolation, 'Too many messages that mean nothing here.')
  }

  /** What a socket's attachment says; a socket without a valid one is closed. */
  #read(socket: HubSocket): Connection | null {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const parsed = socketAttachment().safeParse(socket.deserializeAttachment())
    if (!parsed.success) {
      this.#close(socket, CLOSE_CODES.internal, 'The state of this connection was lost.')
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

/** Of events those that a socket wants, and was not given on connecting. */
function dueTo(
  startSeq: number,
  topics: Subscription,
  events: readonly SequencedEvent[],
): readonly SequencedEvent[] {
  const isNew = (events[0]?.seq ?? 0) > startSeq
  if (isNew && topics === null) return events
  return events.filter((event) => event.seq > startSeq && isDue(event, topics))
}

function reasonToResync(
  since: ConnectOptions['since'],
  { seq }: HubState,
  log: EventLog,
): ResyncReason | null {
  if (since === null) return null
  if (since === 'invalid') return 'invalid_since'
  if (since > seq) return 'ahead'
  if (since === seq) return null
  const oldest = log.oldestSeq()
  return oldest === null || oldest > since + 1 ? 'too_old' : null
}
