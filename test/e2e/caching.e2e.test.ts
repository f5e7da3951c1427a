import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CACHE_POLICIES } from '../../src/http/cache-policies.ts'
import { Account } from '../../src/services/accounts/schemas.ts'
import { Overview } from '../../src/services/overview/schemas.ts'
import { type Answer, Client, expectProblem, nobody, parsed } from './support/client.ts'
import { generationOf } from './support/expected.ts'
import { listenLive } from './support/live.ts'
import { freshIp, importFile, ndjson, type Person, signUp } from './support/people.ts'
import { sendRaw } from './support/raw-http.ts'
import { sql } from './support/stack.ts'

/** How long a tier's answer is used. */
const { memoryMs: MEMORY_MS, coloMs: COLO_MS } = CACHE_POLICIES.overview
const OVERVIEW = '/api/v1/dashboard/overview?period=28d'
/** By default, as nobody has said otherwise. */
const PUBLIC_READS_A_MINUTE = 60

/** Which tier answered. */
function tierOf(answer: Answer): string {
  expect(answer.status).toBe(200)
  const tier = /cache;desc="(\w+)"/.exec(answer.headers.get('server-timing') ?? '')?.[1]
  if (tier === undefined) throw new Error('No Server-Timing')
  const expected = tier === 'origin' ? 'tidemark; fwd=miss; stored' : `tidemark; hit; detail=${tier}`
  expect(answer.headers.get('cache-status')).toBe(expected)
  return tier
}

const rows = (...likes: number[]) =>
  ndjson(
    likes.map((count) => ({ post_id: `likes-${count}`, posted_at: new Date().toISOString(), likes: count })),
  )

