import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import { AppError } from '../../errors.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import type { Actor, Role, Scope, ServiceContext } from '../context.ts'
import { makeRig } from '../imports/rig.test-helper.ts'
import { createApiKey, getApiKeys, removeApiKey } from './api-keys.ts'
import { createDirectory, type Directory } from './identify.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await database.sql("INSERT INTO auth_users (id, name, email) VALUES ('ada', 'Ada', 'ada@example.com')")
})
afterAll(() => database.close())

let ctx: ServiceContext
let directory: Directory
beforeEach(async () => {
  ctx = { ...(await makeRig(database)).ctx, actor: user('owner') }
  directory = createDirectory({ db: database.db, clock: ctx.clock, log: silentLogger, waitUntil() {} })
})

const user = (role: Role): Actor => ({ kind: 'user', userId: 'ada', role })
const key = (...scopes: Scope[]): Actor => ({ kind: 'apiKey', keyId: newId(), scopes })
const as = (actor: Actor): ServiceContext => ({ ...ctx, actor })

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof AppError) return error.code
      throw error
    },
  )

describe('a new API key', () => {
  it('is shown this once, and works', async () => {
    const made = await createApiKey(ctx, { name: 'CI', scopes: ['read', 'write', 'read'] }, false)
    expect(made).toMatchObject({
      name: 'CI',
      prefix: made.key.slice(0, 10),
      scopes: ['read', 'write'],
      expiresAt: null,
      lastUsedAt: null,
    })
    expect(made.key).toMatch(/^tm_[A-Za-z0-9_-]{43}$/)
    expect(await directory.apiKey(made.key)).toMatchObject({
      id: made.id,
      workspaceId: ctx.workspace.id,
      scopes: ['read', 'write'],
    })
    const [listed] = await getApiKeys(ctx)
    expect(listed).toMatchObject({ id: made.id, name: 'CI' })
    expect(JSON.stringify(listed)).not.toContain(made.key)
  })

  it('is stored as its hash alone, with who made it', async () => {
    const made = await createApiKey(ctx, { name: 'CI', scopes: ['read'] }, false)
    const [row] = await database.sql('SELECT * FROM api_keys WHERE id = $1', [made.id])
    expect(row).toMatchObject({ hash: await sha256Hex(made.key), created_by: 'ada' })
    expect(JSON.stringify(row)).not.toContain(made.key)
  })

  it('expires after the days that it was given', async () => {
    const made = await createApiKey(ctx, { name: 'CI', scopes: ['read'], expiresInDays: 7 }, false)
    expect(Date.parse(made.expiresAt ?? '')).toBe(ctx.clock.now() + 7 * 86_400_000)
    expect(await directory.apiKey(made.key)).not.toBeNull()
    const later = { now: () => ctx.clock.now() + 7 * 86_400_000 }
    const then = createDirectory({ db: database.db, clock: later, log: silentLogger, waitUntil() {} })
    expect(await then.apiKey(made.key)).toBeNull()
  })

  it('is never twice the same', async () => {
    const keys = await Promise.all(
      Array.from({ length: 5 }, () => createApiKey(ctx, { name: 'CI', scopes: ['read'] }, false)),
    )
    expect(new Set(keys.map((made) => made.key)).size).toBe(5)
  })

  it.each([
    ['an owner', user('owner'), 'none'],
    ['an admin', user('admin'), 'none'],
    ['an analyst', user('analyst'), 'insufficient_role'],
    ['a viewer', user('viewer'), 'insufficient_role'],
    ['a key that may administrate', key('read', 'write', 'admin'), 'none'],
    ['a key that may not', key('read', 'write'), 'insufficient_scope'],
    ['an operator’s key that may not', key('read', 'operator'), 'insufficient_scope'],
  ])('made by %s: %s', async (_, actor, code) => {
    expect(await codeOf(createApiKey(as(actor), { name: 'CI', scopes: ['read'] }, false))).toBe(code)
    expect(await codeOf(getApiKeys(as(actor)))).toBe(code)
  })

  it('gets no right that whoever makes it does not have', async () => {
    const make = (actor: Actor, scopes: Scope[], operator = false) =>
      codeOf(createApiKey(as(actor), { name: 'CI', scopes }, operator))
    expect(await make(user('owner'), ['operator'])).toBe('insufficient_role')
    expect(await make(user('owner'), ['operator', 'read'], true)).toBe('none')
    expect(await make(key('admin'), ['write'])).toBe('insufficient_role')
    expect(await make(key('admin', 'operator'), ['operator'])).toBe('none')
    expect((await getApiKeys(ctx)).map(({ scopes }) => scopes)).toHaveLength(2)
  })
})

describe('an API key that is revoked', () => {
  it('works no more, and is no longer listed', async () => {
    const made = await createApiKey(ctx, { name: 'CI', scopes: ['read'] }, false)
    expect(await directory.apiKey(made.key)).not.toBeNull()
    await removeApiKey(ctx, made.id, directory)
    expect(await directory.apiKey(made.key)).toBeNull()
    expect(await getApiKeys(ctx)).toEqual([])
    expect(await codeOf(removeApiKey(ctx, made.id, directory))).toBe('not_found')
  })

  it('has to be one of the workspace', async () => {
    const made = await createApiKey(ctx, { name: 'CI', scopes: ['read'] }, false)
    const elsewhere = { ...(await makeRig(database)).ctx, actor: user('owner') }
    expect(await codeOf(removeApiKey(elsewhere, made.id, directory))).toBe('not_found')
    expect(await getApiKeys(elsewhere)).toEqual([])
    expect(await directory.apiKey(made.key)).not.toBeNull()
  })

  it.each(['', 'nonsense', "'", newId()])('cannot be %j', async (id) => {
    expect(await codeOf(removeApiKey(ctx, id, directory))).toBe('not_found')
  })

  it('is revoked by who may administrate', async () => {
    const made = await createApiKey(ctx, { name: 'CI', scopes: ['read'] }, false)
    expect(await codeOf(removeApiKey(as(user('analyst')), made.id, directory))).toBe('insufficient_role')
    expect(await directory.apiKey(made.key)).not.toBeNull()
  })
})
