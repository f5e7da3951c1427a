import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { PostReading } from '../../db/queries/ingest/index.ts'
import { ingest } from '../ingest/ingest.ts'
import { getPublicHashtagCourse } from './get-hashtag-course.ts'
import { getPublicTrending } from './get-public-trending.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const ctx = () => ({ db: database.db, clock: { now: () => Date.parse('2026-04-02T15:23:00.000Z') } })

let made = 0
/** Five accounts of a workspace, each with one post under a tag that nobody else uses. */
async function fiveAccounts(given: Partial<Omit<PostReading, 'metrics'>> = {}) {
  const tag = `case${++made}`
  const workspaceId = await makeWorkspace(database)
  const accounts: string[] = []
  for (let i = 0; i < 5; i++) accounts.push(await makeAccount(database, workspaceId))
  const take = (accountIds: string[], into: string, more: Partial<Omit<PostReading, 'metrics'>> = {}) =>
    ingest(quietDeps(database.db), {
      workspaceId: into,
      posts: accountIds.map((accountId) =>
        reading(accountId, 'a', {
          postedAt: '2026-04-02T15:00:00.000Z',
          observedAt: '2026-04-02T15:01:00.000Z',
          hashtags: [{ tag, display: tag }],
          metrics: { likes: 2 },
          ...given,
          ...more,
        }),
      ),
    })
  await take(accounts, workspaceId)
  /** Runs SQL on the first account. */
  const first = (assignment: string) =>
    database.sql(`UPDATE accounts SET ${assignment} WHERE id = $1`, [accounts[0]])
  return { tag, workspaceId, accounts, first, take }
}

async function publicFigures(tag: string) {
  const trending = await getPublicTrending(ctx(), {
    window: '1h',
    platforms: [],
    sort: 'surge',
    limit: 100,
  })
  const course = await getPublicHashtagCourse(ctx(), tag)
  const item = trending.items.find((one) => one.tag === tag)
  const today = course.days.at(-1)
  return {
    observed: item?.observed ?? 0,
    uses: item?.uses ?? 0,
    rises: (item?.score ?? 0) > 0,
    engagements: item?.engagements ?? null,
    course: { uses: today?.uses, accounts: today?.accounts, engagements: today?.engagements },
    posts: course.topPosts.length,
  }
}

/** Figures when `n` of the accounts count. */
const of = (n: number) => ({
  observed: n,
  uses: n,
  rises: n >= 5,
  engagements: n * 2,
  course: { uses: n, accounts: n, engagements: n * 2 },
  posts: n,
})

describe('the public scope', () => {
  it('rises from the fifth account on', async () => {
    expect(await publicFigures((await fiveAccounts()).tag)).toEqual(of(5))
  })

  it.each([
    ["status = 'paused'", 5],
    ["source = 'credential'", 4],
    ["source = 'import', status = 'imported'", 4],
    ["status = 'needs_auth'", 4],
    ["status = 'gone'", 4],
    ["status = 'error'", 4],
    ['deleted_at = now()', 4],
  ])('counts an account with %s or not', async (assignment, counted) => {
    const { tag, first } = await fiveAccounts()
    await first(assignment)
    expect(await publicFigures(tag)).toEqual(of(counted))
  })

  it('does not count deleted posts', async () => {
    const { tag, accounts } = await fiveAccounts()
    await database.sql('UPDATE posts SET deleted_at = now() WHERE account_id = $1', [accounts[0]])
    expect(await publicFigures(tag)).toEqual(of(4))
  })

  it('counts an account once, however many workspaces connected it, by its latest reading', async () => {
    const { tag, accounts, first, take } = await fiveAccounts()
    await first("external_id = 'did:plc:twice'")
    const elsewhere = await makeWorkspace(database)
    const copy = await makeAccount(database, elsewhere)
    await database.sql("UPDATE accounts SET external_id = 'did:plc:twice' WHERE id = $1", [copy])
    await take([copy], elsewhere, { observedAt: '2026-04-02T15:02:00.000Z' })
    expect(await publicFigures(tag)).toEqual(of(5))

    // One workspace finds the post deleted after the other has read it: it is gone for all.
    await database.sql(
      "UPDATE posts SET deleted_at = '2026-04-02T15:05:00Z', metrics_at = '2026-04-02T15:05:00Z' WHERE account_id = $1",
      [accounts[0]],
    )
    expect(await publicFigures(tag)).toEqual(of(4))
    // The other reads it later: it is back.
    await take([copy], elsewhere, { observedAt: '2026-04-02T15:10:00.000Z' })
    expect(await publicFigures(tag)).toEqual(of(5))
  })

  it('tells accounts of different servers apart, whose ids may be equal', async () => {
    const { tag, workspaceId, take } = await fiveAccounts()
    for (const host of ['one.example', 'two.example']) {
      const elsewhere = host === 'one.example' ? workspaceId : await makeWorkspace(database)
      const id = await makeAccount(database, elsewhere, { platform: 'mastodon' })
      await database.sql("UPDATE accounts SET host = $2, external_id = '1' WHERE id = $1", [id, host])
      await take([id], elsewhere)
    }
    expect(await publicFigures(tag)).toEqual(of(7))
  })

  it('names no workspace, account or post by our ids', async () => {
    const { tag } = await fiveAccounts()
    const course = await getPublicHashtagCourse(ctx(), tag)
    expect(course.topPosts).toHaveLength(5)
    for (const post of course.topPosts) expect([post.id, post.accountId]).toEqual([null, null])
  })

  it('is closed to everyone but the application', async () => {
    const rows = await database.sql<{ proname: string; everyone: boolean; app: boolean; pinned: boolean }>(
      `SELECT proname, has_function_privilege('public', oid, 'EXECUTE') AS everyone,
         has_function_privilege('tidemark_app', oid, 'EXECUTE') AS app,
         'search_path=pg_catalog, public, pg_temp' = ANY (proconfig) AND prosecdef AS pinned
       FROM pg_proc WHERE proname LIKE 'app\\_public\\_%' ORDER BY 1`,
    )
    expect(rows).toEqual(
      ['app_public_platforms', 'app_public_tag_counts', 'app_public_tag_posts', 'app_public_told'].map(
        (proname) => ({
          proname,
          everyone: false,
          app: true,
          pinned: true,
        }),
      ),
    )
  })
})
