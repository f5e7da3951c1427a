// Before any schema is made: it teaches them what the routes ask of them.
import '@hono/zod-openapi'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MAX_ACCOUNTS } from '../../src/domain/account-limit.ts'
import { newId } from '../../src/lib/ids.ts'
import { PlatformError } from '../../src/ports.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeManyAccounts, makeWorkspace } from '../harness/factories.ts'
import { authorizationRow, grantedTo, items, ONE, problem, TWO } from './granted.ts'
import { type Asker, type OAuthRig, startOAuth } from './rig.ts'

let database: TestDatabase
let rig: OAuthRig
let ada: Asker
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  rig = await startOAuth(database)
  ada = await rig.person('ada')
})

const MINUTE_MS = 60_000

const granted = (asker = ada, accounts = [ONE, TWO], input: object = {}) =>
  grantedTo(rig, asker, accounts, input)
const rowOf = (id: string) => authorizationRow(database, id)

const onPath = (path: string) => (url: URL) => {
  url.pathname = path
}

describe('the way back', () => {
  it('is open once', async () => {
    const { id, url } = await rig.begin(ada)
    const address = rig.platform.agree(url, [ONE])
    const answers = await Promise.all([rig.comeBack(ada, address), rig.comeBack(ada, address)])
    answers.push(await rig.comeBack(ada, address))
    // Whoever loads the page again is led on, or told; the code is exchanged once.
    for (const { status } of answers) expect([303, 400]).toContain(status)
    expect(answers.some(({ status }) => status === 303)).toBe(true)
    expect(rig.platform.exchanges).toBe(1)
    expect((await rig.read(ada, id)).status).toBe('granted')
  })

  it('is that of whoever began it', async () => {
    const bo = await rig.person('bo', { role: 'owner' })
    const { id, url } = await rig.begin(ada)
    const address = rig.platform.agree(url, [ONE])
    const asBo = await rig.comeBack(bo, address)
    expect(asBo.status).toBe(403)
    expect(asBo.text).toContain('Somebody else began this')
    const asNobody = await rig.comeBack({}, address)
    expect(asNobody.status).toBe(401)
    expect(asNobody.text).toContain('href="/sign-in"')
    for (const { headers, text } of [asBo, asNobody]) {
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(text).not.toContain(address.searchParams.get('code'))
      expect(text).not.toContain(address.searchParams.get('state'))
    }
    expect(rig.platform.exchanges).toBe(0)
    expect((await rig.comeBack(ada, address)).status).toBe(303)
    expect((await rig.read(ada, id)).status).toBe('granted')
  })

  it('is closed to somebody who may connect nothing any more', async () => {
    const { url } = await rig.begin(ada)
    const address = rig.platform.agree(url, [ONE])
    await rig.person('ada', { role: 'viewer' })
    rig.elapse(6_000)
    expect((await rig.comeBack(ada, address)).status).toBe(403)
    await rig.person('ada', { workspaceId: await makeWorkspace(database) })
    rig.elapse(6_000)
    expect((await rig.comeBack(ada, address)).status).toBe(403)
    expect(rig.platform.exchanges).toBe(0)
  })

  it('is closed after ten minutes', async () => {
    const { id, url } = await rig.begin(ada)
    const address = rig.platform.agree(url, [ONE])
    rig.elapse(10 * MINUTE_MS + 1_000)
    expect((await rig.comeBack(ada, address)).status).toBe(400)
    expect(rig.platform.exchanges).toBe(0)
    expect(await rig.read(ada, id)).toMatchObject({ status: 'expired', reason: expect.any(String) })
  })

  it.each([
    ['of a made-up state', (url: URL) => url.searchParams.set('state', 'A'.repeat(43))],
    ['of no state', (url: URL) => url.searchParams.delete('state')],
    ['of an odd state', (url: URL) => url.searchParams.set('state', "' OR TRUE --\0")],
    ['of another platform', onPath('/oauth/threads/callback')],
    ['of no platform', onPath('/oauth/%00/callback')],
  ])('leads nowhere %s', async (_what, change) => {
    const { id, url } = await rig.begin(ada)
    const address = rig.platform.agree(url, [ONE])
    change(address)
    expect((await rig.comeBack(ada, address)).status).toBe(400)
    expect((await rig.read(ada, id)).status).toBe('pending')
  })

  it.each([
    ['access_denied', 'refused', 'Nobody agreed at TikTok'],
    ['user_cancelled_authorize', 'refused', 'Nobody agreed at TikTok'],
    ['temporarily_unavailable', 'failed', 'at the moment'],
    ['<b>Call 555-1234</b>', 'failed', 'an operator'],
  ])('of somebody with %j says why there is nothing to connect', async (error, status, reason) => {
    const { id, url } = await rig.begin(ada)
    const back = await rig.comeBack(ada, rig.platform.decline(url, error))
    expect(back.headers.get('location')).toBe(`/connect?authorization=${id}`)
    const read = await rig.read(ada, id)
    expect(read).toMatchObject({ status, reason: expect.stringContaining(reason), accounts: [] })
    expect(read.reason).not.toContain('555')
    expect(await rowOf(id)).toMatchObject({ sealed: '' })
    expect(problem(await rig.connect(ada, id, 'one'))).toEqual([409, 'conflict'])
  })

  it.each(['', 'x'.repeat(5_000), 'made-up'])('takes no code that is none: %.10s', async (code) => {
    const { id, url } = await rig.begin(ada)
    const address = rig.platform.agree(url, [ONE])
    address.searchParams.set('code', code)
    expect((await rig.comeBack(ada, address)).status).toBe(303)
    expect((await rig.read(ada, id)).status).toBe('failed')
  })

  it('says what the platform said where it fails', async () => {
    const { id, url } = await rig.begin(ada)
    rig.platform.before = async () => {
      throw new PlatformError('transient', 'The platform does not answer.')
    }
    expect((await rig.comeBack(ada, rig.platform.agree(url, [ONE]))).status).toBe(303)
    expect(await rig.read(ada, id)).toMatchObject({
      status: 'failed',
      reason: 'The platform does not answer.',
    })
  })

  it('leaves nothing open where it breaks off', async () => {
    const { id, url } = await rig.begin(ada)
    rig.platform.before = async () => {
      throw new Error('killed')
    }
    const address = rig.platform.agree(url, [ONE])
    expect((await rig.comeBack(ada, address)).status).toBe(500)
    expect(await rig.read(ada, id)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('broke off'),
    })
    rig.platform.before = async () => {}
    await rig.comeBack(ada, address)
    expect((await rig.read(ada, id)).status).toBe('failed')
    expect(rig.platform.exchanges).toBe(1)
  })

  it('says so where there is no account to connect', async () => {
    const { id, url } = await rig.begin(ada)
    await rig.comeBack(ada, rig.platform.agree(url, []))
    expect(await rig.read(ada, id)).toMatchObject({ status: 'failed', reason: expect.any(String) })
  })
})

