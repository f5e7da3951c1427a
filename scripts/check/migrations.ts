import { relative } from 'node:path'
import { MIGRATIONS_DIRECTORY, type Migration } from '../db/migrations.ts'
import { REPOSITORY } from './files.ts'
import type { Finding } from './finding.ts'
import { type Parsed, parseStatement } from './migrations/parse.ts'
import { isRuleName, RULE_NAMES, type RuleName } from './migrations/rule-names.ts'
import { Schema, type Table } from './migrations/schema.ts'
import { checkStatement } from './migrations/statement-rules.ts'
import { readStatements, type Statement } from './migrations/statements.ts'

/**
 * Finds what would hurt a database in use, or leave a hole in its fences. A statement is exempt from a rule
 * under a comment `-- lint: allow <rule>: <reason>`; what touches only tables made in the same file is free.
 * @throws when a migration cannot be read.
 */
export function checkMigrations(migrations: readonly Migration[]): Finding[] {
  const directory = relative(REPOSITORY, MIGRATIONS_DIRECTORY).replaceAll('\\', '/')
  const statements = readStatements(
    migrations.map(({ name, sql, inTransaction }) => ({
      file: `${directory}/${name}.sql`,
      sql,
      inTransaction,
    })),
  )
  const report = new Report()
  const schema = new Schema()
  let earlier: Parsed[] = []
  let file = ''
  for (const statement of statements) {
    report.readAllowances(statement)
    if (statement.file !== file) earlier = []
    file = statement.file
    const parsed = parseStatement(statement.tokens)
    for (const { rule, message } of checkStatement({ statement, parsed, schema, earlier })) {
      report.add(statement, rule, message)
    }
    schema.apply(parsed, statement)
    earlier.push(parsed)
  }
  checkWhole(schema, report)
  return report.finish()
}

/** What only all migrations together can show. */
function checkWhole(schema: Schema, report: Report): void {
  for (const [name, table] of schema.tables) {
    if (table.isTenant && !table.hasRowLevelSecurity) {
      report.add(table.createdBy, 'row-level-security', `${name} has a workspace but no row-level security`)
    }
    for (const { key, addedBy } of table.foreignKeys) {
      if (isIndexed(table, key.columns)) continue
      const columns = key.columns.join(', ')
      const message = `no index of ${name} begins with (${columns}): deleting what it refers to reads the whole table`
      report.add(addedBy, 'foreign-key-index', message)
    }
  }
  for (const [name, { createdBy, isPublic }] of schema.functions) {
    if (isPublic)
      report.add(createdBy, 'function-public', `everybody may call ${name}(): REVOKE … FROM PUBLIC`)
  }
}

function isIndexed(table: Table, columns: readonly string[]): boolean {
  return table.indexes.some((index) => {
    const leading = index.columns.slice(0, columns.length)
    return index.findsAnyRow && columns.every((column) => leading.includes(column))
  })
}

/** Collects findings, less those that a comment allows; allowances that allow nothing are findings, too. */
class Report {
  private readonly findings: Finding[] = []
  private readonly allowances = new Map<Statement, Map<RuleName, { isUsed: boolean }>>()

  readAllowances(statement: Statement): void {
    for (const comment of statement.comments) {
      const match = /^lint:\s*allow\b\s*([^:\s]*)\s*:?\s*(.*)$/s.exec(comment)
      if (!match) continue
      const [, rule = '', reason = ''] = match
      if (!isRuleName(rule)) {
        this.push(statement, 'allowance', `there is no rule "${rule}"; there are ${RULE_NAMES.join(', ')}`)
      } else if (reason === '') {
        this.push(statement, 'allowance', `say why: \`-- lint: allow ${rule}: reason\``)
      } else {
        const rules = this.allowances.get(statement) ?? new Map<RuleName, { isUsed: boolean }>()
        this.allowances.set(statement, rules.set(rule, { isUsed: false }))
      }
    }
  }

  add(statement: Statement, rule: RuleName, message: string): void {
    const allowance = this.allowances.get(statement)?.get(rule)
    if (allowance) allowance.isUsed = true
    else this.push(statement, rule, message)
  }

  finish(): Finding[] {
    for (const [statement, rules] of this.allowances) {
      for (const [rule, { isUsed }] of rules) {
        if (!isUsed) this.push(statement, 'allowance', `allows ${rule}, which it does not break`)
      }
    }
    return this.findings
  }

  private push({ file, line }: Statement, rule: string, message: string): void {
    this.findings.push({ file, line, rule, message })
  }
}
