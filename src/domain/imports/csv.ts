import { type FieldError, invalidRequest } from '../../errors.ts'
import { type Cells, type ImportColumn, matchColumn, REQUIRED_COLUMNS } from './columns.ts'
import { type CsvFault, type CsvRecord, type CsvScan, scanRecord, skipLine } from './csv-scanner.ts'
import {
  byteOrderMarkLength,
  MAX_RECORD_BYTES,
  RangeCollector,
  type RangeInput,
  type RangeResult,
  type RowError,
  tooLongMessage,
} from './range.ts'
import { parseRow } from './row.ts'

/** The longest header that is read, in bytes. */
export const MAX_HEADER_BYTES = 64 * 1024

export interface CsvHeader {
  /**
   * One name a column, in the file's order: the canonical one (`post_id`) where imports know the column,
   * else the file's own. Fit to be kept as JSON between ranges.
   */
  columns: string[]
  /** Where the first record after the header begins, in bytes from the file's start. */
  nextOffset: number
  /** The physical line at `nextOffset`, from 1. */
  line: number
}

export interface CsvRangeInput extends RangeInput {
  /** From `readHeader`. */
  columns: readonly string[]
}

/**
 * Reads the header of a CSV file.
 *
 * @param bytes the file's beginning: all of it, or at least `MAX_HEADER_BYTES` + 2
 * @throws AppError `invalid_request` that names every problem (`/csv/columns/post_id`, or `/csv`)
 */
export function readHeader(bytes: Uint8Array): CsvHeader {
  const otherEncoding = foreignByteOrderMark(bytes)
  if (otherEncoding !== null) throw wrongFile(`The file is ${otherEncoding}; save it as UTF-8.`)

  let position = byteOrderMarkLength(bytes)
  let line = 1
  let header: CsvRecord | null = null
  while (header === null) {
    if (position >= bytes.length)
      throw wrongFile('The file is empty: its first line has to name the columns.')
    const scan = scanRecord(bytes, position, true, MAX_HEADER_BYTES)
    if (scan.kind === 'oversize') {
      throw wrongFile(`The header is longer than ${MAX_HEADER_BYTES / 1024} KiB.`)
    }
    if (scan.kind === 'unclosed_quote') throw wrongFile('A quote in the header is never closed.')
    if (scan.kind === 'incomplete') throw wrongFile('The header has no end.')
    position = scan.next
    line += scan.breaks
    if (scan.kind === 'record') header = scan
  }
  return { columns: nameColumns(header), nextOffset: position, line }
}

/**
 * Reads the complete records of a range; a record that the range cuts off is left to the next one. Never
 * throws, whatever the bytes are.
 *
 * A row is rejected with every one of its problems, and the rows around it are not affected. Quotes that
 * never close, or not within `MAX_RECORD_BYTES`, are reported, and reading resumes on the line after the
 * one on which they were opened.
 */
export function parseCsvRange(input: CsvRangeInput): RangeResult {
  const { bytes, isLast, columns, context } = input
  const maxBytes = input.maxRecordBytes ?? MAX_RECORD_BYTES
  const importColumns = columns.map(matchColumn)
  const collector = new RangeCollector(input.maxRows)
  const cursor = { position: 0, line: input.line, skipping: input.skipping }

  while (cursor.position < bytes.length && !collector.full) {
    if (cursor.skipping) {
      const skipped = skipLine(bytes, cursor.position, isLast)
      cursor.position = skipped.next
      if (!skipped.found) break
      cursor.line += 1
      cursor.skipping = false
      continue
    }
    const scan = scanRecord(bytes, cursor.position, isLast, maxBytes)
    if (scan.kind === 'incomplete') break
    if (scan.kind === 'record') {
      const cells = readCells(scan, cursor.line, columns, importColumns)
      collector.add(Array.isArray(cells) ? cells : parseRow(cursor.line, cells, context))
    } else if (scan.kind !== 'blank') {
      collector.reject([quoteError(scan, cursor.line, columns, maxBytes)])
    }
    cursor.position = scan.next
    cursor.line += scan.breaks
    cursor.skipping = scan.kind === 'oversize' && scan.skipping
  }
  return collector.result(input, cursor)
}

