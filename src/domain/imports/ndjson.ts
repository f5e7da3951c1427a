import { quote } from './cells.ts'
import { type Cells, COUNT_COLUMNS, type ImportColumn, matchColumn } from './columns.ts'
import {
  byteOrderMarkLength,
  decodeUtf8,
  MAX_RECORD_BYTES,
  type ParsedRow,
  RangeCollector,
  type RangeInput,
  type RangeResult,
  type RowContext,
  type RowError,
  tooLongMessage,
} from './range.ts'
import { parseRow } from './row.ts'

const LF = 0x0a

/**
 * Reads the complete lines of a range of newline-delimited JSON, one object a line; a line that the range
 * cuts off is left to the next one. Never throws, whatever the bytes are.
 *
 * Keys are the columns' names, in snake_case or camelCase; others are ignored. `null` is unknown, like an
 * empty cell. Blank lines are skipped.
 */
export function parseNdjsonRange(input: RangeInput): RangeResult {
  const { bytes, isLast, context } = input
  const maxBytes = input.maxRecordBytes ?? MAX_RECORD_BYTES
  const collector = new RangeCollector(input.maxRows)
  const cursor = {
    position: input.offset === 0 ? byteOrderMarkLength(bytes) : 0,
    line: input.line,
    skipping: input.skipping,
  }

  while (cursor.position < bytes.length && !collector.full) {
    const start = cursor.position
    const lineFeed = bytes.indexOf(LF, start)
    const end = lineFeed < 0 ? bytes.length : lineFeed
    const isComplete = lineFeed >= 0 || isLast
    if (cursor.skipping) {
      cursor.skipping = !isComplete
    } else if (end - start > maxBytes) {
      collector.reject([{ line: cursor.line, column: null, message: tooLongMessage('line', maxBytes) }])
      cursor.skipping = !isComplete
    } else if (isComplete) {
      const outcome = parseLine(bytes.subarray(start, end), cursor.line, context)
      if (outcome !== null) collector.add(outcome)
    } else {
      break
    }
    cursor.position = lineFeed < 0 ? end : end + 1
    if (lineFeed >= 0) cursor.line += 1
  }
  return collector.result(input, cursor)
}

function parseLine(bytes: Uint8Array, line: number, context: RowContext): ParsedRow | RowError[] | null {
  const reject = (message: string): RowError[] => [{ line, column: null, message }]
  const text = decodeUtf8(bytes)
  if (text === null) return reject('The line is not valid UTF-8.')
  if (text.trim() === '') return null
  let value: unknown
  try {
    value = JSON.parse(text, keepNumberText)
  } catch (error) {
    return reject(`The line is not valid JSON: ${jsonReason(error)}`)
  }
  if (!isPlainObject(value)) return reject('The line is not a JSON object; every line has to be one.')
  const { cells, errors } = readCells(value, line)
  return parseRow(line, cells, context, errors)
}

function readCells(record: object, line: number): { cells: Cells; errors: RowError[] } {
  const cells: Cells = new Map()
  const errors: RowError[] = []
  const keys = new Map<ImportColumn, string>()
  for (const [key, value] of Object.entries(record)) {
    const column = matchColumn(key)
    if (column === null) continue
    const fail = (message: string) => errors.push({ line, column, message })
    const earlierKey = keys.get(column)
    keys.set(column, key)
    if (earlierKey !== undefined) {
      fail(`${column} is given twice, as ${JSON.stringify(earlierKey)} and as ${JSON.stringify(key)}.`)
    } else if (typeof value === 'string') {
      cells.set(column, value)
    } else if (value instanceof NumberText || typeof value === 'number') {
      const digits = numberText(value)
      if (!takesNumbers(column)) {
        fail(`${column} has to be a string.`)
      } else if (digits === null) {
        fail(`${column} is too large to be read as a number; write it as a string.`)
      } else if (column === 'post_id' && !/^\d+$/.test(digits)) {
        // 1e3 and 1000 are one number and two ids.
        fail(`${column} is a number but not in digits alone (${quote(digits)}); write it as a string.`)
      } else {
        cells.set(column, digits)
      }
    } else if (value !== null) {
      fail(`${column} has to be a string${takesNumbers(column) ? ' or a number' : ''}.`)
    }
  }
  return { cells, errors }
}

function takesNumbers(column: ImportColumn): boolean {
  return column === 'post_id' || COUNT_COLUMNS.has(column)
}

/** A JSON number as the file writes it: ids have more digits than a JavaScript number keeps. */
class NumberText {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** The third argument is ECMAScript's "JSON.parse source text access"; runtimes before it pass nothing. */
function keepNumberText(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? new NumberText(context.source) : value
}

/** The number as written or, where the runtime does not tell, as JavaScript read it; `null`: digits may be lost. */
function numberText(value: NumberText | number): string | null {
  if (value instanceof NumberText) return value.source
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value)
}

function isPlainObject(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
  )
}

/** The runtime's reason, without the excerpt of the line that it adds. */
function jsonReason(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  const reason = message.split(/, "|, \.\.\."| in JSON at/)[0] ?? ''
  return reason === '' ? 'it cannot be read.' : `${reason}.`
}
