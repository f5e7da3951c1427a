import { beforeEach, describe, expect, it } from 'vitest'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { type Peer, useFixedClock } from './peer.ts'
import { oauthOf, signIn } from './signing-in.ts'
import { startLinkedIn } from './simulated.ts'

const API_HEADERS = { 'linkedin-version': '202608', 'x-restli-protocol-version': '2.0.0' }

useFixedClock()

describe('simulated LinkedIn', () => {
  const encoded = (ids: readonly string[]) => ids.map(encodeURIComponent).join(',')
  let peer: Peer
  let headers: Record<string, string>
  let account: Account

  beforeEach(async () => {
    peer = startLinkedIn()
    account = peer.account
    const { accessToken } = await signIn(peer)
    headers = { ...API_HEADERS, authorization: `Bearer ${accessToken}` }
  })

  const get = (path: string, changes: Record<string, string> = {}) =>
    peer.ask(path, { headers: { ...headers, ...changes } })
  const statistics = (parameter: string) =>
    `/rest/organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity=urn%3Ali%3Aorganization%3A${account.id}&${parameter}`

  it('refuses one id too many, and counts it', async () => {
    const ids = Array.from({ length: 21 }, (_, i) => `urn:li:share:${7_000_000_000_000_000_000n + BigInt(i)}`)
    for (const path of [`/rest/posts?ids=List(${encoded(ids)})`, statistics(`shares=List(${encoded(ids)})`)])
      expect((await get(path, { 'x-restli-method': 'BATCH_GET' })).status).toBe(400)
    expect(peer.stats.snapshot().violations).toEqual({ too_many_ids: 2 })
  })

  it.each([
    ['a list of URNs that are not encoded', '/rest/posts?ids=List(urn:li:share:1)'],
    ['a list whose parentheses are encoded', '/rest/posts?ids=List%28urn%253A1%29'],
    ['too large a page', '/rest/posts?q=author&author=urn%3Ali%3Aorganization%3A1&count=101'],
    ['another finder', '/rest/posts?q=somebody'],
  ])('refuses %s', async (_, path) => {
    const reply = await get(path.replace('organization%3A1&', `organization%3A${account.id}&`), {
      'x-restli-method': 'BATCH_GET',
    })
    expect(reply).toMatchObject({ status: 400, json: { status: 400, code: 'ILLEGAL_ARGUMENT' } })
  })

  it('refuses a post of one kind among the other', async () => {
    const path = statistics(`shares=List(${encoded(['urn:li:ugcPost:7000000000000000001'])})`)
    expect((await get(path)).status).toBe(400)
  })

  it('leaves posts out of a page of statistics that is too small for them', async () => {
    const shares = peer.truth(account).posts.filter(({ id }) => id.startsWith('urn:li:share:'))
    const ids = shares.slice(10, 30).map(({ id }) => id)
    const count = async (parameter: string) => {
      const { json } = await get(statistics(`shares=List(${encoded(ids)})${parameter}`))
      return json
    }
    expect(await count('')).toMatchObject({ elements: { length: 10 }, paging: { count: 10 } })
    expect(await count('&count=20')).toMatchObject({ elements: { length: 20 }, paging: { links: [] } })
  })

  it.each([
    ['a retired version', { 'linkedin-version': '202401' }, 426, 'NONEXISTENT_VERSION'],
    ['another protocol', { 'x-restli-protocol-version': '1.0.0' }, 400, 'ILLEGAL_ARGUMENT'],
    ['a token that never was one', { authorization: 'Bearer nonsense' }, 401, 'INVALID_ACCESS_TOKEN'],
  ])('refuses %s', async (_, changes, status, code) => {
    const reply = await get('/rest/organizationAcls?q=roleAssignee', changes)
    expect(reply).toMatchObject({ status, json: { status, code } })
  })

  it('refuses what the member did not agree to', async () => {
    const given = await signIn(peer, [account], { scope: 'r_organization_social' })
    const failure = await platformFailure(oauthOf(peer).listAccounts(peer.ctx, given))
    expect(failure.kind).toBe('permission')
  })

  it('refuses an app with a secret that sends a proof key as well', async () => {
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'simulated-client',
      client_secret: 'simulated-secret',
      code_verifier: 'verifier',
    })
    expect(await peer.ask('/oauth/v2/accessToken', { method: 'POST', body })).toMatchObject({
      status: 401,
      json: { error: 'invalid_client' },
    })
  })
})