describe('who may go on with an authorization', () => {
  it('is whoever began it, and admins', async () => {
    const id = await granted()
    const colleagues = { analyst: await rig.person('cleo'), key: await rig.key('write') }
    for (const [asker, code] of [
      [colleagues.analyst, 'insufficient_role'],
      [colleagues.key, 'insufficient_scope'],
      [await rig.person('viewer', { role: 'viewer' }), 'insufficient_role'],
    ] as const) {
      const path = `/api/v1/accounts/authorizations/${id}`
      expect(problem(await rig.ask(asker, 'GET', path))).toEqual([403, code])
      expect(problem(await rig.connect(asker, id, 'one'))).toEqual([403, code])
    }
    const admin = await rig.person('dora', { role: 'admin' })
    expect((await rig.read(admin, id)).status).toBe('granted')
    expect((await rig.connect(admin, id, 'one')).status).toBe(201)
  })

  it('is nobody of another workspace', async () => {
    const id = await granted()
    const stranger = await rig.person('stranger', {
      role: 'owner',
      workspaceId: await makeWorkspace(database),
    })
    expect(problem(await rig.ask(stranger, 'GET', `/api/v1/accounts/authorizations/${id}`))).toEqual([
      ...[404, 'not_found'],
    ])
    expect(problem(await rig.connect(stranger, id, 'one'))).toEqual([404, 'not_found'])
    for (const odd of [newId(), 'no-id'])
      expect(problem(await rig.connect(ada, odd, 'one'))).toEqual([404, 'not_found'])
    expect((await rig.read(ada, id)).status).toBe('granted')
  })

  it('is, of one that a key began, that key and the member who came back', async () => {
    const key = await rig.key('write')
    const stranger = await rig.person('stranger', {
      role: 'owner',
      workspaceId: await makeWorkspace(database),
    })
    const viewer = await rig.person('viewer', { role: 'viewer' })
    const { id, url } = await rig.begin(key)
    const address = rig.platform.agree(url, [ONE, TWO])
    expect((await rig.comeBack({}, address)).status).toBe(401)
    for (const wrong of [stranger, viewer]) expect((await rig.comeBack(wrong, address)).status).toBe(403)
    expect((await rig.comeBack(ada, address)).status).toBe(303)
    expect((await rig.read(key, id)).status).toBe('granted')
    expect((await rig.read(ada, id)).status).toBe('granted')
    expect(problem(await rig.connect(await rig.person('cleo'), id, 'one'))).toEqual([
      ...[403, 'insufficient_role'],
    ])
    expect((await rig.connect(key, id, 'one')).status).toBe(201)
  })
})

