import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import type { Db } from '../../db/client.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import { createDirectory } from './identify.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

class ManualClock {
  atMs = Date.now()
  now = () => this.atMs
}

let clock: ManualClock
beforeEach(() => {
  clock = new ManualClock()
})

/** An isolate's directory, with a count of what it asks the database; `hold` makes the answers wait. */
function isolate() {
  let asked = 0
  let held: Promise<void> | null = null
  const work: Promise<unknown>[] = []
  const db: Db = {
    inWorkspace: (...args) => database.db.inWorkspace(...args),
    async outside(query, options) {
      asked += 1
      const rows = await database.db.outside(query, options)
      await held
      return rows
    },
  }
  return {
    directory: createDirectory({ db, clock, log: silentLogger, waitUntil: (promise) => work.push(promise) }),
    settled: () => Promise.all(work.splice(0)),
    /** Lookups since the last time; those in the background are not counted once `settled`. */
    asked: () => asked,
    hold(until: Promise<void>) {
      held = until
    },
  }
}

const randomKey = () => `tm_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`

async function storeKey(
  workspaceId: string,
  options: { expiresAt?: string | null; revoked?: boolean } = {},
): Promise<{ id: string; key: string; hash: string }> {
  const [id, key] = [newId(), randomKey()]
  const hash = await sha256Hex(key)
  await database.sql(
    `INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes, expires_at, revoked_at)
     VALUES ($1, $2, 'A key', $3, $4, '{read,write}', $5, $6)`,
    [id, workspaceId, key.slice(0, 10), hash, options.expiresAt ?? null, options.revoked ? new Date() : null],
  )
  return { id, key, hash }
}

async function makeUser(): Promise<{ id: string; name: string }> {
  const user = { id: crypto.randomUUID(), name: 'Ada' }
  await database.sql('INSERT INTO auth_users (id, name, email) VALUES ($1, $2, $3)', [
    user.id,
    user.name,
    `${user.id}@example.com`,
  ])
  return user
}

describe('an API key', () => {
  it('is found by its hash, with its workspace and rights', async () => {
    const workspaceId = await makeWorkspace(database, 'Europe/Berlin')
    const { id, key } = await storeKey(workspaceId, { expiresAt: '2099-01-01T00:00:00.000Z' })
    expect(await isolate().directory.apiKey(key)).toEqual({
      id,
      workspaceId,
      workspaceName: 'Test',
      timezone: 'Europe/Berlin',
      name: 'A key',
      scopes: ['read', 'write'],
      expiresAt: '2099-01-01T00:00:00Z',
    })
  })

  it('is not there where nobody made it, and stays unknown for five seconds without being asked for', async () => {
    const { directory, asked } = isolate()
    const key = randomKey()
    for (let i = 0; i < 5; i++) expect(await directory.apiKey(key)).toBeNull()
    expect(asked()).toBe(1)
  })

  it.each([
    '',
    'tm_',
    'tm_short',
    `tm_${'a'.repeat(42)}`,
    `tm_${'a'.repeat(44)}`,
    `TM_${'a'.repeat(43)}`,
    `tm_${'a'.repeat(42)}'`,
    `tm_${'a'.repeat(42)}\n`,
  ])('is none as %j, which nobody looks up', async (key) => {
    const { directory, asked } = isolate()
    expect(await directory.apiKey(key)).toBeNull()
    expect(asked()).toBe(0)
  })

  it('is believed for five seconds', async () => {
    const { key } = await storeKey(await makeWorkspace(database))
    const { directory, settled, asked } = isolate()
    await directory.apiKey(key)
    await settled()
    const before = asked()
    clock.atMs += 4_999
    expect(await directory.apiKey(key)).not.toBeNull()
    expect(asked()).toBe(before)
    clock.atMs += 1
    expect(await directory.apiKey(key)).not.toBeNull()
    expect(asked()).toBeGreaterThan(before)
  })

  it('is refused when it is revoked: at once where it was known, after five seconds elsewhere', async () => {
    const { key, hash } = await storeKey(await makeWorkspace(database))
    const [here, elsewhere] = [isolate(), isolate()]
    expect(await here.directory.apiKey(key)).not.toBeNull()
    expect(await elsewhere.directory.apiKey(key)).not.toBeNull()
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
    here.directory.forgetKey(hash)
    expect(await here.directory.apiKey(key)).toBeNull()
    clock.atMs += 5_000
    expect(await elsewhere.directory.apiKey(key)).toBeNull()
    expect(await here.directory.apiKey(key)).toBeNull()
  })

  it('stays refused though a lookup that began before its revocation finds it', async () => {
    const { key, hash } = await storeKey(await makeWorkspace(database))
    const { directory, hold } = isolate()
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    const early = directory.apiKey(key)
    // The answer is on its way while the key is revoked.
    await new Promise((done) => setTimeout(done, 50))
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
    directory.forgetKey(hash)
    resolve()
    expect(await early).toBeNull()
    expect(await directory.apiKey(key)).toBeNull()
    clock.atMs += 60_000
    expect(await directory.apiKey(key)).toBeNull()
  })

  it('is refused from the moment it expires, also where it is believed', async () => {
    const expiresAt = new Date(clock.atMs + 3_000).toISOString()
    const { key } = await storeKey(await makeWorkspace(database), { expiresAt })
    const { directory, settled, asked } = isolate()
    clock.atMs += 2_999
    expect(await directory.apiKey(key)).not.toBeNull()
    await settled()
    const before = asked()
    clock.atMs += 1
    expect(await directory.apiKey(key)).toBeNull()
    expect(asked()).toBe(before)
    expect(await isolate().directory.apiKey(key)).toBeNull()
  })

  it('is refused where it was revoked before', async () => {
    const { key } = await storeKey(await makeWorkspace(database), { revoked: true })
    expect(await isolate().directory.apiKey(key)).toBeNull()
  })

  it('notes when it was used last, once a minute at most', async () => {
    const { id, key } = await storeKey(await makeWorkspace(database))
    const lastUse = async () =>
      (
        await database.sql<{ at: Date | null }>('SELECT last_used_at AS at FROM api_keys WHERE id = $1', [id])
      )[0]?.at?.getTime() ?? null
    const { directory, settled } = isolate()
    expect(await lastUse()).toBeNull()
    await directory.apiKey(key)
    await settled()
    const first = await lastUse()
    expect(first).not.toBeNull()
    clock.atMs += 6_000
    await directory.apiKey(key)
    await settled()
    expect(await lastUse()).toBe(first)
    await database.sql("UPDATE api_keys SET last_used_at = now() - interval '61 seconds' WHERE id = $1", [id])
    clock.atMs += 6_000
    await directory.apiKey(key)
    await settled()
    expect(await lastUse()).toBeGreaterThan((first ?? 0) - 1)
  })
})

