// Before any schema is made: it teaches them what the routes ask of them.
import '@hono/zod-openapi'

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { PlatformError } from '../../src/ports.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeWorkspace } from '../harness/factories.ts'
import { profile } from './oauth-platform.ts'
import { type Answer, type Asker, type OAuthRig, startOAuth } from './rig.ts'

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
const ONE = profile('one')
const TWO = profile('two', { followers: null, displayName: null, avatarUrl: null })

/** Begins, agrees and comes back; the authorization waits for somebody to choose. */
async function granted(asker: Asker = ada, accounts = [ONE, TWO], input: object = {}): Promise<string> {
  const { id, url } = await rig.begin(asker, input)
  expect((await rig.comeBack(asker, rig.platform.agree(url, accounts))).status).toBe(303)
  return id
}

const rowOf = async (id: string) =>
  (await database.sql<Record<string, unknown>>('SELECT * FROM account_authorizations WHERE id = $1', [id]))[0]
const accountRows = () =>
  database.sql<Record<string, unknown>>('SELECT * FROM accounts WHERE workspace_id = $1 ORDER BY handle', [
    rig.workspaceId,
  ])
const problem = ({ status, body }: Answer) => [status, body.code]
const items = ({ body }: Answer) => body.items as { id: string; handle: string; status: string }[]

