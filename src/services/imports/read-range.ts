import type { ImportErrorRow, ImportHandle, ImportRow } from '../../db/queries/imports.ts'
import {
  DECISIVE_RANGE_BYTES,
  type ParsedRow,
  parseCsvRange,
  parseNdjsonRange,
  type RangeResult,
} from '../../domain/imports/index.ts'
import { AppError } from '../../errors.ts'
import type { ObjectStore } from '../../ports.ts'
import { normaliseHandle } from './handles.ts'

/** Bytes that are read at a time. */
const RANGE_BYTES = 256 * 1024
/** Rows that are stored at a time, in one transaction. */
const MAX_ROWS = 1_000

/** A row with the account that it belongs to, named in the one way in which handles are compared. */
export interface AddressedRow {
  row: ParsedRow
  handle: ImportHandle
}

/** The records of a file from where its import stands, fit to be stored together. */
export interface ImportRange {
  rows: AddressedRow[]
  errors: ImportErrorRow[]
  rejectedRows: number
  to: { offset: number; line: number; skipping: boolean }
  /** Whether the file ends here. */
  done: boolean
}

type Standing = Pick<
  ImportRow,
  | 'platform'
  | 'handle'
  | 'format'
  | 'objectKey'
  | 'sizeBytes'
  | 'columns'
  | 'nextOffset'
  | 'nextLine'
  | 'nextSkipping'
  | 'createdAt'
>

/**
 * Reads and parses what comes next in a file: the same whenever it is asked.
 * @throws gone when the file is not there any more
 */
export async function readRange(objects: ObjectStore, standing: Standing): Promise<ImportRange> {
  let result = await parse(objects, standing, RANGE_BYTES)
  // A record that is longer than the range.
  if (isStuck(result, standing)) result = await parse(objects, standing, DECISIVE_RANGE_BYTES)
  if (isStuck(result, standing)) throw new AppError('internal', 'The file cannot be read on.')

  const rows: AddressedRow[] = []
  const errors = result.rejected.map(storable)
  let rejectedRows = result.rejectedRows
  for (const row of result.rows) {
    const handle = normaliseHandle(row.accountHandle ?? standing.handle ?? '')
    if (handle !== null) {
      rows.push({ row, handle })
    } else {
      rejectedRows += 1
      errors.push({ line: row.line, column: 'account', message: 'account is not a handle.' })
    }
  }
  return {
    rows,
    errors,
    rejectedRows,
    to: { offset: result.nextOffset, line: result.nextLine, skipping: result.nextSkipping },
    done: result.done,
  }
}

const isStuck = (result: RangeResult, standing: Standing) =>
  !result.done && result.nextOffset === standing.nextOffset

async function parse(objects: ObjectStore, standing: Standing, lengthBytes: number): Promise<RangeResult> {
  const { platform, handle, sizeBytes, nextOffset: offset } = standing
  const length = Math.min(lengthBytes, sizeBytes - offset)
  // Stores refuse a range that begins at the end.
  const bytes = length <= 0 ? new Uint8Array() : await objects.getRange(standing.objectKey, offset, length)
  if (bytes === null || bytes.byteLength < length)
    throw new AppError('gone', 'The uploaded file is not there any more.')
  const input = {
    bytes,
    offset,
    line: standing.nextLine,
    skipping: standing.nextSkipping,
    isLast: offset + bytes.byteLength >= sizeBytes,
    maxRows: MAX_ROWS,
    context: { platform, handle, nowMs: Date.parse(standing.createdAt) },
  }
  return standing.format === 'csv'
    ? parseCsvRange({ ...input, columns: standing.columns ?? [] })
    : parseNdjsonRange(input)
}

/** Messages may quote a file's own characters; two kinds of them cannot be stored. */
function storable({ line, column, message }: ImportErrorRow): ImportErrorRow {
  return { line, column, message: message.toWellFormed().replaceAll('\0', '\ufffd') }
}
