import { Cursor, contains, cutAtCommas, isKeyword } from './cursor.ts'
import { type Index, parseIndex, parseTablePart, type TablePart } from './table-parts.ts'
import type { Token } from './tokens.ts'

/** What a statement does, as far as the rules need to know. */
export type Parsed =
  | { kind: 'create table'; table: string; parts: TablePart[]; partitionOf: string | null }
  | { kind: 'create index'; table: string; index: Index; isConcurrent: boolean; isOnly: boolean }
  | { kind: 'alter table'; table: string; actions: AlterAction[] }
  | { kind: 'drop'; what: string; names: string[]; isConcurrent: boolean; ifExists: boolean }
  | { kind: 'create function'; name: string; isReplacement: boolean; clauses: Token[] }
  | { kind: 'revoke function'; names: string[] | 'all' }
  | { kind: 'revoke by default' }
  | { kind: 'do'; body: string }
  | { kind: 'other' }

export type AlterAction =
  | { kind: 'add'; part: TablePart }
  | { kind: 'drop column'; name: string }
  | { kind: 'drop constraint'; name: string }
  | { kind: 'rename'; what: 'table' | 'column'; from: string; to: string }
  | { kind: 'set type'; column: string }
  | { kind: 'set not null'; column: string }
  | { kind: 'validate'; constraint: string }
  | { kind: 'enable row level security' }
  | { kind: 'other' }

const ROUTINES = ['function', 'procedure', 'routine']

export function parseStatement(tokens: readonly Token[]): Parsed {
  const cursor = new Cursor(tokens)
  if (cursor.accept('create')) return parseCreate(cursor, tokens)
  if (cursor.accept('alter table')) return parseAlterTable(cursor)
  if (cursor.accept('alter default privileges')) {
    const takesFromAll = ['revoke', 'functions', 'from public'].every((words) => contains(tokens, words))
    return takesFromAll ? { kind: 'revoke by default' } : { kind: 'other' }
  }
  if (cursor.accept('drop')) return parseDrop(cursor)
  if (cursor.accept('revoke')) return parseRevoke(cursor)
  if (cursor.accept('do')) {
    return { kind: 'do', body: tokens.find(({ kind }) => kind === 'body' || kind === 'string')?.text ?? '' }
  }
  return { kind: 'other' }
}

function parseCreate(cursor: Cursor, tokens: readonly Token[]): Parsed {
  const isReplacement = cursor.accept('or replace')
  for (const word of ['global', 'local', 'unlogged']) cursor.accept(word)
  if (cursor.accept('table')) return parseCreateTable(cursor)
  cursor.accept('unique')
  if (cursor.accept('index')) {
    const { table, isConcurrent, isOnly, ...index } = parseIndex(cursor)
    return { kind: 'create index', table, index, isConcurrent, isOnly }
  }
  if (ROUTINES.some((word) => cursor.accept(word))) {
    const clauses = tokens.filter(({ kind }) => kind !== 'body')
    return { kind: 'create function', name: cursor.name(), isReplacement, clauses }
  }
  return { kind: 'other' }
}

function parseCreateTable(cursor: Cursor): Parsed {
  cursor.accept('if not exists')
  const table = cursor.name()
  const partitionOf = cursor.accept('partition of') ? cursor.name() : null
  const parts = (cursor.list() ?? []).map(parseTablePart)
  return { kind: 'create table', table, parts, partitionOf }
}

function parseAlterTable(cursor: Cursor): Parsed {
  cursor.accept('if exists')
  cursor.accept('only')
  const table = cursor.name()
  cursor.accept('*')
  return {
    kind: 'alter table',
    table,
    actions: cutAtCommas(cursor.until()).map((tokens) => parseAction(table, tokens)),
  }
}

function parseAction(table: string, tokens: readonly Token[]): AlterAction {
  const cursor = new Cursor(tokens)
  if (cursor.accept('add')) return { kind: 'add', part: parseTablePart(cursor.until()) }
  if (cursor.accept('drop')) {
    const isConstraint = cursor.accept('constraint')
    cursor.accept('column')
    cursor.accept('if exists')
    return { kind: isConstraint ? 'drop constraint' : 'drop column', name: cursor.name() }
  }
  if (cursor.accept('rename')) return parseRename(table, cursor)
  if (cursor.accept('validate constraint')) return { kind: 'validate', constraint: cursor.name() }
  if (cursor.accept('enable row level security')) return { kind: 'enable row level security' }
  if (cursor.accept('alter')) {
    cursor.accept('column')
    const column = cursor.name()
    if (cursor.accept('type') || cursor.accept('set data type')) return { kind: 'set type', column }
    if (cursor.accept('set not null')) return { kind: 'set not null', column }
  }
  return { kind: 'other' }
}

function parseRename(table: string, cursor: Cursor): AlterAction {
  if (cursor.accept('constraint')) return { kind: 'other' }
  if (cursor.accept('to')) return { kind: 'rename', what: 'table', from: table, to: cursor.name() }
  cursor.accept('column')
  const from = cursor.name()
  cursor.accept('to')
  return { kind: 'rename', what: 'column', from, to: cursor.name() }
}

function parseDrop(cursor: Cursor): Parsed {
  const what = cursor.accept('materialized view') ? 'materialized view' : (cursor.next()?.text ?? '')
  const isConcurrent = cursor.accept('concurrently')
  const ifExists = cursor.accept('if exists')
  const names = cutAtCommas(cursor.until('cascade', 'restrict')).map((tokens) => new Cursor(tokens).name())
  return { kind: 'drop', what, names, isConcurrent, ifExists }
}

function parseRevoke(cursor: Cursor): Parsed {
  cursor.accept('grant option for')
  const rights = cursor.until('on')
  const coversExecute = rights.some((token) => isKeyword(token, 'all') || isKeyword(token, 'execute'))
  cursor.next()
  const isAll = ['functions', 'routines', 'procedures'].some((word) => cursor.accept(`all ${word}`))
  const isOne = !isAll && ROUTINES.some((word) => cursor.accept(word))
  const objects = cursor.until('from')
  const isFromPublic = contains(cursor.until(), 'public')
  if (!coversExecute || !isFromPublic || (!isAll && !isOne)) return { kind: 'other' }
  const names = cutAtCommas(objects).map((tokens) => new Cursor(tokens).name())
  return { kind: 'revoke function', names: isAll ? 'all' : names }
}
