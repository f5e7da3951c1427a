import { beforeEach, describe, expect, it } from 'vitest'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { NOW, type Peer, readAll, typed, useFixedClock } from './peer.ts'
import { HOST, startOpen } from './simulated.ts'

/** What is particular to the platforms that anybody may read; see also reading.test.ts. */

const find = (peer: Peer, account = peer.account) =>
  peer.connector.resolve(peer.ctx, typed(peer, account, HOST))

useFixedClock()

describe.each(['bluesky', 'mastodon'] as const)('the connector of simulated %s', (platform) => {
  let peer: Peer
  beforeEach(() => {
    peer = startOpen(platform)
  })

  it('reads the profiles of several at once', async () => {
    const profiles = await Promise.all(peer.accounts.map((account) => find(peer, account)))
    expect(profiles.map(({ handle }) => `@${handle}`)).toEqual(
      peer.accounts.map((account) => typed(peer, account, HOST)),
    )
    peer.stats.reset()
    expect(await peer.connector.fetchProfiles(peer.ctx, profiles)).toEqual(profiles)
    expect(peer.stats.snapshot().calls).toBe(1)
  })

  it('pays for every call before making it, and hands on what each answer says of the limit', async () => {
    await readAll(peer, peer.ctx, await find(peer))
    const { calls } = peer.stats.snapshot()
    const spent = peer.network.admitted.flatMap(({ rules }) => rules.map(({ key }) => key))
    expect(spent.filter((key) => !key.startsWith('mastodon.pages'))).toHaveLength(calls)
    const signals = peer.network.outcomes.flatMap(({ signal }) => signal ?? [])
    expect(signals).toHaveLength(calls)
    for (const { limit, remaining, resetAtMs } of signals) {
      expect(limit).toBe(platform === 'bluesky' ? 3_000 : 300)
      expect(remaining).toBeGreaterThan(0)
      expect(resetAtMs).toBeGreaterThan(NOW)
    }
  })

  it('is told to wait when the platform has had enough', async () => {
    peer = startOpen(platform, { requests: 2 })
    const profile = await find(peer)
    await peer.connector.fetchPosts(peer.ctx, profile, null)
    const failure = await platformFailure(peer.connector.fetchPosts(peer.ctx, profile, null))
    expect([failure.kind, failure.status]).toEqual(['rate_limited', 429])
    expect(failure.retryAfterMs).toBeGreaterThanOrEqual(1_000)
    expect(failure.retryAfterMs).toBeLessThanOrEqual(3_600_000)
    expect(peer.network.outcomes.at(-1)?.signal).toMatchObject({ limit: 2, remaining: 0 })
  })

  it('knows a handle that nobody has', async () => {
    const nobody = platform === 'bluesky' ? 'nobody.example.org' : `nobody@${HOST}`
    expect((await platformFailure(peer.connector.resolve(peer.ctx, nobody))).kind).toBe('gone')
  })

  it.each(['suspend', 'delete-account'])(
    'takes an account for gone after %s, and stores none of its zeros',
    async (verb) => {
      const profile = await find(peer)
      peer.act(verb, { account: peer.account.id })
      expect((await platformFailure(find(peer))).kind).toBe('gone')
      expect(await peer.connector.fetchProfiles(peer.ctx, [profile])).toEqual([])
    },
  )
})

describe('the connector of simulated mastodon', () => {
  it('follows an account that has moved', async () => {
    const peer = startOpen('mastodon')
    const { account: old, other: target } = peer
    peer.act('move', { account: old.id, to: target.id })
    const profile = await find(peer, old)
    expect([profile.externalId, profile.handle]).toEqual([target.id, `${target.handle}@${HOST}`])
  })
})
