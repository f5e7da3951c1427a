import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runAction } from './actions.ts'
import { SIMULATED_CLIENT } from './oauth-server.ts'
import { elementAt } from './random.ts'
import { createStats } from './stats.ts'
import { DAY_MS, HOUR_MS, NOON } from './test-kit.ts'
import { createThreadsHandler, type ThreadsHandlerOptions } from './threads.ts'
import { createWorld } from './world.ts'

const REDIRECT = 'https://tidemark.example/callback'
const SCOPES = 'threads_basic,threads_manage_insights,threads_read_replies'
const COUNTS = 'insights.metric(views,likes,replies,reposts,quotes,shares)'

const insightsSchema = z.object({
  data: z.array(z.object({ name: z.string(), values: z.tuple([z.object({ value: z.int() })]) })),
})
const postSchema = z.looseObject({
  id: z.string().regex(/^18\d{17}$/),
  media_type: z.string().optional(),
  timestamp: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/)
    .optional(),
  insights: insightsSchema.optional(),
})
const pageSchema = z.object({
  data: z.array(postSchema),
  paging: z
    .object({ cursors: z.object({ before: z.string(), after: z.string() }), next: z.url().optional() })
    .optional(),
})
const errorSchema = z.object({
  error: z.object({ code: z.int(), error_subcode: z.int().optional(), type: z.string() }),
})
const tokenSchema = z.object({ access_token: z.string() })

let now: number
beforeEach(() => {
  now = NOON
})

function setUp(options: Omit<ThreadsHandlerOptions, 'now' | 'stats'> = {}) {
  const world = createWorld({ seed: 'threads', now: () => now, accounts: { threads: 2 } })
  const stats = createStats()
  const handler = createThreadsHandler(world, { stats, ...options })
  const [account, other] = [0, 1].map((index) => elementAt(world.accounts('threads'), index))
  if (!account || !other) throw new Error('Too few accounts')
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await handler(new Request(new URL(path, 'http://threads.test'), init))
    const text = await response.text()
    const { status, headers } = response
    const json: unknown = text === '' ? null : JSON.parse(text)
    return { status, headers, text, json }
  }
  const shortToken = async (scope = SCOPES) => {
    const query = new URLSearchParams({
      client_id: SIMULATED_CLIENT.id,
      redirect_uri: REDIRECT,
      scope,
      approve: account.key,
    })
    const location = (await ask(`/oauth/authorize?${query}`)).headers.get('location') ?? ''
    return ask('/oauth/access_token', {
      method: 'POST',
      body: new URLSearchParams({
        client_id: SIMULATED_CLIENT.id,
        client_secret: SIMULATED_CLIENT.secret,
        grant_type: 'authorization_code',
        redirect_uri: REDIRECT,
        code: new URL(location).searchParams.get('code') ?? '',
      }),
    })
  }
  const longToken = (token: string, secret = SIMULATED_CLIENT.secret) =>
    ask(`/access_token?grant_type=th_exchange_token&client_secret=${secret}&access_token=${token}`)
  const signIn = async (scope?: string) => {
    const token = tokenSchema.parse((await shortToken(scope)).json).access_token
    return tokenSchema.parse((await longToken(token)).json).access_token
  }
  const as = (token: string) => (path: string) =>
    ask(`/v1.0/${path}`, { headers: { authorization: `Bearer ${token}` } })
  const codeOf = ({ status, json }: { status: number; json: unknown }) => {
    const { code, error_subcode } = errorSchema.parse(json).error
    return [status, code, error_subcode]
  }
  return { world, stats, account, other, ask, shortToken, longToken, signIn, as, codeOf }
}

