/** A hub without a runtime: SQLite from Node, sockets that write down what they are told. */
import { DatabaseSync } from 'node:sqlite'
import { Hub, type HubDeps } from '../../src/realtime/hub.ts'
import { LIVE_LIMITS, type LiveLimits, parseTypesParameter } from '../../src/realtime/protocol.ts'
import type { HubSocket, HubSockets } from '../../src/realtime/sockets.ts'
import { type HubStore, openHubStore, type SqlDatabase } from '../../src/realtime/store.ts'

/** A database in memory that behaves like the hub's. */
export function memoryDatabase(): SqlDatabase {
  const database = new DatabaseSync(':memory:')
  return {
    rows: (query, ...bindings) => database.prepare(query).all(...bindings),
    transaction(closure) {
      database.exec('BEGIN')
      try {
        closure()
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
  }
}

export interface SentFrame {
  seq: number
  prevSeq: number
  type: string
  at: string
  generation: number
  data: unknown
}

export class FakeSocket implements HubSocket {
  readyState = 1
  bufferedAmount?: number
  /** The texts sent, as they were. */
  readonly texts: string[] = []
  closed: { code: number; reason: string } | null = null
  /** Replaces delivery, for sockets that fail or tamper. */
  onSend: (text: string) => void = () => {}
  #attachment: unknown = null

  send(text: string): void {
    this.onSend(text)
    this.texts.push(text)
  }

  close(code: number, reason: string): void {
    this.readyState = 2
    this.closed = { code, reason }
  }

  serializeAttachment(attachment: unknown): void {
    this.#attachment = structuredClone(attachment)
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment)
  }

  get frames(): SentFrame[] {
    return this.texts.map((text): SentFrame => JSON.parse(text))
  }

  /** The frames that are part of the sequence. */
  get events(): SentFrame[] {
    return this.frames.filter((frame) => frame.type !== 'hello' && frame.type !== 'resync')
  }
}

export interface HubRig {
  readonly hub: Hub
  readonly store: HubStore
  readonly clock: { nowMs: number }
  /** Loses everything that is not in the store or in an attachment. */
  hibernate(): void
  connect(options?: {
    userId?: string
    limited?: boolean
    since?: number | 'invalid' | null
    types?: string
    socket?: FakeSocket
  }): FakeSocket
}

export function createHubRig(
  limits: Partial<LiveLimits> = {},
  database = memoryDatabase(),
  deliver: HubDeps['deliver'] = () => {},
): HubRig {
  const clock = { nowMs: Date.UTC(2026, 10, 1, 12) }
  const connections: { socket: FakeSocket; userId: string }[] = []
  const sockets: HubSockets = {
    all: () => connections.map(({ socket }) => socket),
    ofUser: (userId) => connections.filter((it) => it.userId === userId).map(({ socket }) => socket),
  }
  const open = () => {
    const store = openHubStore(database)
    const hub = new Hub({
      store,
      sockets,
      clock: { now: () => clock.nowMs },
      deliver,
      limits: { ...LIVE_LIMITS, metricsPauseMs: 0, ...limits },
    })
    return { hub, store }
  }
  let opened = open()
  return {
    get hub() {
      return opened.hub
    },
    get store() {
      return opened.store
    },
    clock,
    hibernate() {
      opened = open()
    },
    connect({ userId = 'user-1', limited = false, since = null, types, socket = new FakeSocket() } = {}) {
      connections.push({ socket, userId })
      opened.hub.connect(socket, { userId, limited, since, topics: parseTypesParameter(types ?? null) })
      return socket
    },
  }
}

/** Publishes events of the given types, each in a generation of its own above `generation`. */
export function publishEach(rig: HubRig, fromGeneration: number, types: readonly string[]): void {
  rig.hub.publish(
    types.map((type, index) => ({
      generation: fromGeneration + index,
      events: [{ type, data: { index } }],
    })),
  )
}
