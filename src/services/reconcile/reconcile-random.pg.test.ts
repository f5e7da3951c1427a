import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import { lockWorkspace, refreshTopPosts } from '../../db/queries/ingest/index.ts'
import { clearDays, rebuildDays, setTimezone } from '../../db/queries/rollups.ts'
import { type IngestInput, ingest } from '../ingest/ingest.ts'
import { reconcileWorkspace } from './reconcile-workspace.ts'
import { makeRig, NIGHT, rollupsOf } from './rig.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

/** Clocks go forward in the one on 8 March, in the other on the 29th; the third is off by three quarters. */
const TIMEZONES = ['America/New_York', 'Europe/Berlin', 'Asia/Kathmandu']
/** One account was connected in the middle of it all, one is known from files alone. */
const TRACKED_SINCE = ['2026-01-01T00:00:00Z', '2026-03-10T12:00:00Z', null]
/** Long ago, and around the borders of days, of quarter hours and of the moment of connecting. */
const POSTED_AT = [
  '2019-05-01T09:14:59.999Z',
  '2026-01-02T03:00:00.000Z',
  '2026-03-08T04:59:59.999Z',
  '2026-03-08T06:45:00.000Z',
  '2026-03-10T11:59:59.999Z',
  '2026-03-10T12:00:00.000Z',
  '2026-03-28T22:59:59.999Z',
  '2026-03-29T22:30:00.000Z',
]
const START_MS = Date.parse('2026-01-05T00:00:00.000Z')
const HOUR_MS = 3_600_000

const count = fc.option(fc.integer({ min: 0, max: 9 }), { nil: null, freq: 4 })
const observedHour = fc.integer({ min: 0, max: 94 * 24 })
const place = { account: fc.nat({ max: 2 }), post: fc.nat({ max: 3 }) }
const kind = fc.constantFrom('post', 'post', 'post', 'reply', 'repost')

/** Hours and minutes at random, in no order: many of the readings are older than what is known by then. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('read' as const),
      ...place,
      kind,
      postedAt: fc.constantFrom(...POSTED_AT),
      hour: fc.option(observedHour, { nil: null, freq: 8 }),
      metrics: fc.record({ likes: count, comments: count, saves: count, views: count }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('miss' as const), ...place, hour: observedHour }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('profile' as const),
      account: place.account,
      hour: observedHour,
      followers: count,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('trust' as const),
      account: place.account,
      source: fc.constantFrom('public', 'credential'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('move' as const), timezone: fc.constantFrom(...TIMEZONES) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const iso = (hour: number) => new Date(START_MS + hour * HOUR_MS).toISOString()

async function take(workspaceId: string, accounts: string[], step: Step): Promise<void> {
  if (step.does === 'move') {
    await database.db.inWorkspace(workspaceId, [
      lockWorkspace(workspaceId),
      setTimezone(workspaceId, step.timezone),
      clearDays(workspaceId),
      rebuildDays(workspaceId),
      refreshTopPosts(workspaceId),
    ])
    return
  }
  if (step.does === 'trust') {
    await database.sql('UPDATE accounts SET source = $2 WHERE id = $1', [accounts[step.account], step.source])
    return
  }
  await ingest(quietDeps(database.db), { workspaceId, ...inputOf(accounts[step.account] ?? '', step) })
}

function inputOf(
  accountId: string,
  step: Exclude<Step, { does: 'move' | 'trust' }>,
): Omit<IngestInput, 'workspaceId'> {
  switch (step.does) {
    case 'read': {
      const { postedAt, hour, metrics } = step
      const observedAt = hour === null ? null : iso(hour)
      return {
        posts: [reading(accountId, `p${step.post}`, { kind: step.kind, postedAt, observedAt, metrics })],
      }
    }
    case 'miss':
      return {
        absences: [{ accountId, platformPostId: `p${step.post}`, observedAt: iso(step.hour) }],
      }
    case 'profile':
      return {
        profiles: [
          {
            ...{ accountId, handle: 'h', displayName: null, url: 'https://example.com/h', avatarUrl: null },
            ...{ followers: step.followers, following: 1, posts: 1, observedAt: iso(step.hour) },
          },
        ],
      }
  }
}

it('finds nothing to mend after any history, and puts right what was made wrong', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(1, 3, 1_000),
      fc.nat(),
      async (steps, rowsPerRange, seed) => {
        const workspaceId = await makeWorkspace(database, TIMEZONES[0])
        const accounts: string[] = []
        for (const trackedSince of TRACKED_SINCE)
          accounts.push(
            await makeAccount(database, workspaceId, {
              trackedSince,
              source: trackedSince === null ? 'import' : 'public',
            }),
          )
        // Accounts that the platform showed last, so that its absences are believed.
        await database.sql('UPDATE accounts SET last_synced_at = $2 WHERE workspace_id = $1', [
          workspaceId,
          iso(100 * 24),
        ])
        for (const step of steps) await take(workspaceId, accounts, step)

        const { deps, errors } = makeRig(database)
        const message = { workspaceId, night: NIGHT, from: null }
        const before = await rollupsOf(database, workspaceId)
        expect(await reconcileWorkspace(deps, message, rowsPerRange)).toMatchObject({
          driftCells: 0,
          next: null,
        })
        expect(errors).toEqual([])
        expect(await rollupsOf(database, workspaceId)).toEqual(before)

        const spoilt = await database.sql(
          `UPDATE account_days SET likes = likes + 7, saves_known = saves_known - 1, posts = posts + 1
           WHERE (account_id, day) IN (SELECT account_id, day FROM account_days WHERE workspace_id = $1
             ORDER BY account_id, day OFFSET $2 LIMIT 1) RETURNING day`,
          [workspaceId, before.days.length === 0 ? 0 : seed % before.days.length],
        )
        await database.sql(
          `DELETE FROM account_quarters WHERE (account_id, quarter) IN (
             SELECT account_id, quarter FROM account_quarters WHERE workspace_id = $1 AND posts > 0
             AND gained_engagements IS NULL AND gained_views IS NULL ORDER BY 1, 2 LIMIT 1)`,
          [workspaceId],
        )
        const mended = await reconcileWorkspace(deps, message, rowsPerRange)
        expect(mended.driftCells).toBeGreaterThanOrEqual(spoilt.length)
        expect(await rollupsOf(database, workspaceId)).toEqual(before)
      },
    ),
    { numRuns: 25 },
  )
}, 240_000)
