import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeAccount } from '../../../test/harness/factories.ts'
import { getJob } from '../jobs/index.ts'
import { getImport } from './get-import.ts'
import { countsOf, csv, drain, importFile, makeRig, postsOf, type Rig, streamOf } from './rig.test-helper.ts'
import { startImport } from './start-import.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const accountsOf = (rig: Rig) =>
  database.sql<{ handle: string }>(
    `SELECT platform, handle, external_id, source, status, tracked_since, next_sync_at, url FROM accounts
     WHERE workspace_id = $1 ORDER BY handle`,
    [rig.ctx.workspace.id],
  )

describe('the accounts of an import', () => {
  it('makes those that do not exist, one for all spellings of a handle', async () => {
    const rig = await makeRig(database)
    const report = await importFile(
      rig,
      csv(
        ['post_id', 'posted_at', 'account'],
        ['1', '2026-01-01', '@Évelyne'],
        ['2', '2026-01-01', ' évelyne '],
        ['3', '2026-01-01', 'E\u0301VELYNE'],
        ['4', '2026-01-01', 'ABC News'],
        ['5', 'never', 'Nobody'],
      ),
      { platform: 'facebook', handle: null },
    )
    expect(countsOf(report)).toMatchObject({ inserted: 4, rejected: 1 })
    const made = {
      platform: 'facebook',
      source: 'import',
      status: 'imported',
      tracked_since: null,
      next_sync_at: null,
      url: null,
    }
    expect(await accountsOf(rig)).toEqual([
      { ...made, handle: 'ABC News', external_id: 'import:abc news' },
      { ...made, handle: 'Évelyne', external_id: 'import:évelyne' },
    ])
  })

  it('uses a connected account of that handle, and never replaces what was read from its platform', async () => {
    const rig = await makeRig(database)
    const workspaceId = rig.ctx.workspace.id
    const connected = await makeAccount(database, workspaceId, { platform: 'x', handle: 'Example' })
    await makeAccount(database, workspaceId, { platform: 'bluesky', handle: 'other' })
    await database.sql(
      `INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, posted_at, likes, metrics_at)
       VALUES (gen_random_uuid(), $1, $2, 'x', '1', 'post', '2026-03-01T00:00:00Z', 50, '2026-03-02T00:00:00Z')`,
      [workspaceId, connected],
    )
    const header = ['post_id', 'posted_at', 'likes', 'metrics_at', 'account']
    const report = await importFile(
      rig,
      csv(
        header,
        ['1', '2026-03-01', '7', '', '@EXAMPLE'],
        ['2', '2026-03-01', '8', '', ''],
        ['3', '2026-03-01', '9', '', 'other'],
      ),
    )
    expect(countsOf(report)).toMatchObject({ accepted: 3, inserted: 2, unchanged: 1 })
    expect(await postsOf(database, rig, 'platform_post_id AS id, likes::int, a.source, a.platform')).toEqual([
      { id: '1', likes: 50, source: 'public', platform: 'x' },
      { id: '2', likes: 8, source: 'public', platform: 'x' },
      { id: '3', likes: 9, source: 'import', platform: 'x' },
    ])
    // A newer reading that says when it was made is as good as a synced one; an older one is not.
    await importFile(rig, csv(header, ['1', '2026-03-01', '49', '2026-03-01T12:00:00Z', '']))
    expect(await postsOf(database, rig, 'likes::int')).toMatchObject([{ likes: 50 }, {}, {}])
    await importFile(rig, csv(header, ['1', '2026-03-01', '60', '2026-03-03T00:00:00Z', '']))
    expect(await postsOf(database, rig, 'likes::int')).toMatchObject([{ likes: 60 }, {}, {}])
  })

  it('makes a new one in place of one that is hidden', async () => {
    const rig = await makeRig(database)
    const file = csv(['post_id', 'posted_at'], ['1', '2026-01-01'])
    await importFile(rig, file)
    await database.sql('UPDATE accounts SET deleted_at = now() WHERE workspace_id = $1', [
      rig.ctx.workspace.id,
    ])
    expect(countsOf(await importFile(rig, file))).toMatchObject({ inserted: 1 })
    expect(await accountsOf(rig)).toHaveLength(2)
  })

  it('rejects rows whose account is not a handle', async () => {
    const rig = await makeRig(database)
    const report = await importFile(
      rig,
      csv(
        ['post_id', 'posted_at', 'account'],
        ['1', '2026-01-01', '@'],
        ['2', '2026-01-01', ''],
        ['3', '2026-01-01', '@b'],
      ),
    )
    expect(countsOf(report)).toMatchObject({ accepted: 2, rejected: 1 })
    expect(report.errors).toMatchObject([{ line: 2, column: 'account' }])
    expect((await accountsOf(rig)).map(({ handle }) => handle)).toEqual(['b', 'example'])
  })
})

describe('the job of an import', () => {
  it('goes from queued over running to succeeded, tells so, and leaves no file behind', async () => {
    const rig = await makeRig(database)
    const rows = Array.from({ length: 1_500 }, (_, i) => [String(i), '2026-01-01'])
    const job = await startImport(rig.ctx, {
      platform: 'x',
      handle: 'example',
      format: 'csv',
      body: streamOf(csv(['post_id', 'posted_at'], ...rows)),
    })
    expect(job).toMatchObject({ kind: 'import', status: 'queued', progress: { done: 0 }, resultUrl: null })
    expect(rig.objects.stored.size).toBe(1)
    expect(await drain(rig)).toEqual(['finished'])
    const finished = await getJob(rig.ctx, job.id)
    const size = job.progress.total
    expect(finished).toMatchObject({
      status: 'succeeded',
      progress: { done: size, total: size },
      resultUrl: `/api/v1/imports/${job.id}`,
      result: { accepted: 1_500, inserted: 1_500, updated: 0, unchanged: 0, rejected: 0 },
      error: null,
    })
    expect(Date.parse(finished.expiresAt) - rig.time.nowMs).toBe(7 * 86_400_000)
    expect(rig.announced.map((event) => event.data)).toMatchObject([
      { id: job.id, status: 'queued', progress: { done: 0, total: size } },
      { id: job.id, status: 'running', progress: { total: size } },
      { id: job.id, status: 'succeeded', progress: { done: size, total: size } },
    ])
    expect(rig.objects.stored.size).toBe(0)
  })

  it('succeeds with a file that has a header and no rows', async () => {
    const rig = await makeRig(database)
    expect(countsOf(await importFile(rig, 'post_id,posted_at\n'))).toMatchObject({
      status: 'succeeded',
      accepted: 0,
    })
    expect(await accountsOf(rig)).toEqual([])
  })

  it('belongs to its workspace alone', async () => {
    const rig = await makeRig(database)
    const report = await importFile(rig, csv(['post_id', 'posted_at'], ['1', '2026-01-01']))
    const other = await makeRig(database)
    await expect(getImport(other.ctx, report.id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(getImport(rig.ctx, 'nonsense')).rejects.toMatchObject({ code: 'not_found' })
  })
})
