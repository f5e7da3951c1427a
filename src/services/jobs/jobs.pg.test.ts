import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyWith, member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { advanceJob, failJob, type JobPosition, succeedJob } from '../../db/queries/jobs.ts'
import type { ServiceContext } from '../context.ts'
import { makeRig } from '../imports/rig.test-helper.ts'
import { cancelJob, createJob, getJob, listJobs } from './index.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000'
const create = (ctx: ServiceContext) => createJob(ctx, { kind: 'account_sync', params: { a: 1 }, total: 10 })
const iso = (ctx: ServiceContext) => new Date(ctx.clock.now()).toISOString()

describe('a job', () => {
  it('is queued, told of, and can be asked for', async () => {
    const { ctx, announced } = await makeRig(database)
    const job = await create(ctx)
    expect(job).toEqual({
      id: job.id,
      kind: 'account_sync',
      status: 'queued',
      progress: { done: 0, total: 10 },
      resultUrl: null,
      result: null,
      error: null,
      createdAt: '2026-03-10T12:00:00Z',
      updatedAt: '2026-03-10T12:00:00Z',
      expiresAt: '2026-03-11T12:00:00Z',
    })
    expect(await getJob(ctx, job.id)).toEqual(job)
    expect(announced).toEqual([
      { type: 'job.updated', data: { id: job.id, status: 'queued', progress: { done: 0, total: 10 } } },
    ])
    expect(await database.sql('SELECT created_by, params FROM jobs WHERE id = $1', [job.id])).toEqual([
      { created_by: 'user:somebody', params: { a: 1 } },
    ])
  })

  it('is made whether or not anybody hears of it', async () => {
    const { ctx } = await makeRig(database)
    const deaf = { ...ctx, hub: { ...ctx.hub, announce: () => Promise.reject(new Error('no hub')) } }
    expect(await create(deaf)).toMatchObject({ status: 'queued' })
  })

  it('advances, never backwards, and ends once', async () => {
    const { ctx, time } = await makeRig(database)
    const { id } = await create(ctx)
    const workspaceId = ctx.workspace.id
    const run = (statement: ReturnType<typeof advanceJob>) => ctx.db.inWorkspace(workspaceId, [statement])
    await run(advanceJob(workspaceId, id, 6, iso(ctx)))
    await run(advanceJob(workspaceId, id, 4, iso(ctx)))
    expect(await getJob(ctx, id)).toMatchObject({ status: 'running', progress: { done: 6, total: 10 } })
    time.nowMs += 1_000
    await run(succeedJob(workspaceId, id, { result: { n: 1 }, resultUrl: '/there' }, iso(ctx)))
    const succeeded = await getJob(ctx, id)
    expect(succeeded).toMatchObject({
      status: 'succeeded',
      progress: { done: 10, total: 10 },
      result: { n: 1 },
      resultUrl: '/there',
      expiresAt: '2026-03-17T12:00:01Z',
    })
    const late = [
      advanceJob(workspaceId, id, 9, iso(ctx)),
      failJob(workspaceId, id, { code: 'internal', message: 'late' }, iso(ctx)),
    ]
    for (const statement of late) expect(await run(statement)).toEqual([[]])
    await expect(cancelJob(ctx, id)).rejects.toMatchObject({ code: 'conflict' })
    expect(await getJob(ctx, id)).toEqual(succeeded)
  })

  it('shows why it failed', async () => {
    const { ctx } = await makeRig(database)
    const { id } = await create(ctx)
    const error = { code: 'platform_unavailable', message: 'It is down.' } as const
    await ctx.db.inWorkspace(ctx.workspace.id, [failJob(ctx.workspace.id, id, error, iso(ctx))])
    expect(await getJob(ctx, id)).toMatchObject({ status: 'failed', error })
  })

  it('is cancelled by one of several who try at once, while another may finish it', async () => {
    const { ctx } = await makeRig(database)
    const { id } = await create(ctx)
    const workspaceId = ctx.workspace.id
    const [finished, ...cancelled] = await Promise.all([
      ctx.db.inWorkspace(workspaceId, [
        succeedJob(workspaceId, id, { result: null, resultUrl: null }, iso(ctx)),
      ]),
      ...Array.from({ length: 4 }, () =>
        cancelJob(ctx, id).then(
          () => true,
          () => false,
        ),
      ),
    ])
    const wins = [finished[0].length > 0, ...cancelled].filter((won) => won)
    expect(wins).toHaveLength(1)
    expect((await getJob(ctx, id)).status).toBe(finished[0].length > 0 ? 'succeeded' : 'cancelled')
  })

  it('has expired after a day, or after the time that it was given', async () => {
    const { ctx, time } = await makeRig(database)
    const { id } = await create(ctx)
    const short = await createJob(ctx, { kind: 'account_sync', params: {}, expiresInSeconds: 60 })
    time.nowMs += 60_000
    expect((await getJob(ctx, short.id)).status).toBe('expired')
    expect((await getJob(ctx, id)).status).toBe('queued')
    await expect(cancelJob(ctx, short.id)).rejects.toMatchObject({ message: 'The job has already expired.' })
    time.nowMs += 86_400_000
    expect((await getJob(ctx, id)).status).toBe('expired')
  })
})

describe('jobs of a workspace', () => {
  it('are listed newest first, page by page, also where many are as old', async () => {
    const { ctx, time } = await makeRig(database)
    const made: string[] = []
    for (let i = 0; i < 7; i++) {
      if (i % 3 === 0) time.nowMs += 1_000
      made.push((await create(ctx)).id)
    }
    const listed: string[] = []
    const sizes: number[] = []
    let after: JobPosition | null = null
    do {
      const page: Awaited<ReturnType<typeof listJobs>> = await listJobs(ctx, { limit: 3, after })
      sizes.push(page.items.length)
      listed.push(...page.items.map((job) => job.id))
      after = page.next
    } while (after !== null)
    expect(sizes).toEqual([3, 3, 1])
    expect(listed.toSorted()).toEqual(made.toSorted())
    expect(listed[0]).toBe(made[6])
    expect(new Set(listed.slice(4))).toEqual(new Set(made.slice(0, 3)))
  })

  it('are nobody else’s', async () => {
    const { ctx } = await makeRig(database)
    const other = await makeRig(database)
    const { id } = await create(ctx)
    for (const unknown of [id, UNKNOWN_ID, 'nonsense', '']) {
      await expect(getJob(other.ctx, unknown)).rejects.toMatchObject({ code: 'not_found' })
      await expect(cancelJob(other.ctx, unknown)).rejects.toMatchObject({ code: 'not_found' })
    }
    expect((await listJobs(other.ctx, { limit: 10, after: null })).items).toEqual([])
    expect((await getJob(ctx, id)).status).toBe('queued')
  })

  it('ask for the right to read or to write', async () => {
    const { ctx } = await makeRig(database)
    const { id } = await create(ctx)
    const viewer: ServiceContext = { ...ctx, actor: member('viewer') }
    expect(await getJob(viewer, id)).toMatchObject({ id })
    await expect(create(viewer)).rejects.toMatchObject({ code: 'insufficient_role' })
    await expect(cancelJob(viewer, id)).rejects.toMatchObject({ code: 'insufficient_role' })
    const key: ServiceContext = { ...ctx, actor: keyWith() }
    await expect(getJob(key, id)).rejects.toMatchObject({ code: 'insufficient_scope' })
    await expect(listJobs(key, { limit: 1, after: null })).rejects.toMatchObject({
      code: 'insufficient_scope',
    })
  })
})
