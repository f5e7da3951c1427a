import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount, makeWorkspace } from '../../../test/harness/factories.ts'
import { PlanReconciliationMessage, ReconcileWorkspaceMessage } from './messages.ts'
import { planReconciliation } from './plan-reconciliation.ts'
import { makeRig, NIGHT } from './rig.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

it('queues one message a night for each workspace that has accounts, a page after the other', async () => {
  const withAccounts: string[] = []
  for (let i = 0; i < 3; i++) {
    const workspaceId = await makeWorkspace(database)
    await makeAccount(database, workspaceId)
    withAccounts.push(workspaceId)
  }
  await makeWorkspace(database)
  await database.sql(
    `WITH made AS (INSERT INTO workspaces (id, name, timezone)
       SELECT gen_random_uuid(), 'Many', 'UTC' FROM generate_series(1, 398) RETURNING id)
     INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status)
     SELECT gen_random_uuid(), id, 'bluesky', id::text, 'h', 'public', 'active' FROM made`,
  )
  const { deps, queued } = makeRig(database)
  const pages: number[] = []
  const workspaces: string[] = []
  const ids: (string | undefined)[] = []
  let message: PlanReconciliationMessage | undefined = PlanReconciliationMessage.parse({})
  while (message !== undefined) {
    pages.push((await planReconciliation(deps, message)).workspaces)
    message = undefined
    for (const { topic, body, deduplicationId } of queued.splice(0)) {
      ids.push(deduplicationId)
      if (topic === 'reconcile/plan') message = PlanReconciliationMessage.parse(body)
      else {
        const { workspaceId, night, from } = ReconcileWorkspaceMessage.parse(body)
        workspaces.push(workspaceId)
        expect([topic, night, from]).toEqual(['reconcile/workspace', NIGHT, null])
      }
    }
  }
  expect(pages).toEqual([200, 200, 1])
  expect(new Set(workspaces).size).toBe(401)
  expect(workspaces).toEqual(expect.arrayContaining(withAccounts))
  expect(new Set(ids).size).toBe(403)
  // The same night planned again is the same messages to the queue.
  await planReconciliation(deps, {})
  expect(ids).toEqual(expect.arrayContaining(queued.map(({ deduplicationId }) => deduplicationId)))
})
