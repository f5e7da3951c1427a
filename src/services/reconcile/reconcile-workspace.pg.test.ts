import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount, makeWorkspace } from '../../../test/harness/factories.ts'
import { statement } from '../../db/client.ts'
import { lockWorkspace } from '../../db/queries/ingest/index.ts'
import { limitTimes } from '../../db/queries/reconcile.ts'
import { reconcileWorkspace } from './reconcile-workspace.ts'
import { makeRig, NIGHT, NOW, rollupsOf } from './rig.test-helper.ts'
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
  await database.sql('DELETE FROM deployment_counters')
  workspaceId = await makeWorkspace(database, STORY_TIMEZONE)
  accountId = await makeAccount(database, workspaceId)
  ;({ read, fill } = storyOf(database, workspaceId, accountId))
})
afterAll(() => database.close())

const reconcile = (rig = makeRig(database), rowsPerRange?: number) =>
  reconcileWorkspace(rig.deps, { workspaceId, night: NIGHT, from: null }, rowsPerRange)

const expectDays = () => expectDaysToMatchRawRows(database, workspaceId)

const counters = async () =>
  Object.fromEntries(
    (
      await database.sql<{ name: string; value: number }>(
        "SELECT name, value::int FROM deployment_counters WHERE name LIKE 'reconcile.%'",
      )
    ).map(({ name, value }) => [name, value]),
  )

/** A clock within two days of the database's, which is what counters take. */
const today = () => Date.now()
const tonight = () => new Date().toISOString().slice(0, 10)

