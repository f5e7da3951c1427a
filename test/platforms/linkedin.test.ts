import { beforeEach, describe, expect, it } from 'vitest'
import type { AccountTruth } from '../../scripts/local/platforms/truth.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { distinctTags, normaliseTag } from '../../src/domain/hashtags.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import type { AccountProfile, ConnectorContext, PlatformPost, TokenGrant } from '../../src/ports.ts'
import { connector, NOW, oauth, type Peer, REDIRECT, signIn, startPeer } from './linkedin-peer.ts'

async function readFeed(ctx: ConnectorContext, profile: AccountProfile): Promise<PlatformPost[]> {
  const posts: PlatformPost[] = []
  let cursor: string | null = null
  do {
    const page = await connector.fetchPosts(ctx, profile, cursor)
    posts.push(...page.posts)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

function expectedMetrics({ metrics }: AccountTruth['posts'][number]) {
  return {
    ...noMetrics(),
    likes: metrics.likes,
    comments: metrics.replies,
    shares: metrics.reposts,
    impressions: metrics.views,
    reach: metrics.reach,
  }
}

describe('the connector of simulated LinkedIn', () => {
  let peer: Peer
  let grant: TokenGrant
  let first: Account
  let profile: AccountProfile

  beforeEach(async () => {
    peer = startPeer()
    const [account] = peer.accounts
    if (account === undefined) throw new Error('The world has no accounts')
    first = account
    grant = await signIn(peer, peer.accounts.slice(0, 2))
    profile = await connector.resolve(peer.ctx(grant.accessToken), first.handle)
  })

  it('signs in, and lists the pages that are administered', async () => {
    const day = 86_400_000
    expect(grant.expiresAtMs).toBeGreaterThan(NOW + 59 * day)
    expect(grant.refreshExpiresAtMs).toBeGreaterThan(NOW + 364 * day)
    expect(grant.scopes).toEqual(['r_organization_social', 'rw_organization_admin'])
    const granted = await oauth.listAccounts(peer.ctx(), grant)
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
      expect(await connector.resolve(peer.ctx(grant.accessToken), input)).toMatchObject({
        externalId: truth.id,
        handle: truth.handle,
        displayName: truth.displayName,
        followers: truth.followers,
        following: null,
        posts: null,
      })
    expect(await connector.fetchProfiles(peer.ctx(grant.accessToken), [profile])).toMatchObject([
      { externalId: truth.id, followers: truth.followers },
    ])
  })

  it('pages through everything without a gap or a repetition, and reads every post as it is', async () => {
    const posts = await readFeed(peer.ctx(grant.accessToken), profile)
    const readable = peer.truth(first).posts.filter((post) => post.deletedAt === null)
    expect(readable.length).toBeGreaterThan(220)
    const byId = new Map(posts.map((post) => [post.platformPostId, post]))
    expect([byId.size, posts.length]).toEqual([readable.length, readable.length])
    expect(new Set(readable.map(({ id }) => id.split(':')[2]))).toEqual(new Set(['share', 'ugcPost']))
    for (const post of readable) {
      const read = byId.get(post.id)
      expect(read).toMatchObject({
        kind: 'post',
        text: post.text,
        postedAt: post.createdAt,
        metrics: expectedMetrics(post),
      })
      expect(read?.hashtags.map(normaliseTag)).toEqual(distinctTags(post.hashtags).map(normaliseTag))
    }
    expect(peer.stats.snapshot().violations).toEqual({})
  })

  it('refreshes posts in batches to their true counts, and misses those that are gone', async () => {
    const [liked, removed] = peer.truth(first).posts
    if (liked === undefined || removed === undefined) throw new Error('The account has too few posts')
    peer.advance(3_600_000)
    peer.act('like', { post: liked.id, count: 7 })
    peer.act('delete', { post: removed.id })
    peer.advance(1_000)
    const truth = peer.truth(first).posts.slice(0, 45)
    peer.stats.reset()
    const posts: PlatformPost[] = []
    for (const start of [0, 20, 40])
      posts.push(
        ...(await connector.refreshPosts(
          peer.ctx(grant.accessToken),
          { host: null, account: profile },
          truth.slice(start, start + 20).map(({ id }) => ({ id, postedAtMs: 0 })),
        )),
      )
    const expected = truth.filter(({ id }) => id !== removed.id)
    expect(expected).toHaveLength(44)
    expect(Object.fromEntries(posts.map((post) => [post.platformPostId, post.metrics]))).toEqual(
      Object.fromEntries(expected.map((post) => [post.id, expectedMetrics(post)])),
    )
    const { endpoints, violations } = peer.stats.snapshot()
    expect([endpoints.posts?.calls, endpoints.posts?.maxIdsPerCall, violations]).toEqual([3, 20, {}])
    expect(endpoints.organizationalEntityShareStatistics?.calls).toBeLessThanOrEqual(6)
  })

  it('reads a new post that nobody has seen as one without activity', async () => {
    peer.advance(60_000)
    peer.act('publish', { platform: 'linkedin', account: first.id, text: 'Out now #maps' })
    const { posts } = await connector.fetchPosts(peer.ctx(grant.accessToken), profile, null)
    const known = peer.truth(first).posts.find(({ text }) => text === 'Out now #maps')
    if (known === undefined) throw new Error('The post is not there')
    const read = posts.find(({ platformPostId }) => platformPostId === known.id)
    expect(read).toMatchObject({ text: 'Out now #maps', hashtags: ['maps'] })
    expect(read?.metrics).toEqual(expectedMetrics(known))
    expect(read?.metrics.likes).toBe(0)
  })

  it('follows a page to its new name', async () => {
    peer.act('rename', { platform: 'linkedin', account: first.id, handle: 'renamed-page' })
    expect(await connector.fetchProfiles(peer.ctx(grant.accessToken), [profile])).toMatchObject([
      { externalId: first.id, handle: 'renamed-page' },
    ])
  })

  it('takes a page for gone when it was deleted', async () => {
    peer.act('delete-account', { platform: 'linkedin', account: first.id })
    const ctx = peer.ctx(grant.accessToken)
    expect((await platformFailure(connector.resolve(ctx, first.handle))).kind).toBe('gone')
    expect((await platformFailure(connector.fetchPosts(ctx, profile, null))).kind).toBe('gone')
    expect(await connector.fetchProfiles(ctx, [profile])).toEqual([])
  })

  it('is not let into a page that the member does not administer', async () => {
    const [, , other] = peer.accounts
    const ref = { externalId: other?.id ?? '', host: null, handle: 'other' }
    const failure = await platformFailure(connector.fetchPosts(peer.ctx(grant.accessToken), ref, null))
    expect(failure.kind).toBe('permission')
  })

  it.each(['revoke-tokens', 'expire-tokens'])('needs a new sign-in after %s', async (verb) => {
    peer.act(verb, { platform: 'linkedin', account: first.id })
    const failure = await platformFailure(connector.fetchPosts(peer.ctx(grant.accessToken), profile, null))
    expect(failure.kind).toBe('auth')
  })

  it('renews a token that has expired, and cannot renew one that was revoked', async () => {
    peer.act('expire-tokens', { platform: 'linkedin', account: first.id })
    peer.advance(1_000)
    const renewed = await oauth.refresh(peer.ctx(), grant)
    const page = await connector.fetchPosts(peer.ctx(renewed?.accessToken), profile, null)
    expect(page.posts).toHaveLength(20)
    peer.act('revoke-tokens', { platform: 'linkedin', account: first.id })
    expect((await platformFailure(oauth.refresh(peer.ctx(), grant))).kind).toBe('auth')
  })

  it('cannot renew where LinkedIn gives no refresh tokens', async () => {
    const unapproved = startPeer({}, false)
    const given = await signIn(unapproved, unapproved.accounts)
    expect([given.refreshToken, await oauth.refresh(unapproved.ctx(), given)]).toEqual([null, null])
  })

  it('is refused a code that was used', async () => {
    const url = new URL(oauth.authorizationUrl({ redirectUri: REDIRECT, state: 's', codeChallenge: 'c' }))
    url.searchParams.set('approve', first.id)
    const response = await peer.ctx().fetch(url.href)
    const code = new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? ''
    const request = { code, codeVerifier: 'v', redirectUri: REDIRECT }
    await oauth.exchangeCode(peer.ctx(), request)
    expect((await platformFailure(oauth.exchangeCode(peer.ctx(), request))).kind).toBe('auth')
  })

  it.each([{ application: 4 }, { member: 4 }])('waits for midnight UTC after %j', async (limits) => {
    const small = startPeer(limits)
    const { accessToken } = await signIn(small, small.accounts)
    const ctx = small.ctx(accessToken)
    await connector.resolve(ctx, first.handle)
    await connector.resolve(ctx, first.handle)
    const failure = await platformFailure(connector.resolve(ctx, first.handle))
    const midnight = 86_400_000 - (Date.now() % 86_400_000)
    expect(failure.kind).toBe('rate_limited')
    expect(Math.abs((failure.retryAfterMs ?? 0) - midnight)).toBeLessThan(5_000)
    small.advance(86_400_000)
    expect((await connector.resolve(ctx, first.handle)).externalId).toBe(first.id)
  })

  it.each([
    ['outage', { status: 503 }, 'transient'],
    ['outage', { status: 502, isHtml: true }, 'transient'],
    ['truncate', {}, 'bad_answer'],
    ['malform', {}, 'bad_answer'],
    ['burst429', { seconds: 60 }, 'rate_limited'],
  ])('survives %s %j', async (verb, body, kind) => {
    peer.act(verb, { platform: 'linkedin', ...body })
    const failure = await platformFailure(connector.fetchPosts(peer.ctx(grant.accessToken), profile, null))
    expect(failure.kind).toBe(kind)
  })
})
