import type { PostMedia } from '../../ports.ts'
import type { Platform, PostKind, PostMetrics } from '../platforms.ts'

/**
 * The longest record (CSV) or line (NDJSON) that is read, in bytes without its line break.
 * Longer ones are rejected and skipped.
 */
export const MAX_RECORD_BYTES = 1024 * 1024

/**
 * A range of this many bytes always gets ahead: it holds the longest record, its line break and one byte
 * more. When a shorter range ends where it began (`nextOffset === offset`, not `done`), read this many.
 */
export const DECISIVE_RANGE_BYTES = MAX_RECORD_BYTES + 2

/** What the request that started the import says about all of its rows. */
export interface RowContext {
  platform: Platform
  /** The account of rows that name none; `null` when every row has to name its own. */
  handle: string | null
  /**
   * Milliseconds since 1970; posts from the future are measured against it. One value for the whole
   * import (its start), so that a range read twice gives the same rows twice.
   */
  nowMs: number
}

/** A row that is fit to be stored. */
export interface ParsedRow {
  /** The physical line, from 1, on which the row begins. */
  line: number
  platformPostId: string
  /** RFC 3339, UTC, with milliseconds. */
  postedAt: string
  kind: PostKind
  /** Verbatim, but for halves of surrogate pairs, which become U+FFFD. `null`: unknown. */
  text: string | null
  hashtags: string[]
  url: string | null
  media: PostMedia[]
  /** All `null` for a repost: its counts are the original's, not the account's own. */
  metrics: PostMetrics
  /** When the counts were read; RFC 3339, UTC. `null`: unknown. */
  metricsAt: string | null
  /** As the row gives it; `null` when the row leaves it to the request. */
  accountHandle: string | null
}

/** One thing that is wrong with a row; a row may have several. */
export interface RowError {
  /** The physical line, from 1, on which the row begins (for a quote that never closes: where it opened). */
  line: number
  /** The column's name; `null` when the row as a whole is wrong. */
  column: string | null
  /** A sentence that may be shown to the person who imports. */
  message: string
}

export interface RangeInput {
  /** The file's bytes from `offset` on, as many as the caller wants to handle at once. */
  bytes: Uint8Array
  /** Where `bytes` begins in the file: 0, or the `nextOffset` of the range before. */
  offset: number
  /** The physical line at `offset`, from 1: the `nextLine` of the range before. */
  line: number
  /** The `nextSkipping` of the range before: `offset` lies inside an overlong line that is being skipped. */
  skipping: boolean
  /** Whether the file ends with `bytes`. */
  isLast: boolean
  /** Stops after so many rows, accepted or not. */
  maxRows?: number
  /** For tests; `MAX_RECORD_BYTES` otherwise. */
  maxRecordBytes?: number
  context: RowContext
}

/** What a range held. Keep `nextOffset`, `nextLine` and `nextSkipping` together with what was stored of it. */
export interface RangeResult {
  rows: ParsedRow[]
  rejected: RowError[]
  /** How many rows the errors in `rejected` belong to. */
  rejectedRows: number
  /** Where the first byte lies that was not consumed, counted from the file's start. */
  nextOffset: number
  nextLine: number
  nextSkipping: boolean
  /** Whether the whole file has been consumed. */
  done: boolean
}

/** Collects what one range gives, and counts its rows. */
export class RangeCollector {
  readonly rows: ParsedRow[] = []
  readonly rejected: RowError[] = []
  rejectedRows = 0
  readonly #maxRows: number

  constructor(maxRows = Number.POSITIVE_INFINITY) {
    this.#maxRows = maxRows
  }

  get full(): boolean {
    return this.rows.length + this.rejectedRows >= this.#maxRows
  }

  add(outcome: ParsedRow | RowError[]): void {
    if (Array.isArray(outcome)) this.reject(outcome)
    else this.rows.push(outcome)
  }

  reject(errors: RowError[]): void {
    this.rejectedRows += 1
    for (const error of errors) this.rejected.push(error)
  }

  result(input: RangeInput, cursor: { position: number; line: number; skipping: boolean }): RangeResult {
    return {
      rows: this.rows,
      rejected: this.rejected,
      rejectedRows: this.rejectedRows,
      nextOffset: input.offset + cursor.position,
      nextLine: cursor.line,
      nextSkipping: cursor.skipping,
      done: input.isLast && cursor.position === input.bytes.length,
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of some bytes, or `null` when they are not UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

/** 3 where the bytes begin with UTF-8's byte order mark, else 0. */
export function byteOrderMarkLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}

/** What is said of a record that is skipped for its length. */
export function tooLongMessage(what: 'row' | 'line', maxBytes: number): string {
  return `The ${what} is longer than ${maxBytes} bytes.`
}