describe('reconciling', () => {
  it('goes by ranges that are no longer than asked for, each under its own lock', async () => {
    for (let i = 0; i < 10; i++)
      await read(`p${i}`, `2026-04-0${(i % 3) + 1}T1${i}:07:00.000Z`, `2026-04-05T0${i}:00:00.000Z`, {
        likes: i,
      })
    const whole = await reconcile(makeRig(database), 1_000)
    expect(whole).toEqual({ ranges: 1, driftCells: 0, next: null })
    await database.sql('UPDATE account_days SET likes = likes + 1 WHERE account_id = $1', [accountId])
    await database.sql('UPDATE account_quarters SET likes = likes + 1 WHERE account_id = $1', [accountId])
    const [{ rows } = { rows: 0 }] = await database.sql<{ rows: number }>(
      `SELECT (SELECT count(*) FROM account_days WHERE account_id = $1)::int
         + (SELECT count(*) FROM account_quarters WHERE account_id = $1)::int AS rows`,
      [accountId],
    )
    const cut = await reconcile(makeRig(database), 2)
    expect(cut.ranges).toBeGreaterThan(4)
    expect(cut.driftCells).toBe(rows)
    await expectDays()
  })

  it('hands on what does not fit into its time, and ends where that ends', async () => {
    await fill()
    await database.sql('UPDATE account_days SET likes = 1 WHERE account_id = $1', [accountId])
    let asked = 0
    const slow = makeRig(database, () => Date.parse(NOW) + 20_000 * asked++)
    let message: unknown = { workspaceId, night: NIGHT, from: null }
    const steps: (string | null)[] = []
    for (let i = 0; i < 20 && message !== undefined; i++) {
      asked = 0
      const { next } = await reconcileWorkspace(slow.deps, asMessage(message), 1)
      steps.push(next)
      const queued = slow.queued.shift()
      expect(queued?.deduplicationId ?? null).toBe(
        next === null ? null : `reconcile-${workspaceId}-${NIGHT}-${Date.parse(next)}`,
      )
      message = queued?.body
    }
    expect(steps.length).toBeGreaterThan(2)
    expect(steps.at(-1)).toBeNull()
    await expectDays()
  })

  it('does no harm twice at once, nor beside an ingest', async () => {
    await fill()
    await database.sql('UPDATE account_days SET likes = likes + 5 WHERE account_id = $1', [accountId])
    const results = await Promise.all([
      reconcile(),
      reconcile(),
      read('c', '2026-04-02T12:00:00.000Z', '2026-04-04T08:00:00.000Z', { likes: 2 }),
      reconcile(),
    ])
    const drift = results.map((result) => ('driftCells' in result ? result.driftCells : 0))
    // Each day is mended by one of them.
    expect(drift.reduce((a, b) => a + b)).toBe(3)
    await expectDays()
  })

  it('gives way where the workspace is locked for long, and is asked for again', async () => {
    await fill()
    const other = new Client({ connectionString: database.ownerUrl })
    await other.connect()
    onTestFinished(() => other.end())
    await other.query('BEGIN')
    await other.query('SELECT 1 FROM workspaces WHERE id = $1 FOR UPDATE', [workspaceId])
    const startedAt = performance.now()
    await expect(reconcile()).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    expect(performance.now() - startedAt).toBeLessThan(8_000)
    await other.query('ROLLBACK')
    expect((await reconcile()).driftCells).toBe(0)
  })

  it('holds nobody up for longer than its statements may take', async () => {
    const startedAt = performance.now()
    await expect(
      database.db.inWorkspace(workspaceId, [
        limitTimes({ lockMs: 50, statementMs: 200 }),
        lockWorkspace(workspaceId),
        statement(sql`SELECT pg_sleep(20)`),
      ]),
    ).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    await fill()
  })

  it('counts what it compared and what it mended, by UTC day', async () => {
    await fill()
    await makeAccount(database, workspaceId)
    const rig = makeRig(database, today)
    const message = { workspaceId, night: tonight(), from: null }
    await reconcileWorkspace(rig.deps, message)
    expect(await counters()).toEqual({ 'reconcile.accounts': 2 })
    await database.sql('UPDATE account_quarters SET posts = 9 WHERE account_id = $1', [accountId])
    const mended = await reconcileWorkspace(rig.deps, message)
    expect(mended.driftCells).toBeGreaterThan(0)
    expect(await counters()).toEqual({ 'reconcile.accounts': 4, 'reconcile.drift_cells': mended.driftCells })
  })

  it('drops a message of a night that is long over, and ends at once in a workspace that is gone', async () => {
    await database.sql('UPDATE account_days SET likes = 1')
    const rig = makeRig(database)
    expect(await reconcileWorkspace(rig.deps, { workspaceId, night: '2026-04-08', from: null })).toEqual({
      ranges: 0,
      driftCells: 0,
      next: null,
    })
    await database.sql('DELETE FROM workspaces WHERE id = $1', [workspaceId])
    expect(await reconcile(rig)).toEqual({ ranges: 1, driftCells: 0, next: null })
    expect(rig.errors).toEqual([])
  })

  it('sees and touches no other workspace', async () => {
    await fill()
    await database.sql('UPDATE account_days SET likes = 1000 WHERE account_id = $1', [accountId])
    const elsewhere = await makeWorkspace(database)
    const before = await rollupsOf(database, workspaceId)
    const rig = makeRig(database)
    const { driftCells } = await reconcileWorkspace(rig.deps, {
      workspaceId: elsewhere,
      night: NIGHT,
      from: null,
    })
    expect(driftCells).toBe(0)
    expect(await rollupsOf(database, workspaceId)).toEqual(before)
    // The statements name a workspace, and row-level security asks for the same one.
    const [rows] = await database.db.inWorkspace(elsewhere, [
      statement<{ n: number }>(
        sql`SELECT count(*)::int AS n FROM account_days WHERE workspace_id = ${workspaceId}`,
      ),
    ])
    expect(rows).toEqual([{ n: 0 }])
  })
})

/** What was queued a moment ago. */
function asMessage(body: unknown): { workspaceId: string; night: string; from: string | null } {
  return body as { workspaceId: string; night: string; from: string | null }
}
