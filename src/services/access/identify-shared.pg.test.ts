import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { newId } from '../../lib/ids.ts'
import { ManualClock, makeIsolate, makeUser } from './isolate.test-helper.ts'
import { codeOf } from './team.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let clock: ManualClock
beforeEach(() => {
  clock = new ManualClock()
})

/** An isolate that shares what it knows with the others. */
const isolate = () => makeIsolate(database, clock, { shares: true })
type Isolate = ReturnType<typeof isolate>

const MINUTE_MS = 60_000
const dead = { database: true, redis: true }

async function makeKey(options: { expiresAt?: string } = {}) {
  const workspaceId = await makeWorkspace(database)
  const key = `tm_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`
  const hash = await sha256Hex(key)
  await database.sql(
    `INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes, expires_at)
     VALUES ($1, $2, 'A key', 'tm_', $3, '{read}', $4)`,
    [newId(), workspaceId, hash, options.expiresAt ?? null],
  )
  return { workspaceId, key, hash }
}

async function makeMember(role: string) {
  const user = await makeUser(database)
  const workspaceId = await makeWorkspace(database)
  await database.sql('INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, $3)', [
    ...[workspaceId, user.id, role],
  ])
  return { ...user, workspaceId }
}
type Member = Awaited<ReturnType<typeof makeMember>>

const revoke = (hash: string) =>
  database.sql('UPDATE api_keys SET revoked_at = now() WHERE hash = $1', [hash])
const become = ({ id }: Member, role: string) =>
  database.sql('UPDATE workspace_members SET role = $2 WHERE user_id = $1', [id, role])

const roleOf = async ({ directory }: Isolate, { id, sessionId }: Member) =>
  (await directory.person(id, sessionId))?.workspaces[0]?.role ?? null

/** An isolate that knows somebody, and has told the others. */
async function knowing({ key, member }: { key?: string; member?: Member }): Promise<Isolate> {
  const one = isolate()
  if (key !== undefined) await one.directory.apiKey(key)
  if (member !== undefined) await roleOf(one, member)
  await one.settled()
  return one
}

/** Lets a lookup of the database wait with its answer until it is released. */
async function late<T>(one: Isolate, ask: () => Promise<T>) {
  const { promise, resolve } = Promise.withResolvers<void>()
  one.hold(promise)
  const answer = ask()
  await one.answered()
  return async () => {
    resolve()
    await answer
    await one.settled()
  }
}

describe('a fresh isolate', () => {
  it('knows keys and people from the others, without asking the database', async () => {
    const [{ key }, member] = [await makeKey(), await makeMember('analyst')]
    const one = await knowing({ key, member })
    const other = isolate()
    expect(await other.directory.apiKey(key)).toEqual(await one.directory.apiKey(key))
    const { id, sessionId } = member
    expect(await other.directory.person(id, sessionId)).toEqual(await one.directory.person(id, sessionId))
    expect(other.asked()).toBe(0)
    clock.atMs += 10_000
    const third = isolate()
    await third.directory.apiKey(key)
    expect(third.asked()).toBeGreaterThan(0)
  })

  it('takes nobody’s session for somebody else’s', async () => {
    const [member, other] = [await makeMember('owner'), await makeMember('viewer')]
    await knowing({ member })
    expect(await isolate().directory.person(other.id, member.sessionId)).toBeNull()
  })

  it('asks for a key that nobody knows, and tells nobody that there is none', async () => {
    const { key, hash, workspaceId } = await makeKey()
    await database.sql('DELETE FROM api_keys WHERE hash = $1', [hash])
    await knowing({ key })
    await database.sql(
      "INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes) VALUES ($1, $2, 'A key', 'tm_', $3, '{read}')",
      [newId(), workspaceId, hash],
    )
    expect(await isolate().directory.apiKey(key)).not.toBeNull()
  })
})

