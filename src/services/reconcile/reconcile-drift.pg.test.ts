import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { LiveEvent } from '../../ports.ts'
import { ingest } from '../ingest/ingest.ts'
import { reconcileWorkspace } from './reconcile-workspace.ts'
import { makeRig, NIGHT, rollupsOf } from './rig.test-helper.ts'
import { expectDaysToMatchRawRows, STORY_TIMEZONE, type Story, storyOf } from './story.test-helper.ts'

let database: TestDatabase
let workspaceId: string
let accountId: string
let read: Story['read']
let fill: Story['fill']
beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  workspaceId = await makeWorkspace(database, STORY_TIMEZONE)
  accountId = await makeAccount(database, workspaceId)
  ;({ read, fill } = storyOf(database, workspaceId, accountId))
})
afterAll(() => database.close())

const reconcile = (rig = makeRig(database), rowsPerRange?: number) =>
  reconcileWorkspace(rig.deps, { workspaceId, night: NIGHT, from: null }, rowsPerRange)

const expectDays = () => expectDaysToMatchRawRows(database, workspaceId)

describe('a row that was tampered with', () => {
  it('is found, named, mended and told of, once', async () => {
    await fill()
    const before = await rollupsOf(database, workspaceId)
    await database.sql(
      "UPDATE account_days SET likes = 1000, comments_known = 9 WHERE account_id = $1 AND day = '2026-04-01'",
      [accountId],
    )
    await database.sql(
      "UPDATE account_quarters SET gained_likes = 70 WHERE account_id = $1 AND quarter = '2026-04-03T09:15:00Z'",
      [accountId],
    )
    const rig = makeRig(database)
    expect(await reconcile(rig)).toEqual({ ranges: 1, driftCells: 2, next: null })
    expect(rig.errors).toEqual([
      {
        message: 'rollups had drifted from the raw rows',
        fields: {
          workspaceId,
          table: 'account_quarters',
          cells: 1,
          metrics: { gained_likes: 1 },
          examples: [
            {
              table: 'account_quarters',
              accountId,
              time: '2026-04-03T09:15:00+00:00',
              metric: 'gained_likes',
              stored: 70,
              computed: 7,
            },
          ],
        },
      },
      {
        message: 'rollups had drifted from the raw rows',
        fields: {
          workspaceId,
          table: 'account_days',
          cells: 1,
          metrics: { likes: 1, comments_known: 1 },
          examples: [
            {
              table: 'account_days',
              accountId,
              time: '2026-04-01',
              metric: 'comments_known',
              stored: 9,
              computed: 1,
            },
            {
              table: 'account_days',
              accountId,
              time: '2026-04-01',
              metric: 'likes',
              stored: 1000,
              computed: 10,
            },
          ],
        },
      },
    ])
    expect(await rollupsOf(database, workspaceId)).toEqual(before)
    await expectDays()

    const events = await database.sql<{ generation: number; events: LiveEvent[] }>(
      'SELECT generation::int, events FROM outbox WHERE workspace_id = $1 ORDER BY generation DESC LIMIT 1',
      [workspaceId],
    )
    expect(events).toEqual([
      { generation: 4, events: [{ type: 'metrics.updated', data: { accounts: [], posts: [] } }] },
    ])
    const again = makeRig(database)
    expect(await reconcile(again)).toMatchObject({ driftCells: 0 })
    expect(again.errors).toEqual([])
    expect(await database.sql('SELECT generation::int FROM workspaces WHERE id = $1', [workspaceId])).toEqual(
      [{ generation: 4 }],
    )
  })

  it.each([
    ['a day that is gone', 'DELETE FROM account_days WHERE account_id = $1'],
    ['quarter hours that are gone', 'DELETE FROM account_quarters WHERE account_id = $1'],
    [
      'a day of nothing',
      `INSERT INTO account_days (workspace_id, account_id, day, posts, likes)
       SELECT workspace_id, id, '2026-03-01', 2, 2 FROM accounts WHERE id = $1`,
    ],
    [
      'a quarter hour of nothing, and its day',
      `WITH day AS (INSERT INTO account_days (workspace_id, account_id, day, gained_likes)
         SELECT workspace_id, id, '2026-03-02', 5 FROM accounts WHERE id = $1)
       INSERT INTO account_quarters (workspace_id, account_id, quarter, gained_likes)
       SELECT workspace_id, id, '2026-03-02T12:00:00Z', 5 FROM accounts WHERE id = $1`,
    ],
    ['gains that were forgotten', 'UPDATE account_days SET gained_likes = NULL WHERE account_id = $1'],
  ])('may also be %s', async (_, tamper) => {
    await fill()
    await database.sql(tamper, [accountId])
    const rig = makeRig(database)
    expect((await reconcile(rig)).driftCells).toBeGreaterThan(0)
    expect(rig.errors).not.toEqual([])
    await database.sql('DELETE FROM account_days WHERE posts = 0 AND gained_likes = 0')
    await database.sql('DELETE FROM account_quarters WHERE posts = 0 AND gained_likes = 0')
    await expectDays()
    expect((await reconcile()).driftCells).toBe(0)
  })

  it('has its top posts made anew with it', async () => {
    await fill()
    const [before] = (await rollupsOf(database, workspaceId)).days
    await database.sql(
      `UPDATE account_days SET likes = 1, top_posts = '[]' WHERE account_id = $1 AND day = '2026-04-01'`,
      [accountId],
    )
    await reconcile()
    expect((await rollupsOf(database, workspaceId)).days[0]).toEqual(before)
  })
})

