import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createMastodonHandler } from './mastodon.ts'
import { createStats } from './stats.ts'
import {
  DAY_MS,
  get,
  linkOf,
  type MastodonStatus,
  MINUTE_MS,
  mastodonAccountSchema,
  mastodonErrorSchema,
  mastodonStatusesSchema,
  mastodonStatusSchema,
  NOON,
} from './test-kit.ts'
import { createWorld } from './world.ts'

const ALL = Number.POSITIVE_INFINITY

function setUp(limits = {}) {
  let now = NOON
  const world = createWorld({ seed: 'mastodon', now: () => now })
  const stats = createStats()
  const handler = createMastodonHandler(world, { stats, limits })
  const radio = world.account('mastodon', 'radiomarea')
  if (!radio) throw new Error('The radio is missing')
  const statuses = `/api/v1/accounts/${radio.id}/statuses`
  return { world, stats, handler, radio, statuses, advance: (ms: number) => (now += ms) }
}

type Handler = ReturnType<typeof setUp>['handler']

async function pages(handler: Handler, path: string, rel: 'next' | 'prev' = 'next', between = () => {}) {
  const all: MastodonStatus[] = []
  let next: string | undefined = path
  while (next !== undefined) {
    const reply = await get(handler, next)
    const page = reply.as(mastodonStatusesSchema)
    if (rel === 'next') all.push(...page)
    else all.unshift(...page)
    next = page.length === 0 ? undefined : linkOf(reply, rel)
    between()
  }
  return all
}

describe('Mastodon accounts', () => {
  test('are found by name, with or without the server, and by id, one or many', async () => {
    const { handler, world, radio } = setUp()
    const truth = world.profileAt(radio, NOON)
    for (const acct of ['radiomarea', 'RadioMarea', '@radiomarea', 'radiomarea@platform.test:81']) {
      const account = (await get(handler, `/api/v1/accounts/lookup?acct=${acct}`)).as(mastodonAccountSchema)
      expect(account).toMatchObject({
        id: radio.id,
        acct: 'radiomarea',
        url: 'http://platform.test:81/@radiomarea',
        followers_count: truth.followers,
        following_count: truth.following,
        statuses_count: truth.posts,
        last_status_at: new Date(truth.lastPostAt ?? 0).toISOString().slice(0, 10),
      })
      expect((await get(handler, `/api/v1/accounts/${radio.id}`)).as(mastodonAccountSchema)).toEqual(account)
    }
    const ids = world.accounts('mastodon').map((account) => account.id)
    const path = (list: string[]) => `/api/v1/accounts?${list.map((id) => `id[]=${id}`).join('&')}`
    const batch = (await get(handler, path([...ids, '123']))).as(z.array(mastodonAccountSchema))
    expect(batch.map((account) => account.id)).toEqual(ids)
    expect((await get(handler, path(Array.from({ length: 41 }, (_, id) => String(id))))).status).toBe(422)
  })

  test.each([
    '/api/v1/accounts/lookup?acct=nobody',
    '/api/v1/accounts/lookup?acct=radiomarea@elsewhere.example',
    '/api/v1/accounts/lookup',
    '/api/v1/accounts/109000000000000001',
    '/api/v1/accounts/radiomarea',
    '/api/v1/accounts/109000000000000001/statuses',
    '/api/v1/statuses/115000000000000009',
    '/api/v1/statuses/at://did',
    '/.well-known/webfinger?resource=acct:nobody@platform.test:81',
  ])('%s is answered with 404 and a JSON error', async (path) => {
    const reply = await get(setUp().handler, path)
    expect(reply.status).toBe(404)
    reply.as(mastodonErrorSchema)
  })

  test('are announced by WebFinger, and the server by its version', async () => {
    const { handler } = setUp()
    const finger = await get(handler, '/.well-known/webfinger?resource=acct:radiomarea@platform.test:81')
    expect(finger.headers.get('content-type')).toContain('application/jrd+json')
    const jrd = finger.as(
      z
        .object({ subject: z.string(), links: z.array(z.object({ rel: z.string(), href: z.url() }).loose()) })
        .loose(),
    )
    expect(jrd.links.find((link) => link.rel === 'self')?.href).toBe(
      'http://platform.test:81/users/radiomarea',
    )
    const instance = (await get(handler, '/api/v2/instance')).as(
      z.looseObject({ version: z.string(), domain: z.string() }),
    )
    expect(instance.version).toMatch(/^4\.5\.\d+$/)
    expect(instance.domain).toBe('platform.test:81')
  })
})