describe('a change of access', () => {
  it('is known to others as soon as they no longer believe their memory', async () => {
    const [{ key, hash }, member] = [await makeKey(), await makeMember('admin')]
    const [here, elsewhere] = [await knowing({ key, member }), await knowing({ key, member })]
    await Promise.all([revoke(hash), become(member, 'viewer')])
    await Promise.all([here.directory.forgetKey(hash), here.directory.forgetUser(member.id)])
    clock.atMs += 1
    expect(await here.directory.apiKey(key)).toBeNull()
    expect(await roleOf(here, member)).toBe('viewer')
    expect(await isolate().directory.apiKey(key)).toBeNull()
    expect(await roleOf(isolate(), member)).toBe('viewer')
    clock.atMs += 5_000
    expect(await elsewhere.directory.apiKey(key)).toBeNull()
    expect(await roleOf(elsewhere, member)).toBe('viewer')
  })

  it('is not undone by lookups of others that began before and end after it', async () => {
    const [{ key, hash }, member, out] = [
      await makeKey(),
      await makeMember('admin'),
      await makeMember('admin'),
    ]
    const [slow, here] = [isolate(), isolate()]
    const release = await late(slow, () =>
      Promise.all([slow.directory.apiKey(key), roleOf(slow, member), roleOf(slow, out)]),
    )
    await Promise.all([revoke(hash), become(member, 'viewer')])
    await database.sql('DELETE FROM auth_sessions WHERE id = $1', [out.sessionId])
    await here.directory.forgetKey(hash)
    await here.directory.forgetUser(member.id)
    await here.directory.forgetSession(out.sessionId)
    await release()
    const fresh = isolate()
    expect(await fresh.directory.apiKey(key)).toBeNull()
    expect(await roleOf(fresh, member)).toBe('viewer')
    expect(await fresh.directory.person(out.id, out.sessionId)).toBeNull()
    // The revoked and the ended are not even looked up; the changed one is.
    expect(fresh.asked()).toBe(1)
  })

  it('of a workspace’s name or timezone reaches its keys and its members', async () => {
    const { key, workspaceId } = await makeKey()
    const member = await makeMember('owner')
    await database.sql('UPDATE workspace_members SET workspace_id = $1 WHERE user_id = $2', [
      ...[workspaceId, member.id],
    ])
    await knowing({ key, member })
    await database.sql("UPDATE workspaces SET name = 'Harbour', timezone = 'Asia/Tokyo' WHERE id = $1", [
      workspaceId,
    ])
    await isolate().directory.forgetWorkspace(workspaceId)
    const { directory } = isolate()
    expect(await directory.apiKey(key)).toMatchObject({ workspaceName: 'Harbour', timezone: 'Asia/Tokyo' })
    expect((await directory.person(member.id, member.sessionId))?.workspaces).toMatchObject([
      { name: 'Harbour', timezone: 'Asia/Tokyo' },
    ])
  })

  it('that Redis was not told of counts where it was made, and elsewhere within 15 seconds', async () => {
    const member = await makeMember('admin')
    const here = await knowing({ member })
    here.away.redis = true
    await become(member, 'viewer')
    await here.directory.forgetUser(member.id)
    here.away.redis = false
    for (let i = 0; i < 14; i++) {
      clock.atMs += 1_000
      expect(await roleOf(here, member)).toBe('viewer')
    }
    clock.atMs += 1_000
    expect(await roleOf(isolate(), member)).toBe('viewer')
  })
})

