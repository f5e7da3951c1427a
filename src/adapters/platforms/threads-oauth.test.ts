import { describe, expect, it } from 'vitest'
import type { PlatformError, TokenGrant } from '../../ports.ts'
import { createRules } from './limits.ts'
import { platformFailure, testNetwork } from './test-network.ts'
import { createThreadsConnector } from './threads.ts'
import { THREADS_API_URL } from './threads-api.ts'

const DAY_MS = 86_400_000
const { oauth } = createThreadsConnector({
  app: { id: 'app-id', secret: 'app-secret' },
  apiUrl: THREADS_API_URL,
  userAgent: 'Tidemark',
  ruleOf: createRules(),
})
if (oauth === undefined) throw new Error('Threads is signed in to')

const REQUEST = { code: 'a code', codeVerifier: 'a verifier', redirectUri: 'https://tidemark.example/cb' }
const GRANT: TokenGrant = {
  accessToken: 'THAA-old',
  refreshToken: null,
  expiresAtMs: null,
  refreshExpiresAtMs: null,
  scopes: [],
}

describe('signing in to Threads', () => {
  it('sends people to Threads with what is to be read', () => {
    const url = new URL(
      oauth.authorizationUrl({ redirectUri: REQUEST.redirectUri, state: 'a state', codeChallenge: 'abc' }),
    )
    expect(url.origin + url.pathname).toBe('https://threads.net/oauth/authorize')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'app-id',
      redirect_uri: REQUEST.redirectUri,
      scope: 'threads_basic,threads_manage_insights,threads_read_replies',
      response_type: 'code',
      state: 'a state',
      code_challenge: 'abc',
      code_challenge_method: 'S256',
    })
  })

  it('exchanges the code, and what it gives for a token of sixty days', async () => {
    const network = testNetwork((url) =>
      url.pathname === '/oauth/access_token'
        ? new Response('{"access_token":"THAA-short","user_id":26000000000000001}')
        : { access_token: 'THAA-long', token_type: 'bearer', expires_in: 5_184_000 },
    )
    const before = Date.now()
    const grant = await oauth.exchangeCode(network.ctx, REQUEST)
    expect(grant).toMatchObject({ accessToken: 'THAA-long', refreshToken: null })
    expect(grant.expiresAtMs).toBeGreaterThanOrEqual(before + 60 * DAY_MS)
    expect(grant.expiresAtMs).toBeLessThanOrEqual(Date.now() + 60 * DAY_MS)
    const [first] = network.requests
    expect(Object.fromEntries(new URLSearchParams(first?.body))).toEqual({
      client_id: 'app-id',
      client_secret: 'app-secret',
      grant_type: 'authorization_code',
      redirect_uri: REQUEST.redirectUri,
      code: 'a code',
      code_verifier: 'a verifier',
    })
    expect(network.urls).toEqual([
      'https://graph.threads.net/oauth/access_token',
      'https://graph.threads.net/access_token?grant_type=th_exchange_token&client_secret=app-secret&access_token=THAA-short',
    ])
    expect(network.admitted.map(({ operation }) => operation)).toEqual(['token.grant', 'token.grant'])
  })

  it('renews a token with itself, but none of the first day', async () => {
    const network = testNetwork(() => ({ access_token: 'THAA-new', expires_in: 5_184_000 }))
    const ending = { ...GRANT, expiresAtMs: Date.now() + 7 * DAY_MS }
    expect(await oauth.refresh(network.ctx, ending)).toMatchObject({ accessToken: 'THAA-new' })
    expect(await oauth.refresh(network.ctx, GRANT)).toMatchObject({ accessToken: 'THAA-new' })
    expect(network.urls).toHaveLength(2)
    expect(network.admitted[0]?.operation).toBe('token.refresh')
    const young = { ...GRANT, expiresAtMs: Date.now() + 59.5 * DAY_MS }
    expect(await oauth.refresh(network.ctx, young)).toBeNull()
    expect(network.urls).toHaveLength(2)
  })

  const refusal = (code: number, subcode?: number) =>
    Response.json({ error: { code, error_subcode: subcode, message: 'of THAA-old' } }, { status: 400 })
  it.each<[string, Response, PlatformError['kind']]>([
    ['an ended token', refusal(190, 463), 'auth'],
    ['a bad parameter', refusal(100), 'auth'],
    ['a missing object', refusal(100, 33), 'auth'],
    [
      'a bad code',
      Response.json({ error_type: 'OAuthException', code: 400, error_message: 'a code' }, { status: 400 }),
      'auth',
    ],
    ['too many calls', refusal(4), 'rate_limited'],
    ['an outage', new Response('', { status: 503 }), 'transient'],
    ['no token', Response.json({ expires_in: 10 }), 'bad_answer'],
  ])('takes %s for what it is, and quotes no secret', async (_, response, kind) => {
    const { ctx } = testNetwork(() => response.clone())
    for (const call of [oauth.exchangeCode(ctx, REQUEST), oauth.refresh(ctx, GRANT)]) {
      const failure = await platformFailure(call)
      expect([failure.kind, /secret|THAA|a code/u.test(failure.message)]).toEqual([kind, false])
    }
  })
})
