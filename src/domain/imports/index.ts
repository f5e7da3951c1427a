export { COUNT_COLUMNS, IMPORT_COLUMNS, type ImportColumn, REQUIRED_COLUMNS } from './columns.ts'
export { type CsvHeader, type CsvRangeInput, MAX_HEADER_BYTES, parseCsvRange, readHeader } from './csv.ts'
export { type CsvCell, csvHeader, writeCsvRow } from './csv-writer.ts'
export { parseNdjsonRange } from './ndjson.ts'
export {
  DECISIVE_RANGE_BYTES,
  MAX_RECORD_BYTES,
  type ParsedRow,
  type RangeInput,
  type RangeResult,
  type RowContext,
  type RowError,
} from './range.ts'
