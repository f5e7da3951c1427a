import { PgDialect } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import type { CatalogueEntry } from './catalogue-entry.ts'
import type { PlanFinding } from './finding.ts'
import { judgePlans, type PlanNode } from './judge-plan.ts'
import { catalogue } from './statements.ts'
import { readWorkspaceFacts } from './workspace-facts.ts'

/** A few pages of a table: no index would be faster. */
const FEW_ROWS = 1_000

/** Where to ask. */
export interface PlannedDatabase {
  appUrl: string
  /** Of a superuser: what functions do inside is only told to one. */
  ownerUrl: string
}

export interface CheckPlansOptions {
  /** Leaves sequential scans to tables that no index helps with, as it would be were they large. */
  pretendLarge?: boolean
  /** Looks at these statements alone. */
  only?: (name: string) => boolean
}

const dialect = new PgDialect()

/**
 * Runs every statement of the catalogue in a workspace, as the application's role under row-level security, and says
 * what is wrong with their plans, those within functions included.
 * @param database a Postgres that has auto_explain
 */
export async function checkPlans(
  database: PlannedDatabase,
  workspaceId: string,
  options: CheckPlansOptions = {},
): Promise<PlanFinding[]> {
  const client = new Client({ connectionString: database.ownerUrl })
  const plans: PlanNode[] = []
  client.on('notice', ({ message }) => {
    const start = message?.indexOf('plan:\n') ?? -1
    if (message !== undefined && start >= 0) plans.push(planOf(message.slice(start + 6)))
  })
  await client.connect()
  try {
    const facts = await readWorkspaceFacts(client, workspaceId)
    await client.query(`LOAD 'auto_explain'`)
    const settings = {
      'auto_explain.log_min_duration': '0',
      'auto_explain.log_analyze': 'on',
      'auto_explain.log_timing': 'off',
      'auto_explain.log_nested_statements': 'on',
      'auto_explain.log_format': 'json',
      'auto_explain.log_level': 'notice',
      client_min_messages: 'notice',
      timezone: 'UTC',
      ...(options.pretendLarge ? { enable_seqscan: 'off' } : {}),
    }
    for (const [name, value] of Object.entries(settings)) await client.query(`SET ${name} = '${value}'`)
    await client.query(`SET SESSION AUTHORIZATION ${decodeURIComponent(new URL(database.appUrl).username)}`)
    const findings: PlanFinding[] = []
    // At full size a table, or a month of one, that is small is rightly read from its beginning to its end.
    const scans = options.pretendLarge ? {} : { mostScanned: FEW_ROWS }
    for (const entry of catalogue(facts)) {
      if (options.only !== undefined && !options.only(entry.name)) continue
      findings.push(...(await check(client, workspaceId, { ...entry, ...scans }, plans)))
    }
    return findings
  } finally {
    await client.end()
  }
}

async function check(
  client: Client,
  workspaceId: string,
  entry: CatalogueEntry,
  plans: PlanNode[],
): Promise<PlanFinding[]> {
  const { sql, params } = dialect.sqlToQuery(entry.statement.query)
  await client.query('BEGIN')
  try {
    if (entry.outside === undefined)
      await client.query("SELECT set_config('app.workspace_id', $1, true)", [workspaceId])
    plans.length = 0
    await client.query(sql, params)
    // Only now is the statement over for Postgres, which then tells its plan.
    await client.query('SET LOCAL tidemark.planned = on')
    if (plans.length === 0) throw new Error('auto_explain told no plan')
    // Functions end before the statement that calls them: its own plan is told last.
    return judgePlans(entry.name, plans.toReversed(), entry)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return [{ statement: entry.name, rule: 'failed', detail }]
  } finally {
    await client.query('ROLLBACK')
  }
}

/** The outermost node of a plan that auto_explain tells of; Postgres promises its shape. */
function planOf(json: string): PlanNode {
  const { Plan } = JSON.parse(json) as { Plan: PlanNode }
  return Plan
}
