import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { keyWith, member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount, reading } from '../../../test/harness/factories.ts'
import { periodOf } from '../../domain/periods.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { makeRig } from '../imports/rig.test-helper.ts'
import { ingest } from '../ingest/ingest.ts'
import { getOverview } from '../overview/get-overview.ts'
import { updateWorkspace } from './workspaces.ts'

/** Expected figures come from plain SQL over posts, snapshots and readings of accounts, never from rollups. */
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let ctx: ServiceContext
beforeEach(async () => {
  ctx = { ...(await makeRig(database)).ctx, actor: member('admin') }
})

const state = async () =>
  (
    await database.sql<{ name: string; timezone: string; generation: string }>(
      'SELECT name, timezone, generation FROM workspaces WHERE id = $1',
      [ctx.workspace.id],
    )
  )[0]

const entries = async () =>
  (
    await database.sql<{ details: { from: Record<string, unknown>; to: Record<string, unknown> } }>(
      "SELECT details FROM audit_log WHERE workspace_id = $1 AND action = 'workspace.changed' ORDER BY at, id",
      [ctx.workspace.id],
    )
  ).map(({ details }) => details)

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => {
      if (error instanceof AppError) return { code: error.code, pointers: error.fields.map((f) => f.pointer) }
      throw error
    },
  )

describe('changing a workspace', () => {
  it('renames it, and tells those who look', async () => {
    await updateWorkspace(ctx, ctx.workspace.id, { name: 'The Harbour' })
    expect(await state()).toEqual({ name: 'The Harbour', timezone: 'UTC', generation: '1' })
    expect(
      await database.sql('SELECT generation::int, events FROM outbox WHERE workspace_id = $1', [
        ctx.workspace.id,
      ]),
    ).toEqual([{ generation: 1, events: [{ type: 'metrics.updated', data: { accounts: [], posts: [] } }] }])
  })

  it('changes nothing and raises nothing where all is as it was', async () => {
    for (const input of [{}, { name: 'Test' }, { timezone: 'UTC' }, { name: 'Test', timezone: 'UTC' }])
      await updateWorkspace(ctx, ctx.workspace.id, input)
    expect(await state()).toEqual({ name: 'Test', timezone: 'UTC', generation: '0' })
    expect(await entries()).toEqual([])
  })

  it('is written down, with what was and what is', async () => {
    await updateWorkspace(ctx, ctx.workspace.id, { name: 'The Harbour', timezone: 'UTC' })
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'Asia/Tokyo' })
    expect(await entries()).toEqual([
      { from: { name: 'Test' }, to: { name: 'The Harbour' } },
      { from: { timezone: 'UTC' }, to: { timezone: 'Asia/Tokyo' } },
    ])
  })

  it('is written down as one chain, however many change it at once', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `Name ${i}`)
    await Promise.all(names.map((name) => updateWorkspace(ctx, ctx.workspace.id, { name })))
    const links = new Map((await entries()).map(({ from, to }) => [from.name, to.name]))
    expect(links.size).toBe(6)
    const seen: unknown[] = []
    for (let name: unknown = 'Test'; links.has(name); ) {
      const next = links.get(name)
      links.delete(name)
      seen.push(next)
      name = next
    }
    expect(seen.toSorted()).toEqual(names)
    expect((await state())?.name).toBe(seen.at(-1))
  })

  it('is for those who may administrate, and for their own workspace', async () => {
    const change = (actor: ServiceContext['actor'], id = ctx.workspace.id) =>
      refusalOf(updateWorkspace({ ...ctx, actor }, id, { name: 'Mine' }))
    expect(await change(member('analyst'))).toMatchObject({
      code: 'insufficient_role',
    })
    expect(await change(keyWith('read', 'write'))).toMatchObject({
      code: 'insufficient_scope',
    })
    const other = (await makeRig(database)).ctx.workspace.id
    expect(await change(ctx.actor, other)).toMatchObject({ code: 'not_found' })
    expect(await change(ctx.actor, 'nonsense')).toMatchObject({ code: 'not_found' })
    expect((await state())?.generation).toBe('0')
  })

  it('takes no timezone that does not exist', async () => {
    for (const timezone of ['Mars/Olympus', '+02:00', '', 'CET'])
      expect(
        await refusalOf(updateWorkspace(ctx, ctx.workspace.id, { name: 'x', timezone })),
        timezone,
      ).toEqual({
        code: 'invalid_request',
        pointers: ['/timezone'],
      })
    expect(await state()).toEqual({ name: 'Test', timezone: 'UTC', generation: '0' })
  })

  it('goes by what the timezone is, not by what the caller has heard of it', async () => {
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'Asia/Tokyo' })
    // The caller still believes in UTC, as isolates do for some seconds.
    expect(ctx.workspace.timezone).toBe('UTC')
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'UTC' })
    expect((await state())?.timezone).toBe('UTC')
  })
})

