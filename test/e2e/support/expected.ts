import { expect } from 'vitest'
import { Overview } from '../../../src/services/overview/schemas.ts'
import type { Client } from './client.ts'
import { sql, sqlRow } from './stack.ts'
import { until } from './wait.ts'

/** Figures by plain SQL over raw rows, as the overview should say them. */

export const SUMMED = ['likes', 'comments', 'shares', 'quotes', 'saves', 'views', 'engagements'] as const
export type Sums = { posts: number } & Record<(typeof SUMMED)[number], number | null>

const COLUMNS = `count(*)::int AS posts, ${SUMMED.map((name) => `sum(p.${name})::float8 AS ${name}`).join(', ')}`
/** Posts that count, between two moments: `$2` inclusive, `$3` exclusive. */
const COUNTED = `FROM posts p JOIN accounts a ON a.id = p.account_id
  WHERE p.workspace_id = $1 AND a.deleted_at IS NULL AND p.deleted_at IS NULL AND p.kind <> 'repost'`

interface Span {
  from: string
  to: string
  timezone: string
}

/** The days of a span, as a condition on `p.posted_at`. */
const WITHIN = `AND (p.posted_at AT TIME ZONE $2)::date BETWEEN $3::date AND $4::date`

/** Sums over posts of a span of days, up to a moment where one is named. */
export function sumsOf(workspaceId: string, span: Span, until: string | null = null): Promise<Sums> {
  return sqlRow<Sums>(
    `SELECT ${COLUMNS} ${COUNTED} ${WITHIN} AND ($5::timestamptz IS NULL OR p.posted_at < $5::timestamptz)`,
    [workspaceId, span.timezone, span.from, span.to, until],
  )
}

/** The same for each day that has any, and for each account. */
export function sumsByDay(workspaceId: string, span: Span): Promise<(Sums & { day: string })[]> {
  return sql(
    `SELECT (p.posted_at AT TIME ZONE $2)::date::text AS day, ${COLUMNS} ${COUNTED} ${WITHIN} GROUP BY 1 ORDER BY 1`,
    [workspaceId, span.timezone, span.from, span.to],
  )
}

export function sumsByAccount(workspaceId: string, span: Span): Promise<(Sums & { id: string })[]> {
  return sql(`SELECT p.account_id AS id, ${COLUMNS} ${COUNTED} ${WITHIN} GROUP BY 1 ORDER BY 1`, [
    workspaceId,
    span.timezone,
    span.from,
    span.to,
  ])
}

export async function generationOf(workspaceId: string): Promise<number> {
  const { generation } = await sqlRow<{ generation: number }>(
    'SELECT generation::int AS generation FROM workspaces WHERE id = $1',
    [workspaceId],
  )
  return generation
}

/** An overview and the figures that it should have, of the same state of the database. */
export async function overviewAndTruth<T>(
  by: Client,
  workspaceId: string,
  query: string,
  expected: (overview: Overview) => Promise<T>,
): Promise<{ overview: Overview; truth: T }> {
  return until('nothing changes while an overview is checked', async () => {
    const before = await generationOf(workspaceId)
    const overview = await by.read(
      Overview,
      `/api/v1/dashboard/overview?${query}&minGeneration=${before}`,
    )
    const truth = await expected(overview)
    return overview.generation === (await generationOf(workspaceId)) ? { overview, truth } : null
  })
}

/** Expects the overview's totals, series and accounts to be what the raw rows add up to. */
export async function expectOverviewToBeTrue(by: Client, workspaceId: string, query: string): Promise<Overview> {
  const { overview, truth } = await overviewAndTruth(by, workspaceId, query, async ({ period, comparison }) => ({
    current: await sumsOf(workspaceId, period),
    previous:
      comparison === null
        ? null
        : await sumsOf(workspaceId, { ...comparison, timezone: period.timezone }, comparison.until),
    days: await sumsByDay(workspaceId, period),
    accounts: await sumsByAccount(workspaceId, period),
  }))
  const named = (values: Record<string, unknown>) =>
    Object.fromEntries(['posts', ...SUMMED].map((name) => [name, values[name]]))
  const { totals } = overview
  expect(named(valuesOf(totals, 'value'))).toEqual(named(truth.current))
  if (truth.previous !== null) expect(named(valuesOf(totals, 'previous'))).toEqual(named(truth.previous))
  const days = overview.series.filter(({ posts }) => posts !== null && posts > 0)
  expect(days.map((day) => ({ day: day.start, ...named(day) }))).toEqual(
    truth.days.map((day) => ({ day: day.day, ...named(day) })),
  )
  const accounts = overview.accounts
    .map(({ id, totals }) => ({ id, ...named(valuesOf(totals, 'value')) }))
    .filter(({ id }) => truth.accounts.some((account) => account.id === id))
  expect(accounts.toSorted(byId)).toEqual(truth.accounts.map((row) => ({ id: row.id, ...named(row) })).toSorted(byId))
  return overview
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

const valuesOf = (totals: Overview['totals'], which: 'value' | 'previous') =>
  Object.fromEntries(Object.entries(totals).map(([name, change]) => [name, change[which]]))
