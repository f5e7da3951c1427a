import { z } from 'zod'
import { ENGAGEMENT_METRICS } from '../../src/domain/platforms.ts'
import { CELL_METRICS } from '../../src/domain/rollup-cell.ts'
import type { TestStack } from '../harness/stack.ts'
import { publishedBothWays } from '../sync/shown.ts'
import { type Check, compareLists } from './check.ts'

const Report = z.object({
  reconciliations: z.array(z.object({ accounts: z.number(), driftCells: z.number() })),
})

/** Of a snapshot, which does not keep it. */
const ENGAGEMENTS = ENGAGEMENT_METRICS.map((name) => `coalesce(s.${name}, 0)`).join(' + ')

/** Sums that are kept, against plain SQL over the rows, and against what the nightly comparison finds. */
export async function checkSums(stack: TestStack): Promise<Check[]> {
  const sql = (text: string, params: unknown[]) => stack.ownerSql<Record<string, unknown>>(text, params)
  const published = (await publishedBothWays(sql, stack.workspaceId)).map(({ table, stored, expected }) =>
    compareLists(`${table}: what was published`, {
      stored,
      expected,
      keyOf: (cell) => `${cell.account_id} ${cell.time}`,
    }),
  )
  return [...published, await checkGains(stack), await checkDrift(stack)]
}

/**
 * All that a post has gained is what it has, less what it had when it was first read, where it was older than
 * its account's connection.
 */
async function checkGains(stack: TestStack): Promise<Check> {
  const gained = CELL_METRICS.map((m) => `coalesce(sum(gained_${m}), 0)::bigint AS ${m}`).join(', ')
  const grown = CELL_METRICS.map(
    (m) =>
      `coalesce(sum(coalesce(p.${m}, 0) - CASE WHEN p.posted_at < a.tracked_since THEN coalesce(f.${m}, 0) ELSE 0 END), 0)::bigint AS ${m}`,
  ).join(', ')
  const bySql = (text: string) => stack.ownerSql<Record<string, unknown>>(text, [stack.workspaceId])
  const expected = await bySql(
    `SELECT p.account_id, ${grown} FROM posts p JOIN accounts a ON a.id = p.account_id
     JOIN LATERAL (
       SELECT *, ${ENGAGEMENTS} AS engagements FROM post_snapshots s
       WHERE s.post_id = p.id ORDER BY s.observed_at LIMIT 1
     ) f ON TRUE
     WHERE p.workspace_id = $1 AND p.kind <> 'repost' GROUP BY 1 ORDER BY 1`,
  )
  const checks: Check[] = []
  for (const table of ['account_days', 'account_quarters']) {
    const stored = await bySql(
      `SELECT account_id, ${gained} FROM ${table} WHERE workspace_id = $1 GROUP BY 1 ORDER BY 1`,
    )
    checks.push(compareLists(table, { stored, expected, keyOf: ({ account_id }) => String(account_id) }))
  }
  return {
    what: 'gains of all accounts, by day and by quarter of an hour',
    compared: checks.reduce((sum, { compared }) => sum + compared * CELL_METRICS.length, 0),
    differences: checks.flatMap(({ what, differences }) => differences.map((one) => `${what} ${one}`)),
  }
}

async function checkDrift(stack: TestStack): Promise<Check> {
  const response = await fetch(`${stack.url}/api/v1/ops/database`, {
    headers: { authorization: `Bearer ${stack.apiKey}` },
  })
  const { reconciliations } = Report.parse(await response.json())
  const compared = reconciliations.reduce((sum, { accounts }) => sum + accounts, 0)
  const drift = reconciliations.reduce((sum, { driftCells }) => sum + driftCells, 0)
  const differences = drift === 0 ? [] : [`${drift} cells had drifted, and were mended`]
  if (compared === 0) differences.push('it compared nothing')
  return { what: 'the nightly comparison of all sums', compared, differences }
}
