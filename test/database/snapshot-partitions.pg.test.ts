import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statement } from '../../src/db/client.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeWorkspace } from '../harness/factories.ts'

let database: TestDatabase
let workspaceId: string
beforeAll(async () => {
  database = await createTestDatabase()
  workspaceId = await makeWorkspace(database)
})
afterAll(() => database.close())

/** As upkeep calls it: by the Worker's role. */
async function ensure(monthsBack: number, monthsAhead: number): Promise<number> {
  const [row] = await database.db.outside(
    statement<{ made: number }>(
      sql`SELECT app_ensure_partitions(${monthsBack}::int, ${monthsAhead}::int) AS made`,
    ),
  )
  return row?.made ?? -1
}

/** The partition of the month that is so many months from this one, and whether it is attached. */
async function partitionOf(months: number) {
  const [row] = await database.sql<{ name: string; bounds: string | null }>(
    `SELECT name, (
       SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
       WHERE i.inhparent = 'post_snapshots'::regclass AND c.relname = name) AS bounds
     FROM to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => $1),
       '"post_snapshots_"YYYY_MM') AS name`,
    [months],
  )
  return row
}

async function snapshot(observedAt: string): Promise<string> {
  const [row] = await database.sql<{ id: string }>(
    `INSERT INTO post_snapshots (workspace_id, post_id, observed_at, likes)
     VALUES ($1, gen_random_uuid(), ${observedAt}, 7) RETURNING post_id AS id`,
    [workspaceId],
  )
  return row?.id ?? ''
}

const homeOf = async (postId: string) =>
  (
    await database.sql<{ home: string }>(
      'SELECT tableoid::regclass::text AS home FROM post_snapshots WHERE post_id = $1',
      [postId],
    )
  )[0]?.home

describe('monthly partitions of snapshots', () => {
  it('are there from four months back to two months ahead', async () => {
    for (let months = -4; months <= 2; months++)
      expect((await partitionOf(months))?.bounds, `${months}`).toContain('FOR VALUES FROM')
    expect((await partitionOf(3))?.bounds).toBeNull()
  })

  it('are not made twice', async () => {
    // Of usage there is nothing from before it was accounted for.
    expect(await ensure(4, 2)).toBe(4)
    expect(await ensure(4, 2)).toBe(0)
    expect(await ensure(0, 2)).toBe(0)
  })

  it('begin and end with a month of UTC', async () => {
    const [borders] = await database.sql<{ starts: string; ends: string }>(
      `SELECT to_char(start, 'YYYY-MM-DD HH24:MI:SS') || '+00' AS starts,
         to_char(start + interval '1 month', 'YYYY-MM-DD HH24:MI:SS') || '+00' AS ends
       FROM date_trunc('month', now() AT TIME ZONE 'UTC') AS start`,
    )
    await database.sql("SET timezone = 'UTC'")
    expect((await partitionOf(0))?.bounds).toBe(
      `FOR VALUES FROM ('${borders?.starts}') TO ('${borders?.ends}')`,
    )
  })

  it('take over what waited for them in the default one, and are fenced like the rest', async () => {
    const thisMonth = "date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
    const first = await snapshot(`${thisMonth} + interval '3 months'`)
    const last = await snapshot(`${thisMonth} + interval '4 months' - interval '1 millisecond'`)
    const later = await snapshot(`${thisMonth} + interval '5 months'`)
    const older = await snapshot(`${thisMonth} - interval '5 months'`)
    for (const id of [first, last, later, older]) expect(await homeOf(id)).toBe('post_snapshots_other')

    // As many of usage.
    expect(await ensure(5, 3)).toBe(4)
    const ahead = (await partitionOf(3))?.name
    expect(await homeOf(first)).toBe(ahead)
    expect(await homeOf(last)).toBe(ahead)
    expect(await homeOf(older)).toBe((await partitionOf(-5))?.name)
    expect(await homeOf(later)).toBe('post_snapshots_other')
    expect(
      await database.sql(
        `SELECT c.relrowsecurity AS fenced, has_table_privilege('tidemark_app', c.oid, 'SELECT') AS granted,
           (SELECT count(*)::int FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid) AS indexes
         FROM pg_class c WHERE c.relname = $1`,
        [ahead],
      ),
    ).toEqual([{ fenced: true, granted: false, indexes: 2 }])
    const [seen] = await database.db.inWorkspace(workspaceId, [
      statement<{ n: number; likes: number }>(
        sql`SELECT count(*)::int AS n, sum(likes)::int AS likes FROM post_snapshots`,
      ),
    ])
    expect(seen).toEqual([{ n: 4, likes: 28 }])
    expect(await ensure(5, 3)).toBe(0)
  })
})

describe('monthly partitions of usage', () => {
  it('take over what waited for them in the default one, and are fenced like the rest', async () => {
    const add = (at: string) =>
      database.sql(
        `INSERT INTO api_usage (id, workspace_id, at, platform, credential, operation, calls)
         VALUES (gen_random_uuid(), $1, ${at}, 'bluesky', 'anyone', 'posts', 3)`,
        [workspaceId],
      )
    const homes = () =>
      database.sql<{ home: string }>(
        `SELECT tableoid::regclass::text AS home FROM api_usage WHERE workspace_id = $1 ORDER BY at`,
        [workspaceId],
      )
    const thisMonth = "date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
    await add(`${thisMonth} + interval '7 months'`)
    await add(`${thisMonth} + interval '8 months' - interval '1 millisecond'`)
    await add(`${thisMonth} + interval '8 months'`)
    expect(await homes()).toEqual(Array.from({ length: 3 }, () => ({ home: 'api_usage_other' })))
    await ensure(0, 7)
    const made = (await homes()).map(({ home }) => home)
    expect(made).toEqual([expect.stringMatching(/^api_usage_\d{4}_\d\d$/), made[0], 'api_usage_other'])
    expect(
      await database.sql(
        `SELECT c.relrowsecurity AS fenced, has_table_privilege('tidemark_app', c.oid, 'SELECT') AS granted
         FROM pg_class c WHERE c.relname = $1`,
        [made[0]],
      ),
    ).toEqual([{ fenced: true, granted: false }])
    const [seen] = await database.db.inWorkspace(workspaceId, [
      statement<{ calls: number }>(sql`SELECT sum(calls)::int AS calls FROM api_usage`),
    ])
    expect(seen).toEqual([{ calls: 9 }])
  })

  it('are made by the older name as well, which the release before this one calls', async () => {
    const [row] = await database.db.outside(
      statement<{ made: number }>(sql`SELECT app_ensure_snapshot_partitions(9::int, 0::int) AS made`),
    )
    // Of both, from the sixth month back to the ninth: those down to the fifth are there.
    expect(row).toEqual({ made: 8 })
  })
})
