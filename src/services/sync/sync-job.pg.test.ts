import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { PlatformError } from '../../ports.ts'
import { makeRig, type Rig } from '../imports/rig.test-helper.ts'
import { cancelJob, createJob, getJob } from '../jobs/index.ts'
import type { SyncAccountsMessage } from './messages.ts'
import { finishSyncJob } from './sync-job.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const ACCOUNT_ID = '01890000-0000-7000-8000-000000000001'

async function queued() {
  const rig = await makeRig(database)
  const { id } = await createJob(rig.ctx, { kind: 'account_sync', params: {}, total: 1 })
  return { rig, id }
}

const message = (rig: Rig, jobId: string | null): SyncAccountsMessage => ({
  platform: 'bluesky',
  host: null,
  accounts: [
    {
      ...{ id: ACCOUNT_ID, workspaceId: rig.ctx.workspace.id, externalId: 'did:plc:a', handle: 'a' },
      ...{ isNew: false, newest: null },
    },
  ],
  jobId,
})

it('ends the job of a sync that went well, and tells so', async () => {
  const { rig, id } = await queued()
  await finishSyncJob(rig.ctx, message(rig, id), null)
  expect(await getJob(rig.ctx, id)).toMatchObject({
    status: 'succeeded',
    progress: { done: 1, total: 1 },
    resultUrl: `/api/v1/accounts/${ACCOUNT_ID}`,
    error: null,
  })
  expect(rig.announced.at(-1)).toMatchObject({ type: 'job.updated', data: { id, status: 'succeeded' } })
})

it('fails the job with the platform’s reason', async () => {
  const { rig, id } = await queued()
  await finishSyncJob(rig.ctx, message(rig, id), new PlatformError('transient', 'The platform is down.'))
  expect(await getJob(rig.ctx, id)).toMatchObject({
    status: 'failed',
    error: { code: 'platform_unavailable', message: 'The platform is down.' },
    resultUrl: null,
  })
  expect(rig.announced.at(-1)).toMatchObject({ data: { id, status: 'failed' } })
})

it('leaves a job alone that is over, and tells nothing', async () => {
  const { rig, id } = await queued()
  await cancelJob(rig.ctx, id)
  const told = rig.announced.length
  await finishSyncJob(rig.ctx, message(rig, id), null)
  expect((await getJob(rig.ctx, id)).status).toBe('cancelled')
  expect(rig.announced).toHaveLength(told)
})

it.each([null, 'no-id', '01890000-0000-7000-8000-00000000ffff'])(
  'does nothing for the job %j',
  async (jobId) => {
    const { rig } = await queued()
    const told = rig.announced.length
    await finishSyncJob(rig.ctx, message(rig, jobId), null)
    expect(rig.announced).toHaveLength(told)
  },
)
