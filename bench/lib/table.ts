/** Tables as they are printed; results keep their numbers as they were measured. */

export interface Column {
  name: string
  /** Printed behind the name. */
  unit?: string
  /** Of numbers, behind the decimal point; by size where it is not given. */
  digits?: number
}

/** `null` is "not measured", never 0. */
export type Cell = string | number | null

export interface Table {
  title: string
  columns: Column[]
  rows: Cell[][]
}

const UNKNOWN = '–'

/** A table as lines of text: names to the left, numbers to the right. */
export function formatTable(table: Table): string {
  const heads = table.columns.map(({ name, unit }) => (unit === undefined ? name : `${name} ${unit}`))
  const body = table.rows.map((row) => table.columns.map((column, i) => formatCell(row[i] ?? null, column)))
  const widths = heads.map((head, i) => Math.max(...[head, ...body.map((row) => row[i] ?? '')].map(widthOf)))
  const isNumeric = table.columns.map((_, i) => table.rows.some((row) => typeof row[i] === 'number'))
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => pad(cell, widths[i] ?? 0, isNumeric[i] ?? false))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('──')
  return [table.title, rule, line(heads), rule, ...body.map(line), rule].join('\n')
}

/** A number with thousands apart: `digits` behind the point, or as many as its size makes sense of. */
export function formatNumber(value: number, digits?: number): string {
  const places = digits ?? (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
  const isWhole = digits === undefined && Number.isInteger(value)
  return value.toLocaleString('en-US', {
    minimumFractionDigits: isWhole ? 0 : places,
    maximumFractionDigits: isWhole ? 0 : places,
  })
}

function formatCell(cell: Cell, column: Column): string {
  if (cell === null) return UNKNOWN
  return typeof cell === 'number' ? formatNumber(cell, column.digits) : cell
}

/** Every character used here takes one place. */
function widthOf(text: string): number {
  return [...text].length
}

function pad(text: string, width: number, toTheRight: boolean): string {
  const space = ' '.repeat(width - widthOf(text))
  return toTheRight ? space + text : text + space
}
