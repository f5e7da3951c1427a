import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount, makeWorkspace } from '../../../test/harness/factories.ts'
import {
  type AccountFilter,
  type Basis,
  type OverviewQuery,
  overviewFollowersSeries,
  overviewSeries,
} from '../../db/queries/overview.ts'
import { rebuildDays } from '../../db/queries/rollups.ts'
import { daysOf, type Period, periodOf } from '../../domain/periods.ts'
import { CELL_METRICS, RATE_BASES } from '../../domain/rollup-cell.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

/** Clocks change within both, here and there on different days. */
const PERIODS = [
  ['2026-03-01', '2026-04-12'],
  ['2026-10-18', '2026-11-08'],
] as const

const PUBLISHED = ['posts', 'followers_at_posting', ...RATE_BASES.map((base) => `engagements_by_${base}`)]

/** Some quarter hours of three accounts, in which gains are often unknown, or 0, or make up for one another. */
async function fill(home: string): Promise<{ workspaceId: string; accountIds: string[] }> {
  const workspaceId = await makeWorkspace(database, home)
  const accountIds = [
    await makeAccount(database, workspaceId),
    await makeAccount(database, workspaceId, { platform: 'mastodon' }),
    await makeAccount(database, workspaceId, { platform: 'mastodon' }),
  ]
  const chance = (salt: number) =>
    `(hashint8extended(extract(epoch FROM quarter)::bigint + s.which, ${salt}) & 1023)`
  const counts = [...PUBLISHED, ...CELL_METRICS.flatMap((m) => [m, `${m}_known`])]
  const gains = CELL_METRICS.map((m) => `gained_${m}`)
  await database.sql(
    `INSERT INTO account_quarters (workspace_id, account_id, quarter, ${[...counts, ...gains].join(', ')})
     SELECT $1, s.id, quarter, ${counts.map((_, i) => `${chance(i)} % 5`).join(', ')},
       ${gains.map((_, i) => `CASE WHEN ${chance(100 + i)} < ${40 * i} THEN ${chance(200 + i)} % 3 - 1 END`).join(', ')}
     FROM unnest($2::uuid[]) WITH ORDINALITY AS s (id, which), (
       SELECT generate_series('2026-02-25Z'::timestamptz, '2026-04-16Z', interval '15 minutes')
       UNION ALL SELECT generate_series('2026-10-14Z'::timestamptz, '2026-11-12Z', interval '15 minutes')) q (quarter)
     WHERE ${chance(300)} < 60`,
    [workspaceId, accountIds],
  )
  await database.sql(
    `INSERT INTO account_metrics (workspace_id, account_id, observed_at, followers)
     SELECT $1, account_id, quarter, NULLIF(row_number() OVER (ORDER BY quarter) % 97, 0)
     FROM account_quarters WHERE workspace_id = $1 AND account_id <> $2`,
    [workspaceId, accountIds[2]],
  )
  await database.db.inWorkspace(workspaceId, [rebuildDays(workspaceId)])
  return { workspaceId, accountIds }
}

type Row = Record<string, string | number | boolean | null>

/** From every quarter hour, by the date that it has there; days without any are left out. */
function seriesTruth(
  workspaceId: string,
  accountIds: string[],
  period: Period,
  basis: Basis,
): Promise<Row[]> {
  const sums =
    basis === 'published'
      ? [...PUBLISHED, ...CELL_METRICS, ...CELL_METRICS.map((m) => `${m}_known`)].map(
          (name) => `sum(${name})::int AS ${name}`,
        )
      : CELL_METRICS.flatMap((m) => [
          `COALESCE(sum(gained_${m}), 0)::int AS ${m}`,
          `count(gained_${m}) > 0 AS ${m}_known`,
        ])
  return database.sql<Row>(
    `SELECT (quarter AT TIME ZONE $3)::date::text AS bucket, a.platform, ${sums.join(', ')}
     FROM (SELECT * FROM account_quarters WHERE workspace_id = $1 AND account_id = ANY ($2)) r
     JOIN (SELECT id, platform FROM accounts) a ON a.id = r.account_id
     WHERE (quarter AT TIME ZONE $3)::date BETWEEN $4 AND $5 GROUP BY 1, 2 ORDER BY 1, 2`,
    [workspaceId, accountIds, period.timezone, period.from, period.to],
  )
}

/** Last readings before each day is over. */
function followersTruth(workspaceId: string, period: Period): Promise<Row[]> {
  return database.sql<Row>(
    `SELECT day AS bucket, a.platform, sum(last.followers)::int AS followers
     FROM unnest($3::text[]) AS day, accounts a CROSS JOIN LATERAL (
       SELECT m.followers FROM account_metrics m WHERE m.account_id = a.id AND m.followers IS NOT NULL
         AND (m.observed_at AT TIME ZONE $2)::date <= day::date ORDER BY m.observed_at DESC LIMIT 1) last
     WHERE a.workspace_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
    [workspaceId, period.timezone, daysOf(period)],
  )
}

/** Days on which something is known: a day that is made of differences is told even where they are all 0. */
const known = (rows: Row[]): Row[] => rows.filter((row) => Object.values(row).includes(true))

const inOrder = (rows: Row[]): Row[] =>
  rows.toSorted((a, b) => `${a.bucket} ${a.platform}`.localeCompare(`${b.bucket} ${b.platform}`, 'en'))

describe('the days of another timezone', () => {
  it.each([
    ['UTC', 'Asia/Kathmandu'],
    ['UTC', 'Atlantic/Azores'],
    ['America/New_York', 'Europe/Berlin'],
    ['Australia/Lord_Howe', 'America/St_Johns'],
    ['Atlantic/Azores', 'Pacific/Kiritimati'],
  ])(
    'of a workspace in %s are in %s what every quarter hour sums up to, and followers the last ones',
    async (home, timezone) => {
      const { workspaceId, accountIds } = await fill(home)
      for (const [from, to] of PERIODS) {
        const period = periodOf(from, to, timezone)
        const query = (basis: Basis, filter: Partial<AccountFilter> = {}): OverviewQuery => ({
          workspaceId,
          filter: { accounts: [], platforms: [], brands: [], ...filter },
          period,
          comparison: null,
          basis,
          cut: 'quarters',
          nowIso: '2026-12-01T00:00:00Z',
        })
        const one = accountIds.slice(1, 2)
        const [published, gained, ofOne, followers] = await database.db.inWorkspace(workspaceId, [
          overviewSeries(query('published')),
          overviewSeries(query('gained')),
          overviewSeries(query('gained', { accounts: one })),
          overviewFollowersSeries(query('published'), daysOf(period)),
        ])
        const told = (rows: typeof gained): Row[] =>
          known(
            inOrder(rows).map((row) =>
              Object.fromEntries(
                ['bucket', 'platform', ...CELL_METRICS.flatMap((m) => [m, `${m}_known`])].map((name) => [
                  name,
                  name.endsWith('_known') ? Number(row[name]) > 0 : (row[name] ?? null),
                ]),
              ),
            ),
          )
        expect(inOrder(published)).toEqual(await seriesTruth(workspaceId, accountIds, period, 'published'))
        expect(told(gained)).toEqual(known(await seriesTruth(workspaceId, accountIds, period, 'gained')))
        expect(told(ofOne)).toEqual(known(await seriesTruth(workspaceId, one, period, 'gained')))
        expect(
          inOrder(
            followers
              .filter((row) => row.followers !== null)
              .map(({ bucket, platform, followers }) => ({ bucket, platform, followers })),
          ),
        ).toEqual(await followersTruth(workspaceId, period))
      }
    },
  )
})