describe('Mastodon statuses', () => {
  test('are complete over all pages, without duplicates, while new posts appear', async () => {
    const { handler, world, radio, statuses, advance } = setUp({ requests: 10_000, pagedRequests: 10_000 })
    const expected = world.posts(radio, { t: NOON, limit: ALL }).map((entry) => entry.id)
    const all = await pages(handler, `${statuses}?limit=40`, 'next', () => advance(20 * MINUTE_MS))
    expect(all.map((status) => status.id)).toEqual(expected)
  })

  test('newer ones are found with since_id (the newest) and min_id (the next), until there are none', async () => {
    const { handler, world, radio, statuses } = setUp()
    const ids = world.posts(radio, { t: NOON, limit: 100 }).map((entry) => entry.id)
    const since = (await get(handler, `${statuses}?limit=5&since_id=${ids[60]}`)).as(mastodonStatusesSchema)
    expect(since.map((status) => status.id)).toEqual(ids.slice(0, 5))
    const min = (await get(handler, `${statuses}?limit=5&min_id=${ids[60]}`)).as(mastodonStatusesSchema)
    expect(min.map((status) => status.id)).toEqual(ids.slice(55, 60))
    const climbed = await pages(handler, `${statuses}?limit=7&min_id=${ids[60]}`, 'prev')
    expect(climbed.map((status) => status.id)).toEqual(ids.slice(0, 60))
  })

  test('serve the counts of the world, those of a boost inside it', async () => {
    const { handler, world, radio, statuses } = setUp()
    const all = await pages(handler, `${statuses}?limit=40`)
    expect(all.filter((status) => status.reblog).length).toBeGreaterThan(30)
    for (const status of all) {
      const own = status.reblog ?? status
      expect(own.account.id === radio.id).toBe(status.reblog === null)
      expect(world.metricsAt('mastodon', own.id, NOON)).toMatchObject({
        likes: own.favourites_count,
        replies: own.replies_count,
        reposts: own.reblogs_count,
        quotes: own.quotes_count,
      })
      for (const { name } of own.tags) expect(name).toBe(name.toLowerCase())
    }
    expect(all.some((status) => status.content.includes('#<span>Música</span>'))).toBe(true)
    expect(all.some((status) => status.tags.some((tag) => tag.name === 'musica'))).toBe(true)
    expect(all.some((status) => status.quote?.state === 'accepted')).toBe(true)
    expect(all.some((status) => status.in_reply_to_account_id === radio.id)).toBe(true)
    expect(all.some((status) => status.visibility === 'unlisted')).toBe(true)
  })

  test('filters leave out what they say', async () => {
    const { handler, statuses } = setUp()
    const all = await pages(handler, `${statuses}?limit=40`)
    const filtered = async (query: string) =>
      (await pages(handler, `${statuses}?limit=40&${query}`)).map((one) => one.id)
    const ids = (where: (status: MastodonStatus) => boolean) => all.filter(where).map((status) => status.id)
    expect(await filtered('exclude_reblogs=true')).toEqual(ids((status) => status.reblog === null))
    expect(await filtered('exclude_reblogs=false')).toEqual(ids(() => true))
    expect(await filtered('only_media=1')).toEqual(ids((status) => status.media_attachments.length > 0))
    const isOthers = ({ in_reply_to_account_id: to, account }: MastodonStatus) =>
      to !== null && to !== account.id
    expect(await filtered('exclude_replies=true')).toEqual(
      ids((status) => status.reblog !== null || !isOthers(status)),
    )
    const tagged = await filtered('tagged=M%C3%BAsica')
    expect(tagged).toEqual(
      ids((status) => !status.reblog && status.tags.some((tag) => tag.name === 'musica')),
    )
    expect(tagged.length).toBeGreaterThan(10)
  })

  test('of a batch: 20 are given, 21 refused, missing ones left out; a page has at most 40', async () => {
    const { handler, world, radio, statuses, stats } = setUp()
    const ids = world.posts(radio, { t: NOON, limit: 21 }).map((entry) => entry.id)
    const future = world.posts(radio, { t: NOON + DAY_MS, limit: 1 })[0]?.id ?? ''
    const path = (list: string[]) => `/api/v1/statuses?${list.map((id) => `id%5B%5D=${id}`).join('&')}`
    const batch = (await get(handler, path([...ids.slice(0, 18), future, '99']))).as(mastodonStatusesSchema)
    expect(batch.map((status) => status.id)).toEqual(ids.slice(0, 18))
    expect((await get(handler, path(ids))).status).toBe(422)
    expect((await get(handler, `${statuses}?limit=80`)).as(mastodonStatusesSchema)).toHaveLength(40)
    expect((await get(handler, statuses)).as(mastodonStatusesSchema)).toHaveLength(20)
    const one = (await get(handler, `/api/v1/statuses/${ids[0]}`)).as(mastodonStatusSchema)
    expect(one.id).toBe(ids[0])
    expect(stats.snapshot().violations).toEqual({ too_many_ids: 1, limit_out_of_range: 1 })
    expect(stats.snapshot().endpoints['/api/v1/statuses']).toMatchObject({
      calls: 2,
      ids: 41,
      statuses: { 200: 1, 422: 1 },
    })
  })
})

