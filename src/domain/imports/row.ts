import { extractHashtags } from '../hashtags.ts'
import { noMetrics, POST_METRICS, type PostMetrics } from '../platforms.ts'
import {
  CellProblem,
  parseCount,
  parseHandle,
  parseInstant,
  parseKind,
  parseMediaType,
  parsePostId,
  parseText,
  parseUrl,
  quote,
} from './cells.ts'
import type { Cells, ImportColumn } from './columns.ts'
import type { ParsedRow, RowContext, RowError } from './range.ts'

/**
 * Checks a row and turns it into a post.
 *
 * Reposts keep no counts: files give them the original's, which are not the account's own.
 *
 * @param line the physical line, from 1, on which the row begins
 * @param earlier what the reader of the file has already found wrong with this row
 * @returns the row, or everything that is wrong with it
 */
export function parseRow(
  line: number,
  cells: Cells,
  context: RowContext,
  earlier: readonly RowError[] = [],
): ParsedRow | RowError[] {
  const reader = new CellReader(line, cells, earlier)
  reader.optional('platform', (cell) =>
    cell.trim().toLowerCase() === context.platform
      ? context.platform
      : new CellProblem(`is ${quote(cell)}, but this import is for ${context.platform}.`),
  )
  const accountHandle = reader.optional('account', parseHandle)
  if (accountHandle === null && context.handle === null) {
    reader.fail('account', 'is required, because the import itself names no account.')
  }
  const platformPostId = reader.required('post_id', parsePostId)
  const postedAt = reader.required('posted_at', (cell) => parseInstant(cell, context.nowMs))
  const text = reader.verbatim('text', parseText)
  const url = reader.optional('permalink', parseUrl)
  const kind = reader.optional('kind', parseKind) ?? 'post'
  const media = reader.optional('media_type', parseMediaType) ?? []
  const counts: PostMetrics = noMetrics()
  for (const metric of POST_METRICS) counts[metric] = reader.optional(metric, parseCount)
  const metricsAt = reader.optional('metrics_at', (cell) => parseInstant(cell, context.nowMs))

  if (reader.errors.length > 0 || platformPostId === null || postedAt === null) return reader.errors
  return {
    line,
    platformPostId,
    postedAt,
    kind,
    text,
    hashtags: text === null ? [] : extractHashtags(text),
    url,
    media,
    metrics: kind === 'repost' ? noMetrics() : counts,
    metricsAt,
    accountHandle,
  }
}

/** Reads cells one by one and remembers everything that is wrong with them. */
class CellReader {
  readonly errors: RowError[]
  readonly #line: number
  readonly #cells: Cells

  constructor(line: number, cells: Cells, earlier: readonly RowError[]) {
    this.#line = line
    this.#cells = cells
    this.errors = [...earlier]
  }

  /** The value of a cell, or `null` where it is unknown (no cell, or nothing but spaces) or wrong. */
  optional<T>(column: ImportColumn, parse: (cell: string) => T | CellProblem): T | null {
    const cell = this.#cell(column)
    return cell === null || cell.trim() === '' ? null : this.#parse(column, cell, parse)
  }

  /** As `optional`, and an unknown value is wrong. */
  required<T>(column: ImportColumn, parse: (cell: string) => T | CellProblem): T | null {
    const cell = this.#cell(column)
    if (cell !== null && cell.trim() !== '') return this.#parse(column, cell, parse)
    this.fail(column, 'is required.')
    return null
  }

  /** The value of a cell whose spaces are part of it. */
  verbatim<T>(column: ImportColumn, parse: (cell: string) => T | CellProblem): T | null {
    const cell = this.#cell(column)
    return cell === null ? null : this.#parse(column, cell, parse)
  }

  /** Notes what is wrong with a column, unless something was already. */
  fail(column: ImportColumn, problem: string): void {
    if (this.errors.some((error) => error.column === column)) return
    this.errors.push({ line: this.#line, column, message: `${column} ${problem}` })
  }

  #cell(column: ImportColumn): string | null {
    // Halves of surrogate pairs cannot be written as UTF-8, and Postgres would refuse them.
    return this.#cells.get(column)?.toWellFormed() ?? null
  }

  #parse<T>(column: ImportColumn, cell: string, parse: (cell: string) => T | CellProblem): T | null {
    if (cell.includes('\0')) {
      this.fail(column, 'contains a NUL character (U+0000), which cannot be stored.')
      return null
    }
    const value = parse(cell)
    if (!(value instanceof CellProblem)) return value
    this.fail(column, value.message)
    return null
  }
}
