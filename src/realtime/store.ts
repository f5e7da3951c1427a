/** What a hub keeps: the last events, per-topic counters, tickets. One small SQLite database. */
import * as z from 'zod'
import { once } from '../lib/once.ts'
import type { TicketRecord } from '../ports.ts'
import type { EventLog, HubState, TopicState } from './event-log.ts'
import type { SequencedEvent, Subscription } from './protocol.ts'

/** The part of SQLite that is used. Every call is synchronous. */
export interface SqlDatabase {
  rows(query: string, ...bindings: (string | number)[]): unknown[]
  /** Runs the closure in a transaction; whatever it throws undoes it. */
  transaction(closure: () => void): void
}

/** Whom a ticket admits. */
export type TicketBearer = Pick<TicketRecord, 'userId' | 'limited'>

export interface HubStore extends EventLog {
  load(): HubState
  /** What `append` was told is still to be sent, as text; `null`: nothing. */
  loadPending(): string | null
  /**
   * Keeps new events, the state they lead to, and what is still to be sent of it, at once, and forgets events up
   * to `trimToSeq`.
   */
  append(events: SequencedEvent[], state: HubState, trimToSeq: number, pending: string | null): void
  /** Shards that may hold sockets of this workspace. */
  shards(): number[]
  addShard(slot: number): void
  removeShard(slot: number): void
  putTicket(ticket: TicketRecord, nowMs: number): void
  /** Removes a ticket; answers whom it admits, or `null` when it is unknown, used or expired. */
  takeTicket(hash: string, nowMs: number): TicketBearer | null
  /** Forgets a user's tickets, and remembers until then that they are to be let in with none. */
  shutOut(userId: string, untilMs: number, nowMs: number): void
  isShutOut(userId: string, nowMs: number): boolean
  workspaceId(): string | null
  setWorkspaceId(workspaceId: string): void
}

const TICKETS_CLEARED_EVERY_MS = 10_000

/** Raised with every migration added below. */
const SCHEMA_VERSION = 4
/** The oldest version of this code that can still work on what the newest writes. */
const READABLE_FROM_VERSION = 1

