import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Batch, connector, listed, NOW } from './test-linkedin.ts'
import { platformFailure, testNetwork } from './test-network.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('signing in', () => {
  const { oauth } = connector
  const grant = {
    accessToken: 'token-2',
    refreshToken: 'refresh-1',
    expiresAtMs: NOW,
    refreshExpiresAtMs: NOW + 1_000,
    scopes: ['r_organization_social'],
  }

  it('sends people to LinkedIn, without the proof key that it refuses to apps with a secret', () => {
    const url = new URL(
      oauth.authorizationUrl({ redirectUri: 'https://t.example/cb', state: 's1', codeChallenge: 'c1' }),
    )
    expect(url.origin + url.pathname).toBe('https://www.linkedin.com/oauth/v2/authorization')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'app-1',
      redirect_uri: 'https://t.example/cb',
      state: 's1',
      scope: 'r_organization_social rw_organization_admin',
    })
  })

  it('takes a code for a grant', async () => {
    const asked = testNetwork(() => ({
      access_token: 'token-2',
      expires_in: 5_184_000,
      refresh_token: 'refresh-1',
      refresh_token_expires_in: 31_536_000,
      scope: 'r_organization_social,rw_organization_admin',
    }))
    const request = { code: 'code-1', codeVerifier: 'v1', redirectUri: 'https://t.example/cb' }
    expect(await oauth.exchangeCode(asked.ctx, request)).toEqual({
      accessToken: 'token-2',
      refreshToken: 'refresh-1',
      expiresAtMs: NOW + 5_184_000_000,
      refreshExpiresAtMs: NOW + 31_536_000_000,
      scopes: ['r_organization_social', 'rw_organization_admin'],
    })
    expect(asked.urls).toEqual(['https://www.linkedin.com/oauth/v2/accessToken'])
    expect(Object.fromEntries(new URLSearchParams(asked.requests[0]?.body))).toEqual({
      grant_type: 'authorization_code',
      code: 'code-1',
      redirect_uri: 'https://t.example/cb',
      client_id: 'app-1',
      client_secret: 'app-secret',
    })
    expect(asked.admitted.map(({ operation }) => operation)).toEqual(['token.grant'])
  })

  it('renews a grant, and keeps of the old one what LinkedIn does not repeat', async () => {
    const asked = testNetwork(() => ({ access_token: 'token-3', expires_in: 60 }))
    expect(await oauth.refresh(asked.ctx, grant)).toEqual({
      ...grant,
      accessToken: 'token-3',
      expiresAtMs: NOW + 60_000,
    })
    expect(asked.requests[0]?.body).toContain('grant_type=refresh_token&refresh_token=refresh-1')
    expect(oauth.refreshAheadMs).toBe(7 * 86_400_000)
  })

  it('cannot renew a grant without a refresh token', async () => {
    const asked = testNetwork(() => ({}))
    expect(await oauth.refresh(asked.ctx, { ...grant, refreshToken: null })).toBeNull()
    expect(asked.urls).toEqual([])
  })

  it.each([
    [400, { error: 'invalid_request', error_description: 'refresh-1 is revoked' }, 'auth'],
    [400, { error: 'invalid_grant' }, 'auth'],
    [401, { error: 'invalid_client', error_description: 'app-secret' }, 'permission'],
    [500, { error: 'server_error' }, 'transient'],
    [429, {}, 'rate_limited'],
    [200, { access_token: '' }, 'bad_answer'],
  ])('tells why there is no token: %i %j', async (status, body, kind) => {
    const asked = testNetwork(() => Response.json(body, { status }))
    const failure = await platformFailure(oauth.refresh(asked.ctx, grant))
    expect(failure.kind).toBe(kind)
    expect(`${failure.message} ${String(failure.cause)}`).not.toMatch(/refresh-1|app-secret/)
  })

  it('lists the pages that are administered, and nothing else', async () => {
    const roleAssignee = 'urn:li:person:ada'
    const role = (changes: object) => ({ role: 'ADMINISTRATOR', state: 'APPROVED', roleAssignee, ...changes })
    const asked = testNetwork((url) => {
      if (url.pathname === '/rest/organizationAcls')
        return listed([
          role({ organization: 'urn:li:organization:1' }),
          role({ organizationalTarget: 'urn:li:organization:2' }),
          role({ organization: 'urn:li:organizationBrand:3' }),
          role({ organization: 'urn:li:organization:4', role: 'ANALYST' }),
          role({ organization: 'urn:li:organization:1' }),
        ])
      return {
        results: { 2: { id: 2, localizedName: 'Two' }, 1: { id: 1, vanityName: 'one' }, 9: { id: 9 } },
        errors: {},
      } satisfies Batch
    })
    const accounts = await oauth.listAccounts(asked.ctx, grant)
    expect(accounts.map(({ profile }) => [profile.externalId, profile.handle, profile.displayName])).toEqual([
      ['1', 'one', null],
      ['2', '2', 'Two'],
    ])
    // A member's calls are counted together, whichever page they are for.
    for (const account of accounts) expect(account.grant).toEqual({ ...grant, allowance: roleAssignee })
    expect(asked.requests.map(({ url }) => url.search)).toEqual([
      '?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED&count=100&start=0',
      '?ids=List(1,2)',
    ])
    expect(asked.requests.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer token-2',
      'Bearer token-2',
    ])
  })

  it('lists none where nothing is administered', async () => {
    const asked = testNetwork(() => listed([]))
    expect(await oauth.listAccounts(asked.ctx, grant)).toEqual([])
    expect(asked.urls).toHaveLength(1)
  })
})
