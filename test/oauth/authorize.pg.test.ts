// Before any schema is made: it teaches them what the routes ask of them.
import '@hono/zod-openapi'

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
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
const accountRows = () =>
  database.sql<Record<string, unknown>>('SELECT * FROM accounts WHERE workspace_id = $1 ORDER BY handle', [
    rig.workspaceId,
  ])

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
    // Its reading is queued: no plan is to read it as well.
    const [account] = await accountRows()
    for (const column of ['next_sync_at', 'not_before'])
      expect(Number(account?.[column]), column).toBeGreaterThan(rig.now())
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
