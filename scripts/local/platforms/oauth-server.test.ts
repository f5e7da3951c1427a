import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runAction } from './actions.ts'
import { ApiError, createCall } from './call.ts'
import { createOAuthServer, type OAuthServerOptions, SIMULATED_CLIENT } from './oauth-server.ts'
import { elementAt } from './random.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, NOON } from './test-kit.ts'
import { createWorld } from './world.ts'

const REDIRECT = 'https://tidemark.example/callback?via=1'
const VERIFIER = 'a-verifier-of-some-length-that-nobody-guesses'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

let folder: string
let now: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth-'))
  now = NOON
})
afterEach(() => rmSync(folder, { recursive: true }))

function setUp(options: Partial<OAuthServerOptions> = {}) {
  const open = () => {
    const world = createWorld({ seed: 'oauth', now: () => now, stateFile: join(folder, 'journal.jsonl') })
    const server = createOAuthServer({
      platform: 'x',
      world,
      accessTtlMs: 2 * HOUR_MS,
      refreshTtlMs: 180 * DAY_MS,
      codeTtlMs: 30_000,
      rotatesRefreshToken: true,
      requiresPkce: false,
      ...options,
    })
    return { world, server }
  }
  const { world, server } = open()
  const account = elementAt(world.accounts('x'), 0)
  const authorize = (params: Record<string, string> = {}, of = server) =>
    of.authorizePage(
      callOf(
        `/authorize?${new URLSearchParams({
          client_id: SIMULATED_CLIENT.id,
          redirect_uri: REDIRECT,
          state: 'a state',
          scope: 'users.read tweet.read',
          ...params,
        })}`,
      ),
    )
  const codeFor = (params: Record<string, string> = {}, of = server): string => {
    const { headers } = authorize({ approve: account.key, ...params }, of)
    return new URL(headers?.location ?? '').searchParams.get('code') ?? ''
  }
  const exchange = (code: string, params: Record<string, string> = {}, of = server) =>
    of.exchangeCode(
      callOf('/token', {
        ...secrets,
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT,
        ...params,
      }),
    )
  const refresh = (token: string | undefined, of = server) =>
    of.refresh(callOf('/token', { ...secrets, grant_type: 'refresh_token', refresh_token: token ?? '' }))
  return { open, world, server, account, authorize, codeFor, exchange, refresh }
}

const secrets = { client_id: SIMULATED_CLIENT.id, client_secret: SIMULATED_CLIENT.secret }

function callOf(path: string, form?: Record<string, string>, headers: Record<string, string> = {}) {
  const url = new URL(path, 'http://x.test')
  const body = form === undefined ? '' : new URLSearchParams(form).toString()
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const request = new Request(url, { method: form ? 'POST' : 'GET', headers: { ...type, ...headers } })
  return createCall({ request, url, t: now, body }, () => {})
}

