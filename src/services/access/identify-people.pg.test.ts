import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import { newId } from '../../lib/ids.ts'
import { createDirectory } from './identify.ts'
import { ManualClock, makeIsolate, makeUser, signIn } from './isolate.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let clock: ManualClock
beforeEach(() => {
  clock = new ManualClock()
})

const isolate = () => makeIsolate(database, clock)

const join = (workspaceId: string, userId: string, role: string, at = '2026-01-01') =>
  database.sql(
    'INSERT INTO workspace_members (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)',
    [workspaceId, userId, role, at],
  )

describe('a new person', () => {
  it('gets one workspace, however often and at once they are welcomed', async () => {
    const user = await makeUser(database)
    const isolates = [isolate(), isolate(), isolate()]
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => isolates[i % 3]?.directory.welcome(user) ?? Promise.resolve()),
    )
    await isolates[0]?.directory.welcome(user)
    for (const { directory } of isolates)
      expect((await directory.person(user.id, user.sessionId))?.workspaces).toEqual([
        {
          workspaceId: expect.any(String),
          name: "Ada's workspace",
          timezone: 'UTC',
          role: 'owner',
          brands: null,
        },
      ])
    expect(
      await database.sql('SELECT count(*)::int AS n FROM workspaces WHERE name = $1', ["Ada's workspace"]),
    ).toEqual([{ n: 1 }])
  })

  it('gets none beside the one they were invited to', async () => {
    const user = await makeUser(database)
    const workspaceId = await makeWorkspace(database)
    await join(workspaceId, user.id, 'viewer')
    const { directory } = isolate()
    await directory.welcome(user)
    expect((await directory.person(user.id, user.sessionId))?.workspaces).toMatchObject([
      { workspaceId, role: 'viewer' },
    ])
  })

  it('gets none without being there', async () => {
    await expect(isolate().directory.welcome({ id: 'nobody', name: 'No' })).rejects.toThrow()
    expect(await database.sql("SELECT 1 FROM workspaces WHERE name = 'No''s workspace'")).toEqual([])
  })

  it('runs the deployment if nobody came before, and of many at once one does', async () => {
    const fresh = await createTestDatabase()
    try {
      const directory = createDirectory({ db: fresh.db, clock, log: silentLogger, waitUntil() {} })
      expect(await directory.isClaimed()).toBe(false)
      const users = Array.from({ length: 6 }, (_, i) => ({ id: `user-${i}`, name: `User ${i}` }))
      for (const { id, name } of users)
        await fresh.sql('INSERT INTO auth_users (id, name, email) VALUES ($1, $2, $3)', [
          id,
          name,
          `${id}@example.com`,
        ])
      await Promise.all(users.map((user) => directory.welcome(user)))
      expect(await directory.isClaimed()).toBe(true)
      const operators = await fresh.sql<{ user_id: string }>('SELECT user_id FROM operators')
      expect(operators).toHaveLength(1)
      for (const { id } of users) {
        await fresh.sql(
          "INSERT INTO auth_sessions (id, user_id, token, expires_at) VALUES ($1, $1, $1, now() + interval '1 hour')",
          [id],
        )
        expect((await directory.person(id, id))?.operator).toBe(id === operators[0]?.user_id)
      }
      await fresh.sql('DELETE FROM operators')
      const late = { id: 'late', name: 'Late' }
      await fresh.sql("INSERT INTO auth_users (id, name, email) VALUES ('late', 'Late', 'late@example.com')")
      await directory.welcome(late)
      expect(await fresh.sql('SELECT user_id FROM operators')).toEqual([])
    } finally {
      await fresh.close()
    }
  })
})

