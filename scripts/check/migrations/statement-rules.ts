import { Cursor, contains, isKeyword } from './cursor.ts'
import type { AlterAction, Parsed } from './parse.ts'
import type { RuleName } from './rule-names.ts'
import type { Schema, Table } from './schema.ts'
import type { Statement } from './statements.ts'
import type { Column, TablePart } from './table-parts.ts'
import type { Token } from './tokens.ts'

export interface Violation {
  rule: RuleName
  message: string
}

/** What a rule sees: one statement, and the schema as it was before it. */
export interface Context {
  statement: Statement
  parsed: Parsed
  schema: Schema
  /** The statements of the same file that came before. */
  earlier: readonly Parsed[]
}

/** What is wrong with one statement where the tables it touches are in use. */
export function checkStatement(context: Context): Violation[] {
  const { parsed, statement } = context
  return [
    ...checkConcurrently(context),
    ...checkHeavyLocks(statement.tokens),
    ...(parsed.kind === 'create function' ? checkSecurityDefiner(parsed.clauses) : []),
    ...(parsed.kind === 'drop' ? checkDrop(context, parsed) : []),
    ...(parsed.kind === 'alter table' && isInUse(context, parsed.table)
      ? parsed.actions.flatMap((action) => checkAction(context, parsed.table, action))
      : []),
  ]
}

/** A table that this very file makes is empty, and nobody waits for it. */
function isInUse({ schema, statement }: Context, name: string): boolean {
  return schema.tables.get(name)?.createdBy.fileIndex !== statement.fileIndex
}

function checkConcurrently(context: Context): Violation[] {
  const { parsed, statement, earlier } = context
  const violations: Violation[] = []
  const isRefresh = contains(statement.tokens, 'refresh materialized view')
  if (contains(statement.tokens, 'concurrently') && !isRefresh) {
    if (statement.inTransaction) {
      const message =
        'CONCURRENTLY cannot run in a transaction: begin the file with `-- tidemark: no transaction`'
      violations.push({ rule: 'concurrently-in-transaction', message })
    } else if (!statement.isAlone) {
      const message = 'CONCURRENTLY must be sent on its own: put `--> statement-breakpoint` around it'
      violations.push({ rule: 'concurrently-in-transaction', message })
    }
  }
  if (parsed.kind !== 'create index') return violations
  if (!parsed.isConcurrent) {
    if (isInUse(context, parsed.table) && !parsed.isOnly) {
      const message = `builds an index on ${parsed.table} while nobody can write to it: use CONCURRENTLY`
      violations.push({ rule: 'index-concurrently', message })
    }
    return violations
  }
  const { name } = parsed.index
  if (
    !earlier.some(
      (each) => each.kind === 'drop' && each.what === 'index' && each.ifExists && each.names.includes(name),
    )
  ) {
    const message = `a build that fails leaves ${name} behind, invalid: begin with DROP INDEX CONCURRENTLY IF EXISTS`
    violations.push({ rule: 'repeatable', message })
  }
  return violations
}

function checkHeavyLocks(tokens: readonly Token[]): Violation[] {
  const cursor = new Cursor(tokens)
  const locks = (message: string): Violation[] => [{ rule: 'heavy-lock', message }]
  if (cursor.accept('lock')) return locks('LOCK TABLE stops everybody for as long as the transaction lasts')
  if (cursor.accept('vacuum') && contains(tokens, 'full'))
    return locks('VACUUM FULL stops all reading and writing')
  if (cursor.accept('cluster')) return locks('CLUSTER stops all reading and writing')
  if (contains(tokens, 'concurrently')) return []
  if (cursor.accept('reindex')) return locks('REINDEX without CONCURRENTLY stops all writing')
  if (cursor.accept('refresh materialized view'))
    return locks('REFRESH without CONCURRENTLY stops all reading')
  return []
}

/** Who may create objects in a schema of the path, also in `pg_temp`, could slip others under the owner's code. */
function checkSecurityDefiner(clauses: readonly Token[]): Violation[] {
  if (!contains(clauses, 'security definer')) return []
  const cursor = new Cursor(clauses.slice(clauses.findIndex((token) => isKeyword(token, 'search_path'))))
  const isSet = cursor.accept('search_path =') || cursor.accept('search_path to')
  const path: string[] = []
  do {
    path.push(cursor.next()?.text ?? '')
  } while (isSet && cursor.accept(','))
  if (isSet && (path.at(-1) === 'pg_temp' || path.join() === '')) return []
  const message =
    'SECURITY DEFINER needs a search_path that ends in pg_temp: SET search_path = pg_catalog, public, pg_temp'
  return [{ rule: 'security-definer', message }]
}