describe('connecting accounts by signing in at their platform', () => {
  it('leads from the first click to accounts that are read', async () => {
    const brandId = await rig.brand('North')
    const begun = await rig.begin(ada, { brandId })
    const asked = new URL(begun.url).searchParams
    expect(asked.get('redirect_uri')).toBe('https://tidemark.example/oauth/tiktok/callback')
    expect(Date.parse(begun.expiresAt) - rig.now()).toBeLessThanOrEqual(10 * MINUTE_MS)
    expect(await rig.read(ada, begun.id)).toMatchObject({ status: 'pending', reason: null, accounts: [] })

    const back = await rig.comeBack(ada, rig.platform.agree(begun.url, [ONE, TWO]))
    expect(back.status).toBe(303)
    expect(back.headers.get('location')).toBe(`/connect?authorization=${begun.id}`)
    expect(back.headers.get('cache-control')).toBe('no-store')
    expect(back.headers.get('referrer-policy')).toBe('no-referrer')
    const { url: _one, host: _host, following: _following, posts: _posts, ...shownOne } = ONE
    const { url: _two, host: _hostTwo, following: _followingTwo, posts: _postsTwo, ...shownTwo } = TWO
    expect(await rig.read(ada, begun.id)).toMatchObject({
      status: 'granted',
      platform: 'tiktok',
      accounts: [
        { ...shownOne, connectedAccountId: null },
        { ...shownTwo, connectedAccountId: null },
      ],
    })

    const connected = await rig.connect(ada, begun.id, 'two', 'one', 'two')
    expect(connected.status).toBe(201)
    expect(items(connected)).toMatchObject([
      { handle: TWO.handle, status: 'active', brandId, credentials: { expiresAt: expect.any(String) } },
      { handle: ONE.handle, status: 'active', brandId },
    ])
    expect(await accountRows()).toMatchObject([
      { external_id: 'one', source: 'credential', display_name: 'Name one', url: ONE.url },
      { external_id: 'two', source: 'credential' },
    ])
    // Each is read with its own token, which is sealed for it.
    const stored = await database.sql<{ account_id: string; key_id: string; sealed: string }>(
      'SELECT * FROM platform_credentials WHERE workspace_id = $1',
      [rig.workspaceId],
    )
    const opened = await Promise.all(
      stored.map((one) =>
        rig.vault.open(
          { workspaceId: rig.workspaceId, accountId: one.account_id, platform: 'tiktok' },
          { keyId: one.key_id, sealed: one.sealed },
        ),
      ),
    )
    expect(new Set(opened.map(({ accessToken }) => accessToken)).size).toBe(2)
    for (const secret of opened) {
      expect(rig.platform.isGood(secret.accessToken)).toBe(true)
      expect(secret).toMatchObject({ scopes: ['user.info', 'video.list'], refreshToken: expect.any(String) })
    }
    expect(rig.queue.sent.map(({ topic }) => topic)).toEqual(['sync/accounts', 'sync/accounts'])
    expect(rig.told).toHaveLength(1)
    const log = await database.sql<{ action: string; actor_id: string }>(
      'SELECT action, actor_id FROM audit_log WHERE workspace_id = $1 ORDER BY ctid',
      [rig.workspaceId],
    )
    expect(log).toEqual(
      ['account.connected', 'credentials.stored', 'account.connected', 'credentials.stored'].map(
        (action) => ({ action, actor_id: 'ada' }),
      ),
    )
    expect(await rowOf(begun.id)).toMatchObject({ status: 'used', sealed: '' })
    const after = await rig.read(ada, begun.id)
    expect(after.accounts.map(({ connectedAccountId }) => connectedAccountId)).toEqual([
      items(connected)[1]?.id,
      items(connected)[0]?.id,
    ])
    expect(problem(await rig.connect(ada, begun.id, 'one'))).toEqual([409, 'conflict'])
  })

  it('stores the state as a digest and the verifier sealed, and sends the verifier’s challenge', async () => {
    const { id, url } = await rig.begin(ada)
    const asked = new URL(url).searchParams
    const row = await rowOf(id)
    const state = asked.get('state') ?? ''
    expect(state).toHaveLength(43)
    expect(row?.state_hash).toBe(createHash('sha256').update(state).digest('hex'))
    const verifier = await rig.vault.openText(
      { workspaceId: rig.workspaceId, authorizationId: id },
      { keyId: String(row?.key_id), sealed: String(row?.sealed) },
    )
    expect(verifier).toMatch(/^[\w-]{43}$/)
    expect(asked.get('code_challenge')).toBe(createHash('sha256').update(verifier).digest('base64url'))
    expect(JSON.stringify(row)).not.toContain(state)
  })

  it('connects nothing that was not granted, and nothing twice', async () => {
    const id = await granted()
    const wrong = await rig.connect(ada, id, 'one', 'three', 'four')
    expect(problem(wrong)).toEqual([400, 'invalid_request'])
    expect(wrong.body.errors).toMatchObject([{ pointer: '/externalIds/1' }, { pointer: '/externalIds/2' }])
    expect(problem(await rig.connect(ada, id))).toEqual([400, 'invalid_request'])
    expect(await accountRows()).toEqual([])
    const answers = await Promise.all(Array.from({ length: 8 }, () => rig.connect(ada, id, 'one', 'two')))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(7).fill(409)])
    expect(await accountRows()).toHaveLength(2)
  })

  it('connects an account once, also where two people were granted it at the same time', async () => {
    const bo = await rig.person('bo')
    const ids = await Promise.all([granted(ada, [ONE]), granted(bo, [ONE])])
    const answers = await Promise.all([rig.connect(ada, ids[0], 'one'), rig.connect(bo, ids[1], 'one')])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201])
    expect(await accountRows()).toHaveLength(1)
  })
})

