import type { PlanFinding } from './finding.ts'

/** Tables that grow with what people post and do; the others hold a few rows a workspace. */
const GROWING =
  /^(posts|post_search|post_hashtags|post_snapshots(_\w+)?|account_metrics|account_days|account_quarters|outbox|audit_log|jobs|imports|import_errors|api_usage(_\w+)?|idempotency_keys)$/

/** No statement returns more. */
const MOST_RETURNED = 10_000

/** A node of a plan, as far as it is judged; names are those of `EXPLAIN (FORMAT JSON)`. */
export interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  'Sort Space Type'?: string
  'Hash Batches'?: number
  'HashAgg Batches'?: number
  'Disk Usage'?: number
  Plans?: PlanNode[]
}

/** What a statement may cost. */
export interface PlanBudget {
  /** Rows of growing tables that may be read; `null`: as many as there are to sum up. */
  mostRead: number | null
  /** Rows that may be read by a scan of the whole table; none by default, where Postgres was told to avoid scans. */
  mostScanned?: number
}

/** Every node of a plan. */
function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** Rows that a node took from its table, those that it threw away included. */
function rowsRead(node: PlanNode): number {
  const perLoop =
    (node['Actual Rows'] ?? 0) +
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0)
  return Math.round(perLoop * (node['Actual Loops'] ?? 1))
}

const isGrowing = (node: PlanNode) => GROWING.test(node['Relation Name'] ?? '')

/**
 * Judges the plans of one statement: its own first, then those of what functions did within it. They have been run,
 * so that rows are what they were and no estimates.
 */
export function judgePlans(statement: string, plans: readonly PlanNode[], budget: PlanBudget): PlanFinding[] {
  const findings: PlanFinding[] = []
  const nodes = plans.flatMap(nodesOf)
  for (const node of nodes) {
    const table = node['Relation Name'] ?? ''
    const isScan = node['Node Type'] === 'Seq Scan' && isGrowing(node) && (node['Actual Loops'] ?? 1) > 0
    if (isScan && (budget.mostScanned === undefined || rowsRead(node) > budget.mostScanned))
      findings.push({ statement, rule: 'scans-growing-table', detail: table })
    const spills =
      node['Sort Space Type'] === 'Disk' ||
      (node['Hash Batches'] ?? 1) > 1 ||
      (node['HashAgg Batches'] ?? 1) > 1 ||
      (node['Disk Usage'] ?? 0) > 0
    if (spills) findings.push({ statement, rule: 'spills', detail: node['Node Type'] })
  }
  const returned = plans[0]?.['Actual Rows'] ?? 0
  if (returned > MOST_RETURNED)
    findings.push({ statement, rule: 'too-many-rows-returned', detail: `${returned} rows` })
  const scans = nodes.filter((node) => isGrowing(node) && node['Node Type'].endsWith('Scan'))
  const read = scans.reduce((sum, node) => sum + rowsRead(node), 0)
  if (budget.mostRead !== null && read > budget.mostRead) {
    const tables = scans.map((node) => `${node['Relation Name']} ${rowsRead(node)}`).join(', ')
    findings.push({
      statement,
      rule: 'too-many-rows-read',
      detail: `${read} of ${budget.mostRead}: ${tables}`,
    })
  }
  return findings
}
