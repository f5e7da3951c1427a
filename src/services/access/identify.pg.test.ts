import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import { ManualClock, makeIsolate, makeUser } from './isolate.test-helper.ts'

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
      readsPerMinute: null,
      writesPerMinute: null,
      creatorOperates: false,
      creatorEmail: null,
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

  it('is believed for five seconds, and renewed from the third on by one request, which does not wait', async () => {
    const { key, hash } = await storeKey(await makeWorkspace(database))
    const { directory, settled, asked, hold } = isolate()
    const first = await directory.apiKey(key)
    await settled()
    const before = asked()
    clock.atMs += 2_999
    await directory.apiKey(key)
    expect(asked()).toBe(before)
    clock.atMs += 1
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    for (let i = 0; i < 100; i++) expect(await directory.apiKey(key)).toBe(first)
    expect(asked()).toBe(before + 1)
    resolve()
    await settled()
    // What says the same is the same, for whoever derived something from it.
    clock.atMs += 4_999
    expect(await directory.apiKey(key)).toBe(first)
    await settled()
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
    clock.atMs += 4_999
    expect(await directory.apiKey(key)).toBe(first)
    await settled()
    expect(await directory.apiKey(key)).toBeNull()
  })

  it('is not believed for longer because its renewal does not end', async () => {
    const { key, hash } = await storeKey(await makeWorkspace(database))
    const { directory, settled, hold, answered } = isolate()
    await directory.apiKey(key)
    await settled()
    clock.atMs += 3_000
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    expect(await directory.apiKey(key)).not.toBeNull()
    await answered()
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
    clock.atMs += 2_000
    hold(Promise.resolve())
    expect(await directory.apiKey(key)).toBeNull()
    // The renewal found it, and was asked for before the lookup that did not.
    resolve()
    await settled()
    expect(await directory.apiKey(key)).toBeNull()
  })

  it('is believed from the moment it was asked for, however long the answer took', async () => {
    const { key, hash } = await storeKey(await makeWorkspace(database))
    const { directory, hold, answered } = isolate()
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    const early = directory.apiKey(key)
    await answered()
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
    clock.atMs += 4_999
    resolve()
    expect(await early).not.toBeNull()
    expect(await directory.apiKey(key)).not.toBeNull()
    clock.atMs += 1
    expect(await directory.apiKey(key)).toBeNull()
  })

  it('is looked up once when many ask for it at the same time', async () => {
    const { key } = await storeKey(await makeWorkspace(database))
    const { directory, settled, asked } = isolate()
    const found = await Promise.all(Array.from({ length: 100 }, () => directory.apiKey(key)))
    expect(new Set(found).size).toBe(1)
    expect(found[0]).not.toBeNull()
    await settled()
    // The lookup, and the note of its use.
    expect(asked()).toBe(2)
  })

  it('is refused when it is revoked: at once where it was known, after five seconds elsewhere', async () => {
    const { key, hash } = await storeKey(await makeWorkspace(database))
    const [here, elsewhere] = [isolate(), isolate()]
    expect(await here.directory.apiKey(key)).not.toBeNull()
    expect(await elsewhere.directory.apiKey(key)).not.toBeNull()
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
    await here.directory.forgetKey(hash)
    expect(await here.directory.apiKey(key)).toBeNull()
    clock.atMs += 5_000
    expect(await elsewhere.directory.apiKey(key)).toBeNull()
    expect(await here.directory.apiKey(key)).toBeNull()
  })

  it('stays refused though a lookup that began before its revocation finds it', async () => {
    const { key, hash } = await storeKey(await makeWorkspace(database))
    const { directory, hold, answered } = isolate()
    const { promise, resolve } = Promise.withResolvers<void>()
    hold(promise)
    const early = directory.apiKey(key)
    // The answer is on its way while the key is revoked.
    await answered()
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
    await directory.forgetKey(hash)
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
    clock.atMs += 53_999
    await directory.apiKey(key)
    await settled()
    expect(await lastUse()).toBeLessThan(first ?? 0)
    clock.atMs += 5_000
    await directory.apiKey(key)
    await settled()
    expect(await lastUse()).toBeGreaterThan((first ?? 0) - 1)
  })
})

describe('an API key’s maker', () => {
  it('is told of: whether they run the deployment, and their address once it is verified', async () => {
    const workspaceId = await makeWorkspace(database)
    const user = await makeUser(database)
    const { id, key } = await storeKey(workspaceId)
    await database.sql('UPDATE api_keys SET created_by = $1, reads_per_minute = 5 WHERE id = $2', [
      user.id,
      id,
    ])
    expect(await isolate().directory.apiKey(key)).toMatchObject({
      creatorOperates: false,
      creatorEmail: null,
      readsPerMinute: 5,
      writesPerMinute: null,
    })
    await database.sql('UPDATE auth_users SET email_verified = true WHERE id = $1', [user.id])
    await database.sql('INSERT INTO operators (user_id) VALUES ($1)', [user.id])
    expect(await isolate().directory.apiKey(key)).toMatchObject({
      creatorOperates: true,
      creatorEmail: `${user.id}@example.com`,
    })
  })
})