describe('Mastodon rate limits', () => {
  test('describe the rule closest to exhaustion; paged requests count against both', async () => {
    const { handler, statuses, advance, stats } = setUp({ requests: 5, pagedRequests: 3 })
    const first = await get(handler, statuses, '10.0.0.1')
    expect(first.headers.get('x-ratelimit-limit')).toBe('5')
    expect(first.headers.get('x-ratelimit-remaining')).toBe('4')
    // Half past is a multiple of both windows.
    expect(first.headers.get('x-ratelimit-reset')).toMatch(/^2026-11-22T11:35:00\.\d{6}Z$/)
    const paged = await get(handler, `${statuses}?max_id=1`, '10.0.0.1')
    expect(paged.headers.get('x-ratelimit-limit')).toBe('3')
    expect(paged.headers.get('x-ratelimit-remaining')).toBe('2')
    expect(Date.parse(paged.headers.get('x-ratelimit-reset') ?? '')).toBe(NOON + 15 * MINUTE_MS)
    await get(handler, `${statuses}?since_id=1`, '10.0.0.1')
    await get(handler, `${statuses}?min_id=1`, '10.0.0.1')
    const refused = await get(handler, `${statuses}?page=2`, '10.0.0.1')
    expect(refused.status).toBe(429)
    expect(refused.as(mastodonErrorSchema)).toEqual({ error: 'Too many requests' })
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0')
    expect(refused.headers.has('retry-after')).toBe(false)
    advance(5 * MINUTE_MS)
    expect((await get(handler, statuses, '10.0.0.1')).status).toBe(200)
    expect((await get(handler, `${statuses}?max_id=1`, '10.0.0.1')).status).toBe(429)
    expect((await get(handler, `${statuses}?max_id=1`, '10.0.0.2')).status).toBe(200)
    expect(stats.snapshot().violations).toEqual({ rate_limited: 2 })
  })

  test('hold at 300 requests by default, and leave WebFinger alone', async () => {
    const { handler } = setUp()
    const ask = () => get(handler, '/api/v2/instance')
    for (let request = 0; request < 299; request += 1) await ask()
    expect((await ask()).headers.get('x-ratelimit-remaining')).toBe('0')
    expect((await ask()).status).toBe(429)
    const finger = await get(handler, '/.well-known/webfinger?resource=acct:radiomarea@platform.test:81')
    expect(finger.status).toBe(200)
    expect(finger.headers.has('x-ratelimit-limit')).toBe(false)
  })
})