/** A small deterministic generator, so that a failure can be looked at again. */
function random(seed: number): () => number {
  let next = seed
  return () => {
    next = (next * 1_103_515_245 + 12_345) % 2_147_483_648
    return next / 2_147_483_648
  }
}

/** Three weeks of posts around the end of summer time in Europe, read four times. */
async function fill(): Promise<void> {
  const next = random(11)
  for (const platform of ['bluesky', 'x']) {
    const accountId = await makeAccount(database, ctx.workspace.id, { platform })
    const start = Date.parse('2026-10-11T00:00:00Z')
    const posts = Array.from({ length: 160 }, (_, i) => ({
      name: `p${i}`,
      kind: i % 13 === 0 ? ('repost' as const) : ('post' as const),
      // Every third of them at a quarter of an hour, where days and clocks change.
      postedAt: new Date(
        start + Math.floor(next() * 21 * 96) * 900_000 + (i % 3 ? Math.floor(next() * 900_000) : 0),
      ),
    }))
    for (const round of [0, 1, 2, 3]) {
      const observedAt = new Date(start + (round + 1) * 6 * 86_400_000 + 40_000_000 * round).toISOString()
      await ingest(ctx, {
        workspaceId: ctx.workspace.id,
        profiles: [
          {
            accountId,
            handle: platform,
            displayName: null,
            url: 'https://example.com',
            avatarUrl: null,
            followers: 500 + round * 7,
            following: null,
            posts: null,
            observedAt,
          },
        ],
        posts: posts
          .filter(({ postedAt }) => postedAt.toISOString() <= observedAt)
          .map(({ name, kind, postedAt }) =>
            reading(accountId, name, {
              kind,
              postedAt: postedAt.toISOString(),
              observedAt,
              metrics: { likes: Math.floor(next() * 90) + round * 11, comments: next() < 0.3 ? null : round },
            }),
          ),
      })
    }
  }
}

const FROM = '2026-10-18'
const TO = '2026-10-31'

/** What plain SQL makes of the days of a timezone. */
async function truth(timezone: string) {
  const days = await database.sql<{ start: string; posts: number; likes: number; comments: number | null }>(
    `SELECT day::date::text AS start, count(p.id)::int AS posts, coalesce(sum(p.likes), 0)::int AS likes,
       CASE WHEN count(p.id) = 0 THEN 0 ELSE sum(p.comments)::int END AS comments
     FROM generate_series($3::date, $4::date, interval '1 day') AS day
     LEFT JOIN posts p ON (p.posted_at AT TIME ZONE $2)::date = day::date
       AND p.workspace_id = $1 AND p.kind <> 'repost' AND p.deleted_at IS NULL
     GROUP BY 1 ORDER BY 1`,
    [ctx.workspace.id, timezone, FROM, TO],
  )
  const topPosts = await database.sql<{ id: string }>(
    `SELECT id FROM posts WHERE workspace_id = $1 AND kind <> 'repost' AND engagements IS NOT NULL
       AND (posted_at AT TIME ZONE $2)::date BETWEEN $3 AND $4 ORDER BY engagements DESC, id LIMIT 5`,
    [ctx.workspace.id, timezone, FROM, TO],
  )
  const [gained] = await database.sql<{ likes: number }>(
    `SELECT sum(gain)::int AS likes FROM (
       SELECT s.observed_at, s.likes - COALESCE(LAG(s.likes) OVER (PARTITION BY s.post_id ORDER BY s.observed_at), 0) AS gain
       FROM post_snapshots s WHERE s.workspace_id = $1) g
     WHERE (observed_at AT TIME ZONE $2)::date BETWEEN $3 AND $4`,
    [ctx.workspace.id, timezone, FROM, TO],
  )
  const [followers] = await database.sql<{ gained: number }>(
    `SELECT sum(last - first)::int AS gained FROM (
       SELECT (array_agg(followers ORDER BY observed_at DESC)
           FILTER (WHERE (observed_at AT TIME ZONE $2)::date <= $4))[1] AS last,
         (array_agg(followers ORDER BY observed_at DESC)
           FILTER (WHERE (observed_at AT TIME ZONE $2)::date < $3))[1] AS first
       FROM account_metrics WHERE workspace_id = $1 GROUP BY account_id) ends`,
    [ctx.workspace.id, timezone, FROM, TO],
  )
  return { days, topPosts: topPosts.map(({ id }) => id), gained: gained?.likes, followers: followers?.gained }
}

