import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyWith, member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { processImport } from './process-import.ts'
import { csv, drain, makeRig, type Rig, streamOf } from './rig.test-helper.ts'
import { type StartImport, startImport } from './start-import.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const FILE = csv(['post_id', 'posted_at'], ['1', '2026-01-01'])

const start = (
  rig: Rig,
  file: string | Uint8Array | ReadableStream<Uint8Array>,
  given: Partial<StartImport> = {},
) =>
  startImport(rig.ctx, {
    platform: 'x',
    handle: 'example',
    format: 'csv',
    body: file instanceof ReadableStream ? file : streamOf(file),
    ...given,
  })

async function expectNothingStored(rig: Rig) {
  expect(rig.objects.stored.size).toBe(0)
  expect(rig.queue.sent).toEqual([])
  expect(rig.announced).toEqual([])
  expect(
    await database.sql(
      'SELECT id FROM jobs WHERE workspace_id = $1 UNION ALL SELECT id FROM imports WHERE workspace_id = $1',
      [rig.ctx.workspace.id],
    ),
  ).toEqual([])
}

describe('a file that is fit to be imported', () => {
  it('is stored first, and queued from its first record on', async () => {
    const rig = await makeRig(database)
    const job = await start(rig, FILE)
    const workspaceId = rig.ctx.workspace.id
    expect([...rig.objects.stored.keys()]).toEqual([`imports/${workspaceId}/${job.id}`])
    expect(rig.queue.sent).toHaveLength(1)
    expect(rig.queue.sent[0]).toMatchObject({
      topic: 'imports/process',
      body: { workspaceId, importId: job.id, offset: FILE.indexOf('"1"') },
    })
    // The queue does not take colons in names.
    expect(JSON.stringify(rig.queue.sent[0]?.deduplicationId)).toMatch(/^"[\w.-]+"$/)
    expect(rig.queue.sent[0]?.flow?.key).toMatch(/^[\w.-]+$/)
    expect(job).toMatchObject({ status: 'queued', progress: { done: 0, total: FILE.length } })
    expect(rig.announced).toEqual([
      { type: 'job.updated', data: { id: job.id, status: 'queued', progress: job.progress } },
    ])
  })

  it('may name its accounts itself', async () => {
    const rig = await makeRig(database)
    const file = csv(['post_id', 'posted_at', 'account'], ['1', '2026-01-01', 'me'])
    expect(await start(rig, file, { handle: null })).toMatchObject({ status: 'queued' })
  })

  it('may be started by a key that cannot read', async () => {
    const rig = await makeRig(database)
    const ctx: ServiceContext = { ...rig.ctx, actor: keyWith('write') }
    expect(await start({ ...rig, ctx }, FILE)).toMatchObject({ status: 'queued' })
  })
})

describe('a file that is not fit to be imported leaves nothing behind', () => {
  it.each([
    ['an empty file', '', 'csv', ['/csv']],
    ['an empty NDJSON file', '', 'ndjson', ['/ndjson']],
    [
      'a header without its columns',
      'id,date\n1,2\n',
      'csv',
      ['/csv/columns/post_id', '/csv/columns/posted_at'],
    ],
    ['a header that names a column twice', 'post_id,posted_at,Post ID\n', 'csv', ['/csv/columns/post_id']],
    ['a header without an end', `post_id,posted_at,"${'x'.repeat(200_000)}`, 'csv', ['/csv']],
    ['UTF-16', '\ufffe', 'csv', ['/csv']],
  ] as const)('%s', async (_what, text, format, pointers) => {
    const rig = await makeRig(database)
    const file = text === '\ufffe' ? new Uint8Array([0xff, 0xfe, 0x70, 0x00]) : text
    const error = await start(rig, file, { format }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'invalid_request' })
    expect(error instanceof AppError && error.fields.map((field) => field.pointer)).toEqual(pointers)
    await expectNothingStored(rig)
  })

  it.each([
    ['which is none', '@'],
    ['which nothing gives', null],
  ])('a handle %s', async (_what, handle) => {
    const rig = await makeRig(database)
    await expect(start(rig, FILE, { handle })).rejects.toMatchObject({
      code: 'invalid_request',
      fields: [{ pointer: '/query/handle' }],
    })
    await expectNothingStored(rig)
  })

  it('more than 100 MB, of which no more is read than that', async () => {
    const rig = await makeRig(database)
    const piece = new Uint8Array(10_000_000).fill(0x61)
    let given = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        given += 1
        controller.enqueue(piece)
      },
    })
    await expect(start(rig, endless)).rejects.toMatchObject({ code: 'payload_too_large' })
    expect(given).toBeLessThan(15)
    await expectNothingStored(rig)
  })

  it('a reader of the workspace', async () => {
    const rig = await makeRig(database)
    const ctx: ServiceContext = { ...rig.ctx, actor: member('viewer') }
    await expect(start({ ...rig, ctx }, FILE)).rejects.toMatchObject({ code: 'insufficient_role' })
    await expectNothingStored(rig)
  })
})

