import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeManyAccounts } from '../../../test/harness/factories.ts'
import { type Engine, PEOPLE, startEngine } from '../../../test/sync/engine.ts'
import { MAX_ACCOUNTS } from '../../domain/account-limit.ts'
import { newId } from '../../lib/ids.ts'
import { dbWithinReach } from '../access/reach.ts'
import { countsOf, csv, importFile, makeRig } from '../imports/rig.test-helper.ts'
import { getJob } from '../jobs/index.ts'
import { connectAccount } from './connect-account.ts'
import { ConnectBatchMessage, connectBatch, processConnectBatch } from './connect-batch.ts'
import { bringBackAccount, removeAccount } from './manage-accounts.ts'

let database: TestDatabase
let engine: Engine
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  engine = await startEngine(database, { accounts: PEOPLE, historyDays: 2 })
})
afterEach(() => {
  vi.useRealTimers()
})

const fill = (count: number) => makeManyAccounts(database, engine.workspaceId, count)
const live = async () =>
  (
    await database.sql<{ handle: string }>(
      `SELECT handle FROM accounts WHERE workspace_id = $1 AND deleted_at IS NULL AND handle NOT LIKE 'many%'
       ORDER BY handle`,
      [engine.workspaceId],
    )
  ).map(({ handle }) => handle)

const FULL = {
  code: 'conflict',
  message:
    'This workspace has 5,000 accounts, and can have 5,000 at most: remove some that you no longer need, or use another workspace.',
}

it('gives the last place to one of those who connect at once', async () => {
  await fill(MAX_ACCOUNTS - 1)
  const outcomes = await Promise.allSettled(
    ['ada', 'bo', 'cleo'].map((key) => connectAccount(engine.ctx, engine.typed(key))),
  )
  const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  expect(lost).toHaveLength(2)
  for (const error of lost) expect(error).toMatchObject(FULL)
  expect(await live()).toHaveLength(1)
  // What came to nothing is nowhere told of.
  expect(await database.sql('SELECT 1 FROM audit_log')).toHaveLength(1)
  expect(await database.sql('SELECT 1 FROM outbox')).toHaveLength(1)
})

it('gives the last place to one of two files that come in at once', async () => {
  await fill(MAX_ACCOUNTS - 1)
  const reports = await Promise.all(
    ['ann', 'ben'].map(async (handle) => {
      const rig = await makeRig(database, { workspaceId: engine.workspaceId })
      return importFile(rig, csv(['post_id', 'posted_at'], ['1', '2026-01-01']), { handle })
    }),
  )
  expect(reports.map(({ accepted, rejected }) => [accepted, rejected]).toSorted()).toEqual([
    [0, 1],
    [1, 0],
  ])
  expect(await live()).toHaveLength(1)
})

it('counts the accounts that somebody limited to brands does not see', async () => {
  await fill(MAX_ACCOUNTS)
  const brandId = newId()
  await database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [
    ...[brandId, engine.workspaceId, 'North'],
  ])
  const actor = member('analyst', { brands: [brandId] })
  const limited = { ...engine.ctx, actor, db: dbWithinReach(engine.ctx.db, actor) }
  await expect(connectAccount(limited, { ...engine.typed('ada'), brandId })).rejects.toMatchObject(FULL)
  expect(await live()).toEqual([])
})

it('lets a batch fail for those alone that there is no room for', async () => {
  await fill(MAX_ACCOUNTS - 1)
  const [ada, bo] = [engine.typed('ada'), engine.typed('bo')]
  const { id } = await connectBatch(engine.ctx, { accounts: [ada, bo, ada] })
  for (const { message } of engine.queue.takeDue())
    await processConnectBatch(engine.ctx, ConnectBatchMessage.parse(message.body))
  expect((await getJob(engine.ctx, id)).result).toMatchObject([
    { ...ada, status: 'connected' },
    { ...bo, status: 'failed', accountId: null, error: FULL },
    { ...ada, status: 'connected' },
  ])
})

it('brings nothing back where there is no room, and does as soon as there is', async () => {
  const ada = await engine.connect('ada')
  await removeAccount(engine.ctx, ada.id)
  await fill(MAX_ACCOUNTS)
  await expect(bringBackAccount(engine.ctx, ada.id)).rejects.toMatchObject(FULL)
  await database.sql(`UPDATE accounts SET deleted_at = now() WHERE handle = 'many1'`)
  expect(await bringBackAccount(engine.ctx, ada.id)).toMatchObject({ id: ada.id })
})

it('takes in of a file what there is room for, and names every other row', async () => {
  await fill(MAX_ACCOUNTS - 1)
  const rig = await makeRig(database, { workspaceId: engine.workspaceId })
  const rows = ['zed', 'many1', 'ann', 'Zed', 'ann'].map((handle, i) => [String(i), '2026-01-01', handle])
  const file = csv(['post_id', 'posted_at', 'account'], ...rows)
  const anywhere = { platform: 'x', handle: null } as const
  const report = await importFile(rig, file, anywhere)
  expect(countsOf(report)).toMatchObject({ status: 'succeeded', accepted: 3, inserted: 3, rejected: 2 })
  const message = expect.stringMatching(/^account would be a new one, and this workspace has the 5,000 /u)
  expect(report.errors).toEqual([
    { line: 4, column: 'account', message },
    { line: 6, column: 'account', message },
  ])
  expect(await live()).toEqual(['zed'])
  // The same file again, with room for the rest of it.
  await database.sql(`UPDATE accounts SET deleted_at = now() WHERE handle = 'many2'`)
  expect(countsOf(await importFile(rig, file, anywhere))).toMatchObject({
    ...{ accepted: 5, inserted: 2, unchanged: 3, rejected: 0 },
  })
})