describe('an authorization that cannot be begun', () => {
  const begin = (json: unknown, asker = ada) =>
    rig.ask(asker, 'POST', '/api/v1/accounts/authorizations', json)

  it('says what an operator has to set', async () => {
    const noApp = await begin({ platform: 'instagram' })
    expect(problem(noApp)).toEqual([422, 'platform_unsupported'])
    expect(noApp.text).toContain('META_APP_ID')
    const needless = await begin({ platform: 'bluesky' })
    expect(problem(needless)).toEqual([422, 'platform_unsupported'])
    expect(needless.text).toContain('handle')
    rig.deps.vault = null
    const noKey = await begin({ platform: 'tiktok' })
    expect(problem(noKey)).toEqual([503, 'unavailable'])
    expect(noKey.text).toContain('CREDENTIALS_KEY')
  })

  it('names what is wrong', async () => {
    const elsewhere = newId()
    await database.sql(
      `INSERT INTO accounts (id, workspace_id, platform, external_id, handle, source, status)
       VALUES ($1, $2, 'bluesky', 'did:x', 'x', 'public', 'active')`,
      [elsewhere, rig.workspaceId],
    )
    for (const [input, pointer] of [
      [{ brandId: newId() }, '/brandId'],
      [{ accountId: newId() }, '/accountId'],
      [{ accountId: elsewhere }, '/accountId'],
      [{ accountId: newId(), brandId: newId() }, '/brandId'],
    ] as const) {
      const answer = await begin({ platform: 'tiktok', ...input })
      expect(problem(answer)).toEqual([400, 'invalid_request'])
      expect(answer.body.errors).toMatchObject([{ pointer }])
    }
    expect(problem(await begin({ platform: 'tiktok' }, await rig.key('read')))).toEqual([
      ...[403, 'insufficient_scope'],
    ])
  })

  it('goes on in no brand where that was removed meanwhile', async () => {
    const brandId = await rig.brand('North')
    const id = await granted(ada, [ONE], { brandId })
    await database.sql('DELETE FROM brands WHERE id = $1', [brandId])
    expect(items(await rig.connect(ada, id, 'one'))).toMatchObject([{ brandId: null }])
  })

  it('can be used for as many accounts as there is room for, and again for others', async () => {
    await makeManyAccounts(database, rig.workspaceId, MAX_ACCOUNTS - 1)
    const id = await granted()
    const both = await rig.connect(ada, id, 'one', 'two')
    expect(problem(both)).toEqual([409, 'conflict'])
    expect(both.body.detail).toContain('has 4,999 accounts, and can have 5,000 at most')
    expect(items(await rig.connect(ada, id, 'one'))).toHaveLength(1)
    // What is connected already takes no further place.
    expect(items(await rig.connect(ada, await granted(), 'one'))).toHaveLength(1)
    expect(problem(await rig.connect(ada, await granted(), 'two'))).toEqual([409, 'conflict'])
  })

  it('keeps what was granted for half an hour', async () => {
    const id = await granted()
    rig.elapse(31 * MINUTE_MS)
    expect((await rig.read(ada, id)).status).toBe('expired')
    expect(problem(await rig.connect(ada, id, 'one'))).toEqual([410, 'gone'])
  })
})
