import { blobOf, type Database, jsonOf, numberOf, type Row, type Statement, textOf } from './database.ts'
import type { AttemptResult, DeadLetter, LogEntry, MessageSpec, StoredMessage } from './types.ts'

/** QStash says ten minutes, from acceptance, whatever becomes of the message. */
export const DEDUPLICATION_WINDOW_MS = 600_000

/** As QStash: older entries are dropped. */
const KEPT_LOGS = 10_000
/** How many entries may be too many before they are dropped. */
const LOG_SLACK = 1000

/** What the dispatcher needs of a pending message without its content. */
export interface PendingMessage {
  seq: number
  position: number
  dueAtMs: number
  attempted: boolean
  spec: MessageSpec
}

/** Messages on their way, dead letters, deduplication and logs. */
export class MessageStore {
  private readonly database: Database
  private readonly insertMessage: Statement
  private readonly setPosition: Statement
  private readonly selectMessage: Statement
  private readonly selectPending: Statement
  private readonly updateRetry: Statement
  private readonly deleteMessage: Statement
  private readonly insertDeadLetter: Statement
  private readonly selectDeadLetter: Statement
  private readonly selectDeadLetters: Statement
  private readonly deleteDeadLetter: Statement
  private readonly selectDeduplication: Statement
  private readonly upsertDeduplication: Statement
  private readonly expireDeduplications: Statement
  private readonly insertLog: Statement
  private readonly selectLogs: Statement
  private readonly trimLogs: Statement

