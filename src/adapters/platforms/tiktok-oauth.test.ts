import { describe, expect, it } from 'vitest'
import type { PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { platformFailure, testNetwork } from './test-network.ts'
import { createTikTokConnector } from './tiktok.ts'
import { TIKTOK_API_URL } from './tiktok-api.ts'

// There is no package with TikTok's own types: the answers are as its documents show them.

const TOKEN = 'act.secret-token'
const { oauth } = createTikTokConnector({
  app: { id: 'app-key', secret: 'app-secret' },
  apiUrl: TIKTOK_API_URL,
  userAgent: 'Tidemark',
  ruleOf: createRules(),
})
if (oauth === undefined) throw new Error('TikTok is signed in to')

describe('signing in to TikTok', () => {
  const codes = { code: 'a code', codeVerifier: 'a verifier', redirectUri: 'https://tidemark.example/cb' }
  const TOKENS = {
    access_token: TOKEN,
    expires_in: 7200,
    open_id: 'act.example',
    refresh_token: 'rft.next',
    refresh_expires_in: 15552000,
    scope: 'user.info.basic,video.list',
    token_type: 'Bearer',
  }

  it('sends people to TikTok with the challenge in the digits that it asks for', () => {
    // The hash of RFC 7636, appendix B.
    const codeChallenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    const url = new URL(
      oauth.authorizationUrl({ redirectUri: codes.redirectUri, state: 'a state', codeChallenge }),
    )
    expect(url.origin + url.pathname).toBe('https://www.tiktok.com/v2/auth/authorize/')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_key: 'app-key',
      redirect_uri: codes.redirectUri,
      scope: 'user.info.basic,user.info.profile,user.info.stats,video.list',
      response_type: 'code',
      state: 'a state',
      code_challenge: '13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3',
      code_challenge_method: 'S256',
    })
  })

  it('sends its secret in a form, and takes the lives of tokens from the answer', async () => {
    const network = testNetwork(() => TOKENS)
    const before = Date.now()
    const grant = await oauth.exchangeCode(network.ctx, codes)
    expect(grant).toMatchObject({
      accessToken: TOKEN,
      refreshToken: 'rft.next',
      scopes: ['user.info.basic', 'video.list'],
    })
    expect(grant.expiresAtMs).toBeGreaterThanOrEqual(before + 7_200_000)
    expect(grant.expiresAtMs).toBeLessThanOrEqual(Date.now() + 7_200_000)
    const [request] = network.requests
    expect(network.urls).toEqual(['https://open.tiktokapis.com/v2/oauth/token/'])
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      client_key: 'app-key',
      client_secret: 'app-secret',
      grant_type: 'authorization_code',
      code: 'a code',
      redirect_uri: codes.redirectUri,
      code_verifier: 'a verifier',
    })
  })

  it('keeps the old refresh token only where no new one came, and renews nothing without', async () => {
    const grant = await oauth.exchangeCode(testNetwork(() => TOKENS).ctx, codes)
    const network = testNetwork(() => ({ ...TOKENS, refresh_token: 'rft.third' }))
    expect((await oauth.refresh(network.ctx, grant))?.refreshToken).toBe('rft.third')
    expect(Object.fromEntries(new URLSearchParams(network.requests[0]?.body))).toEqual({
      client_key: 'app-key',
      client_secret: 'app-secret',
      grant_type: 'refresh_token',
      refresh_token: 'rft.next',
    })
    const silent = testNetwork(() => ({ access_token: 'x', expires_in: 10 }))
    expect(await oauth.refresh(silent.ctx, grant)).toMatchObject({
      refreshToken: 'rft.next',
      refreshExpiresAtMs: grant.refreshExpiresAtMs,
    })
    expect(await oauth.refresh(silent.ctx, { ...grant, refreshToken: null })).toBeNull()
  })

  it.each<[string, Response, PlatformError['kind']]>([
    ['a code that is used', Response.json({ error: 'invalid_grant', log_id: 'x' }), 'auth'],
    ['a refusal', Response.json({ error: 'access_denied' }, { status: 400 }), 'auth'],
    ['an app that is unknown', Response.json({ error: 'invalid_client' }, { status: 401 }), 'bad_answer'],
    ['an outage', new Response('', { status: 503 }), 'transient'],
    ['tokens that are missing', Response.json({ expires_in: 10 }), 'bad_answer'],
  ])('takes %s for what it is', async (_, response, kind) => {
    const failure = await platformFailure(oauth.exchangeCode(testNetwork(() => response).ctx, codes))
    expect([failure.kind, /secret|a code/u.test(failure.message)]).toEqual([kind, false])
  })
})
