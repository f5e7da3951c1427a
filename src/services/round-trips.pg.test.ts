import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts'
import { makeAccount, makeWorkspace } from '../../test/harness/factories.ts'
import type { Db } from '../db/client.ts'
import { periodOf } from '../domain/periods.ts'
import { listAccountsPage } from './accounts/manage-accounts.ts'
import type { ServiceContext } from './context.ts'
import { getTrendingHashtags } from './hashtags/index.ts'
import { makeRig } from './imports/rig.test-helper.ts'
import { getOverview } from './overview/get-overview.ts'
import { getPosts } from './posts/posts.ts'

const NUMBERS_OF_ACCOUNTS = [1, 10, 100]

let database: TestDatabase
const contexts: ServiceContext[] = []
beforeAll(async () => {
  database = await createTestDatabase()
  for (const accounts of NUMBERS_OF_ACCOUNTS) {
    const workspaceId = await makeWorkspace(database)
    const platform = (i: number) => (i % 2 === 0 ? 'bluesky' : 'mastodon')
    for (let i = 0; i < accounts; i += 1) await makeAccount(database, workspaceId, { platform: platform(i) })
    await database.sql(
      `INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, text, posted_at, likes)
       SELECT uuidv7(), workspace_id, id, platform, n, 'post', 'The tide', '2026-03-01'::timestamptz + n * interval '1 hour', n
       FROM accounts, generate_series(1, 30) n WHERE workspace_id = $1`,
      [workspaceId],
    )
    contexts.push((await makeRig(database, { workspaceId })).ctx)
  }
})
afterAll(() => database.close())

/** The same database, and how many statements went in each transaction. */
function counted(db: Db): { db: Db; trips: number[] } {
  const trips: number[] = []
  return {
    trips,
    db: {
      inWorkspace(workspaceId, statements, options) {
        trips.push(statements.length)
        return db.inWorkspace(workspaceId, statements, options)
      },
      outside(query, options) {
        trips.push(1)
        return db.outside(query, options)
      },
    },
  }
}

const filter = { accounts: [], platforms: [], brands: [] }
const overview = (from: string, to: string, timezone: string) => (ctx: ServiceContext) =>
  getOverview(ctx, { period: periodOf(from, to, timezone), compare: 'previous', basis: 'published', filter })
const posts = (search: string | null) => (ctx: ServiceContext) =>
  getPosts(ctx, {
    ...{ filter, kinds: [], hashtags: [], search, from: null, until: null, after: null, limit: 20 },
    sort: 'likes',
  })
const accounts = (stale: boolean | null) => (ctx: ServiceContext) =>
  listAccountsPage(ctx, { filter, search: null, status: null, stale, sort: 'handle', after: null, limit: 20 })

const READS: [string, (ctx: ServiceContext) => Promise<unknown>][] = [
  ['the overview', overview('2026-02-11', '2026-03-10', 'UTC')],
  ['the overview of a day', overview('2026-03-01', '2026-03-01', 'UTC')],
  ['the overview in another timezone', overview('2026-02-11', '2026-03-10', 'Asia/Kathmandu')],
  [
    'trends',
    (ctx) =>
      getTrendingHashtags(
        { ...ctx, reach: null },
        {
          ...{ window: '24h', scope: 'workspace', platforms: [], brands: [], sort: 'surge', limit: 20 },
        },
      ),
  ],
  ['posts', posts(null)],
  ['posts that are searched for', posts('tide')],
  ['accounts', accounts(null)],
  ['stale accounts', accounts(true)],
  ['accounts that are not stale', accounts(false)],
]

describe('one round trip of as many statements, however many accounts there are', () => {
  it.each(READS)('for %s', async (_, read) => {
    const seen: number[][] = []
    for (const ctx of contexts) {
      const { db, trips } = counted(ctx.db)
      await read({ ...ctx, db })
      seen.push(trips)
    }
    expect(seen).toHaveLength(NUMBERS_OF_ACCOUNTS.length)
    for (const trips of seen) {
      expect(trips).toHaveLength(1)
      expect(trips).toEqual(seen[0])
    }
  })
})