  constructor(database: Database) {
    this.database = database
    const prepare = (sql: string) => database.prepare(sql)
    this.insertMessage = prepare(
      'INSERT INTO messages (message_id, position, due_at_ms, spec, body) VALUES (?, ?, ?, ?, ?)',
    )
    this.setPosition = prepare('UPDATE messages SET position = seq WHERE seq = ?')
    this.selectMessage = prepare('SELECT * FROM messages WHERE message_id = ?')
    this.selectPending = prepare(
      'SELECT seq, position, due_at_ms, attempted, spec FROM messages ORDER BY position, seq',
    )
    this.updateRetry = prepare(
      'UPDATE messages SET retried = ?, attempted = 1, due_at_ms = ? WHERE message_id = ?',
    )
    this.deleteMessage = prepare('DELETE FROM messages WHERE message_id = ?')
    this.insertDeadLetter = prepare(
      `INSERT INTO dead_letters (dlq_id, failed_at_ms, retried, spec, body,
         response_status, response_header, response_body, response_error)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.selectDeadLetter = prepare('SELECT * FROM dead_letters WHERE dlq_id = ?')
    this.selectDeadLetters = prepare('SELECT * FROM dead_letters WHERE seq < ? ORDER BY seq DESC')
    this.deleteDeadLetter = prepare('DELETE FROM dead_letters WHERE dlq_id = ?')
    this.selectDeduplication = prepare(
      'SELECT message_id FROM deduplications WHERE key = ? AND expires_at_ms > ?',
    )
    this.upsertDeduplication = prepare(
      `INSERT INTO deduplications (key, message_id, expires_at_ms) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET message_id = excluded.message_id, expires_at_ms = excluded.expires_at_ms`,
    )
    this.expireDeduplications = prepare('DELETE FROM deduplications WHERE expires_at_ms <= ?')
    this.insertLog = prepare('INSERT INTO logs (entry) VALUES (?)')
    this.selectLogs = prepare('SELECT seq, entry FROM logs WHERE seq < ? ORDER BY seq DESC')
    this.trimLogs = prepare('DELETE FROM logs WHERE seq <= ?')
  }

  /** All or nothing. */
  transaction<T>(work: () => T): T {
    return this.database.transaction(work)
  }

  /** @param position `undefined` puts the message at the end of its queue */
  addMessage(spec: MessageSpec, body: Buffer, position?: number): PendingMessage {
    const dueAtMs = spec.notBeforeMs
    const { lastId: seq } = this.insertMessage.run(
      spec.messageId,
      position ?? 0,
      dueAtMs,
      JSON.stringify(spec),
      body,
    )
    if (position === undefined) this.setPosition.run(seq)
    return { seq, position: position ?? seq, dueAtMs, attempted: false, spec }
  }

  message(messageId: string): StoredMessage | undefined {
    const row = this.selectMessage.get(messageId)
    if (!row) return undefined
    return { ...pendingOf(row), retried: numberOf(row, 'retried'), body: blobOf(row, 'body') }
  }

  /** Every message that is not done with, in the order of their queues. */
  pendingMessages(): PendingMessage[] {
    return this.selectPending.all().map(pendingOf)
  }

  scheduleRetry(messageId: string, retried: number, dueAtMs: number): void {
    this.updateRetry.run(retried, dueAtMs, messageId)
  }

  removeMessage(messageId: string): boolean {
    return this.deleteMessage.run(messageId).changes > 0
  }

  addDeadLetter(letter: Omit<DeadLetter, 'seq'>): void {
    const { response } = letter
    this.insertDeadLetter.run(
      letter.dlqId,
      letter.failedAtMs,
      letter.retried,
      JSON.stringify(letter.spec),
      letter.body,
      response.status,
      JSON.stringify(response.header),
      response.body,
      response.error ?? null,
    )
  }

  deadLetter(dlqId: string): DeadLetter | undefined {
    const row = this.selectDeadLetter.get(dlqId)
    return row && deadLetterOf(row)
  }

  /** The newest first, from before `beforeSeq`. */
  *deadLetters(beforeSeq: number): Iterable<DeadLetter> {
    for (const row of this.selectDeadLetters.each(beforeSeq)) yield deadLetterOf(row)
  }

  removeDeadLetter(dlqId: string): boolean {
    return this.deleteDeadLetter.run(dlqId).changes > 0
  }

  /** The message that was accepted under this key within the window. */
  duplicateOf(key: string, nowMs: number): string | undefined {
    const row = this.selectDeduplication.get(key, nowMs)
    return row && textOf(row, 'message_id')
  }

  rememberDeduplication(key: string, messageId: string, nowMs: number): void {
    this.expireDeduplications.run(nowMs)
    this.upsertDeduplication.run(key, messageId, nowMs + DEDUPLICATION_WINDOW_MS)
  }

  log(entry: LogEntry): void {
    const { lastId: seq } = this.insertLog.run(JSON.stringify(entry))
    if (seq % LOG_SLACK === 0) this.trimLogs.run(seq - KEPT_LOGS)
  }

  /** The newest first, from before `beforeSeq`. */
  *logs(beforeSeq: number): Iterable<{ seq: number; entry: LogEntry }> {
    for (const row of this.selectLogs.each(beforeSeq)) {
      yield { seq: numberOf(row, 'seq'), entry: jsonOf<LogEntry>(row, 'entry') }
    }
  }
}

function pendingOf(row: Row): PendingMessage {
  return {
    seq: numberOf(row, 'seq'),
    position: numberOf(row, 'position'),
    dueAtMs: numberOf(row, 'due_at_ms'),
    attempted: numberOf(row, 'attempted') === 1,
    spec: jsonOf<MessageSpec>(row, 'spec'),
  }
}

function deadLetterOf(row: Row): DeadLetter {
  const error = row.response_error
  return {
    dlqId: textOf(row, 'dlq_id'),
    seq: numberOf(row, 'seq'),
    failedAtMs: numberOf(row, 'failed_at_ms'),
    retried: numberOf(row, 'retried'),
    spec: jsonOf<MessageSpec>(row, 'spec'),
    body: blobOf(row, 'body'),
    response: {
      status: numberOf(row, 'response_status'),
      header: jsonOf<AttemptResult['header']>(row, 'response_header'),
      body: blobOf(row, 'response_body'),
      error: typeof error === 'string' ? error : undefined,
    },
  }
}
