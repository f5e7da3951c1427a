import { describe, expect, it, vi } from 'vitest'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import type { PlatformPost } from '../../src/ports.ts'
import { DAY_MS, HOUR_MS, NOW, type Peer, readAll, refsOf, useFixedClock } from './peer.ts'
import { startX as start, type XOptions } from './simulated.ts'

/** What is particular to X, as its connector reads the simulated one, which keeps the bill; see also reading.test.ts. */

const SCOPE = { host: null, account: null }

const connect = ({ connector, ctx, account }: Peer) => connector.resolve(ctx, `@${account.handle}`)

/** Every object that the connector said is to be paid for, once each, and what they cost together. */
function accounted({ network }: Peer) {
  const paid = new Map(network.outcomes.flatMap((outcome) => outcome.paid.map((read) => [read.object, read])))
  const costMicros = [...paid.values()].reduce((sum, read) => sum + read.costMicros, 0)
  return { objects: [...paid.keys()].sort(), costMicros }
}

/** No call may cost more than what was set aside for it. */
function expectCovered({ network }: Peer): void {
  for (const [index, { paid }] of network.outcomes.entries()) {
    const cost = paid.reduce((sum, read) => sum + read.costMicros, 0)
    expect(cost).toBeLessThanOrEqual(network.admitted[index]?.mostCostMicros ?? 0)
  }
}

useFixedClock()

describe.each<[string, XOptions]>([
  ['that says tweet', { spelling: 'tweet' }],
  ['that says post', { spelling: 'post' }],
  ['that says post, and ignores what it does not know', { spelling: 'post', strictness: 'ignores' }],
])('the connector of an X %s', (_, options) => {
  it('accounts for what X charges, to the last object, and never more than was set aside', async () => {
    const peer = start(options)
    const profile = await connect(peer)
    const posts = await readAll(peer, peer.ctx, profile)
    await peer.connector.refreshPosts(peer.ctx, SCOPE, refsOf(posts.slice(0, 150)))
    expect(accounted(peer)).toEqual({
      objects: peer.charges.objects(NOW).sort(),
      costMicros: peer.charges.costMicros(NOW),
    })
    expect(peer.charges.costMicros(NOW)).toBeGreaterThan(posts.length * 5_000)
    expectCovered(peer)
  })
})