describe('a person’s workspaces', () => {
  it('are theirs alone, the oldest first', async () => {
    const [user, other] = [await makeUser(database), await makeUser(database)]
    const workspaces = [await makeWorkspace(database), await makeWorkspace(database)]
    for (const [i, workspaceId] of workspaces.entries())
      await join(workspaceId, user.id, 'analyst', `2026-01-0${2 - i}`)
    const { directory } = isolate()
    const found = await directory.person(user.id, user.sessionId)
    expect(found?.workspaces.map(({ workspaceId }) => workspaceId)).toEqual(workspaces.toReversed())
    expect((await directory.person(other.id, other.sessionId))?.workspaces).toEqual([])
  })

  it('say which brands alone are seen, which may be none', async () => {
    const user = await makeUser(database)
    const workspaceId = await makeWorkspace(database)
    await join(workspaceId, user.id, 'analyst')
    const brands = async () =>
      (await isolate().directory.person(user.id, user.sessionId))?.workspaces[0]?.brands
    expect(await brands()).toBeNull()
    await database.sql('UPDATE workspace_members SET all_brands = false WHERE user_id = $1', [user.id])
    expect(await brands()).toEqual([])
    const brandId = newId()
    await database.sql("INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, 'One')", [
      brandId,
      workspaceId,
    ])
    await database.sql('INSERT INTO member_brands VALUES ($1, $2, $3)', [workspaceId, user.id, brandId])
    expect(await brands()).toEqual([brandId])
  })

  it('are believed for five seconds, unless there were none or something has changed here', async () => {
    const user = await makeUser(database)
    const workspaceId = await makeWorkspace(database)
    const { directory } = isolate()
    const person = () => directory.person(user.id, user.sessionId)
    expect((await person())?.workspaces).toEqual([])
    await join(workspaceId, user.id, 'viewer')
    const role = async () => (await person())?.workspaces[0]?.role
    expect(await role()).toBe('viewer')
    await database.sql("UPDATE workspace_members SET role = 'admin' WHERE user_id = $1", [user.id])
    clock.atMs += 4_999
    expect(await role()).toBe('viewer')
    clock.atMs += 1
    expect(await role()).toBe('admin')
    await database.sql("UPDATE workspace_members SET role = 'analyst' WHERE user_id = $1", [user.id])
    await directory.forgetUser(user.id)
    expect(await role()).toBe('analyst')
  })

  it('are not believed from a lookup that began before a change here', async () => {
    const user = await makeUser(database)
    const workspaceId = await makeWorkspace(database)
    await join(workspaceId, user.id, 'admin')
    const { directory, hold, answered } = isolate()
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    const early = directory.person(user.id, user.sessionId)
    await answered()
    await database.sql("UPDATE workspace_members SET role = 'viewer' WHERE user_id = $1", [user.id])
    await directory.forgetUser(user.id)
    resolve()
    await early
    expect((await directory.person(user.id, user.sessionId))?.workspaces[0]?.role).toBe('viewer')
  })
})

describe('a session', () => {
  it('ends when it is over, is somebody else’s, or is none', async () => {
    const [user, other] = [await makeUser(database), await makeUser(database)]
    const over = await signIn(database, user.id, crypto.randomUUID(), '-1 second')
    const { directory } = isolate()
    expect(await directory.person(user.id, user.sessionId)).not.toBeNull()
    expect(await directory.person(user.id, over)).toBeNull()
    expect(await directory.person(user.id, other.sessionId)).toBeNull()
    expect(await directory.person(user.id, 'nothing')).toBeNull()
    expect(await directory.person('nobody', user.sessionId)).toBeNull()
  })

  it('ends for everybody within five seconds, and at once where it was ended', async () => {
    const user = await makeUser(database)
    const [here, elsewhere] = [isolate(), isolate()]
    for (const { directory } of [here, elsewhere])
      expect(await directory.person(user.id, user.sessionId)).not.toBeNull()
    await database.sql('DELETE FROM auth_sessions WHERE id = $1', [user.sessionId])
    await here.directory.forgetSession(user.sessionId)
    expect(await here.directory.person(user.id, user.sessionId)).toBeNull()
    clock.atMs += 5_000
    expect(await elsewhere.directory.person(user.id, user.sessionId)).toBeNull()
  })

  it('stays ended though a lookup that began before finds it', async () => {
    const user = await makeUser(database)
    const { directory, hold, answered } = isolate()
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    const early = directory.person(user.id, user.sessionId)
    await answered()
    await database.sql('DELETE FROM auth_sessions WHERE id = $1', [user.sessionId])
    await directory.forgetSession(user.sessionId)
    resolve()
    expect(await early).toBeNull()
    expect(await directory.person(user.id, user.sessionId)).toBeNull()
  })
})
