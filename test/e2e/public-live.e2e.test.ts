import { beforeAll, describe, expect, it } from 'vitest'
import { TrendingHashtags } from '../../src/services/hashtags/schemas.ts'
import { Client, expectProblem, parsed } from './support/client.ts'
import { type Frame, issuePublicTicket, issueTicket, LiveSocket } from './support/live.ts'
import { freshIp, importFile, ndjson, type Person, signUp } from './support/people.ts'
import { callBack, sql, stack, startPlanning } from './support/stack.ts'

const BAD_TICKET = 4401
const TRENDS = '/api/v1/public/trending/hashtags?window=7d'
/** By default, as nobody has said otherwise. */
const TICKETS_A_MINUTE = 30

const visitor = () => new Client({ 'cf-connecting-ip': freshIp() })
const isEvent = ({ type }: Frame) => type !== 'hello'

/** Puts a tag into the stored trends that nobody uses, which is known when they are next worked out. */
async function plant(display: string): Promise<void> {
  const trend = { tag: display, display, score: 0, observed: 5, expected: 1, uses: 5, accounts: 5 }
  const more = { engagements: null, peakAt: new Date().toISOString(), sparkline: [] }
  await sql(
    `INSERT INTO public_trending_hashtags ("window", platform, computed_at, generation, trends)
     SELECT '7d', 'all', now() - interval '1 second', generation, jsonb_build_array($1::jsonb) FROM public_scope
     ON CONFLICT ("window", platform) DO UPDATE
       SET trends = excluded.trends, computed_at = excluded.computed_at, generation = excluded.generation`,
    [JSON.stringify({ ...trend, ...more })],
  )
}

const refresh = async () => {
  expect((await callBack('/callbacks/trending/refresh-public', {})).status).toBe(200)
}

describe('public trends, live', () => {
  let person: Person
  beforeAll(async () => {
    person = await signUp()
  })

  // The schedule works trends out as well, and may come between the two steps of a test.
  it('tell whoever listens that they have changed, who then reads what they were told of', {
    retry: 2,
  }, async () => {
    const anybody = visitor()
    // Answers are shared by all who ask the same: others may have asked a moment ago.
    const limit = `&limit=${1 + Math.floor(Math.random() * 100)}`
    const { url, expiresAt } = await issuePublicTicket(anybody)
    expect(url.startsWith(`${stack.url.replace('http', 'ws')}/api/v1/realtime?ticket=public.`)).toBe(true)
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000)
    const socket = new LiveSocket(url)
    const hello = await socket.frame('hello', ({ type }) => type === 'hello')

    await plant('planted')
    const before = parsed(TrendingHashtags, await anybody.get(`${TRENDS}${limit}`))
    expect(before.items.map(({ tag }) => tag)).toEqual(['planted'])
    // What happens in a workspace is none of theirs.
    const row = { post_id: 'public-1', posted_at: new Date().toISOString(), likes: 1 }
    await importFile(person.key, { handle: 'public', body: ndjson([row]) })
    await refresh()
    const event = await socket.frame('the news', isEvent)
    expect(event).toMatchObject({ type: 'trending.updated', data: { scope: 'public' } })
    expect(event.data.windows).toContain('7d')
    expect(event.generation).toBeGreaterThan(Math.max(before.generation, hello.generation))

    const minGeneration = `${limit}&minGeneration=${event.generation}`
    const answer = await anybody.get(TRENDS + minGeneration)
    expect(answer.headers.get('cache-control')).toMatch(/^public, .*s-maxage=60/)
    const within = await person.key.get(`/api/v1/trending/hashtags?scope=public&window=7d${minGeneration}`)
    for (const after of [answer, within].map((one) => parsed(TrendingHashtags, one))) {
      expect(after.generation).toBeGreaterThanOrEqual(event.generation)
      expect(after.items.map(({ tag }) => tag)).not.toContain('planted')
    }
    // Nothing new is nothing to tell.
    await refresh()
    await plant('again')
    await refresh()
    const next = await socket.frame('more news', ({ seq }) => seq > event.seq)
    expect(next.prevSeq).toBe(event.seq)
    expect(socket.frames.filter(isEvent).map(({ type }) => type)).toEqual([
      'trending.updated',
      'trending.updated',
    ])
    // That somebody listens makes nobody's accounts watched, and hinders no plan.
    await startPlanning()
    socket.close()
  })

  it('take a ticket of their own, once, and no other', async () => {
    const own = await issuePublicTicket(visitor())
    const first = new LiveSocket(own.url)
    await first.frame('hello', ({ type }) => type === 'hello')
    const theirs = await issueTicket(person.key)
    const swap = (url: string, from: string, to: string) => url.replace(`ticket=${from}.`, `ticket=${to}.`)
    for (const url of [
      own.url,
      swap((await issuePublicTicket(visitor())).url, 'public', person.workspaceId),
      swap(theirs.url, person.workspaceId, 'public'),
    ])
      expect(await new LiveSocket(url).closed, url).toMatchObject({ code: BAD_TICKET })
    first.close()
    expectProblem(await person.session.get('/api/v1/me', { 'x-workspace-id': 'public' }), 404, 'not_found')
  })

  it('give an address so many tickets a minute, and another one its own', async () => {
    const often = visitor()
    const path = '/api/v1/public/realtime/tickets'
    for (let i = 0; i < TICKETS_A_MINUTE; i++) expect((await often.post(path)).status).toBe(201)
    const refused = await often.post(path)
    expectProblem(refused, 429, 'rate_limited')
    expect(refused.headers.get('ratelimit-policy')).toBe('"public-tickets";q=30;w=60')
    expect((await visitor().post(path)).status).toBe(201)
  })
})
