import { isKeyword } from './cursor.ts'
import type { AlterAction, Parsed } from './parse.ts'
import type { Statement } from './statements.ts'
import type { ForeignKey, Index, TablePart } from './table-parts.ts'
import { type Token, tokenize } from './tokens.ts'

/** A table as the migrations so far have left it. */
export interface Table {
  createdBy: Statement
  /** Whether its rows belong to workspaces. */
  isTenant: boolean
  hasRowLevelSecurity: boolean
  indexes: Index[]
  foreignKeys: { name: string; key: ForeignKey; addedBy: Statement }[]
  checks: Map<string, Check>
}

export interface Check {
  expression: Token[]
  isValid: boolean
  addedBy: Statement
}

export interface Routine {
  createdBy: Statement
  /** Whether everybody may call it, as Postgres has it unless told otherwise. */
  isPublic: boolean
}

const TENANT_COLUMN = 'workspace_id'

/** What the statements so far have made; followed as far as the rules need it. */
export class Schema {
  readonly tables = new Map<string, Table>()
  readonly functions = new Map<string, Routine>()
  private functionsArePublic = true

  apply(parsed: Parsed, statement: Statement): void {
    switch (parsed.kind) {
      case 'create table':
        this.createTable(parsed, statement)
        return
      case 'create index':
        this.tables.get(parsed.table)?.indexes.push(parsed.index)
        return
      case 'alter table':
        for (const action of parsed.actions) this.alterTable(parsed.table, action, statement)
        return
      case 'drop':
        this.drop(parsed.what, parsed.names)
        return
      case 'create function': {
        const known = parsed.isReplacement ? this.functions.get(parsed.name) : undefined
        const isPublic = known?.isPublic ?? this.functionsArePublic
        this.functions.set(parsed.name, { createdBy: statement, isPublic })
        return
      }
      case 'revoke function':
        for (const [name, routine] of this.functions) {
          if (parsed.names === 'all' || parsed.names.includes(name)) routine.isPublic = false
        }
        return
      case 'revoke by default':
        this.functionsArePublic = false
        return
      case 'do':
        this.run(parsed.body)
        return
      case 'other':
    }
  }

  private createTable(parsed: Extract<Parsed, { kind: 'create table' }>, statement: Statement): void {
    const parent = parsed.partitionOf === null ? undefined : this.tables.get(parsed.partitionOf)
    const table: Table = {
      createdBy: statement,
      isTenant: parent?.isTenant ?? false,
      hasRowLevelSecurity: false,
      // A partition has the indexes and keys of its parent.
      indexes: [...(parent?.indexes ?? [])],
      foreignKeys: [],
      checks: new Map(),
    }
    this.tables.set(parsed.table, table)
    for (const part of parsed.parts) this.addPart(parsed.table, part, statement)
  }

  private addPart(tableName: string, part: TablePart, statement: Statement): void {
    const table = this.tables.get(tableName)
    if (!table) return
    switch (part.kind) {
      case 'column': {
        const { name, isKey, references } = part.column
        if (name === TENANT_COLUMN) table.isTenant = true
        if (isKey) table.indexes.push({ name: '', columns: [name], findsAnyRow: true })
        if (references)
          table.foreignKeys.push({ name: '', key: { columns: [name], notValid: false }, addedBy: statement })
        return
      }
      case 'foreign key':
        table.foreignKeys.push({ name: part.name, key: part.key, addedBy: statement })
        return
      case 'key':
        table.indexes.push(part.index)
        return
      case 'check':
        table.checks.set(part.name, {
          expression: part.expression,
          isValid: !part.notValid,
          addedBy: statement,
        })
        return
      case 'like':
        if (this.tables.get(part.table)?.isTenant) table.isTenant = true
        return
      case 'other':
    }
  }

  private alterTable(name: string, action: AlterAction, statement: Statement): void {
    const table = this.tables.get(name)
    if (!table) return
    switch (action.kind) {
      case 'add':
        this.addPart(name, action.part, statement)
        return
      case 'drop column':
        table.indexes = table.indexes.filter(({ columns }) => !columns.includes(action.name))
        table.foreignKeys = table.foreignKeys.filter(({ key }) => !key.columns.includes(action.name))
        if (action.name === TENANT_COLUMN) table.isTenant = false
        return
      case 'drop constraint':
        table.checks.delete(action.name)
        table.foreignKeys = table.foreignKeys.filter(({ name: key }) => key !== action.name)
        table.indexes = table.indexes.filter((index) => index.name !== action.name)
        return
      case 'rename':
        if (action.what === 'table') {
          this.tables.delete(name)
          this.tables.set(action.to, table)
        } else renameColumn(table, action.from, action.to)
        return
      case 'validate': {
        const check = table.checks.get(action.constraint)
        if (check) check.isValid = true
        return
      }
      case 'enable row level security':
        table.hasRowLevelSecurity = true
        return
      default:
    }
  }

  private drop(what: string, names: string[]): void {
    for (const name of names) {
      if (what === 'table') this.tables.delete(name)
      if (what === 'function' || what === 'procedure' || what === 'routine') this.functions.delete(name)
      if (what !== 'index') continue
      for (const table of this.tables.values()) {
        table.indexes = table.indexes.filter((index) => index.name !== name)
      }
    }
  }

  /**
   * What a DO block does by EXECUTE cannot be followed, but two habits can: row-level security for tables
   * whose names it holds as strings, and EXECUTE taken from everybody for functions that it finds in pg_proc.
   */
  private run(body: string): void {
    const strings = tokenize(body).tokens.filter(({ kind }) => kind === 'string')
    if (/enable\s+row\s+level\s+security/i.test(body)) {
      for (const { text } of strings) {
        const table = this.tables.get(text)
        if (table) table.hasRowLevelSecurity = true
      }
    }
    if (/\bpg_proc\b/i.test(body) && /revoke\b[\s\S]*\bon\s+function\b[\s\S]*\bfrom\s+public\b/i.test(body)) {
      const pattern = likePattern(body)
      for (const [name, routine] of this.functions) {
        if (pattern.test(name)) routine.isPublic = false
      }
    }
  }
}

function renameColumn(table: Table, from: string, to: string): void {
  const renamed = <T>(columns: (string | T)[]) => columns.map((column) => (column === from ? to : column))
  table.indexes = table.indexes.map((index) => ({ ...index, columns: renamed(index.columns) }))
  table.foreignKeys = table.foreignKeys.map(({ key, ...rest }) => ({
    ...rest,
    key: { ...key, columns: renamed<never>(key.columns) },
  }))
}

/** The names that a loop over pg_proc is about: those of its first LIKE, or all. */
function likePattern(body: string): RegExp {
  const { tokens } = tokenize(body)
  const like = tokens[tokens.findIndex((token) => isKeyword(token, 'like')) + 1]
  if (like?.kind !== 'string') return /(?:)/
  const source = like.text.replace(/\\(.)|([%_])|([.*+?^${}()|[\]])/g, (_, escaped, wildcard, special) => {
    if (wildcard) return wildcard === '%' ? '.*' : '.'
    return `\\${escaped ?? special}`.replace(/\\(\w)/, '$1')
  })
  return new RegExp(`^${source}$`)
}
