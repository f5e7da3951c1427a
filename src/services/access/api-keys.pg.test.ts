import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import type { Db } from '../../db/client.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import type { Actor, Scope } from '../context.ts'
import { createApiKey, listApiKeysPage, removeApiKey } from './api-keys.ts'
import { createDirectory, type Directory } from './identify.ts'
import { CreateApiKey } from './schemas.ts'
import { codeOf, doneBy, type Person, Team } from './team.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let team: Team
let owner: Person
let directory: Directory
beforeEach(async () => {
  team = await Team.make(database)
  owner = await team.member('owner', null, 'Olga')
  directory = isolate()
})

/** What another isolate knows. */
const isolate = (db: Db = database.db) =>
  createDirectory({ db, clock: team.ctx.clock, log: silentLogger, waitUntil() {} })

const make = (by: Actor, given: Partial<CreateApiKey> = {}) =>
  createApiKey(team.as(by), { name: 'CI', scopes: ['read'], ...given })
const listed = async (by: Actor = owner) =>
  (await listApiKeysPage(team.as(by), { limit: 100, before: null })).items

describe('a new API key', () => {
  it('is shown this once, and works', async () => {
    const made = await make(owner, { scopes: ['read', 'write', 'read'] })
    expect(made).toMatchObject({
      name: 'CI',
      prefix: made.key.slice(0, 10),
      scopes: ['read', 'write'],
      createdBy: 'Olga',
      expiresAt: null,
      lastUsedAt: null,
      limits: { readsPerMinute: null, writesPerMinute: null },
    })
    expect(made.key).toMatch(/^tm_[A-Za-z0-9_-]{43}$/)
    const { key, ...shown } = made
    expect(await listed()).toEqual([shown])
    expect(await directory.apiKey(made.key)).toMatchObject({
      id: made.id,
      workspaceId: team.workspaceId,
      scopes: ['read', 'write'],
    })
    expect(JSON.stringify([await listed(), await team.log()])).not.toContain(key)
  })

  it('is stored as its hash alone, with who made it', async () => {
    const made = await make(owner)
    const [row] = await database.sql('SELECT * FROM api_keys WHERE id = $1', [made.id])
    expect(row).toMatchObject({ hash: await sha256Hex(made.key), created_by: owner.userId })
    expect(JSON.stringify(row)).not.toContain(made.key)
  })

  it('belongs to whoever made the key that makes it', async () => {
    const first = await team.key(owner, 'read', 'admin')
    const made = await make(first)
    expect(made.createdBy).toBe('Olga')
    const [row] = await database.sql('SELECT created_by FROM api_keys WHERE id = $1', [made.id])
    expect(row).toEqual({ created_by: owner.userId })
    expect((await make(await team.key(null, 'read', 'admin'))).createdBy).toBeNull()
  })

  it('expires after the days that it was given', async () => {
    const made = await make(owner, { expiresInDays: 7 })
    expect(Date.parse(made.expiresAt ?? '')).toBe(team.ctx.clock.now() + 7 * 86_400_000)
    expect(await directory.apiKey(made.key)).not.toBeNull()
    team.time.nowMs += 7 * 86_400_000
    expect(await isolate().apiKey(made.key)).toBeNull()
  })

  it('may be given less than the deployment allows', async () => {
    const made = await make(owner, { limits: { readsPerMinute: 5 } })
    expect(made.limits).toEqual({ readsPerMinute: 5, writesPerMinute: null })
    expect((await listed())[0]?.limits).toEqual(made.limits)
    expect(await directory.apiKey(made.key)).toMatchObject({ readsPerMinute: 5, writesPerMinute: null })
    for (const limits of [{ readsPerMinute: 0 }, { writesPerMinute: 1_000_001 }, { reads: 5 }])
      expect(CreateApiKey.safeParse({ name: 'CI', scopes: ['read'], limits }).success).toBe(false)
  })

  it('is never twice the same', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => make(owner)))
    expect(new Set(keys.map((made) => made.key)).size).toBe(5)
  })

  it('is made by those alone who may administrate', async () => {
    for (const [actor, code] of [
      [owner, 'none'],
      [await team.member('admin'), 'none'],
      [await team.member('analyst'), 'insufficient_role'],
      [await team.member('viewer'), 'insufficient_role'],
      [await team.key(owner, 'read', 'admin'), 'none'],
      [await team.key(owner, 'read', 'write'), 'insufficient_scope'],
      [await team.key(owner, 'read', 'operator'), 'insufficient_scope'],
    ] as const) {
      expect(await codeOf(make(actor))).toBe(code)
      expect(await codeOf(listed(actor))).toBe(code)
    }
  })

  it('gets no right that whoever makes it does not have', async () => {
    const code = (actor: Actor, ...scopes: Scope[]) => codeOf(make(actor, { scopes }))
    expect(await code(owner, 'operator')).toBe('insufficient_role')
    expect(await code({ ...owner, operator: true }, 'operator', 'read')).toBe('none')
    expect(await code(await team.key(owner, 'admin'), 'write')).toBe('insufficient_role')
    expect(await code(await team.key(owner, 'admin', 'operator'), 'operator')).toBe('none')
    expect(await team.log()).toHaveLength(2)
  })

  it('is not made by somebody whose rights were taken a moment ago', async () => {
    const admin = await team.member('admin')
    const key = await team.key(admin, 'read', 'admin')
    await database.sql("UPDATE workspace_members SET role = 'viewer' WHERE user_id = $1", [admin.userId])
    await database.sql('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [key.keyId])
    expect(await codeOf(make(admin))).toBe('insufficient_role')
    expect(await codeOf(make(key))).toBe('insufficient_role')
    expect(await listed()).toEqual([])
    expect(await team.log()).toEqual([])
  })

  it('is written down with who made it, and from where', async () => {
    const made = await make(owner, { scopes: ['read'], limits: { writesPerMinute: 3 } })
    expect(await team.log()).toEqual([
      {
        action: 'api_key.created',
        ...doneBy(owner),
        target_kind: 'api_key',
        target_id: made.id,
        target_name: 'CI',
        details: { scopes: ['read'], expiresAt: null, limits: { writesPerMinute: 3 } },
      },
    ])
  })
})