describe('when something around it is down', () => {
  it('answers unavailable without the store, also where the store kept a part', async () => {
    const rig = await makeRig(database)
    const { objects } = rig
    const put = async (key: string) => {
      objects.stored.set(key, new Uint8Array(1))
      throw new Error('R2 is away')
    }
    const ctx: ServiceContext = {
      ...rig.ctx,
      objects: { put, getRange: async () => null, delete: (key) => objects.delete(key) },
    }
    await expect(start({ ...rig, ctx }, FILE)).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    await expectNothingStored(rig)
  })

  it('answers unavailable without the queue, and keeps nothing', async () => {
    const rig = await makeRig(database)
    const ctx = { ...rig.ctx, queue: { publish: () => Promise.reject(new Error('the queue is away')) } }
    await expect(start({ ...rig, ctx }, FILE)).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    await expectNothingStored(rig)
  })

  it('goes on where the message went out all the same', async () => {
    const rig = await makeRig(database)
    const publish: ServiceContext['queue']['publish'] = async (messages) => {
      await rig.queue.publish(messages)
      await drain(rig)
      throw new AppError('unavailable', 'no answer in time')
    }
    const job = await start({ ...rig, ctx: { ...rig.ctx, queue: { publish } } }, FILE)
    expect(job).toMatchObject({ status: 'succeeded', result: { inserted: 1 } })
  })

  it('removes the file when the job cannot be stored', async () => {
    const rig = await makeRig(database)
    const ctx: ServiceContext = {
      ...rig.ctx,
      db: { ...rig.ctx.db, inWorkspace: () => Promise.reject(new AppError('unavailable', 'no database')) },
    }
    await expect(start({ ...rig, ctx }, FILE)).rejects.toMatchObject({ code: 'unavailable' })
    await expectNothingStored(rig)
  })

  it('takes back a job whose storing was not answered', async () => {
    const rig = await makeRig(database)
    let calls = 0
    const inWorkspace: ServiceContext['db']['inWorkspace'] = async (workspaceId, statements, options) => {
      const results = await rig.ctx.db.inWorkspace(workspaceId, statements, options)
      calls += 1
      if (calls === 1) throw new AppError('unavailable', 'no answer in time')
      return results
    }
    const ctx: ServiceContext = { ...rig.ctx, db: { ...rig.ctx.db, inWorkspace } }
    await expect(start({ ...rig, ctx }, FILE)).rejects.toMatchObject({ code: 'unavailable' })
    await expectNothingStored(rig)
  })

  it('ignores a message that arrives for an import that was taken back', async () => {
    const rig = await makeRig(database)
    const importId = '01890000-0000-7000-8000-000000000000'
    expect(await processImport(rig.ctx, { workspaceId: rig.ctx.workspace.id, importId, offset: 0 })).toBe(
      'over',
    )
  })
})