/** The standard's name of the error that something ends in. */
function errorOf(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.name}: ${error.message}`
    throw error
  }
  return undefined
}

describe('The page that asks', () => {
  test('lists the platform’s accounts and leads back with a code, the state and what the address had', () => {
    const { world, authorize, account, server } = setUp()
    const { text = '' } = authorize()
    for (const { displayName } of world.accounts('x')) expect(text).toContain(displayName)
    const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'))
    expect(links).toHaveLength(world.accounts('x').length + 2)
    const followed = server.authorizePage(callOf(elementAt(links, 0)))
    const back = new URL(followed.headers?.location ?? '')
    expect(followed.status).toBe(302)
    expect(back.origin).toBe('https://tidemark.example')
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ via: '1', state: 'a state' })
    expect(back.searchParams.get('code')).not.toBe('')
    const refusal = new URL(server.authorizePage(callOf(links.at(-1) ?? '')).headers?.location ?? '')
    expect(Object.fromEntries(refusal.searchParams)).toEqual({
      via: '1',
      error: 'access_denied',
      state: 'a state',
    })
    for (const reference of [account.key, account.id, account.handle])
      expect(authorize({ approve: reference }).status).toBe(302)
  })

  test('does not show text of the request as markup', () => {
    expect(setUp().authorize({ state: '"><script>' }).text).not.toContain('<script>')
  })

  test.each([
    [{ client_id: 'somebody' }, /invalid_client/],
    [{ redirect_uri: 'nowhere' }, /invalid_request/],
    [{ approve: 'nobody' }, /invalid_request/],
    [{ code_challenge: 'x', code_challenge_method: 'S1' }, /invalid_request/],
  ])('refuses %j', (params, error) => {
    expect(errorOf(() => setUp().authorize(params))).toMatch(error)
  })

  test('leaves out accounts that are not active', () => {
    const { world, authorize, account } = setUp()
    runAction(world, 'suspend', { platform: 'x', account: account.id })
    now += 1
    expect(authorize().text).not.toContain(account.displayName)
  })
})

describe('A code', () => {
  test('is exchanged for tokens of the accounts and scopes that were chosen', () => {
    const { codeFor, exchange, server, world } = setUp()
    const approve = world.accounts('x').map(({ key }) => key)
    const granted = exchange(codeFor({ approve: approve.join(',') }))
    expect(granted).toMatchObject({ expiresInSeconds: 7_200, scopes: ['users.read', 'tweet.read'] })
    expect(server.introspect(granted.accessToken, now)).toEqual({
      accountIds: world.accounts('x').map(({ id }) => id),
      scopes: ['users.read', 'tweet.read'],
      clientId: SIMULATED_CLIENT.id,
      issuedAt: NOON,
      expiresAt: NOON + 2 * HOUR_MS,
      expired: false,
      revoked: false,
    })
    expect(server.introspect(granted.accessToken, NOON + 2 * HOUR_MS)?.expired).toBe(true)
  })

  test('is good once', () => {
    const { codeFor, exchange } = setUp()
    const code = codeFor()
    exchange(code)
    expect(errorOf(() => exchange(code))).toBe('400 invalid_grant: It was used before')
  })

  test('is good for its time', () => {
    const { codeFor, exchange } = setUp()
    const [code, other] = [codeFor(), codeFor()]
    now += 29_999
    exchange(code)
    now += 1
    expect(errorOf(() => exchange(other))).toBe('400 invalid_grant: The code has expired')
  })

  test('is good for its client and its address alone', () => {
    const { codeFor, exchange } = setUp({ clients: [SIMULATED_CLIENT, { id: 'b', secret: 'c' }] })
    const code = codeFor()
    expect(errorOf(() => exchange(code, { client_secret: 'wrong' }))).toMatch(/^401 invalid_client/)
    expect(errorOf(() => exchange(code, { client_id: 'b', client_secret: 'c' }))).toMatch(/Unknown code/)
    expect(errorOf(() => exchange(code, { redirect_uri: `${REDIRECT}2` }))).toMatch(/redirect_uri/)
    exchange(code)
  })

  test('of another platform, or changed, is none', () => {
    const { codeFor, exchange } = setUp()
    const foreign = setUp({ platform: 'threads' })
    const code = codeFor()
    expect(errorOf(() => foreign.exchange(code))).toMatch(/Unknown code/)
    expect(errorOf(() => exchange(`${code}x`))).toMatch(/Unknown code/)
    expect(errorOf(() => exchange(exchange(code).accessToken))).toMatch(/Unknown code/)
  })

  test('that was asked for with a challenge needs its verifier', () => {
    const { codeFor, exchange } = setUp({ requiresPkce: true })
    const pkce = { code_challenge: CHALLENGE, code_challenge_method: 'S256' }
    expect(errorOf(() => codeFor())).toMatch(/code_challenge/)
    expect(errorOf(() => exchange(codeFor(pkce)))).toMatch(/code_verifier/)
    expect(errorOf(() => exchange(codeFor(pkce), { code_verifier: CHALLENGE }))).toMatch(/code_verifier/)
    const spoilt = codeFor(pkce)
    expect(errorOf(() => exchange(spoilt, { code_verifier: 'wrong' }))).toMatch(/code_verifier/)
    // Whoever guessed wrong has no second try.
    expect(errorOf(() => exchange(spoilt, { code_verifier: VERIFIER }))).toMatch(/used before/)
    exchange(codeFor(pkce), { code_verifier: VERIFIER })
    exchange(codeFor({ code_challenge: VERIFIER }), { code_verifier: VERIFIER })
  })
})

describe('A refresh token', () => {
  test('that rotates is good once, and comes with its successor', () => {
    const { codeFor, exchange, refresh, server } = setUp()
    const first = exchange(codeFor())
    now += DAY_MS
    const second = refresh(first.refreshToken)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(server.introspect(second.accessToken, now)).toMatchObject({
      accountIds: first.accountIds,
      expired: false,
    })
    expect(errorOf(() => refresh(first.refreshToken))).toBe('400 invalid_grant: It was used before')
    refresh(second.refreshToken)
  })

  test('that does not rotate stays as it is', () => {
    const { codeFor, exchange, refresh } = setUp({ rotatesRefreshToken: false })
    const { refreshToken } = exchange(codeFor())
    expect([refresh(refreshToken), refresh(refreshToken)].map((grant) => grant.refreshToken)).toEqual([
      refreshToken,
      refreshToken,
    ])
  })

  test('expires, is none where none are issued, and an access token is none', () => {
    const { codeFor, exchange, refresh } = setUp()
    const { refreshToken, accessToken } = exchange(codeFor())
    expect(errorOf(() => refresh(accessToken))).toMatch(/Unknown refresh token/)
    now += 180 * DAY_MS
    expect(errorOf(() => refresh(refreshToken))).toMatch(/has expired/)
    const without = setUp({ refreshTtlMs: null })
    expect(without.exchange(without.codeFor()).refreshToken).toBeUndefined()
  })
})

describe('Tokens', () => {
  test('are known to a server that starts anew, with what was done to them', () => {
    const { codeFor, exchange, open, world, account } = setUp()
    const { accessToken, refreshToken } = exchange(codeFor())
    now += MINUTE_MS
    runAction(world, 'expire-tokens', { platform: 'x', account: account.key })
    now += MINUTE_MS
    const { server } = open()
    expect(server.introspect(accessToken, NOON + 1)).toMatchObject({ expired: false, revoked: false })
    expect(server.introspect(accessToken, now)).toMatchObject({ expired: true, revoked: false })
    const renewed = server.refresh(callOf('/token', { ...secrets, refresh_token: refreshToken ?? '' }))
    expect(server.introspect(renewed.accessToken, now)).toMatchObject({ expired: false, revoked: false })
  })

  test('are revoked for an account or for all, and what is granted afterwards holds', () => {
    const { codeFor, exchange, refresh, server, world, account } = setUp()
    const [other] = world.accounts('x').slice(1)
    const [mine, theirs] = [exchange(codeFor()), exchange(codeFor({ approve: other?.key ?? '' }))]
    now += MINUTE_MS
    runAction(world, 'revoke-tokens', { platform: 'x', account: account.key })
    expect(server.introspect(mine.accessToken, now)?.revoked).toBe(true)
    expect(server.introspect(theirs.accessToken, now)?.revoked).toBe(false)
    expect(errorOf(() => refresh(mine.refreshToken))).toMatch(/was revoked/)
    now += MINUTE_MS
    const again = exchange(codeFor())
    expect(server.introspect(again.accessToken, now)?.revoked).toBe(false)
    runAction(world, 'revoke-tokens', { platform: 'x' })
    for (const { accessToken } of [again, theirs])
      expect(server.introspect(accessToken, now)?.revoked).toBe(true)
  })

  test('of an application alone, and of the platform’s own exchanges, are issued too', () => {
    const { server, account } = setUp()
    const basic = btoa(`${SIMULATED_CLIENT.id}:${SIMULATED_CLIENT.secret}`)
    const granted = server.clientCredentials(
      callOf('/token', { grant_type: 'client_credentials' }, { authorization: `Basic ${basic}` }),
    )
    expect(granted.refreshToken).toBeUndefined()
    expect(server.introspect(granted.accessToken, now)?.accountIds).toEqual([])
    const wrong = { authorization: `Basic ${btoa('a:b')}` }
    expect(errorOf(() => server.clientCredentials(callOf('/token', {}, wrong)))).toMatch(/invalid_client/)
    const page = server.issueAccessToken({ at: now, accountIds: [account.id], scopes: [], ttlMs: null })
    expect(server.introspect(page, now + 10_000 * DAY_MS)).toMatchObject({ expiresAt: null, expired: false })
    expect(server.introspect('made up', now)).toBeUndefined()
  })
})