describe('the list of API keys', () => {
  it('comes in pages, the newest first, without gaps', async () => {
    const made: string[] = []
    for (let i = 0; i < 5; i++) {
      team.time.nowMs += 1
      made.unshift((await make(owner)).id)
    }
    const seen: string[] = []
    let before: string | null = null
    do {
      const page = await listApiKeysPage(team.as(owner), { limit: 2, before })
      seen.push(...page.items.map(({ id }) => id))
      before = page.next
    } while (before !== null)
    expect(seen).toEqual(made)
  })
})

describe('an API key that is revoked', () => {
  it('works no more, is no longer listed, and loses its live connections', async () => {
    const made = await make(owner)
    expect(await directory.apiKey(made.key)).not.toBeNull()
    await removeApiKey(team.as(owner), made.id, directory)
    expect(await directory.apiKey(made.key)).toBeNull()
    expect(await listed()).toEqual([])
    expect(team.closed).toEqual([`key:${made.id}`])
    expect(await codeOf(removeApiKey(team.as(owner), made.id, directory))).toBe('not_found')
  })

  it('is revoked though its live connections cannot be reached', async () => {
    const made = await make(owner)
    const hub = { ...team.ctx.hub, revoke: () => Promise.reject(new Error('unreachable')) }
    await removeApiKey({ ...team.as(owner), hub }, made.id, directory)
    expect(await directory.apiKey(made.key)).toBeNull()
  })

  it('stops at once on this isolate, and within five seconds on every other', async () => {
    const made = await make(owner)
    const elsewhere = isolate()
    expect(await directory.apiKey(made.key)).not.toBeNull()
    expect(await elsewhere.apiKey(made.key)).not.toBeNull()
    await removeApiKey(team.as(owner), made.id, directory)
    expect(await directory.apiKey(made.key)).toBeNull()
    team.time.nowMs += 5_000
    expect(await elsewhere.apiKey(made.key)).toBeNull()
  })

  it('stays revoked though a lookup that began before finds it', async () => {
    const made = await make(owner)
    const { promise, resolve } = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    const slow = isolate({
      ...database.db,
      async outside(query, options) {
        const rows = await database.db.outside(query, options)
        answered.resolve()
        await promise
        return rows
      },
    })
    const early = slow.apiKey(made.key)
    await answered.promise
    await removeApiKey(team.as(owner), made.id, slow)
    resolve()
    expect(await early).toBeNull()
    expect(await slow.apiKey(made.key)).toBeNull()
    team.time.nowMs += 60_000
    expect(await slow.apiKey(made.key)).toBeNull()
  })

  it('is written down once, however many revoke it at once', async () => {
    const made = await make(owner)
    const codes = await Promise.all(
      Array.from({ length: 5 }, () => codeOf(removeApiKey(team.as(owner), made.id, directory))),
    )
    expect(codes.sort()).toEqual(['none', ...Array.from({ length: 4 }, () => 'not_found')])
    expect((await team.log()).slice(1)).toEqual([
      {
        action: 'api_key.revoked',
        ...doneBy(owner),
        target_kind: 'api_key',
        target_id: made.id,
        target_name: 'CI',
        details: {},
      },
    ])
  })

  it('has to be one of the workspace', async () => {
    const made = await make(owner)
    const elsewhere = await Team.make(database)
    const stranger = await elsewhere.member('owner')
    expect(await codeOf(removeApiKey(elsewhere.as(stranger), made.id, directory))).toBe('not_found')
    const { items } = await listApiKeysPage(elsewhere.as(stranger), { limit: 10, before: null })
    expect(items).toEqual([])
    expect(await directory.apiKey(made.key)).not.toBeNull()
  })

  it.each(['', 'nonsense', "'", newId()])('cannot be %j', async (id) => {
    expect(await codeOf(removeApiKey(team.as(owner), id, directory))).toBe('not_found')
  })

  it('is revoked by who may administrate', async () => {
    const made = await make(owner)
    const analyst = await team.member('analyst')
    expect(await codeOf(removeApiKey(team.as(analyst), made.id, directory))).toBe('insufficient_role')
    expect(await directory.apiKey(made.key)).not.toBeNull()
  })
})