/** Redis is given a quarter of a second; on a busy machine it may need a second attempt. */
describe('cached answers', { retry: 1 }, () => {
  let person: Person
  beforeAll(async () => {
    person = await signUp()
    await importFile(person.key, { handle: 'cached', body: rows(1, 2) })
  })

  it('come from one tier after the other as they grow old, and are the same', async () => {
    const { key } = await signUp()
    await importFile(key, { handle: 'old', body: rows(1, 2) })
    const first = await key.get(OVERVIEW)
    expect(tierOf(first)).toBe('origin')
    expect(tierOf(await key.get(OVERVIEW))).toBe('memory')
    await sleep(MEMORY_MS + 200)
    expect(tierOf(await key.get(OVERVIEW))).toBe('colo')
    await sleep(COLO_MS - MEMORY_MS)
    const third = await key.get(OVERVIEW)
    expect(tierOf(third)).toBe('region')
    expect(tierOf(await key.get(OVERVIEW))).toBe('memory')
    expect(third.text).toBe(first.text)
    expect(third.headers.get('etag')).toBe(first.headers.get('etag'))
  })

  it('are known by the question, however it is put', async () => {
    const { key } = await signUp()
    const put = (query: string) => key.get(`${OVERVIEW}&${query}`)
    expect(tierOf(await put('platforms=x,bluesky&compare=none'))).toBe('origin')
    expect(tierOf(await put('compare=none&platforms=bluesky,x&basis=published'))).toBe('memory')
    expect(tierOf(await put('compare=none&platforms=bluesky'))).toBe('origin')
  })

  it('are not sent again to whoever has them', async () => {
    const { headers, text } = await person.key.get(OVERVIEW)
    const etag = headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[^"]+"$/)
    expect(headers.get('cache-control')).toBe('private, no-cache')
    expect(headers.get('vary')).toMatch(/Authorization.*Cookie.*X-Workspace-Id/)
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const answer = await person.key.get(OVERVIEW, { 'if-none-match': known })
      expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', etag])
      expect(answer.headers.get('ratelimit')).toMatch(/^"reads"/)
    }
    const other = await person.key.get(OVERVIEW, { 'if-none-match': '"other"' })
    expect([other.status, other.text]).toEqual([200, text])
  })

  it('are given again with the same headers, and no others', async () => {
    const one = await signUp()
    await importFile(one.key, { handle: 'again', body: rows(1, 2) })
    // The first goes the long way; the Worker may answer the others before it looks at them in full.
    for (const [who, asker] of Object.entries({ key: one.key, session: one.session })) {
      const [first, ...again] = [
        await asker.get(OVERVIEW),
        await asker.get(OVERVIEW),
        await asker.get(OVERVIEW),
      ]
      for (const answer of again) {
        expect([...answer.headers.keys()], who).toEqual([...(first?.headers.keys() ?? [])])
        expect(answer.text).toBe(first?.text)
        const own = ['x-request-id', 'server-timing', 'cache-status', 'ratelimit', 'date', 'content-length']
        const others = ({ headers }: Answer) => [...headers].filter(([name]) => !own.includes(name))
        expect(others(answer), who).toEqual(first === undefined ? [] : others(first))
      }
      const ids = [first, ...again].map((answer) => answer?.headers.get('x-request-id'))
      expect(new Set(ids).size).toBe(3)
    }
  })

  it('are refused to a key at once when it is revoked here', async () => {
    const one = await signUp()
    const Key = z.object({ id: z.string(), key: z.string() })
    const made = await one.session.make(Key, '/api/v1/api-keys', { name: 'brief', scopes: ['read'] })
    const brief = new Client({ authorization: `Bearer ${made.key}` })
    for (let i = 0; i < 3; i++) expect((await brief.get(OVERVIEW)).status).toBe(200)
    expect((await one.session.delete(`/api/v1/api-keys/${made.id}`)).status).toBe(204)
    expectProblem(await brief.get(OVERVIEW), 401, 'unauthorized')
  })

  it('are at least 60 % smaller compressed, and are not for who does not take that', async () => {
    const one = await signUp()
    await importFile(one.key, { handle: 'small', body: rows(...Array.from({ length: 60 }, (_, i) => i)) })
    const bytesOf = async (path: string, encoding: string) => {
      const headers: [string, string][] = [
        ['authorization', `Bearer ${one.apiKey}`],
        ['accept-encoding', encoding],
      ]
      const answer = await sendRaw({ method: 'GET', path, headers, body: null }, 5_000)
      expect(answer.status).toBe(200)
      expect(answer.headers.vary).toMatch(/Accept-Encoding/)
      expect(answer.headers['content-encoding']).toBe(encoding === 'gzip' ? 'gzip' : undefined)
      return Number(answer.headers['content-length'])
    }
    for (const path of [OVERVIEW, '/api/v1/posts?limit=50', '/openapi.json']) {
      const [plain, gzip] = [await bytesOf(path, 'identity'), await bytesOf(path, 'gzip')]
      expect(plain, path).toBeGreaterThan(1_000)
      expect(gzip / plain, path).toBeLessThan(0.4)
    }
  })

  it('say the same to HEAD, without a body', async () => {
    const [got, head] = [await person.key.get(OVERVIEW), await person.key.send('HEAD', OVERVIEW)]
    expect([head.status, head.text]).toEqual([200, ''])
    for (const name of ['content-type', 'etag', 'cache-control', 'vary', 'ratelimit-policy'])
      expect(head.headers.get(name), name).toBe(got.headers.get(name))
    const options = await person.key.send('OPTIONS', OVERVIEW)
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
  })

  it('are each workspace’s own', async () => {
    const stranger = await signUp()
    await importFile(stranger.key, { handle: 'cached', body: rows(1000) })
    const likes = async (client: Client) => (await client.read(Overview, OVERVIEW)).totals.likes.value
    expect(await likes(person.key)).toBe(3)
    expect(await likes(stranger.key)).toBe(1000)
    expect(await likes(person.session)).toBe(3)
  })

  it('are new for whoever was told of a change, at once', async () => {
    const one = await signUp()
    const socket = await listenLive(one.key, { types: 'metrics' })
    const likes = async (query = '') => (await one.key.read(Overview, OVERVIEW + query)).totals.likes.value
    await likes()
    const told: number[] = []
    for (const body of [rows(5), rows(6, 7)]) {
      await importFile(one.key, { handle: 'told', body })
      // An account that is made comes first, its posts next.
      const generation = await generationOf(one.workspaceId)
      await socket.frame('the change is told', (frame) => frame.generation === generation)
      told.push((await likes(`&minGeneration=${generation}`)) ?? 0)
    }
    expect(told).toEqual([5, 18])
    // What was asked for on purpose is there for everybody after it.
    expect(tierOf(await one.key.get(OVERVIEW))).toBe('memory')
    expect(await likes()).toBe(18)
    socket.close()
  })

  it('are new for whoever has seen the end of a job, whichever way they look', async () => {
    const { key } = await signUp()
    const likes = async () => (await key.read(Overview, OVERVIEW)).totals.likes.value
    await importFile(key, { handle: 'seen', body: rows(5) })
    expect(await likes()).toBe(5)
    await importFile(key, { handle: 'seen', body: rows(6, 7) })
    expect(await likes()).toBe(18)
  })

  it('are the first page of posts, and not the ones behind it', async () => {
    const { key, workspaceId } = await signUp()
    await importFile(key, { handle: 'paged', body: rows(1, 2, 3) })
    const first = await key.get('/api/v1/posts?limit=2&sort=-likes')
    expect(tierOf(first)).toBe('origin')
    expect(tierOf(await key.get('/api/v1/posts?sort=-likes&limit=2'))).toBe('memory')
    const Page = z.object({ items: z.array(z.object({ metrics: z.object({ likes: z.number() }) })) })
    const likesIn = (answer: Answer) => parsed(Page, answer).items.map(({ metrics }) => metrics.likes)
    expect(likesIn(first)).toEqual([3, 2])
    const { nextCursor } = parsed(z.object({ nextCursor: z.string(), stale: z.literal(false) }), first)
    const second = await key.get(`/api/v1/posts?limit=2&sort=-likes&cursor=${nextCursor}`)
    expect(likesIn(second)).toEqual([1])
    expect(second.headers.get('cache-status')).toBeNull()
    await importFile(key, { handle: 'paged', body: rows(9) })
    const told = `/api/v1/posts?limit=2&sort=-likes&minGeneration=${await generationOf(workspaceId)}`
    expect(likesIn(await key.get(told))).toEqual([9, 3])
  })

  it('are the accounts, as they are after every change', async () => {
    const { key } = await signUp()
    await importFile(key, { handle: 'listed', body: rows(1) })
    const Page = z.object({ items: z.array(z.object({ id: z.string(), brandId: z.string().nullable() })) })
    const list = async () => {
      const answer = await key.get('/api/v1/accounts')
      return { tier: tierOf(answer), accounts: parsed(Page, answer).items }
    }
    const first = await list()
    expect([first.tier, first.accounts.length]).toEqual(['origin', 1])
    expect(await list()).toEqual({ ...first, tier: 'region' })
    const brand = await key.make(z.object({ id: z.string() }), '/api/v1/brands', { name: 'Listed' })
    await key.patch(`/api/v1/accounts/${first.accounts[0]?.id}`, { brandId: brand.id })
    expect((await list()).accounts.map(({ brandId }) => brandId)).toEqual([brand.id])
    await key.delete(`/api/v1/accounts/${first.accounts[0]?.id}`)
    expect((await list()).accounts).toEqual([])
  })

  it('cost a made-up generation no work', async () => {
    const generation = await generationOf(person.workspaceId)
    const path = `${OVERVIEW}&compare=none`
    expect(parsed(Overview, await person.key.get(path)).generation).toBe(generation)
    for (const madeUp of [generation + 1, 1_000_000_000_000]) {
      const answer = await person.key.get(`${path}&minGeneration=${madeUp}`)
      expect(tierOf(answer)).toBe('region')
      expect(parsed(Overview, answer).generation).toBe(generation)
    }
    const tooLarge = await person.key.get(`${path}&minGeneration=99999999999999999`)
    expectProblem(tooLarge, 400, 'invalid_request')
  })

  it('are made once for many who ask at the same time', async () => {
    const one = await signUp()
    // Of a question that nobody has asked, and at the moment when its answer is none any more: that one may
    // have been answered again before anybody asks.
    for (const { likes, total, least } of [
      { likes: 1, total: 1, least: 1 },
      { likes: 2, total: 3, least: 0 },
    ]) {
      await importFile(one.key, { handle: 'many', body: rows(likes) })
      const path = `${OVERVIEW}&minGeneration=${await generationOf(one.workspaceId)}`
      const answers = await Promise.all(Array.from({ length: 1_000 }, () => one.key.get(path)))
      const computed = answers.filter((answer) => tierOf(answer) === 'origin').length
      expect(computed).toBeGreaterThanOrEqual(least)
      expect(computed).toBeLessThanOrEqual(1)
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(parsed(Overview, answers[0] as Answer).totals.likes.value).toBe(total)
    }
  })

  it('are served stale where the database does not answer', async () => {
    const one = await signUp()
    await importFile(one.key, { handle: 'stale', body: rows(8) })
    const fresh = await one.key.read(Overview, OVERVIEW)
    expect(fresh).toMatchObject({ stale: false, totals: { likes: { value: 8 } } })
    const [account] = await one.key.readAll(Account, '/api/v1/accounts')
    const locked = sql(
      'DO $$ BEGIN LOCK TABLE account_days IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(6); END $$',
    )
    await sleep(200)
    // Before it, what this changes would have been answered again already.
    await one.key.patch(`/api/v1/accounts/${account?.id}`, { brandId: null })
    const generation = await generationOf(one.workspaceId)
    const [answer, unknown] = await Promise.all([
      one.key.get(`${OVERVIEW}&minGeneration=${generation}`),
      one.key.get('/api/v1/dashboard/overview?period=12m'),
    ])
    await locked
    expect(parsed(Overview, answer)).toEqual({ ...fresh, stale: true })
    expect(answer.headers.get('cache-status')).toBe('tidemark; hit; detail=stale')
    // Nothing is known of a question that nobody has asked before.
    expectProblem(unknown, 503, 'unavailable')
  })
})

