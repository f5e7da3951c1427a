import { IMPORT_COLUMNS } from './columns.ts'

/** A cell to be written; `null` is unknown and gives an empty cell. */
export type CsvCell = string | number | null

/**
 * One RFC 4180 record with its line break (CRLF).
 *
 * What is written can be imported again to the last character. So cells that a spreadsheet would take for
 * a formula (`=`, `+`, `-`, `@` first) are not defused with an apostrophe or a space: that would change
 * the text of posts, and every handle that begins with `@`.
 */
export function writeCsvRow(cells: readonly CsvCell[]): string {
  const [only, second] = cells
  // A single empty cell would be a blank line, which readers skip.
  if (second === undefined && (only === null || only === '')) return '""\r\n'
  return `${cells.map(writeCell).join(',')}\r\n`
}

/** The header record; by default with every column that an import understands. */
export function csvHeader(columns: readonly string[] = IMPORT_COLUMNS): string {
  return writeCsvRow(columns)
}

function writeCell(cell: CsvCell): string {
  if (cell === null) return ''
  const text = String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