describe('the connector of a simulated X', () => {
  it('shows where a post is, and the same media in the list and afterwards', async () => {
    const peer = start()
    const profile = await connect(peer)
    const { posts } = await peer.connector.fetchPosts(peer.ctx, profile, null)
    const refs = posts.map(({ platformPostId: id }) => ({ id, postedAtMs: NOW }))
    const refreshed = await peer.connector.refreshPosts(peer.ctx, SCOPE, refs)
    const mediaOf = (list: PlatformPost[]) =>
      new Map(list.map(({ platformPostId, media }) => [platformPostId, media]))
    expect(mediaOf(refreshed)).toEqual(mediaOf(posts))
    const types = new Set(posts.flatMap(({ media }) => media.map(({ type }) => type)))
    expect([...types].sort()).toEqual(expect.arrayContaining(['image', 'link', 'video']))
    const [first] = posts
    expect(first?.url).toBe(`https://x.com/isobardesk/status/${first?.platformPostId}`)
  })

  it('pays for newer posts alone once one is known, however many there are', async () => {
    const peer = start()
    const profile = await connect(peer)
    const { posts } = await peer.connector.fetchPosts(peer.ctx, profile, null)
    const newest = { id: posts[0]?.platformPostId ?? '', postedAtMs: Date.parse(posts[0]?.postedAt ?? '') }
    // On another day the same posts would be charged again.
    vi.setSystemTime(NOW + DAY_MS)
    for (let i = 0; i < 45; i++)
      peer.act('publish', { account: 'isobardesk', text: `Number ${i} #live`, at: NOW + HOUR_MS + i })
    const newer = await readAll(peer, peer.ctx, profile, newest)
    const own = peer.truth()
    const expectedIds = [...own.posts, ...own.reposts]
      .map(({ id }) => id)
      .filter((id) => BigInt(id) > BigInt(newest.id))
    expect(newer.map(({ platformPostId }) => platformPostId).toSorted()).toEqual(expectedIds.toSorted())
    expect(newer.length).toBeGreaterThan(45)
    expect(peer.charges.objects(NOW + DAY_MS)).toHaveLength(newer.length)
    const latest = { id: expectedIds.toSorted().at(-1) ?? '', postedAtMs: NOW }
    expect(await readAll(peer, peer.ctx, profile, latest)).toEqual([])
    expectCovered(peer)
  })

  it('reads a long post as a whole', async () => {
    const peer = start()
    const text = `${'Über & <unter>. '.repeat(40)}https://example.org/?a=1&b=2 #Ende`
    peer.act('publish', { account: 'isobardesk', text, media: { type: 'images', alts: ['Karte'] } })
    const { posts } = await peer.connector.fetchPosts(peer.ctx, await connect(peer), null)
    expect(posts[0]).toMatchObject({ text, hashtags: ['Ende'], media: [{ type: 'image', alt: 'Karte' }] })
  })

  it('knows an account by its id when it has another name', async () => {
    const peer = start()
    const profile = await connect(peer)
    peer.act('rename', { account: 'isobardesk', handle: 'isobar_news' })
    const [renamed] = await peer.connector.fetchProfiles(peer.ctx, [profile])
    expect(renamed).toMatchObject({ externalId: profile.externalId, handle: 'isobar_news' })
    expect((await platformFailure(connect(peer))).kind).toBe('gone')
  })

  it.each([
    ['suspend', /suspended/],
    ['deactivate', /no such account/],
    ['delete-account', /no such account/],
  ])('takes an account for gone after %s', async (verb, message) => {
    const peer = start()
    const profile = await connect(peer)
    peer.act(verb, { account: 'isobardesk' })
    for (const failure of [
      await platformFailure(connect(peer)),
      await platformFailure(peer.connector.fetchPosts(peer.ctx, profile, null)),
    ])
      expect([failure.kind, failure.message]).toEqual(['gone', expect.stringMatching(message)])
    expect(await peer.connector.fetchProfiles(peer.ctx, [profile])).toEqual([])
  })

  it('reads the profile of a protected account, and says why it has no posts', async () => {
    const before = start()
    const profile = await connect(before)
    const peer = start({ protectedKeys: ['isobardesk'] })
    expect(await peer.connector.fetchProfiles(peer.ctx, [profile])).toHaveLength(1)
    for (const call of [connect(peer), peer.connector.fetchPosts(peer.ctx, profile, null)])
      expect((await platformFailure(call)).kind).toBe('permission')
  })

  it('waits for the end of a window that is full', async () => {
    const peer = start({ limits: { users: 1 } })
    await connect(peer)
    vi.setSystemTime(NOW + 60_000)
    const failure = await platformFailure(connect(peer))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 840_000])
    expect(peer.network.outcomes.map(({ signal }) => signal)).toEqual([
      { limit: 1, remaining: 0, resetAtMs: NOW + 900_000 },
      { limit: 1, remaining: 0, resetAtMs: NOW + 900_000 },
    ])
  })

  it.each([
    ['burst429', { seconds: 30 }, 'rate_limited', 30_000],
    ['outage', { status: 402 }, 'budget_spent', HOUR_MS],
    ['outage', { status: 503 }, 'transient', null],
    ['outage', { status: 503, isHtml: true }, 'transient', null],
    ['truncate', {}, 'bad_answer', null],
    ['malform', {}, 'bad_answer', null],
  ])('takes %s %j for what it is', async (verb, body, kind, retryAfterMs) => {
    const peer = start()
    const profile = await connect(peer)
    peer.act(verb, body)
    const refs = [{ id: '2124461482559359320', postedAtMs: NOW }]
    for (const call of [
      connect(peer),
      peer.connector.fetchProfiles(peer.ctx, [profile]),
      peer.connector.fetchPosts(peer.ctx, profile, null),
      peer.connector.refreshPosts(peer.ctx, SCOPE, refs),
    ]) {
      const failure = await platformFailure(call)
      expect([failure.kind, failure.retryAfterMs]).toEqual([kind, retryAfterMs])
    }
  })

  it('says that the app’s token is refused, and does not repeat it', async () => {
    const failure = await platformFailure(connect(start({}, 'another-token')))
    expect(failure.kind).toBe('auth')
    expect(failure.message).not.toContain('another-token')
  })
})