describe('headers of every answer', () => {
  it('say how much of an allowance is left', async () => {
    const { key } = await signUp()
    const remaining: number[] = []
    for (let i = 0; i < 3; i++) {
      const { headers } = await key.get('/api/v1/me')
      expect(headers.get('ratelimit-policy')).toBe('"reads";q=6000;w=60')
      const match = /^"reads";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '')
      expect(Number(match?.[2])).toBeLessThanOrEqual(60)
      remaining.push(Number(match?.[1]))
    }
    expect(remaining).toEqual([5999, 5998, 5997])
    const write = await key.post('/api/v1/accounts', {})
    expect(write.headers.get('ratelimit-policy')).toBe('"writes";q=1200;w=60')
    expect(write.headers.get('ratelimit')).toMatch(/^"writes";r=11\d\d;t=\d+$/)
  })

  it('say how long it took, and nothing to other sites', async () => {
    const { headers } = await nobody.get('/api/v1/public/trending/hashtags')
    expect(headers.get('server-timing')).toMatch(/total;dur=\d+(\.\d+)?/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers.get('cache-control')).toMatch(/s-maxage=60/)
  })

  it('tell an address that asks too often when to come back', async () => {
    const visitor = new Client({ 'cf-connecting-ip': freshIp() })
    const path = '/api/v1/public/trending/hashtags?window=1h'
    for (let i = 0; i < PUBLIC_READS_A_MINUTE; i++) expect((await visitor.get(path)).status).toBe(200)
    expectProblem(await visitor.get(path), 429, 'rate_limited')
    expect((await new Client({ 'cf-connecting-ip': freshIp() }).get(path)).status).toBe(200)
  })
})