describe('a new person', () => {
  it('gets one workspace, however often and at once they are welcomed', async () => {
    const user = await makeUser()
    const isolates = [isolate(), isolate(), isolate()]
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => isolates[i % 3]?.directory.welcome(user) ?? Promise.resolve()),
    )
    await isolates[0]?.directory.welcome(user)
    for (const { directory } of isolates)
      expect(await directory.workspacesOf(user.id)).toEqual([
        { workspaceId: expect.any(String), name: "Ada's workspace", timezone: 'UTC', role: 'owner' },
      ])
    expect(
      await database.sql('SELECT count(*)::int AS n FROM workspaces WHERE name = $1', ["Ada's workspace"]),
    ).toEqual([{ n: 1 }])
  })

  it('gets none beside the one they were invited to', async () => {
    const user = await makeUser()
    const workspaceId = await makeWorkspace(database)
    await database.sql("INSERT INTO workspace_members VALUES ($1, $2, 'viewer')", [workspaceId, user.id])
    const { directory } = isolate()
    await directory.welcome(user)
    expect(await directory.workspacesOf(user.id)).toMatchObject([{ workspaceId, role: 'viewer' }])
  })

  it('gets none without being there', async () => {
    await expect(isolate().directory.welcome({ id: 'nobody', name: 'No' })).rejects.toThrow()
    expect(await database.sql("SELECT 1 FROM workspaces WHERE name = 'No''s workspace'")).toEqual([])
  })

  it('runs the deployment if nobody came before', async () => {
    const fresh = await createTestDatabase()
    try {
      const directory = createDirectory({ db: fresh.db, clock, log: silentLogger, waitUntil() {} })
      expect(await directory.hasUsers()).toBe(false)
      for (const [id, at] of [
        ['second', '2026-02-01'],
        ['first', '2026-01-01'],
      ])
        await fresh.sql(
          "INSERT INTO auth_users (id, name, email, created_at) VALUES ($1, 'x', $1 || '@example.com', $2)",
          [id, at],
        )
      expect(await directory.hasUsers()).toBe(true)
      expect(await directory.isFirstUser('first')).toBe(true)
      expect(await directory.isFirstUser('second')).toBe(false)
      expect(await directory.isFirstUser('')).toBe(false)
    } finally {
      await fresh.close()
    }
  })
})

describe('a person’s workspaces', () => {
  it('are theirs alone, the oldest first', async () => {
    const [user, other] = [await makeUser(), await makeUser()]
    const workspaces = [await makeWorkspace(database), await makeWorkspace(database)]
    for (const [i, workspaceId] of workspaces.entries())
      await database.sql('INSERT INTO workspace_members VALUES ($1, $2, $3, $4)', [
        workspaceId,
        user.id,
        'analyst',
        `2026-01-0${2 - i}`,
      ])
    const { directory } = isolate()
    expect((await directory.workspacesOf(user.id)).map(({ workspaceId }) => workspaceId)).toEqual(
      workspaces.toReversed(),
    )
    expect(await directory.workspacesOf(other.id)).toEqual([])
  })

  it('are believed for five seconds, unless there were none or something has changed here', async () => {
    const user = await makeUser()
    const workspaceId = await makeWorkspace(database)
    const { directory } = isolate()
    expect(await directory.workspacesOf(user.id)).toEqual([])
    await database.sql("INSERT INTO workspace_members VALUES ($1, $2, 'viewer')", [workspaceId, user.id])
    const role = async () => (await directory.workspacesOf(user.id))[0]?.role
    expect(await role()).toBe('viewer')
    await database.sql("UPDATE workspace_members SET role = 'admin' WHERE user_id = $1", [user.id])
    clock.atMs += 4_999
    expect(await role()).toBe('viewer')
    clock.atMs += 1
    expect(await role()).toBe('admin')
    await database.sql("UPDATE workspace_members SET role = 'analyst' WHERE user_id = $1", [user.id])
    directory.forgetUser(user.id)
    expect(await role()).toBe('analyst')
  })
})
