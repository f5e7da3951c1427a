import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import {
  ACCOUNT_SORTS,
  type AccountListQuery,
  type AccountRow,
  listAccounts,
} from '../../db/queries/accounts.ts'
import { STALE_REASONS } from '../../domain/freshness.ts'
import { presentAccount } from './present.ts'

let database: TestDatabase
let workspaceId: string

const NOW = '2026-11-20T12:00:00.000Z'
const PAGE = 50
const STATUSES = ['active', 'paused', 'needs_auth', 'gone', 'error', 'imported']

beforeAll(async () => {
  database = await createTestDatabase()
  workspaceId = await makeWorkspace(database)
  const ago = (n: string, unit: string) =>
    `CASE WHEN ${n} = 0 THEN NULL ELSE $2::timestamptz - ${n} * interval '${unit}' END`
  // Ties, unknown values, handles that differ in case alone, and every way of being stale on either side of its border.
  await database.sql(
    `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status, stale_reason, followers,
       last_synced_at, next_sync_at, created_at, deleted_at)
     SELECT uuidv7(), $1, (ARRAY['bluesky', 'x', 'linkedin'])[1 + n % 3], n,
       CASE WHEN n % 4 = 0 THEN 'Tide' ELSE 'tide' END || n % 37,
       CASE WHEN n % 11 = 0 THEN 'import' ELSE 'public' END,
       ($3::text[])[1 + CASE WHEN n % 11 = 0 THEN 5 WHEN n % 3 = 0 THEN n / 3 % 5 ELSE 0 END],
       ($4::text[])[n % 14], NULLIF(n * 7 % 20, 0),
       ${ago('n % 23', '15 minutes')}, ${ago('(n / 2 % 7)', '10 minutes')},
       $2::timestamptz - n % 41 * interval '20 minutes',
       CASE WHEN n % 9 = 0 THEN $2::timestamptz - n % 40 * interval '1 day' END
     FROM generate_series(1, 900) n`,
    [workspaceId, NOW, STATUSES, STALE_REASONS],
  )
})
afterAll(() => database.close())

async function readAll(asked: Partial<AccountListQuery>): Promise<AccountRow[]> {
  const all: AccountRow[] = []
  let after: AccountListQuery['after'] = null
  do {
    const query: AccountListQuery = {
      filter: { accounts: [], platforms: [], brands: [] },
      ...{ search: null, status: null, sort: 'handle', limit: PAGE, nowIso: NOW, ...asked, after },
    }
    const [rows] = await database.db.inWorkspace(workspaceId, [listAccounts(workspaceId, query)])
    const page = rows.slice(0, PAGE)
    all.push(...page)
    const last = page.at(-1)
    after = rows.length > PAGE && last !== undefined ? { value: last.sortValue, id: last.id } : null
  } while (after !== null)
  return all
}

const ids = (rows: { id: string }[]) => rows.map(({ id }) => id)

const ORDERS = {
  handle: 'lower(handle), id',
  '-followers': 'followers DESC NULLS LAST, id DESC',
  '-lastSyncedAt': 'last_synced_at DESC NULLS LAST, id DESC',
  '-createdAt': 'created_at DESC, id DESC',
} as const

const WHICH = [
  [null, 'deleted_at IS NULL'],
  ['active', "deleted_at IS NULL AND status = 'active'"],
  ['deleted', `deleted_at > '${NOW}'::timestamptz - interval '30 days'`],
] as const

describe('a list of accounts', () => {
  it.each(ACCOUNT_SORTS)(
    'by %s is what plain SQL finds, page after page, whatever their status',
    async (sort) => {
      for (const [status, condition] of WHICH) {
        const expected = await database.sql<{ id: string }>(
          `SELECT id FROM accounts WHERE workspace_id = $1 AND ${condition} ORDER BY ${ORDERS[sort]}`,
          [workspaceId],
        )
        expect(expected.length).toBeGreaterThan(PAGE)
        expect(ids(await readAll({ sort, status })), String(status)).toEqual(ids(expected))
      }
    },
  )

  it('of stale ones holds those that say so of themselves, and no others', async () => {
    const nowMs = Date.parse(NOW)
    const all = await readAll({})
    const isStale = (row: AccountRow) => presentAccount(row, nowMs).freshness.stale
    const [stale, fresh] = [await readAll({ stale: true }), await readAll({ stale: false })]
    expect(ids(stale)).toEqual(ids(all.filter(isStale)))
    expect(ids(fresh)).toEqual(ids(all.filter((row) => !isStale(row))))
    expect(Math.min(stale.length, fresh.length)).toBeGreaterThan(PAGE)
    const reasons = new Set(stale.map((row) => presentAccount(row, nowMs).freshness.reason))
    expect([...reasons].sort()).toEqual([...STALE_REASONS].sort())
  })
})