describe('reading an account again', () => {
  async function connectOne(): Promise<string> {
    const [account] = items(await rig.connect(ada, await granted(ada, [ONE]), 'one'))
    return account?.id ?? ''
  }

  it.each([
    ['needs_auth', 'active'],
    ['active', 'active'],
    ['paused', 'paused'],
  ])('gives one that is %s the new credential', async (status, after) => {
    const accountId = await connectOne()
    const before = await database.sql('SELECT sealed FROM platform_credentials WHERE account_id = $1', [
      accountId,
    ])
    await database.sql(`UPDATE accounts SET status = $2, status_reason = 'It ended.' WHERE id = $1`, [
      accountId,
      status,
    ])
    const id = await granted(ada, [ONE, TWO], { accountId })
    expect((await rig.read(ada, id)).accounts).toMatchObject([
      { externalId: 'one', connectedAccountId: accountId },
    ])
    const answer = await rig.connect(ada, id, 'one')
    expect(answer.status).toBe(201)
    expect(items(answer)).toMatchObject([{ id: accountId, status: after }])
    expect(
      await database.sql('SELECT sealed FROM platform_credentials WHERE account_id = $1', [accountId]),
    ).not.toEqual(before)
    expect(await accountRows()).toHaveLength(1)
  })

  it('says so where whoever agreed cannot open it', async () => {
    const accountId = await connectOne()
    const { id, url } = await rig.begin(ada, { accountId })
    await rig.comeBack(ada, rig.platform.agree(url, [TWO]))
    expect(await rig.read(ada, id)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining(ONE.handle),
      accounts: [],
    })
    expect(problem(await rig.connect(ada, id, 'two'))).toEqual([409, 'conflict'])
  })

  it('is what one needs whose credential was removed', async () => {
    const accountId = await connectOne()
    const path = `/api/v1/accounts/${accountId}/credentials`
    expect((await rig.ask(ada, 'DELETE', path)).status).toBe(204)
    expect(await accountRows()).toMatchObject([
      { status: 'needs_auth', source: 'credential', next_sync_at: null, status_reason: expect.any(String) },
    ])
    const pasted = await rig.ask(ada, 'PUT', path, { accessToken: 'x' })
    expect(problem(pasted)).toEqual([400, 'invalid_request'])
    expect(pasted.text).toContain('begin an authorization')
    expect((await rig.connect(ada, await granted(ada, [ONE]), 'one')).status).toBe(201)
    expect(await accountRows()).toMatchObject([{ status: 'active', status_reason: null }])
  })

  it('connects one anew that was removed', async () => {
    const accountId = await connectOne()
    await rig.ask(ada, 'DELETE', `/api/v1/accounts/${accountId}`)
    const id = await granted(ada, [ONE])
    expect((await rig.read(ada, id)).accounts).toMatchObject([{ connectedAccountId: null }])
    const answer = await rig.connect(ada, id, 'one')
    expect(answer.status).toBe(201)
    expect(items(answer)[0]?.id).not.toBe(accountId)
  })
})

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

describe('a member who is limited to brands', () => {
  it('connects into these alone, and is told that an account is elsewhere, and not where', async () => {
    const [north, secret] = [await rig.brand('North'), await rig.brand('Secret')]
    const hidden = items(await rig.connect(ada, await granted(ada, [ONE], { brandId: secret }), 'one'))[0]?.id
    const lim = await rig.person('lim', { brands: [north] })
    const begin = (input: object) =>
      rig.ask(lim, 'POST', '/api/v1/accounts/authorizations', { platform: 'tiktok', ...input })
    for (const input of [{}, { brandId: secret }, { accountId: hidden }, { brandId: newId() }])
      expect(problem(await begin(input))).toEqual([400, 'invalid_request'])
    const id = await granted(lim, [ONE, TWO], { brandId: north })
    expect((await rig.read(lim, id)).accounts.map((one) => one.connectedAccountId)).toEqual([null, null])
    const both = await rig.connect(lim, id, 'one', 'two')
    expect(problem(both)).toEqual([409, 'already_connected'])
    expect(both.text).not.toContain(hidden)
    expect(await accountRows()).toHaveLength(1)
    expect(items(await rig.connect(lim, id, 'two'))).toMatchObject([{ brandId: north }])
  })

  it('connects nothing by what an unlimited key began', async () => {
    const lim = await rig.person('lim', { brands: [await rig.brand('North')] })
    const { id, url } = await rig.begin(await rig.key('write'))
    await rig.comeBack(lim, rig.platform.agree(url, [ONE]))
    expect(problem(await rig.connect(lim, id, 'one'))).toEqual([403, 'insufficient_role'])
    expect(await accountRows()).toEqual([])
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

  it('keeps what was granted for half an hour', async () => {
    const id = await granted()
    rig.elapse(31 * MINUTE_MS)
    expect((await rig.read(ada, id)).status).toBe('expired')
    expect(problem(await rig.connect(ada, id, 'one'))).toEqual([410, 'gone'])
  })
})