describe('a metric that was withheld', () => {
  const seen = (day: number, likes: number | null, comments: number) =>
    read('a', '2026-04-02T12:00:00.000Z', `2026-04-0${day}T13:00:00.000Z`, { likes, comments })
  const gainedLikes = () =>
    database.sql<{ day: string; likes: number }>(
      `SELECT day::text, gained_likes::int AS likes FROM account_days
       WHERE account_id = $1 AND gained_likes IS NOT NULL ORDER BY day`,
      [accountId],
    )
  const GAINED = [
    { day: '2026-04-02', likes: 3 },
    { day: '2026-04-05', likes: 4 },
    { day: '2026-04-06', likes: 1 },
  ]

  it.each([1, 1_000])('gained what it is more than was last known, by ranges of %i rows', async (rows) => {
    await seen(2, 3, 1)
    await seen(3, null, 1)
    await seen(4, null, 2)
    await seen(5, 7, 2)
    await seen(6, 8, 2)
    expect(await gainedLikes()).toEqual(GAINED)
    expect(await reconcile(makeRig(database), rows)).toMatchObject({ driftCells: 0 })
    await database.sql('UPDATE account_quarters SET gained_likes = 50 WHERE account_id = $1', [accountId])
    await reconcile(makeRig(database), rows)
    expect((await gainedLikes()).filter(({ likes }) => likes !== 0)).toEqual(GAINED)
  })
})

describe('what raw rows do not tell', () => {
  it('is left alone: gains of before the snapshots that are surely whole', async () => {
    await read('old', '2026-01-05T12:00:00.000Z', '2026-01-05T13:00:00.000Z', { likes: 3 })
    await read('new', '2026-01-20T12:00:00.000Z', '2026-01-20T13:00:00.000Z', { likes: 4 })
    // 85 days before are on 15 January.
    for (const table of ['account_days', 'account_quarters'])
      await database.sql(
        `UPDATE ${table} SET gained_likes = 50 WHERE account_id = $1 AND gained_likes IS NOT NULL`,
        [accountId],
      )
    expect((await reconcile()).driftCells).toBe(2)
    expect(
      await database.sql(
        'SELECT day::text, gained_likes::int AS gained FROM account_days WHERE account_id = $1 ORDER BY 1',
        [accountId],
      ),
    ).toEqual([
      { day: '2026-01-05', gained: 50 },
      { day: '2026-01-20', gained: 4 },
    ])
  })

  it('is left alone: the first snapshot of a post that may have lost earlier ones to the archive', async () => {
    await fill()
    await database.sql("UPDATE posts SET first_seen_at = '2024-01-01' WHERE account_id = $1", [accountId])
    await database.sql("DELETE FROM post_snapshots WHERE observed_at < '2026-04-03' AND workspace_id = $1", [
      workspaceId,
    ])
    const before = await rollupsOf(database, workspaceId)
    const rig = makeRig(database)
    const [quarter] = await database.sql<{ likes: number }>(
      "SELECT gained_likes::int AS likes FROM account_quarters WHERE account_id = $1 AND quarter = '2026-04-03T09:15:00Z'",
      [accountId],
    )
    await reconcile(rig)
    expect(quarter).toEqual({ likes: 7 })
    expect((await rollupsOf(database, workspaceId)).quarters).toContainEqual(
      before.quarters.find(({ row }) => JSON.stringify(row).includes('2026-04-03')),
    )
  })

  it('is left alone: gains of a post that was taken for a repost meanwhile', async () => {
    const at = (hour: number, kind: 'post' | 'repost', likes: number | null) =>
      ingest(quietDeps(database.db), {
        workspaceId,
        posts: [
          reading(accountId, 'a', { kind, observedAt: `2026-03-02T0${hour}:00:00.000Z`, metrics: { likes } }),
        ],
      })
    await at(1, 'post', 5)
    await at(2, 'repost', null)
    await at(3, 'post', 6)
    const before = await rollupsOf(database, workspaceId)
    expect(await reconcile()).toMatchObject({ driftCells: 0 })
    expect(await rollupsOf(database, workspaceId)).toEqual(before)
    // What comes after is told by snapshots again.
    await at(4, 'post', 8)
    await at(5, 'post', 9)
    await database.sql(
      "UPDATE account_quarters SET gained_likes = 44 WHERE account_id = $1 AND quarter = '2026-03-02T05:00:00Z'",
      [accountId],
    )
    expect(await reconcile()).toMatchObject({ driftCells: 1 })
  })
})
