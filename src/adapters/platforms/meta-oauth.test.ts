import { describe, expect, it } from 'vitest'
import type { TokenGrant } from '../../ports.ts'
import { createFacebookConnector } from './facebook.ts'
import { createInstagramConnector } from './instagram.ts'
import { createRules } from './limits.ts'
import { platformFailure, testNetwork } from './test-network.ts'

const options = { app: { id: '1234', secret: 'app-secret' }, userAgent: 'Tidemark', ruleOf: createRules() }
const instagram = createInstagramConnector(options).oauth
const facebook = createFacebookConnector(options).oauth
if (instagram === undefined || facebook === undefined) throw new Error('Both are read with sign-ins')

const GRANT: TokenGrant = {
  accessToken: 'user-token',
  refreshToken: null,
  expiresAtMs: 1,
  refreshExpiresAtMs: null,
  scopes: ['pages_show_list'],
}
const REQUEST = { code: 'the-code', codeVerifier: 'verifier', redirectUri: 'https://tidemark.example/cb' }
const error = (code: number, status = 400) =>
  Response.json({ error: { message: 'Wrong the-code', code } }, { status })
const granted = (...permissions: string[]) => ({
  data: [
    ...permissions.map((permission) => ({ permission, status: 'granted' })),
    { permission: 'read_insights', status: 'declined' },
    'malformed',
  ],
})

describe('the address of the sign-in', () => {
  it('names what is asked for, the way back, and the challenge', () => {
    const request = { redirectUri: REQUEST.redirectUri, state: 's', codeChallenge: 'c' }
    const url = new URL(facebook.authorizationUrl(request))
    expect([url.origin, url.pathname]).toEqual(['https://www.facebook.com', '/v26.0/dialog/oauth'])
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: '1234',
      redirect_uri: 'https://tidemark.example/cb',
      state: 's',
      response_type: 'code',
      scope: 'pages_show_list,pages_read_engagement,pages_read_user_content,read_insights',
      code_challenge: 'c',
      code_challenge_method: 'S256',
    })
  })
})

describe('exchanging the code', () => {
  it('gives a token of long life, with what was agreed to, and no secret in an address', async () => {
    const network = testNetwork((url, body) => {
      if (url.pathname.endsWith('/permissions')) return granted('pages_show_list', 'pages_read_engagement')
      return new URLSearchParams(body).get('grant_type') === null
        ? { access_token: 'short', token_type: 'bearer', expires_in: 3_600 }
        : { access_token: 'long', token_type: 'bearer', expires_in: 5_184_000 }
    })
    const before = Date.now()
    const grant = await facebook.exchangeCode(network.ctx, REQUEST)
    expect(grant).toMatchObject({
      accessToken: 'long',
      refreshToken: null,
      refreshExpiresAtMs: null,
      scopes: ['pages_show_list', 'pages_read_engagement'],
    })
    expect(Math.abs((grant.expiresAtMs ?? 0) - before - 5_184_000_000)).toBeLessThan(60_000)
    expect(network.urls.join()).not.toMatch(/app-secret|the-code|short|long/u)
    expect(network.requests.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))).toEqual([
      {
        client_id: '1234',
        client_secret: 'app-secret',
        code: 'the-code',
        code_verifier: 'verifier',
        redirect_uri: 'https://tidemark.example/cb',
      },
      {
        client_id: '1234',
        client_secret: 'app-secret',
        grant_type: 'fb_exchange_token',
        fb_exchange_token: 'short',
      },
      {},
    ])
  })

  it.each([
    ['a code that was used', error(100), 'auth'],
    ['a token that has ended', error(190), 'auth'],
    ['a secret that is wrong', error(1), 'bad_request'],
    ['an app that there is not', error(101), 'bad_request'],
    ['an outage', error(1, 500), 'transient'],
    ['too many calls', error(4), 'rate_limited'],
    ['no token in it', Response.json({ access_token: '' }), 'bad_answer'],
  ])('takes %s for what it is', async (_, response, kind) => {
    const network = testNetwork(() => response.clone())
    const failure = await platformFailure(facebook.exchangeCode(network.ctx, REQUEST))
    expect([failure.kind, failure.message.includes('the-code')]).toEqual([kind, false])
  })
})

describe('the accounts that a sign-in opens', () => {
  const page = (id: string, changes: object = {}) => ({
    id,
    name: `Page ${id}`,
    access_token: `token-${id}`,
    ...changes,
  })

  it('are all pages that the person may read, from page to page of the list', async () => {
    const network = testNetwork((url) =>
      url.searchParams.get('after') === null
        ? {
            data: [page('1'), page('2', { access_token: undefined })],
            paging: { cursors: { after: 'x' }, next: 'https://graph.example/n' },
          }
        : { data: [page('3'), page('1')], paging: { cursors: { after: 'y' } } },
    )
    const accounts = await facebook.listAccounts(network.ctx, GRANT)
    expect(accounts.map(({ profile, grant }) => [profile.externalId, grant])).toEqual(
      ['1', '3'].map((id) => [
        id,
        {
          accessToken: `token-${id}`,
          refreshToken: null,
          expiresAtMs: null,
          refreshExpiresAtMs: null,
          scopes: GRANT.scopes,
        },
      ]),
    )
    expect(network.requests[0]?.headers.get('authorization')).toBe('Bearer user-token')
    expect(network.admitted[0]?.rules).toMatchObject([{ key: 'meta.user', limit: 200 }])
  })

  it('are on Instagram those that a page is linked to', async () => {
    const linked = { instagram_business_account: { id: '17841', username: 'ada', followers_count: 5 } }
    const network = testNetwork(() => ({ data: [page('1'), page('2', linked)] }))
    const [account, ...more] = await instagram.listAccounts(network.ctx, GRANT)
    expect([account?.profile, account?.grant.accessToken, more]).toEqual([
      expect.objectContaining({ externalId: '17841', handle: 'ada', followers: 5 }),
      'token-2',
      [],
    ])
  })

  it('are none for a person without pages', async () => {
    expect(await facebook.listAccounts(testNetwork(() => ({ data: [] })).ctx, GRANT)).toEqual([])
  })
})

describe('renewing', () => {
  it('exchanges the token of a person, and leaves that of a page alone', async () => {
    const network = testNetwork(() => ({ access_token: 'longer' }))
    expect(await facebook.refresh(network.ctx, { ...GRANT, expiresAtMs: null })).toBeNull()
    expect(network.urls).toEqual([])
    expect(await facebook.refresh(network.ctx, GRANT)).toEqual({
      ...GRANT,
      accessToken: 'longer',
      expiresAtMs: null,
    })
    expect(network.admitted.map(({ operation }) => operation)).toEqual(['token.refresh'])
  })
})
