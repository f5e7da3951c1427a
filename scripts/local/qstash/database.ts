import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id TEXT NOT NULL UNIQUE,
  position INTEGER NOT NULL,
  due_at_ms REAL NOT NULL,
  retried INTEGER NOT NULL DEFAULT 0,
  attempted INTEGER NOT NULL DEFAULT 0,
  spec TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS dead_letters (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  dlq_id TEXT NOT NULL UNIQUE,
  failed_at_ms REAL NOT NULL,
  retried INTEGER NOT NULL,
  spec TEXT NOT NULL,
  body BLOB NOT NULL,
  response_status INTEGER NOT NULL,
  response_header TEXT NOT NULL,
  response_body BLOB NOT NULL,
  response_error TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS deduplications (
  key TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  expires_at_ms REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS deduplications_expiry ON deduplications (expires_at_ms);
CREATE TABLE IF NOT EXISTS logs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  entry TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS schedules (
  schedule_id TEXT PRIMARY KEY,
  spec TEXT NOT NULL,
  body BLOB NOT NULL,
  is_paused INTEGER NOT NULL,
  last_at_ms REAL,
  next_at_ms REAL NOT NULL,
  last_states TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS queues (
  name TEXT PRIMARY KEY,
  parallelism INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  created_at_ms REAL NOT NULL,
  updated_at_ms REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS url_groups (
  name TEXT PRIMARY KEY,
  created_at_ms REAL NOT NULL,
  updated_at_ms REAL NOT NULL,
  endpoints TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS flow_keys (key TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
`

/** A row as node:sqlite gives it. */
export type Row = Record<string, SQLOutputValue>

/** A statement that is prepared once. */
export interface Statement {
  run(...values: SQLInputValue[]): { changes: number; lastId: number }
  get(...values: SQLInputValue[]): Row | undefined
  all(...values: SQLInputValue[]): Row[]
  each(...values: SQLInputValue[]): Iterable<Row>
}

/** One SQLite file, for one process. */
export class Database {
  private readonly sqlite: DatabaseSync
  private inTransaction = false

  /**
   * Opens the file, and makes it where there is none.
   * @throws when another process has it open.
   */
  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true })
    this.sqlite = new DatabaseSync(file, { timeout: 2000 })
    // A commit reaches the operating system before the answer is sent, which outlives the process
    // (`synchronous = NORMAL` gives up only the last commits before a power failure).
    // The exclusive lock keeps a second process from delivering the same messages.
    this.sqlite.exec(
      `PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`,
    )
  }

  prepare(sql: string): Statement {
    const statement = this.sqlite.prepare(sql)
    return {
      run: (...values) => {
        const { changes, lastInsertRowid } = statement.run(...values)
        return { changes: Number(changes), lastId: Number(lastInsertRowid) }
      },
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
      each: (...values) => statement.iterate(...values),
    }
  }

  /** All or nothing; one within another is part of it. */
  transaction<T>(work: () => T): T {
    if (this.inTransaction) return work()
    this.sqlite.exec('BEGIN IMMEDIATE')
    this.inTransaction = true
    try {
      const result = work()
      this.sqlite.exec('COMMIT')
      return result
    } catch (error) {
      if (this.sqlite.isTransaction) this.sqlite.exec('ROLLBACK')
      throw error
    } finally {
      this.inTransaction = false
    }
  }

  close(): void {
    this.sqlite.close()
  }
}

/** A column that the schema declares TEXT NOT NULL. */
export function textOf(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`${column} is not text`)
  return value
}

/** A column that the schema declares INTEGER or REAL NOT NULL. */
export function numberOf(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw new TypeError(`${column} is not a number`)
  return value
}

/** A column that the schema declares BLOB NOT NULL. */
export function blobOf(row: Row, column: string): Buffer {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw new TypeError(`${column} is not a blob`)
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** Reads a JSON column; its type is what this program wrote there, and nobody else writes the file. */
export function jsonOf<T>(row: Row, column: string): T {
  const value: T = JSON.parse(textOf(row, column))
  return value
}
