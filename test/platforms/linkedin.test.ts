import { beforeEach, describe, expect, it } from 'vitest'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import type { AccountProfile, ConnectorContext, TokenGrant } from '../../src/ports.ts'
import { shownPost } from '../sync/shown.ts'
import { advance, DAY_MS, NOW, type Peer, useFixedClock } from './peer.ts'
import { agree, exchange, oauthOf, signIn, withGrant } from './signing-in.ts'
import { startLinkedIn } from './simulated.ts'

/** What is particular to LinkedIn, as its connector reads the simulated one; see also reading.test.ts. */

useFixedClock()

describe('the connector of simulated LinkedIn', () => {
  let peer: Peer
  let grant: TokenGrant
  let first: Account
  let profile: AccountProfile

  let ctx: ConnectorContext

  beforeEach(async () => {
    peer = startLinkedIn()
    first = peer.account
    grant = await signIn(peer, [first, peer.other])
    ctx = withGrant(peer, grant, 'member')
    profile = await peer.connector.resolve(ctx, first.handle)
  })

  it('signs in, and lists the pages that are administered', async () => {
    expect(grant.expiresAtMs).toBeGreaterThan(NOW + 59 * DAY_MS)
    expect(grant.refreshExpiresAtMs).toBeGreaterThan(NOW + 364 * DAY_MS)
    expect(grant.scopes).toEqual(['r_organization_social', 'rw_organization_admin'])
    const granted = await oauthOf(peer).listAccounts(peer.ctx, grant)
    expect(granted.map(({ profile: { externalId, handle } }) => [externalId, handle]).toSorted()).toEqual(
      peer.accounts
        .slice(0, 2)
        .map(({ id, handle }) => [id, handle])
        .toSorted(),
    )
  })

  it('finds a page by its name, id and address, with its true followers', async () => {
    const { account: truth } = peer.truth(first)
    for (const input of [
      first.handle,
      first.id,
      `urn:li:organization:${first.id}`,
      `https://www.linkedin.com/company/${first.handle}/`,
    ])
      expect(await peer.connector.resolve(ctx, input)).toMatchObject({
        externalId: truth.id,
        handle: truth.handle,
        displayName: truth.displayName,
        followers: truth.followers,
        following: null,
        posts: null,
      })
    expect(await peer.connector.fetchProfiles(ctx, [profile])).toMatchObject([
      { externalId: truth.id, followers: truth.followers },
    ])
  })

  it('reads a new post that nobody has seen as one without activity', async () => {
    advance(60_000)
    peer.act('publish', { account: first.id, text: 'Out now #maps' })
    const { posts } = await peer.connector.fetchPosts(ctx, profile, null)
    const known = peer.truth(first).posts.find(({ text }) => text === 'Out now #maps')
    if (known === undefined) throw new Error('The post is not there')
    const read = posts.find(({ platformPostId }) => platformPostId === known.id)
    expect(read).toMatchObject({ text: 'Out now #maps', hashtags: ['maps'] })
    const { engagements: _, id, kind, posted_at, tags, ...metrics } = shownPost('linkedin', known)
    expect(read?.metrics).toEqual(metrics)
    expect(read?.metrics.likes).toBe(0)
  })

  it('follows a page to its new name', async () => {
    peer.act('rename', { account: first.id, handle: 'renamed-page' })
    expect(await peer.connector.fetchProfiles(ctx, [profile])).toMatchObject([
      { externalId: first.id, handle: 'renamed-page' },
    ])
  })

  it('takes a page for gone when it was deleted', async () => {
    peer.act('delete-account', { account: first.id })
    expect((await platformFailure(peer.connector.resolve(ctx, first.handle))).kind).toBe('gone')
    expect((await platformFailure(peer.connector.fetchPosts(ctx, profile, null))).kind).toBe('gone')
    expect(await peer.connector.fetchProfiles(ctx, [profile])).toEqual([])
  })

  it('is not let into a page that the member does not administer', async () => {
    const [, , other] = peer.accounts
    const ref = { externalId: other?.id ?? '', host: null, handle: 'other' }
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, ref, null))
    expect(failure.kind).toBe('permission')
  })

  it.each(['revoke-tokens', 'expire-tokens'])('needs a new sign-in after %s', async (verb) => {
    peer.act(verb, { account: first.id })
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, profile, null))
    expect(failure.kind).toBe('auth')
  })

  it('renews a token that has expired, and cannot renew one that was revoked', async () => {
    peer.act('expire-tokens', { account: first.id })
    advance(1_000)
    const renewed = await oauthOf(peer).refresh(peer.ctx, grant)
    const page = await peer.connector.fetchPosts(withGrant(peer, renewed ?? grant, 'member'), profile, null)
    expect(page.posts).toHaveLength(20)
    peer.act('revoke-tokens', { account: first.id })
    expect((await platformFailure(oauthOf(peer).refresh(peer.ctx, grant))).kind).toBe('auth')
  })

  it('cannot renew where LinkedIn gives no refresh tokens', async () => {
    const unapproved = startLinkedIn({}, false)
    const given = await signIn(unapproved)
    expect([given.refreshToken, await oauthOf(unapproved).refresh(unapproved.ctx, given)]).toEqual([
      null,
      null,
    ])
  })

  it('is refused a code that was used', async () => {
    const code = await agree(peer)
    await exchange(peer, code)
    expect((await platformFailure(exchange(peer, code))).kind).toBe('auth')
  })

  it.each([{ application: 4 }, { member: 4 }])('waits for midnight UTC after %j', async (limits) => {
    const small = startLinkedIn(limits)
    const { connector } = small
    const reading = withGrant(small, await signIn(small), 'member')
    await connector.resolve(reading, first.handle)
    await connector.resolve(reading, first.handle)
    const failure = await platformFailure(connector.resolve(reading, first.handle))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', DAY_MS - (NOW % DAY_MS)])
    advance(DAY_MS)
    expect((await connector.resolve(reading, first.handle)).externalId).toBe(first.id)
  })
})