const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE events (
      seq INTEGER PRIMARY KEY,
      topic TEXT NOT NULL,
      type TEXT NOT NULL,
      at TEXT NOT NULL,
      generation INTEGER NOT NULL,
      data TEXT NOT NULL
    )`,
    'CREATE INDEX events_topic_seq ON events (topic, seq)',
    'CREATE TABLE topics (topic TEXT PRIMARY KEY, last_seq INTEGER NOT NULL, count INTEGER NOT NULL)',
    'CREATE TABLE tickets (hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at_ms INTEGER NOT NULL)',
  ],
  // Version 1 does not say of whom its tickets are: those are told the least.
  ['ALTER TABLE tickets ADD COLUMN limited INTEGER NOT NULL DEFAULT 1'],
  ['CREATE TABLE shut_out (user_id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL)'],
  ['CREATE TABLE shards (slot INTEGER PRIMARY KEY)'],
]

const metaRow = once(() => z.object({ key: z.string(), value: z.union([z.string(), z.number()]) }))
const topicRow = once(() => z.object({ topic: z.string(), last_seq: z.number(), count: z.number() }))
const eventRow = once(() =>
  z.object({
    seq: z.number(),
    topic: z.string(),
    type: z.string(),
    at: z.string(),
    generation: z.number(),
    data: z.string(),
  }),
)
const ticketRow = once(() =>
  z.object({ user_id: z.string(), limited: z.number(), expires_at_ms: z.number() }),
)
const shardRow = once(() => z.object({ slot: z.number() }))
const numberRow = once(() => z.object({ n: z.number().nullable() }))

const number = once(() => z.number())

/**
 * Opens the hub's database and brings its tables up to date.
 * @throws Error when a later, incompatible version of this code has written it.
 */
export function openHubStore(db: SqlDatabase): HubStore {
  db.transaction(() => migrate(db))
  let ticketsClearedAtMs = Number.NEGATIVE_INFINITY

  const numberOf = (query: string, ...bindings: (string | number)[]): number | null =>
    numberRow().parse(db.rows(query, ...bindings)[0]).n

  return {
    load() {
      const topics = new Map<string, TopicState>()
      for (const row of db.rows('SELECT topic, last_seq, count FROM topics')) {
        const { topic, last_seq, count } = topicRow().parse(row)
        topics.set(topic, { lastSeq: last_seq, count })
      }
      return { seq: numberMeta(db, 'seq'), generation: numberMeta(db, 'generation'), topics }
    },

    loadPending() {
      const value = meta(db, 'pending')
      return typeof value === 'string' && value !== '' ? value : null
    },

    append(events, state, trimToSeq, pending) {
      db.transaction(() => {
        for (const event of events) {
          db.rows(
            'INSERT INTO events (seq, topic, type, at, generation, data) VALUES (?, ?, ?, ?, ?, ?)',
            event.seq,
            event.topic,
            event.type,
            event.at,
            event.generation,
            event.data,
          )
        }
        for (const topic of new Set(events.map((event) => event.topic))) {
          const topicState = state.topics.get(topic)
          if (topicState === undefined) continue
          db.rows(
            'INSERT OR REPLACE INTO topics (topic, last_seq, count) VALUES (?, ?, ?)',
            topic,
            topicState.lastSeq,
            topicState.count,
          )
        }
        setMeta(db, 'seq', state.seq)
        setMeta(db, 'generation', state.generation)
        if (pending !== null || meta(db, 'pending') !== null) setMeta(db, 'pending', pending ?? '')
        db.rows('DELETE FROM events WHERE seq <= ?', trimToSeq)
      })
    },

    oldestSeq: () => numberOf('SELECT MIN(seq) AS n FROM events'),

    eventsAfter(seq, topics) {
      const filter = topicFilter(topics)
      return db
        .rows(
          `SELECT seq, topic, type, at, generation, data FROM events WHERE seq > ?${filter.sql} ORDER BY seq`,
          seq,
          ...filter.bindings,
        )
        .map((row) => eventRow().parse(row))
    },

    latest(length) {
      // The last of those that are too much together with all after them.
      const tooMuch = numberOf(
        `SELECT MAX(seq) AS n FROM (
           SELECT seq, SUM(LENGTH(data)) OVER (ORDER BY seq DESC) AS length FROM events
         ) WHERE length > ?`,
        length,
      )
      return this.eventsAfter(tooMuch ?? 0, null)
    },

    lastSeqUpTo(seq, topics) {
      const filter = topicFilter(topics)
      return numberOf(`SELECT MAX(seq) AS n FROM events WHERE seq <= ?${filter.sql}`, seq, ...filter.bindings)
    },

    countAfter(seq, topics) {
      const filter = topicFilter(topics)
      return (
        numberOf(`SELECT COUNT(*) AS n FROM events WHERE seq > ?${filter.sql}`, seq, ...filter.bindings) ?? 0
      )
    },

    putTicket(ticket, nowMs) {
      db.rows(
        'INSERT OR REPLACE INTO tickets (hash, user_id, limited, expires_at_ms) VALUES (?, ?, ?, ?)',
        ticket.hash,
        ticket.userId,
        ticket.limited ? 1 : 0,
        ticket.expiresAtMs,
      )
      // Nobody is let in with an expired one; looking for them each time would read all the others as well.
      if (nowMs < ticketsClearedAtMs + TICKETS_CLEARED_EVERY_MS) return
      ticketsClearedAtMs = nowMs
      db.rows('DELETE FROM tickets WHERE expires_at_ms <= ?', nowMs)
    },

    takeTicket(hash, nowMs) {
      // One statement: of two upgrades with the same ticket, one finds it.
      const row = db.rows(
        'DELETE FROM tickets WHERE hash = ? RETURNING user_id, limited, expires_at_ms',
        hash,
      )[0]
      if (row === undefined) return null
      const ticket = ticketRow().parse(row)
      if (ticket.expires_at_ms <= nowMs) return null
      return { userId: ticket.user_id, limited: ticket.limited !== 0 }
    },

    shutOut(userId, untilMs, nowMs) {
      db.transaction(() => {
        db.rows('DELETE FROM tickets WHERE user_id = ?', userId)
        db.rows('DELETE FROM shut_out WHERE until_ms <= ?', nowMs)
        db.rows('INSERT OR REPLACE INTO shut_out (user_id, until_ms) VALUES (?, ?)', userId, untilMs)
      })
    },

    isShutOut(userId, nowMs) {
      return (
        numberOf('SELECT COUNT(*) AS n FROM shut_out WHERE user_id = ? AND until_ms > ?', userId, nowMs) !== 0
      )
    },

    shards: () => db.rows('SELECT slot FROM shards ORDER BY slot').map((row) => shardRow().parse(row).slot),

    addShard(slot) {
      db.rows('INSERT OR IGNORE INTO shards (slot) VALUES (?)', slot)
    },

    removeShard(slot) {
      db.rows('DELETE FROM shards WHERE slot = ?', slot)
    },

    workspaceId() {
      const value = meta(db, 'workspace_id')
      return typeof value === 'string' ? value : null
    },

    setWorkspaceId(workspaceId) {
      setMeta(db, 'workspace_id', workspaceId)
    },
  }
}

function migrate(db: SqlDatabase): void {
  db.rows('CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value NOT NULL)')
  const version = numberMeta(db, 'schema_version')
  const readableFrom = numberMeta(db, 'readable_from_version')
  if (readableFrom > SCHEMA_VERSION) {
    throw new Error(`The hub's storage needs version ${readableFrom} of its code; this is ${SCHEMA_VERSION}.`)
  }
  if (version >= SCHEMA_VERSION) return
  for (const statements of MIGRATIONS.slice(version)) {
    for (const statement of statements) db.rows(statement)
  }
  setMeta(db, 'schema_version', SCHEMA_VERSION)
  setMeta(db, 'readable_from_version', READABLE_FROM_VERSION)
}

function meta(db: SqlDatabase, key: string): string | number | null {
  const row = db.rows('SELECT key, value FROM meta WHERE key = ?', key)[0]
  return row === undefined ? null : metaRow().parse(row).value
}

function numberMeta(db: SqlDatabase, key: string): number {
  return number().parse(meta(db, key) ?? 0)
}

function setMeta(db: SqlDatabase, key: string, value: string | number): void {
  db.rows('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, value)
}

/** The end of a WHERE clause that lets a subscription's topics through. */
function topicFilter(topics: Subscription): { sql: string; bindings: string[] } {
  if (topics === null) return { sql: '', bindings: [] }
  return { sql: ` AND topic IN (${Array.from(topics, () => '?').join(', ')})`, bindings: [...topics] }
}
