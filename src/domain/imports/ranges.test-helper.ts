import { parseCsvRange, readHeader } from './csv.ts'
import { parseNdjsonRange } from './ndjson.ts'
import type { ParsedRow, RangeResult, RowContext, RowError } from './range.ts'

export const context: RowContext = {
  platform: 'x',
  handle: 'example',
  nowMs: Date.parse('2020-01-01T00:00:00Z'),
}

const encoder = new TextEncoder()

export function toBytes(text: string): Uint8Array {
  return encoder.encode(text)
}

export interface WholeFile {
  rows: ParsedRow[]
  rejected: RowError[]
  rejectedRows: number
  nextLine: number
}

type Format = 'csv' | 'ndjson'

/** Reads a file in one range. */
export function parseWhole(
  file: Uint8Array,
  format: Format,
  maxRecordBytes?: number,
  rowContext: RowContext = context,
): WholeFile {
  return readInRanges(file, format, () => file.length + 1, maxRecordBytes, rowContext)
}

/**
 * Reads a file in ranges as the import job does: each begins where the one before ended, and one that got
 * nowhere is read again at twice the length. Throws where a range that is long enough still gets nowhere.
 */
export function readInRanges(
  file: Uint8Array,
  format: Format,
  nextLength: () => number,
  maxRecordBytes = 1024 * 1024,
  rowContext: RowContext = context,
): WholeFile {
  const header = format === 'csv' ? readHeader(file) : { columns: [], nextOffset: 0, line: 1 }
  const whole: WholeFile = { rows: [], rejected: [], rejectedRows: 0, nextLine: header.line }
  let offset = header.nextOffset
  let skipping = false
  let length = nextLength()
  for (;;) {
    // A copy: nothing may depend on what lies around the range in memory.
    const bytes = file.slice(offset, offset + length)
    const isLast = offset + length >= file.length
    const input = {
      bytes,
      offset,
      line: whole.nextLine,
      skipping,
      isLast,
      maxRecordBytes,
      context: rowContext,
    }
    const result: RangeResult =
      format === 'csv' ? parseCsvRange({ ...input, columns: header.columns }) : parseNdjsonRange(input)
    whole.rows.push(...result.rows)
    whole.rejected.push(...result.rejected)
    whole.rejectedRows += result.rejectedRows
    whole.nextLine = result.nextLine
    if (result.done) return whole
    const stuck = result.nextOffset === offset
    if (stuck && (isLast || length >= maxRecordBytes + 2)) throw new Error(`stands still at ${offset}`)
    length = stuck ? length * 2 : nextLength()
    offset = result.nextOffset
    skipping = result.nextSkipping
  }
}