describe('Threads signs in', () => {
  test('with a token of an hour and the id as a number, exchanged for one of sixty days', async () => {
    const { account, shortToken, longToken, as, codeOf } = setUp()
    const { json, text } = await shortToken()
    expect(text).toContain(`"user_id":${account.id}}`)
    const short = tokenSchema.parse(json).access_token
    const long = await longToken(short)
    expect(long.json).toMatchObject({ token_type: 'bearer', expires_in: 5_184_000 })
    expect(codeOf(await longToken(short, 'wrong'))).toEqual([400, 1, undefined])
    now += HOUR_MS
    expect(codeOf(await as(short)('me'))).toEqual([400, 190, 463])
    const get = as(tokenSchema.parse(long.json).access_token)
    expect((await get('me')).json).toEqual({ id: account.id })
    now = NOON + 60 * DAY_MS
    expect(codeOf(await get('me'))).toEqual([400, 190, 463])
  })

  test('anew for sixty days, but not within the first', async () => {
    const { signIn, ask, as, codeOf } = setUp()
    const token = await signIn()
    const refresh = () => ask(`/refresh_access_token?grant_type=th_refresh_token&access_token=${token}`)
    now += DAY_MS - 1
    expect(codeOf(await refresh())).toEqual([400, 100, undefined])
    now += 1
    const renewed = tokenSchema.parse((await refresh()).json).access_token
    now = NOON + 60 * DAY_MS
    expect((await as(renewed)('me')).status).toBe(200)
    expect(codeOf(await refresh())).toEqual([400, 190, 463])
  })

  test('nobody with a code that is none, in the shape that only this has', async () => {
    const { ask } = setUp()
    const form = new URLSearchParams({
      client_id: SIMULATED_CLIENT.id,
      client_secret: SIMULATED_CLIENT.secret,
      grant_type: 'authorization_code',
      code: 'made up',
    })
    const { status, json } = await ask('/oauth/access_token', { method: 'POST', body: form })
    expect([status, json]).toMatchObject([400, { error_type: 'OAuthException', code: 400 }])
  })
})

describe('Threads shows an account', () => {
  test('by its id or as “me”, with the followers apart', async () => {
    const { world, account, signIn, as } = setUp()
    const get = as(await signIn())
    const { handle, displayName, followers } = world.profileAt(account, now)
    for (const node of ['me', account.id])
      expect((await get(`${node}?fields=id,username,name`)).json).toEqual({
        id: account.id,
        username: handle,
        name: displayName,
      })
    expect((await get(`me/threads_insights?metric=followers_count`)).json).toEqual({
      data: [{ name: 'followers_count', period: 'day', total_value: { value: followers } }],
    })
  })

  test.each<[string, string, number[]]>([
    ['an app that was removed', 'revoke-tokens', [190, 458]],
    ['an account that is locked', 'suspend', [190, 459]],
    ['an account that is gone', 'delete-account', [100, 33]],
  ])('to nobody: %s', async (_, verb, code) => {
    const { world, account, signIn, as, codeOf } = setUp()
    const get = as(await signIn())
    runAction(world, verb, { platform: 'threads', account: account.key })
    expect(codeOf(await get('me'))).toEqual([400, ...code])
    expect(codeOf(await as('made-up')('me'))).toEqual([400, 190, 467])
  })

  test('and its posts to its own token alone', async () => {
    const { world, other, signIn, as, codeOf } = setUp()
    const get = as(await signIn())
    const theirs = elementAt(world.posts(other, { t: now, limit: 1 }), 0).id
    for (const path of [other.id, `${other.id}/threads`, theirs, `${theirs}/insights?metric=views`])
      expect(codeOf(await get(path))).toEqual([400, 100, 33])
  })

  test('what the scopes allow', async () => {
    const { signIn, as, codeOf } = setUp()
    const get = as(await signIn('threads_basic'))
    expect((await get('me/threads')).status).toBe(200)
    for (const path of [
      'me/replies',
      'me/threads_insights?metric=followers_count',
      `me/threads?fields=id,${COUNTS}`,
    ])
      expect(codeOf(await get(path))).toEqual([400, 10, undefined])
  })
})