function checkDrop(context: Context, parsed: Extract<Parsed, { kind: 'drop' }>): Violation[] {
  if (parsed.what !== 'table') return []
  return parsed.names
    .filter((name) => isInUse(context, name))
    .flatMap((name) => contract(context.statement, `drops the table ${name}`))
}

/** What the running version still uses may only go when a comment says since when nothing does. */
function contract({ comments }: Statement, what: string): Violation[] {
  if (comments.some((comment) => /^expand\/contract:\s*\S/.test(comment))) return []
  const message = `${what}, which the version before may still use: say why not in \`-- expand/contract: reason\``
  return [{ rule: 'expand-contract', message }]
}

function checkAction(context: Context, tableName: string, action: AlterAction): Violation[] {
  const { schema, statement } = context
  const table = schema.tables.get(tableName)
  switch (action.kind) {
    case 'add':
      return checkAddition(action.part)
    case 'drop column':
      return contract(statement, `drops the column ${tableName}.${action.name}`)
    case 'rename':
      return contract(statement, `renames the ${action.what} ${action.from}`)
    case 'set type': {
      const message = `changes the type of ${tableName}.${action.column}, which writes every row anew: add a column and fill it in batches`
      return [{ rule: 'column-type', message }]
    }
    case 'set not null':
      return isProvedNotNull(table, action.column)
        ? []
        : [
            {
              rule: 'set-not-null',
              message: `reads all of ${tableName} under a lock: first add CHECK (${action.column} IS NOT NULL) NOT VALID and validate it`,
            },
          ]
    case 'validate':
      return checkValidation(context, table, action.constraint)
    default:
      return []
  }
}

function checkAddition(part: TablePart): Violation[] {
  switch (part.kind) {
    case 'column':
      return checkColumn(part.column)
    case 'foreign key':
      return part.key.notValid ? [] : [notValid('a foreign key')]
    case 'check':
      return part.notValid ? [] : [notValid('a check')]
    case 'key':
      if (part.usesIndex) return []
      return [
        {
          rule: 'index-concurrently',
          message:
            'builds the index of a key while nobody can write: build it CONCURRENTLY, then ADD CONSTRAINT … USING INDEX',
        },
      ]
    default:
      return []
  }
}

function notValid(what: string): Violation {
  const message = `${what} reads the whole table under a lock: add it NOT VALID and validate it in a later migration`
  return { rule: 'not-valid', message }
}

/** Functions that give one value for the whole statement, so that a new column costs nothing. */
const STABLE_FUNCTIONS = new Set([
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'current_setting',
  'coalesce',
  'cast',
  'array',
])

function checkColumn(column: Column): Violation[] {
  const { name, defaultValue } = column
  const violations: Violation[] = []
  const complain = (message: string) =>
    violations.push({ rule: 'add-column', message: `${name}: ${message}` })
  const volatileCall = defaultValue?.find(
    (token, at) => isCall(defaultValue, at) && !STABLE_FUNCTIONS.has(token.text),
  )
  if (volatileCall)
    complain(`the default ${volatileCall.text}() may differ by row, so every row is written anew`)
  if (column.isWritten) complain('its values are stored at once, so every row is written anew')
  if (column.notNull && defaultValue === null && !column.isWritten)
    complain('NOT NULL without a default fails as soon as there are rows')
  if (column.references) violations.push(notValid('a foreign key'))
  if (column.hasCheck) violations.push(notValid('a check'))
  if (column.isKey) {
    violations.push({
      rule: 'index-concurrently',
      message: `${name}: builds the index of a key while nobody can write`,
    })
  }
  return violations
}

/** A function's name before its parenthesis; `::numeric(10, 2)` is a type. */
function isCall(tokens: readonly Token[], at: number): boolean {
  const kind = tokens[at]?.kind
  return (
    (kind === 'word' || kind === 'quoted') &&
    isKeyword(tokens[at + 1], '(') &&
    !isKeyword(tokens[at - 1], '::')
  )
}

function isProvedNotNull(table: Table | undefined, column: string): boolean {
  return [...(table?.checks.values() ?? [])].some(
    ({ isValid, expression }) =>
      isValid &&
      expression[0]?.text === column &&
      expression.length === 4 &&
      contains(expression.slice(1), 'is not null'),
  )
}

function checkValidation({ statement }: Context, table: Table | undefined, name: string): Violation[] {
  const addedBy =
    table?.checks.get(name)?.addedBy ?? table?.foreignKeys.find((each) => each.name === name)?.addedBy
  if (!statement.inTransaction || addedBy?.fileIndex !== statement.fileIndex) return []
  const message = `validates ${name} in the transaction that added it, whose lock is still held: use a later migration`
  return [{ rule: 'not-valid', message }]
}