describe('while the database is away', () => {
  it('those are known who were known in the last day, by whichever isolate, and nobody else can tell', async () => {
    const [{ key }, member] = [await makeKey(), await makeMember('viewer')]
    await knowing({ key, member })
    const unseen = await makeKey()
    clock.atMs += 24 * 60 * MINUTE_MS - 1
    const fresh = isolate()
    fresh.away.database = true
    expect(await fresh.directory.apiKey(key)).not.toBeNull()
    expect(await roleOf(fresh, member)).toBe('viewer')
    // Believed from then on, and renewed as ever.
    clock.atMs += 4_000
    const before = fresh.asked()
    expect(await fresh.directory.apiKey(key)).not.toBeNull()
    await fresh.settled()
    expect(fresh.asked()).toBe(before + 1)
    expect(await codeOf(fresh.directory.apiKey(unseen.key))).toBe('unavailable')
    clock.atMs += 5_000
    expect(await codeOf(fresh.directory.apiKey(key))).toBe('unavailable')
  })

  it('what has ended or expired stays refused, and what has changed is not known', async () => {
    const [{ key, hash }, out, changed] = [
      await makeKey(),
      await makeMember('admin'),
      await makeMember('admin'),
    ]
    const expiring = await makeKey({ expiresAt: new Date(clock.atMs + MINUTE_MS).toISOString() })
    const here = await knowing({ key, member: out })
    await knowing({ key: expiring.key, member: changed })
    await here.directory.forgetKey(hash)
    await here.directory.forgetSession(out.sessionId)
    await here.directory.forgetUser(changed.id)
    clock.atMs += MINUTE_MS
    const fresh = isolate()
    fresh.away.database = true
    expect(await fresh.directory.apiKey(key)).toBeNull()
    expect(await fresh.directory.apiKey(expiring.key)).toBeNull()
    expect(await fresh.directory.person(out.id, out.sessionId)).toBeNull()
    expect(await codeOf(roleOf(fresh, changed))).toBe('unavailable')
  })

  it('memory serves for a quarter of an hour where Redis is away as well', async () => {
    const [{ key }, member] = [await makeKey(), await makeMember('viewer')]
    const one = await knowing({ key, member })
    Object.assign(one.away, dead)
    clock.atMs += 15 * MINUTE_MS - 1
    expect(await one.directory.apiKey(key)).not.toBeNull()
    expect(await roleOf(one, member)).toBe('viewer')
    const before = one.asked()
    clock.atMs += 2_999
    expect(await one.directory.apiKey(key)).not.toBeNull()
    expect(one.asked()).toBe(before)
    clock.atMs += 2_001
    expect(await codeOf(one.directory.apiKey(key))).toBe('unavailable')
    expect(await codeOf(roleOf(one, member))).toBe('unavailable')
  })

  it('memory serves nobody who has changed here, whom Redis forgot, or who has changed elsewhere', async () => {
    const members = [await makeMember('viewer'), await makeMember('viewer')] as const
    const one = await knowing({ member: members[0] })
    await roleOf(one, members[1])
    Object.assign(one.away, dead)
    await one.directory.forgetUser(members[0].id)
    clock.atMs += 6_000
    expect(await codeOf(roleOf(one, members[0]))).toBe('unavailable')
    expect(await roleOf(one, members[1])).toBe('viewer')
    await isolate().directory.forgetUser(members[1].id)
    one.away.redis = false
    clock.atMs += 5_000
    expect(await codeOf(roleOf(one, members[1]))).toBe('unavailable')
  })

  it('an answer that is refused is no outage', async () => {
    const member = await makeMember('viewer')
    const one = await knowing({ member })
    clock.atMs += MINUTE_MS
    await database.sql('ALTER FUNCTION app_person(text, text) RENAME TO app_person_away')
    try {
      expect(await codeOf(roleOf(one, member)).catch((error: unknown) => String(error))).toContain(
        'DatabaseError',
      )
    } finally {
      await database.sql('ALTER FUNCTION app_person_away(text, text) RENAME TO app_person')
    }
  })
})

describe('after an outage of both', () => {
  it('everybody is known by the database again, at once, and told to the others', async () => {
    const member = await makeMember('admin')
    const one = await knowing({ member })
    Object.assign(one.away, dead)
    clock.atMs += MINUTE_MS
    expect(await roleOf(one, member)).toBe('admin')
    Object.assign(one.away, { database: false, redis: false })
    await become(member, 'viewer')
    clock.atMs += 5_000
    expect(await roleOf(one, member)).toBe('viewer')
    await one.settled()
    const other = isolate()
    expect(await roleOf(other, member)).toBe('viewer')
    expect(other.asked()).toBe(0)
  })
})
