import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { dbWithinReach } from '../../src/services/access/reach.ts'
import type { ServiceContext } from '../../src/services/context.ts'
import { getImport } from '../../src/services/imports/index.ts'
import { makeRig } from '../../src/services/imports/rig.test-helper.ts'
import { cancelJob, createJob, getJob, listJobs } from '../../src/services/jobs/index.ts'
import { member } from '../harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'

let database: TestDatabase
let owner: ServiceContext
beforeAll(async () => {
  database = await createTestDatabase()
  owner = { ...(await makeRig(database)).ctx, actor: member('owner', { userId: 'olga' }) }
})
afterAll(() => database.close())

function limited(userId: string): ServiceContext {
  const actor = member('analyst', { userId, brands: [newId()] })
  return { ...owner, actor, db: dbWithinReach(owner.db, actor) }
}

describe('background work of a member who is limited to brands', () => {
  const begin = (ctx: ServiceContext) => createJob(ctx, { kind: 'account_sync', params: {} })

  it('is their own, page by page, and whoever sees everything sees it', async () => {
    const [ada, ben] = [limited('ada'), limited('ben')]
    const own: string[] = []
    for (let i = 0; i < 5; i++) {
      own.push((await begin(ada)).id)
      await begin(ben)
      await begin(owner)
    }
    const listed: string[] = []
    let after: Awaited<ReturnType<typeof listJobs>>['next'] = null
    do {
      const page: Awaited<ReturnType<typeof listJobs>> = await listJobs(ada, { limit: 2, after })
      listed.push(...page.items.map(({ id }) => id))
      after = page.next
    } while (after !== null)
    expect(listed.toSorted()).toEqual(own.toSorted())
    expect((await listJobs(owner, { limit: 100, after: null })).items).toHaveLength(15)
  })

  it('of others is not there, and cannot be stopped', async () => {
    const [ada, ben] = [limited('ada'), limited('ben')]
    const { id } = await begin(ben)
    await expect(getJob(ada, id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(cancelJob(ada, id)).rejects.toMatchObject({ code: 'not_found' })
    expect(await getJob(owner, id)).toMatchObject({ status: 'queued' })
    expect(await cancelJob(ben, id)).toMatchObject({ status: 'cancelled' })
    await expect(cancelJob(ada, id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('is not told of others’ imports', async () => {
    const ids = { ada: newId(), ben: newId() }
    for (const [name, id] of Object.entries(ids)) {
      await database.sql(
        `INSERT INTO jobs (id, workspace_id, kind, created_by, expires_at) VALUES ($1, $2, 'import', $3, '2099-01-01')`,
        [id, owner.workspace.id, `user:${name}`],
      )
      await database.sql(
        `INSERT INTO imports (id, workspace_id, platform, format, object_key, size_bytes)
         VALUES ($1, $2, 'bluesky', 'csv', 'imports/1', 10)`,
        [id, owner.workspace.id],
      )
    }
    const ada = limited('ada')
    expect(await getImport(ada, ids.ada)).toMatchObject({ id: ids.ada })
    await expect(getImport(ada, ids.ben)).rejects.toMatchObject({ code: 'not_found' })
    expect(await getImport(owner, ids.ben)).toMatchObject({ id: ids.ben })
  })
})