describe('Threads lists posts', () => {
  test('page by page, replies apart, some pages being short or empty', async () => {
    const { world, account, signIn, as, ask, stats } = setUp()
    const get = as(await signIn())
    const authorization = `Bearer ${await signIn()}`
    const sizes: number[] = []
    for (const edge of ['threads', 'replies']) {
      const ids: string[] = []
      let path: string | undefined = `/v1.0/me/${edge}?limit=10`
      while (path !== undefined) {
        const { data, paging } = pageSchema.parse((await ask(path, { headers: { authorization } })).json)
        ids.push(...data.map(({ id }) => id))
        sizes.push(data.length)
        path = paging?.next
      }
      const where = ({ kind }: { kind: string }) => (kind === 'reply') === (edge === 'replies')
      const entries = world.posts(account, { t: now, limit: 10_000, where })
      expect(entries.length).toBeGreaterThan(20)
      expect(ids).toEqual(entries.map(({ id }) => id))
    }
    expect(new Set(sizes).size).toBeGreaterThan(2)
    expect((await get('me/threads?limit=100')).status).toBe(200)
    expect(stats.snapshot().violations).toEqual({})
  })

  test('of a span of time, in seconds', async () => {
    const { world, account, signIn, as } = setUp()
    const get = as(await signIn())
    const [since, until] = [Math.floor(NOON / 1_000) - 10 * 86_400, Math.floor(NOON / 1_000) - 5 * 86_400]
    const { json } = await get(`me/threads?fields=timestamp&limit=100&since=${since}&until=${until}`)
    const entries = world.posts(account, {
      t: now,
      limit: 100,
      after: since * 1_000 - 1,
      before: until * 1_000,
      where: ({ kind }) => kind !== 'reply',
    })
    expect(entries.length).toBeGreaterThan(3)
    expect(pageSchema.parse(json).data.map(({ id }) => id)).toEqual(entries.map(({ id }) => id))
  })

  test.each([
    ['limit=101', 'limit_out_of_range'],
    ['after=nonsense', 'bad_cursor'],
    ['since=1600000000', 'bad_parameter'],
    ['until=soon', 'bad_parameter'],
    ['fields=id,made_up', 'bad_parameter'],
    ['fields=id,insights.metric(made_up)', 'bad_parameter'],
    ['fields=id,)(', 'bad_parameter'],
  ])('and refuses %s', async (query, violation) => {
    const { signIn, as, stats, codeOf } = setUp()
    expect(codeOf(await as(await signIn())(`me/threads?${query}`))).toEqual([400, 100, undefined])
    expect(stats.snapshot().violations).toEqual({ [violation]: 1 })
  })

  test('with their counts where that is switched on, else post by post', async () => {
    const { world, account, signIn, as } = setUp()
    const path = `me/threads?fields=id,media_type,${COUNTS}&limit=100`
    const get = as(await signIn())
    const { data } = pageSchema.parse((await get(path)).json)
    const countsOf = (insights: z.infer<typeof insightsSchema> | undefined) =>
      Object.fromEntries(insights?.data.map(({ name, values }) => [name, values[0].value]) ?? [])
    for (const post of data) {
      if (post.media_type === 'REPOST_FACADE') {
        expect(post.insights).toBeUndefined()
        continue
      }
      const truth = world.metricsAt('threads', post.id, now)
      const { reposts = 0, shares = 0, ...counts } = countsOf(post.insights)
      expect(counts).toEqual({
        views: truth?.views,
        likes: truth?.likes,
        replies: truth?.replies,
        quotes: truth?.quotes,
      })
      expect(reposts + shares).toBe(truth?.reposts)
    }
    expect(data.some(({ media_type }) => media_type === 'REPOST_FACADE')).toBe(true)
    const without = setUp({ expandsInsights: false })
    const getWithout = without.as(await without.signIn())
    expect(without.codeOf(await getWithout(path))).toEqual([400, 100, undefined])
    const first = elementAt(world.posts(account, { t: now, limit: 1 }), 0)
    const { json } = await getWithout(`${first.id}/insights?metric=views`)
    expect(countsOf(insightsSchema.parse(json))).toEqual({ views: first.post.metrics.views })
  })

  test('without those that were deleted', async () => {
    const { world, account, signIn, as, codeOf } = setUp()
    const get = as(await signIn())
    const { id } = elementAt(
      world.posts(account, { t: now, limit: 1, where: ({ kind }) => kind === 'post' }),
      0,
    )
    expect((await get(id)).json).toEqual({ id })
    runAction(world, 'delete', { platform: 'threads', post: id })
    now += 1
    expect(codeOf(await get(id))).toEqual([400, 100, 33])
    expect(codeOf(await get(`${id}/insights?metric=views`))).toEqual([400, 100, 33])
    expect((await get('me/threads?limit=100')).text).not.toContain(id)
  })
})

describe('Threads counts calls', () => {
  test('of an account, whatever its token, and tells how much is used', async () => {
    const { signIn, as, codeOf, stats } = setUp({ limits: { requests: 4 } })
    const [one, two] = [as(await signIn()), as(await signIn())]
    const usage = (reply: { headers: Headers }) => JSON.parse(reply.headers.get('x-app-usage') ?? '')
    expect(usage(await one('me'))).toMatchObject({ call_count: 25 })
    now += HOUR_MS
    for (const get of [one, two, two]) await get('me')
    const refused = await one('me')
    expect(codeOf(refused)).toEqual([400, 4, undefined])
    expect(usage(refused)).toMatchObject({ call_count: 125 })
    expect(JSON.parse(refused.headers.get('x-business-use-case-usage') ?? '')).toMatchObject({
      app: [{ type: 'threads', estimated_time_to_regain_access: 23 * 60 }],
    })
    expect(stats.snapshot().violations).toEqual({ rate_limited: 1 })
    now = NOON + DAY_MS
    expect((await one('me')).status).toBe(200)
  })
})
