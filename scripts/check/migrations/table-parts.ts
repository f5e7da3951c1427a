import { Cursor, contains, isKeyword } from './cursor.ts'
import type { Token } from './tokens.ts'

export interface ForeignKey {
  columns: string[]
  notValid: boolean
}

export interface Index {
  name: string
  /** `null` stands for an expression. */
  columns: (string | null)[]
  /** A partial index, or one of a kind that finds no single value, helps no foreign key. */
  findsAnyRow: boolean
}

export interface Column {
  name: string
  notNull: boolean
  /** The default's tokens, `null` where there is none (or it is NULL). */
  defaultValue: Token[] | null
  /** Whether adding it writes every row anew, whatever its default. */
  isWritten: boolean
  isKey: boolean
  hasCheck: boolean
  references: boolean
}

/** What follows `ADD` in ALTER TABLE, or stands between the commas of CREATE TABLE. */
export type TablePart =
  | { kind: 'column'; column: Column }
  | { kind: 'foreign key'; name: string; key: ForeignKey }
  | { kind: 'key'; name: string; index: Index; usesIndex: boolean }
  | { kind: 'check'; name: string; notValid: boolean; expression: Token[] }
  | { kind: 'like'; table: string }
  | { kind: 'other' }

const AFTER_DEFAULT = ['constraint', 'not', 'null', 'generated', 'primary', 'unique', 'references', 'check']
const SERIAL = new Set(['smallserial', 'serial', 'bigserial', 'serial2', 'serial4', 'serial8'])

export function parseTablePart(tokens: readonly Token[]): TablePart {
  const cursor = new Cursor(tokens)
  const name = cursor.accept('constraint') ? cursor.name() : ''
  if (cursor.accept('foreign key')) {
    const columns = namesOf(cursor.list())
    return { kind: 'foreign key', name, key: { columns, notValid: contains(tokens, 'not valid') } }
  }
  if (cursor.accept('primary key') || cursor.accept('unique')) {
    cursor.accept('nulls not distinct')
    const usesIndex = contains(tokens, 'using index')
    const columns = usesIndex ? [] : namesOf(cursor.list())
    return { kind: 'key', name, index: { name, columns, findsAnyRow: true }, usesIndex }
  }
  if (cursor.accept('check')) {
    const expression = (cursor.list() ?? []).flat()
    return { kind: 'check', name, expression, notValid: contains(tokens, 'not valid') }
  }
  if (cursor.accept('like')) return { kind: 'like', table: cursor.name() }
  if (cursor.accept('exclude')) return { kind: 'other' }
  cursor.accept('column')
  cursor.accept('if not exists')
  return { kind: 'column', column: parseColumn(cursor) }
}

function parseColumn(cursor: Cursor): Column {
  const name = cursor.name()
  const type = cursor.peek()
  const rest = cursor.until()
  const scan = new Cursor(rest)
  scan.until('default')
  const hasDefault = scan.accept('default') && !scan.accept('null')
  const defaultValue = hasDefault ? scan.until(...AFTER_DEFAULT) : null
  return {
    name,
    notNull: contains(rest, 'not null') || contains(rest, 'primary key'),
    defaultValue,
    isWritten:
      (type !== undefined && SERIAL.has(type.text)) ||
      contains(rest, 'stored') ||
      contains(rest, 'as identity'),
    isKey: contains(rest, 'primary key') || contains(rest, 'unique'),
    hasCheck: contains(rest, 'check'),
    references: contains(rest, 'references'),
  }
}

/** Reads on after `CREATE [UNIQUE] INDEX`. */
export function parseIndex(
  cursor: Cursor,
): Index & { table: string; isConcurrent: boolean; isOnly: boolean } {
  const isConcurrent = cursor.accept('concurrently')
  cursor.accept('if not exists')
  const name = isKeyword(cursor.peek(), 'on') ? '' : cursor.name()
  cursor.accept('on')
  const isOnly = cursor.accept('only')
  const table = cursor.name()
  const method = cursor.accept('using') ? cursor.name() : 'btree'
  const columns = (cursor.list() ?? []).map(columnOf)
  const isPartial = contains(cursor.until(), 'where')
  return {
    name,
    table,
    isConcurrent,
    isOnly,
    columns,
    findsAnyRow: !isPartial && (method === 'btree' || method === 'hash'),
  }
}

function columnOf(tokens: readonly Token[]): string | null {
  const [first, second] = tokens
  if (first?.kind !== 'word' && first?.kind !== 'quoted') return null
  return isKeyword(second, '(') || isKeyword(second, '.') ? null : first.text
}

function namesOf(list: Token[][] | undefined): string[] {
  return (list ?? []).map((tokens) => tokens[0]?.text ?? '')
}
