import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { runAction } from './actions.ts'
import { titleOf } from './content/title.ts'
import { isMeasured, NETWORKS } from './networks.ts'
import { ApiError, createPlatformHandler, type PlatformBehaviour } from './platform-handler.ts'
import { elementAt } from './random.ts'
import { createRateLimiter } from './rate-limits.ts'
import { createStats } from './stats.ts'
import { DAY_MS, get, HOUR_MS, MINUTE_MS, NOON } from './test-kit.ts'
import { truthOf } from './truth.ts'
import type { FeedEntry, PlatformName } from './types.ts'
import { createWorld, type World } from './world.ts'

const ALL = Number.POSITIVE_INFINITY
const world = createWorld({ seed: 'networks', now: () => NOON })

function feedOf(platform: PlatformName, of: World = world): FeedEntry[] {
  return of.accounts(platform).flatMap((account) => of.posts(account, { t: NOON, limit: ALL }))
}

describe.each(PLATFORMS)('The world on %s', (platform) => {
  const traits = NETWORKS[platform]

  test('has two accounts at least, and the kinds of posts that there are', () => {
    expect(world.accounts(platform).length).toBeGreaterThanOrEqual(2)
    const kinds = new Set(feedOf(platform).map(({ kind }) => kind))
    for (const kind of kinds) expect(traits.kinds).toContain(kind)
    expect(kinds.has('reply')).toBe(traits.kinds.includes('reply'))
  })

  test('has media that can be attached there, titles where they exist, and tags of the text', () => {
    for (const { post } of feedOf(platform)) {
      expect(traits.media).toContain(post.media?.type ?? 'none')
      if (post.media?.type === 'images') expect(post.media.alts.length).toBeLessThanOrEqual(traits.maxImages)
      if (traits.hasTitle) expect(post.title).toMatch(/^[^#\n]{3,100}$/)
      else expect(post.title).toBeUndefined()
      if (platform === 'threads') expect(post.hashtags.length).toBeLessThanOrEqual(1)
    }
  })

  test('posts about as often as its accounts say', () => {
    for (const account of world.accounts(platform)) {
      const own = world.posts(account, {
        t: NOON,
        limit: ALL,
        after: NOON - 120 * DAY_MS,
        where: (entry) => entry.kind === 'post',
      })
      const aDay = own.length / 120
      expect(aDay).toBeGreaterThan(account.postsPerDay * 0.6)
      // Trends come on top.
      expect(aDay).toBeLessThan(account.postsPerDay * 1.4 + 0.8)
    }
  })

  test('counts what the platform measures, and the truth shows no more', () => {
    const hasViews = isMeasured(platform, 'views') || isMeasured(platform, 'impressions')
    const posts = world.accounts(platform).flatMap((account) => truthOf(world, account, NOON).posts)
    const sum = (pick: (metrics: (typeof posts)[number]['metrics']) => number | null) =>
      posts.reduce((total, { metrics }) => total + (pick(metrics) ?? 0), 0)
    for (const { metrics } of posts) {
      expect(metrics.views === null).toBe(!hasViews)
      expect(metrics.reach === null).toBe(!isMeasured(platform, 'reach'))
      expect(metrics.bookmarks === null).toBe(!isMeasured(platform, 'saves'))
    }
    expect(sum(({ views }) => views) > 5 * sum(({ likes }) => likes)).toBe(hasViews)
    expect(sum(({ bookmarks }) => bookmarks) > 0).toBe(isMeasured(platform, 'saves'))
  })

  test('views and reach are whole, grow with time, and no more are reached than views counted', () => {
    const account = elementAt(world.accounts(platform), 0)
    for (const { post } of world.posts(account, {
      t: NOON,
      limit: 40,
      where: (one) => one.kind === 'post',
    })) {
      let before = { views: 0, reach: 0 }
      for (const age of [0, MINUTE_MS, HOUR_MS, DAY_MS, 9 * DAY_MS]) {
        const metrics = world.metricsAt(platform, post.id, Math.min(NOON, post.indexedAt + age))
        if (!metrics) throw new Error('The post is missing')
        expect(Number.isInteger(metrics.views) && Number.isInteger(metrics.reach)).toBe(true)
        expect(metrics.reach).toBeLessThanOrEqual(metrics.views)
        expect(metrics.views).toBeGreaterThanOrEqual(before.views)
        expect(metrics.reach).toBeGreaterThanOrEqual(before.reach)
        before = metrics
      }
    }
  })

  test('interventions reach its accounts and posts, as far as the platform allows them', () => {
    let now = NOON
    const own = createWorld({ seed: 'networks', now: () => now })
    const [account, other] = own.accounts(platform)
    if (!account || !other) throw new Error('The cast is too small')
    const reference = { platform, account: account.id }
    const [published] = runAction(own, 'publish', { ...reference, text: 'Hello. #One', title: 'A title' })
    const post = published?.postId ?? ''
    runAction(own, 'adjust', { platform, post, likes: 3, views: 70, reach: 60 })
    now += MINUTE_MS
    expect(own.post(platform, post)).toMatchObject({
      title: traits.hasTitle ? 'A title' : undefined,
      metrics: { likes: 3, views: 70, reach: 60 },
    })
    const rename = () => runAction(own, 'rename', { ...reference, handle: 'another.name' })
    if (traits.canRename) {
      rename()
      expect(own.account(platform, 'another.name')).toBe(account)
      expect(() => runAction(own, 'rename', { platform, account: other.id, handle: 'another.name' })).toThrow(
        /taken/,
      )
    } else expect(rename).toThrow(/no such rename/)
    runAction(own, 'delete', { platform, post })
    expect(own.entry(platform, post, now)).toBeUndefined()
    runAction(own, 'delete-account', reference)
    now += 1
    expect(own.namesAt(account, now).status).toBe('deleted')
    expect(own.posts(account, { t: now, limit: 1 })).toEqual([])
  })
})

describe.each(PLATFORMS)('Faults of %s', (platform) => {
  const bodySchema = z.strictObject({ code: z.string() })

  function setUp(limit = 50) {
    let now = NOON
    const own = createWorld({ seed: 'networks', now: () => now })
    const stats = createStats()
    const limiter = createRateLimiter({ name: 'calls', limit, windowMs: HOUR_MS, anchor: 'sliding' })
    const behaviour: PlatformBehaviour = {
      platform,
      route: (call) => {
        call.endpoint = call.url.pathname
        return { body: { code: 'fine' } }
      },
      limit: (call, client, squeezedLimit) =>
        call.url.pathname === '/free' ? [] : [limiter.take(client, call.t, { squeezedLimit })],
      limitHeaders: ([state]) =>
        state ? { 'x-left': String(state.remaining), 'x-reset': String(state.resetAt) } : {},
      errorBody: (error) => ({ code: error.name }),
      refusal: (state) => new ApiError(403, `over ${state.rule.name}`, 'Too much'),
    }
    const handler = createPlatformHandler(behaviour, own, () => now, stats)
    return { own, stats, handler, advance: (ms: number) => (now += ms) }
  }

  test('a burst refuses every call on its path as the platform does, for its time, and blames nobody', async () => {
    const { own, stats, handler, advance } = setUp()
    runAction(own, 'burst429', { platform, path: 'e', seconds: 30 })
    for (const path of ['/videos', '/free']) {
      const refused = await get(handler, path)
      expect([refused.status, refused.headers.get('x-left')]).toEqual([403, '0'])
      expect(refused.headers.get('x-reset')).toBe(String(NOON + 30_000))
      expect(refused.as(bodySchema).code).toMatch(/^over (calls|burst)$/)
    }
    expect((await get(handler, '/post')).status).toBe(200)
    advance(30_000)
    expect((await get(handler, '/videos')).status).toBe(200)
    expect(stats.snapshot().violations).toEqual({})
    expect(stats.snapshot().peakUsage.calls?.exceeded).toBe(0)
  })

  test('a limit that was passed is answered in the same way, and counted', async () => {
    const { stats, handler } = setUp(1)
    await get(handler, '/a')
    const refused = await get(handler, '/a')
    expect([refused.status, refused.as(bodySchema).code]).toEqual([403, 'over calls'])
    expect(stats.snapshot()).toMatchObject({
      violations: { rate_limited: 1 },
      endpoints: { '/a': { calls: 1 }, refused: { calls: 1 } },
      peakUsage: { calls: { share: 2, exceeded: 1 } },
    })
  })

  test('a malformed answer is JSON of another shape, a truncated one is no JSON, an outage has its form', async () => {
    const { own, handler } = setUp()
    runAction(own, 'malform', { platform, path: '/bad' })
    const malformed = await get(handler, '/bad')
    expect([malformed.status, malformed.as(z.unknown())]).toEqual([200, [{ unexpected: true }]])
    expect((await get(handler, '/good')).as(bodySchema)).toEqual({ code: 'fine' })
    runAction(own, 'truncate', { platform, pathIncludes: '/cut' })
    expect((await get(handler, '/cut')).text).toBe('{"code"')
    runAction(own, 'outage', { platform, pathIncludes: '/down' })
    expect((await get(handler, '/down')).as(bodySchema)).toEqual({ code: 'NotEnoughResources' })
    runAction(own, 'clear', {})
    for (const path of ['/bad', '/cut', '/down']) expect((await get(handler, path)).status).toBe(200)
  })
})

test('what a request carries is read before it is routed, up to a megabyte', async () => {
  const seen: unknown[] = []
  const handler = createPlatformHandler(
    {
      platform: 'tiktok',
      route: (call) => {
        const isJson = call.url.pathname === '/json'
        seen.push(isJson ? call.json() : Object.fromEntries(call.form()))
        return { text: 'plain', contentType: 'text/plain' }
      },
      limit: () => [],
      limitHeaders: () => ({}),
      errorBody: (error) => ({ code: error.name }),
    },
    world,
    () => NOON,
    createStats(),
  )
  const post = (path: string, body: BodyInit) =>
    handler(new Request(`http://tiktok.test${path}`, { method: 'POST', body }))
  expect(await (await post('/form', new URLSearchParams({ a: 'b c' }))).text()).toBe('plain')
  await post('/json', '{"a":1}')
  await post('/form', '{"a":1}')
  expect(seen).toEqual([{ a: 'b c' }, { a: 1 }, {}])
  expect((await post('/json', 'no json')).status).toBe(400)
  expect((await post('/json', 'x'.repeat(1_000_001))).status).toBe(413)
})

test.each([
  ['On the bar from today: a Gesha. Doors open at seven. #Coffee', 'On the bar from today: a Gesha'],
  ['Who is coming? https://a.example/b', 'Who is coming?'],
  ['#Bikes', 'Bikes'],
  ['https://a.example/b', 'Untitled'],
  ['本日のラーメン。二杯目。', '本日のラーメン。'],
  [`${'word '.repeat(30)}end`, `${'word '.repeat(17)}word…`],
])('the title of %j is its first sentence', (text, title) => {
  expect(titleOf(text)).toBe(title)
})