/** The cells of a record that is well-formed, or what is wrong with its form. */
function readCells(
  record: CsvRecord,
  line: number,
  columns: readonly string[],
  importColumns: readonly (ImportColumn | null)[],
): Cells | RowError[] {
  if (record.faults.length > 0) {
    return record.faults.map((fault) => ({
      line,
      column: columns[fault.fieldIndex] ?? null,
      message: faultMessage(fault) + spanNote(record, line),
    }))
  }
  if (record.fields.length !== columns.length) {
    const found = record.fields.length === 1 ? '1 field' : `${record.fields.length} fields`
    const message = `The row has ${found}; the header names ${columns.length}.${spanNote(record, line)}`
    return [{ line, column: null, message }]
  }
  const cells: Cells = new Map()
  const errors: RowError[] = []
  for (const [index, column] of importColumns.entries()) {
    if (column === null) continue
    const field = record.fields[index]
    if (field === null) errors.push({ line, column, message: `${column} is not valid UTF-8.` })
    else if (field !== undefined && field !== '') cells.set(column, field)
  }
  return errors.length > 0 ? errors : cells
}

function faultMessage(fault: CsvFault): string {
  return fault.kind === 'quote_in_unquoted_field'
    ? 'A field with a quote in it has to be quoted, and the quote doubled.'
    : 'There is text after the closing quote; a quote within a quoted field has to be doubled.'
}

/** Tells which lines went into a broken record: a misplaced quote may have swallowed rows. */
function spanNote(record: CsvRecord, line: number): string {
  return record.innerBreaks > 0 ? ` Lines ${line} to ${line + record.innerBreaks} were read as one row.` : ''
}

function quoteError(
  scan: Extract<CsvScan, { kind: 'unclosed_quote' | 'oversize' }>,
  line: number,
  columns: readonly string[],
  maxBytes: number,
): RowError {
  const column = columns[scan.fieldIndex] ?? null
  if (scan.kind === 'unclosed_quote') {
    return { line: line + scan.quoteBreaks, column, message: 'The quote that opens here is never closed.' }
  }
  const tooLong = tooLongMessage('row', maxBytes)
  if (scan.quoteBreaks === null) return { line, column: null, message: tooLong }
  const quoteLine = line + scan.quoteBreaks
  return { line, column, message: `${tooLong} Is the quote that opens on line ${quoteLine} ever closed?` }
}

function nameColumns(header: CsvRecord): string[] {
  if (header.faults.length > 0) throw wrongFile('The quotes in the header are misplaced.')
  const firstNumber = new Map<ImportColumn, number>()
  const errors: FieldError[] = []
  const columns = header.fields.map((field, index) => {
    if (field === null) throw wrongFile('The header is not valid UTF-8; save the file as UTF-8.')
    const column = matchColumn(field)
    if (column === null) return field.trim()
    const first = firstNumber.get(column)
    if (first === undefined) {
      firstNumber.set(column, index + 1)
    } else {
      const detail = `The header names ${column} twice: as column ${first} and as column ${index + 1}.`
      errors.push({ pointer: `/csv/columns/${column}`, detail })
    }
    return column
  })
  for (const column of REQUIRED_COLUMNS) {
    if (!firstNumber.has(column)) {
      errors.push({
        pointer: `/csv/columns/${column}`,
        detail: `The header does not name ${column}, which is required.`,
      })
    }
  }
  if (errors.length > 0) {
    const hint = separatorHint(columns)
    throw invalidRequest(
      hint === null ? errors : [{ pointer: '/csv', detail: hint }, ...errors],
      'The CSV header is not valid.',
    )
  }
  return columns
}

function separatorHint(columns: string[]): string | null {
  const [only, second] = columns
  if (only === undefined || second !== undefined) return null
  if (only.includes(';'))
    return 'The columns seem to be separated with semicolons; separate them with commas.'
  if (only.includes('\t')) return 'The columns seem to be separated with tabs; separate them with commas.'
  return null
}

function wrongFile(detail: string) {
  return invalidRequest([{ pointer: '/csv', detail }], 'The CSV file cannot be read.')
}

function foreignByteOrderMark(bytes: Uint8Array): 'UTF-16' | null {
  const [first, second] = bytes
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) ? 'UTF-16' : null
}
