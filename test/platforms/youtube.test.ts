import { describe, expect, it, vi } from 'vitest'
import { SIMULATED_API_KEY } from '../../scripts/local/platforms/youtube.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { advance, HOUR_MS, type Peer, useFixedClock } from './peer.ts'
import { startYouTube as start } from './simulated.ts'

/** The simulated YouTube, by itself and as its connector reads it; see also reading.test.ts. */

async function get({ ask }: Peer, path: string, key: string | null = SIMULATED_API_KEY) {
  const headers: Record<string, string> = key === null ? {} : { 'x-goog-api-key': key }
  const { status, json } = await ask(`/youtube/v3/${path}`, { headers })
  return { status, body: json }
}

const refusal = (code: number, reason: string) => ({
  status: code,
  body: { error: { code, errors: [{ reason }] } },
})

useFixedClock()

describe('the simulated YouTube', () => {
  it('finds channels by id, handle or old name, and shows the parts that are asked for', async () => {
    const peer = start()
    const { account } = peer
    const { handle } = account
    for (const filter of [`id=${account.id}`, `forHandle=@${handle}`, `forUsername=${account.key}`]) {
      const { body } = await get(peer, `channels?part=snippet,contentDetails&${filter}`)
      expect(body).toMatchObject({
        kind: 'youtube#channelListResponse',
        items: [
          {
            id: account.id,
            snippet: { title: account.displayName, customUrl: `@${handle}` },
            contentDetails: { relatedPlaylists: { uploads: `UU${account.id.slice(2)}` } },
          },
        ],
      })
      expect(JSON.stringify(body)).not.toContain('statistics')
    }
    expect((await get(peer, 'channels?part=snippet&forHandle=@nobody')).body).not.toHaveProperty('items')
  })

  it('gives five things where it is not told how many', async () => {
    const peer = start()
    const { body } = await get(peer, `playlistItems?part=snippet&playlistId=UU${peer.account.id.slice(2)}`)
    expect(body).toMatchObject({ items: { length: 5 }, nextPageToken: expect.any(String) })
  })

  it('counts what a client may not do', async () => {
    const peer = start()
    const { stats } = peer
    const uploads = `UU${peer.account.id.slice(2)}`
    const ids = Array.from({ length: 51 }, (_, i) => `video${String(i).padStart(6, '0')}`).join(',')
    const asked: [string, number, string][] = [
      [`videos?part=snippet&id=${ids}`, 400, 'invalidFilters'],
      ['videos?part=snippet&maxResults=50&id=video000001', 400, 'incompatibleParameters'],
      ['videos?id=video000001', 400, 'missingRequiredParameter'],
      ['channels?part=snippet', 400, 'missingRequiredParameter'],
      ['channels?part=snippet&id=UC1&forHandle=@a', 400, 'incompatibleParameters'],
      [`playlistItems?part=snippet&maxResults=51&playlistId=${uploads}`, 400, 'invalidParameter'],
      [`playlistItems?part=snippet&pageToken=nonsense&playlistId=${uploads}`, 400, 'invalidPageToken'],
      ['playlistItems?part=snippet&playlistId=UUnobody', 404, 'playlistNotFound'],
      ['search?part=snippet', 404, 'notFound'],
    ]
    for (const [path, code, reason] of asked)
      expect(await get(peer, path), path).toMatchObject(refusal(code, reason))
    expect(stats.snapshot().violations).toEqual({
      too_many_ids: 1,
      bad_parameter: 4,
      limit_out_of_range: 1,
      bad_cursor: 1,
    })
  })

  it('wants its key, in the header or the address', async () => {
    const peer = start()
    const { stats } = peer
    const path = 'channels?part=id&id=UC1'
    expect(await get(peer, path, null)).toMatchObject(refusal(403, 'forbidden'))
    expect(await get(peer, path, 'another')).toMatchObject({
      status: 400,
      body: { error: { errors: [{ reason: 'badRequest' }], details: [{ reason: 'API_KEY_INVALID' }] } },
    })
    expect((await get(peer, `${path}&key=${SIMULATED_API_KEY}`, null)).status).toBe(200)
    expect(stats.snapshot().violations).toEqual({ bad_auth: 2 })
  })

  it('renews its quota at midnight in California', async () => {
    const peer = start({ units: 2 })
    const { stats } = peer
    const path = 'channels?part=id&id=UC1'
    const statuses: number[] = []
    for (const at of [
      '2026-11-22T12:00:00Z',
      '2026-11-23T07:59:00Z',
      '2026-11-23T07:59:59Z',
      '2026-11-23T08:00:00Z',
    ]) {
      vi.setSystemTime(Date.parse(at))
      statuses.push((await get(peer, path)).status)
    }
    expect(statuses).toEqual([200, 200, 403, 200])
    expect(stats.snapshot()).toMatchObject({
      violations: { rate_limited: 1 },
      peakUsage: { units: { used: 3, limit: 2, exceeded: 1 } },
    })
  })
})

describe('the connector of the simulated YouTube', () => {
  it.each(['delete-account', 'suspend'])('takes a channel for gone after %s', async (verb) => {
    const peer = start()
    const { connector, ctx, account } = peer
    const profile = await connector.resolve(ctx, account.id)
    peer.act(verb, { account: account.id })
    advance(1_000)
    expect(await connector.fetchProfiles(ctx, [profile])).toEqual([])
    expect(await connector.fetchPosts(ctx, profile, null)).toEqual({ posts: [], nextCursor: null })
    expect((await platformFailure(connector.resolve(ctx, profile.handle))).kind).toBe('gone')
  })

  it('follows a channel that has another handle now', async () => {
    const peer = start()
    const { connector, ctx, account } = peer
    const profile = await connector.resolve(ctx, account.id)
    peer.act('rename', { account: account.id, handle: 'another-name' })
    advance(1_000)
    const [renamed] = await connector.fetchProfiles(ctx, [profile])
    expect(renamed).toMatchObject({ externalId: profile.externalId, handle: '@another-name' })
    expect((await platformFailure(connector.resolve(ctx, profile.handle))).kind).toBe('gone')
  })

  it('waits for midnight in California when the quota is used up, and a minute in a burst', async () => {
    const peer = start({ units: 1 })
    const { connector, ctx } = peer
    const profile = await connector.resolve(ctx, peer.account.id)
    const spent = await platformFailure(connector.fetchPosts(ctx, profile, null))
    expect([spent.kind, spent.retryAfterMs]).toEqual(['rate_limited', 20 * HOUR_MS])
    peer.act('burst429', { seconds: 30 })
    const burst = await platformFailure(connector.fetchPosts(ctx, profile, null))
    expect([burst.kind, burst.retryAfterMs]).toEqual(['rate_limited', 60_000])
  })

  it('leaves accounts alone while the key of the deployment is refused', async () => {
    const peer = start({}, 'another-key')
    const { connector, ctx } = peer
    const failure = await platformFailure(connector.resolve(ctx, peer.account.id))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['auth', HOUR_MS])
  })
})
