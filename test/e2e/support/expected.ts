import { expect } from 'vitest'
import { Overview } from '../../../src/services/overview/schemas.ts'
import type { Client } from './client.ts'
import { sql, sqlRow } from './stack.ts'
import { until } from './wait.ts'

/** Figures by plain SQL over raw rows, as the overview should say them. */

export const SUMMED = ['likes', 'comments', 'shares', 'quotes', 'saves', 'views', 'engagements'] as const
type Sums = { posts: number } & Record<(typeof SUMMED)[number], number | null>

/** Which posts count. */
interface Selection {
  workspaceId: string
  /** `null`: all of them. */
  platforms: string[] | null
  /** Days, inclusive. */
  from: string
  to: string
  timezone: string
  /** The first moment that no longer counts, where a day is cut short. */
  until?: string
}

/** Sums in groups, by an expression over posts `p`. */
function sums<K extends string>(
  key: K,
  expression: string,
  { workspaceId, platforms, from, to, timezone, until }: Selection,
): Promise<(Sums & Record<K, string>)[]> {
  return sql(
    `SELECT ${expression} AS ${key}, count(*)::int AS posts,
       ${SUMMED.map((name) => `sum(p.${name})::float8 AS ${name}`).join(', ')}
     FROM posts p JOIN accounts a ON a.id = p.account_id
     WHERE p.workspace_id = $1 AND a.deleted_at IS NULL AND p.deleted_at IS NULL AND p.kind <> 'repost'
       AND ($2::text[] IS NULL OR p.platform = ANY ($2::text[]))
       AND (p.posted_at AT TIME ZONE $3)::date BETWEEN $4::date AND $5::date
       AND ($6::timestamptz IS NULL OR p.posted_at < $6::timestamptz)
     GROUP BY 1 ORDER BY 1`,
    [workspaceId, platforms, timezone, from, to, until ?? null],
  )
}

/** The number of a workspace's newest change. */
export async function generationOf(workspaceId: string): Promise<number> {
  const { generation } = await sqlRow<{ generation: number }>(
    'SELECT generation::int AS generation FROM workspaces WHERE id = $1',
    [workspaceId],
  )
  return generation
}

/** What an overview should say, read from the rows. */
async function truthFor(workspaceId: string, query: string, { period, comparison }: Overview) {
  const platforms = new URLSearchParams(query).get('platforms')?.split(',') ?? null
  const current = { workspaceId, platforms, ...period }
  const all = `'all'`
  return {
    current: (await sums('all', all, current))[0],
    previous: comparison && (await sums('all', all, { ...current, ...comparison }))[0],
    days: await sums('start', '(p.posted_at AT TIME ZONE $3)::date::text', current),
    accounts: await sums('id', 'p.account_id::text', current),
  }
}

/** Nothing was reached by no posts: 0. By posts of which nobody says it: unknown. */
function named(values: Partial<Record<string, unknown>> | undefined) {
  const { posts = 0 } = values ?? {}
  return Object.fromEntries(
    ['posts', ...SUMMED].map((name) => [name, posts === 0 ? (values?.[name] ?? 0) : values?.[name]]),
  )
}

const valuesOf = (totals: Overview['totals'], which: 'value' | 'previous') =>
  Object.fromEntries(Object.entries(totals).map(([name, change]) => [name, change[which]]))

/** Expects totals, comparison, series and accounts of an overview to be what the raw rows add up to. */
export async function expectOverviewToBeTrue(
  by: Client,
  workspaceId: string,
  query: string,
): Promise<Overview> {
  const { overview, truth } = await until('nothing changes while an overview is checked', async () => {
    const before = await generationOf(workspaceId)
    const overview = await by.read(Overview, `/api/v1/dashboard/overview?${query}&minGeneration=${before}`)
    const truth = await truthFor(workspaceId, query, overview)
    return overview.generation === (await generationOf(workspaceId)) ? { overview, truth } : null
  })
  expect(named(valuesOf(overview.totals, 'value'))).toEqual(named(truth.current))
  if (overview.comparison !== null)
    expect(named(valuesOf(overview.totals, 'previous'))).toEqual(named(truth.previous ?? undefined))
  const days = overview.series.filter(({ posts }) => posts !== null && posts > 0)
  expect(days.map((day) => [day.start, named(day)])).toEqual(truth.days.map((row) => [row.start, named(row)]))
  const accounts = overview.accounts
    .map(({ id, totals }) => [id, valuesOf(totals, 'value')] as const)
    .filter(([, values]) => values.posts !== 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  expect(accounts.map(([id, values]) => [id, named(values)])).toEqual(
    truth.accounts.map((row) => [row.id, named(row)]),
  )
  return overview
}
