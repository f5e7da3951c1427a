import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import { useFixedClock } from './peer.ts'
import { connect } from './signing-in.ts'
import { type MetaNetwork, startMeta } from './simulated.ts'

/** The simulated Graph API as such: what it shows, refuses and counts. */

const NETWORKS: MetaNetwork[] = ['instagram', 'facebook']

const Listing = z.object({
  data: z.array(z.object({ id: z.string() })),
  paging: z.object({ cursors: z.object({ after: z.string() }), next: z.url().optional() }).optional(),
})

useFixedClock()

describe.each(NETWORKS)('the simulated %s', (network) => {
  async function withToken(options: Parameters<typeof startMeta>[1] = {}) {
    const peer = startMeta(network, options)
    const { account } = peer
    const { granted } = await connect(peer)
    const token = granted.grant.accessToken
    const proof = createHmac('sha256', SIMULATED_CLIENT.secret).update(token).digest('hex')
    const get = (path: string) =>
      peer.ask(`/v26.0/${path}${path.includes('?') ? '&' : '?'}appsecret_proof=${proof}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    const batch = (urls: string[]) =>
      peer.ask('/v26.0/', {
        method: 'POST',
        body: new URLSearchParams({
          access_token: token,
          appsecret_proof: proof,
          batch: JSON.stringify(urls.map((relative_url) => ({ method: 'GET', relative_url }))),
        }),
      })
    return { peer, account, token, get, batch }
  }

  it.each<[string, (edge: string) => string, number]>([
    ['a field that there is not', () => '?fields=shoe_size', 100],
    ['a field that is named twice', () => '?fields=id,name,id', 2500],
    ['a page that is too large', (edge) => `/${edge}?limit=101`, 100],
    ['a cursor of its own making', (edge) => `/${edge}?after=AAAA`, 100],
    ['an edge that there is not', () => '/friends', 2500],
  ])('refuses %s', async (_, path, code) => {
    const { account, get } = await withToken()
    const { status, json } = await get(
      `${account.id}${path(network === 'instagram' ? 'media' : 'published_posts')}`,
    )
    expect([status, json]).toEqual([400, { error: expect.objectContaining({ code }) }])
  })

  it('refuses what has no token, no proof, or another version', async () => {
    const { peer, account, token } = await withToken()
    const headers = { authorization: `Bearer ${token}` }
    const codeOf = async (path: string, init?: RequestInit) => (await peer.ask(path, init)).json
    const error = (code: number) => ({ error: expect.objectContaining({ code }) })
    expect(await codeOf(`/v26.0/${account.id}`)).toEqual(error(104))
    expect(await codeOf(`/v26.0/${account.id}`, { headers: { authorization: 'Bearer x.y' } })).toEqual(
      error(190),
    )
    expect(await codeOf(`/v26.0/${account.id}`, { headers })).toEqual(error(100))
    expect(await codeOf(`/v26.0/${account.id}?appsecret_proof=ab`, { headers })).toEqual(error(100))
    expect(await codeOf(`/v1.0/${account.id}`, { headers })).toEqual(error(2500))
    expect(peer.stats.snapshot().violations.bad_auth).toBe(4)
  })

  it('answers each request of a batch for itself, and refuses the 51st', async () => {
    const { peer, account, batch } = await withToken({ timeouts: 0 })
    const { status, json } = await batch([`${account.id}?fields=id`, '999?fields=id', 'nobody'])
    expect([status, json]).toEqual([
      200,
      [
        { code: 200, body: JSON.stringify({ id: account.id }) },
        { code: 400, body: expect.stringContaining('"error_subcode":33') },
        { code: 404, body: expect.stringContaining('"code":803') },
      ],
    ])
    expect((await batch(Array(50).fill(account.id))).status).toBe(200)
    expect((await batch(Array(51).fill(account.id))).status).toBe(400)
    expect(peer.stats.snapshot().violations).toEqual({ too_many_ids: 1 })
    expect(peer.stats.snapshot().peakUsage.account?.used).toBe(53)
  })

  it('gives short and empty pages with another behind them, and leaves nothing out', async () => {
    const { peer, account, get } = await withToken()
    const edge = network === 'instagram' ? 'media' : 'published_posts'
    const sizes: number[] = []
    const ids: string[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const query: string = `?fields=id&limit=3${after === '' ? '' : `&after=${after}`}`
      const { data, paging } = Listing.parse((await get(`${account.id}/${edge}${query}`)).json)
      sizes.push(data.length)
      ids.push(...data.map(({ id }) => id))
      after = paging?.next === undefined ? undefined : paging.cursors.after
    }
    expect(ids).toEqual(peer.truth().posts.map(({ id }) => id))
    expect([...new Set(sizes.slice(0, -1))].length).toBeGreaterThan(1)
    expect(sizes).toContain(0)
  })

  it('tells how much of the allowance is used', async () => {
    const { account, get } = await withToken({ limits: { account: 10 } })
    for (let call = 0; call < 3; call++) await get(account.id)
    const { headers } = await get(account.id)
    expect(JSON.parse(headers.get('x-business-use-case-usage') ?? '')).toEqual({
      [account.id]: [
        expect.objectContaining({
          call_count: 40,
          estimated_time_to_regain_access: 0,
          type: expect.any(String),
        }),
      ],
    })
  })
})