/** What the overview says in the workspace's own timezone, from the rollup of its days. */
async function overview(timezone: string) {
  const ask = (basis: 'published' | 'gained') =>
    getOverview(
      {
        db: database.db,
        clock: { now: () => Date.parse('2026-12-01T00:00:00Z') },
        workspace: { id: ctx.workspace.id, timezone },
      },
      {
        period: periodOf(FROM, TO, timezone),
        compare: 'previous',
        basis,
        filter: { accounts: [], platforms: [], brands: [] },
      },
    )
  const [published, gained] = [await ask('published'), await ask('gained')]
  return {
    days: published.series.map(({ start, posts, likes, comments }) => ({ start, posts, likes, comments })),
    topPosts: published.topPosts.map(({ id }) => id),
    gained: gained.totals.likes.value,
    followers: published.totals.followersGained.value,
  }
}

const rollup = () =>
  database.sql(
    `SELECT to_jsonb(d) - 'followers_read_at' AS day FROM account_days d WHERE workspace_id = $1
     ORDER BY account_id, day`,
    [ctx.workspace.id],
  )

describe('moving a workspace to another timezone', () => {
  it('makes its days anew, so that the overview agrees with the raw rows there', {
    timeout: 60_000,
  }, async () => {
    await fill()
    expect(await overview('UTC')).toEqual(await truth('UTC'))
    const before = await rollup()
    for (const timezone of [
      'America/New_York',
      'Asia/Kathmandu',
      'Pacific/Kiritimati',
      'Australia/Lord_Howe',
      // Its clocks go back over midnight: 25 October has its first hour twice.
      'Atlantic/Azores',
    ]) {
      await updateWorkspace(ctx, ctx.workspace.id, { timezone })
      expect((await state())?.timezone).toBe(timezone)
      expect(await overview(timezone), timezone).toEqual(await truth(timezone))
      expect(await rollup()).not.toEqual(before)
    }
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'UTC' })
    expect(await rollup()).toEqual(before)
  })

  it('finds the best post of an hour that comes twice on its own day', async () => {
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'Atlantic/Azores' })
    const accountId = await makeAccount(database, ctx.workspace.id)
    const posts = ['2026-10-24T23:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']
    await ingest(ctx, {
      workspaceId: ctx.workspace.id,
      posts: posts.map((postedAt, i) =>
        reading(accountId, `p${i}`, {
          postedAt,
          observedAt: '2026-10-26T00:00:00.000Z',
          metrics: { likes: 10 * (i + 1) },
        }),
      ),
    })
    const listed = () =>
      database.sql(
        `SELECT day::text, posts, (SELECT array_agg((t->>'engagements')::int) FROM jsonb_array_elements(top_posts) AS t) AS top
         FROM account_days WHERE workspace_id = $1 AND posts > 0 ORDER BY day`,
        [ctx.workspace.id],
      )
    const right = [
      { day: '2026-10-24', posts: 1, top: [10] },
      { day: '2026-10-25', posts: 2, top: [30, 20] },
    ]
    expect(await listed()).toEqual(right)
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'UTC' })
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'Atlantic/Azores' })
    expect(await listed()).toEqual(right)
  })

  it('loses nothing that is taken in meanwhile', async () => {
    const accountId = await makeAccount(database, ctx.workspace.id)
    const zones = ['Asia/Tokyo', 'America/New_York', 'Europe/Berlin', 'Asia/Kathmandu']
    await Promise.all([
      ...Array.from({ length: 24 }, (_, i) =>
        ingest(ctx, {
          workspaceId: ctx.workspace.id,
          posts: [
            reading(accountId, `p${i % 12}`, {
              postedAt: new Date(Date.parse('2026-10-24T18:00:00Z') + (i % 12) * 3_600_000).toISOString(),
              observedAt: new Date(Date.parse('2026-10-25T12:00:00Z') + i * 1_000).toISOString(),
              metrics: { likes: i },
            }),
          ],
        }),
      ),
      ...zones.map((timezone) => updateWorkspace(ctx, ctx.workspace.id, { timezone })),
    ])
    const timezone = (await state())?.timezone ?? ''
    expect(zones).toContain(timezone)
    const [found, right] = [await overview(timezone), await truth(timezone)]
    expect(found.days).toEqual(right.days)
    expect(found.topPosts).toEqual(right.topPosts)
    expect(found.gained).toBe(right.gained)
  })

  it('leaves other workspaces as they are', async () => {
    const other = (await makeRig(database)).ctx
    const accountId = await makeAccount(database, other.workspace.id)
    await ingest(other, {
      workspaceId: other.workspace.id,
      posts: [reading(accountId, 'a', { metrics: { likes: 3 } })],
    })
    const days = () =>
      database.sql('SELECT * FROM account_days WHERE workspace_id = $1', [other.workspace.id])
    const before = await days()
    await updateWorkspace(ctx, ctx.workspace.id, { timezone: 'Asia/Tokyo' })
    expect(await days()).toEqual(before)
    expect(before).toHaveLength(1)
  })
})
