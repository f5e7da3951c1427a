export { MAX_HEADER_BYTES, parseCsvRange, readHeader } from './csv.ts'
export { parseNdjsonRange } from './ndjson.ts'
export { DECISIVE_RANGE_BYTES, type ParsedRow, type RangeResult } from './range.ts'
