import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runAction } from './actions.ts'
import { SIMULATED_CLIENT } from './oauth-server.ts'
import { elementAt } from './random.ts'
import { createStats } from './stats.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, NOON } from './test-kit.ts'
import { createTikTokHandler, type TikTokLimits } from './tiktok.ts'
import { createWorld } from './world.ts'

const REDIRECT = 'https://tidemark.example/callback'
const SCOPES = 'user.info.basic,user.info.profile,user.info.stats,video.list'
const VERIFIER = 'a-verifier-of-some-length-that-nobody-guesses'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('hex')

const tokenSchema = z.object({
  access_token: z.string(),
  expires_in: z.literal(7_200),
  open_id: z.string(),
  refresh_token: z.string(),
  refresh_expires_in: z.literal(15_552_000),
  scope: z.string(),
  token_type: z.literal('Bearer'),
})
const userSchema = z.object({
  data: z.object({ user: z.record(z.string(), z.unknown()) }),
  error: z.object({ code: z.literal('ok'), message: z.literal(''), log_id: z.string() }),
})
const pageSchema = z.object({
  data: z.object({
    videos: z.array(z.object({ id: z.string(), like_count: z.int().optional() })),
    cursor: z.int().optional(),
    has_more: z.boolean().optional(),
  }),
  error: z.object({ code: z.literal('ok') }),
})
const errorSchema = z.object({ error: z.object({ code: z.string(), log_id: z.string() }) })

let now: number
beforeEach(() => {
  now = NOON
})

function setUp(limits: Partial<TikTokLimits> = {}) {
  const world = createWorld({ seed: 'tiktok', now: () => now, accounts: { tiktok: 2 } })
  const stats = createStats()
  const handler = createTikTokHandler(world, { stats, limits })
  const account = elementAt(world.accounts('tiktok'), 0)
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await handler(new Request(new URL(path, 'http://tiktok.test'), init))
    const text = await response.text()
    const json: unknown = text === '' ? null : JSON.parse(text)
    return { status: response.status, headers: response.headers, json }
  }
  const token = (form: Record<string, string>) =>
    ask('/v2/oauth/token/', {
      method: 'POST',
      body: new URLSearchParams({
        client_key: SIMULATED_CLIENT.id,
        client_secret: SIMULATED_CLIENT.secret,
        ...form,
      }),
    })
  const codeFor = async (params: Record<string, string> = {}): Promise<string> => {
    const query = new URLSearchParams({
      client_key: SIMULATED_CLIENT.id,
      redirect_uri: REDIRECT,
      scope: SCOPES,
      response_type: 'code',
      state: 's',
      approve: account.key,
      ...params,
    })
    const { headers } = await ask(`/v2/auth/authorize/?${query}`)
    return new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
  }
  const signIn = async (params: Record<string, string> = {}) => {
    const code = await codeFor(params)
    const { json } = await token({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT })
    return tokenSchema.parse(json)
  }
  const as = (accessToken: string) => ({
    get: (path: string) => ask(path, { headers: { authorization: `Bearer ${accessToken}` } }),
    post: (path: string, body: object) =>
      ask(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  })
  const codeOf = ({ json }: { json: unknown }) => errorSchema.parse(json).error.code
  return { world, stats, account, ask, token, codeFor, signIn, as, codeOf }
}

describe('TikTok signs in', () => {
  test('with tokens in the documented shape, of which the refresh token is good once', async () => {
    const { signIn, token, account } = setUp()
    const first = await signIn()
    expect([first.open_id, first.scope]).toEqual([account.id, SCOPES])
    const again = () => token({ grant_type: 'refresh_token', refresh_token: first.refresh_token })
    expect(tokenSchema.parse((await again()).json).refresh_token).not.toBe(first.refresh_token)
    expect(await again()).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  })

  test('with a challenge in hexadecimal digits alone', async () => {
    const { ask, codeFor, token } = setUp()
    const pkce = { code_challenge: CHALLENGE, code_challenge_method: 'S256' }
    const exchange = async (verifier: string) =>
      token({
        grant_type: 'authorization_code',
        code: await codeFor(pkce),
        redirect_uri: REDIRECT,
        code_verifier: verifier,
      })
    expect((await exchange(VERIFIER)).status).toBe(200)
    expect(await exchange('another')).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    const usual = Buffer.from(CHALLENGE, 'hex').toString('base64url')
    const query = `client_key=${SIMULATED_CLIENT.id}&redirect_uri=${REDIRECT}&code_challenge=${usual}`
    expect((await ask(`/v2/auth/authorize/?${query}`)).status).toBe(400)
  })

  test('nobody with a wrong secret, or without a kind of grant', async () => {
    const { token, codeFor } = setUp()
    const code = await codeFor()
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, client_secret: 'wrong' }
    expect(await token(form)).toMatchObject({ status: 401, json: { error: 'invalid_client' } })
    expect(await token({})).toMatchObject({ status: 400, json: { error: 'unsupported_grant_type' } })
  })
})

describe('TikTok shows an account', () => {
  test('the fields that are asked for and allowed, and no others', async () => {
    const { world, account, signIn, as, codeOf } = setUp()
    const { access_token } = await signIn({ scope: 'user.info.basic,user.info.stats' })
    const { get } = as(access_token)
    const { json } = await get('/v2/user/info/?fields=open_id,follower_count,video_count')
    const { followers, posts } = world.profileAt(account, now)
    expect(userSchema.parse(json).data.user).toEqual({
      open_id: account.id,
      follower_count: followers,
      video_count: posts,
    })
    const hidden = await get('/v2/user/info/?fields=open_id,username')
    expect([hidden.status, codeOf(hidden)]).toEqual([401, 'scope_not_authorized'])
    for (const fields of ['', '?fields=', '?fields=made_up']) {
      const refused = await get(`/v2/user/info/${fields}`)
      expect([refused.status, codeOf(refused)]).toEqual([400, 'invalid_params'])
    }
    expect(codeOf(await as(access_token).post('/v2/video/list/?fields=id', {}))).toBe('scope_not_authorized')
  })

  test.each(['none', 'ended', 'revoked', 'gone'])('to a token that is good: %s is not', async (why) => {
    const { world, account, signIn, as, codeOf } = setUp()
    const { access_token } = await signIn()
    if (why === 'ended') now += 2 * HOUR_MS
    if (why === 'revoked') runAction(world, 'revoke-tokens', { platform: 'tiktok', account: account.key })
    if (why === 'gone') runAction(world, 'suspend', { platform: 'tiktok', account: account.key })
    const answer = await as(why === 'none' ? 'made-up' : access_token).get('/v2/user/info/?fields=open_id')
    expect([answer.status, codeOf(answer)]).toEqual([401, 'access_token_invalid'])
  })
})

describe('TikTok lists videos', () => {
  test('page by page with its own cursor, until there are no more', async () => {
    const { world, account, signIn, as, stats } = setUp()
    const { post } = as((await signIn()).access_token)
    const ids: string[] = []
    let cursor: number | undefined
    do {
      const { json } = await post('/v2/video/list/?fields=id', { max_count: 20, cursor })
      const { data } = pageSchema.parse(json)
      expect(data.videos.length).toBeLessThanOrEqual(20)
      ids.push(...data.videos.map(({ id }) => id))
      cursor = data.has_more ? data.cursor : undefined
    } while (cursor !== undefined)
    const entries = world.posts(account, { t: now, limit: 10_000 })
    expect(entries.length).toBeGreaterThan(40)
    expect(ids).toEqual(entries.map(({ id }) => id))
    expect(stats.snapshot().violations).toEqual({})
  })

  test.each<[object, string]>([
    [{ max_count: 21 }, 'limit_out_of_range'],
    [{ max_count: 0 }, 'limit_out_of_range'],
    [{ cursor: 'QVFI' }, 'bad_cursor'],
  ])('and refuses %j', async (body, violation) => {
    const { signIn, as, codeOf, stats } = setUp()
    const answer = await as((await signIn()).access_token).post('/v2/video/list/?fields=id', body)
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid_params'])
    expect(stats.snapshot().violations).toEqual({ [violation]: 1 })
  })
})

describe('TikTok finds videos by id', () => {
  test('twenty at once, leaving out what is gone, made up or somebody else’s', async () => {
    const { world, account, signIn, as, stats, codeOf } = setUp()
    const { post } = as((await signIn()).access_token)
    const mine = world.posts(account, { t: now, limit: 21 }).map(({ id }) => id)
    const theirs = elementAt(world.posts(elementAt(world.accounts('tiktok'), 1), { t: now, limit: 1 }), 0).id
    const [first = '', second = '', third = ''] = mine
    runAction(world, 'delete', { platform: 'tiktok', post: second })
    now += 1
    const query = (video_ids: unknown) =>
      post('/v2/video/query/?fields=id,like_count', { filters: { video_ids } })
    const { json } = await query([first, second, third, theirs, '123'])
    expect(pageSchema.parse(json).data.videos).toEqual(
      [first, third].map((id) => ({ id, like_count: world.metricsAt('tiktok', id, now)?.likes })),
    )
    for (const ids of [mine, [], 'x', [7]]) expect(codeOf(await query(ids))).toBe('invalid_params')
    expect(stats.snapshot().violations).toEqual({ too_many_ids: 1, bad_parameter: 3 })
    expect(stats.snapshot().endpoints['video/query']).toMatchObject({ maxIdsPerCall: 21 })
  })
})

describe('TikTok counts calls', () => {
  test('of each endpoint in the minute before, and answers without a header about it', async () => {
    const { signIn, as, codeOf, stats } = setUp({ requests: 3 })
    const { get, post } = as((await signIn()).access_token)
    const info = () => get('/v2/user/info/?fields=open_id')
    for (const _ of [1, 2, 3]) {
      expect((await info()).status).toBe(200)
      now += 10_000
    }
    const refused = await info()
    expect([refused.status, codeOf(refused)]).toEqual([429, 'rate_limit_exceeded'])
    expect([...refused.headers.keys()].filter((name) => /limit|retry/u.test(name))).toEqual([])
    expect((await post('/v2/video/list/?fields=id', {})).status).toBe(200)
    now = NOON + MINUTE_MS
    expect((await info()).status).toBe(200)
    expect((await info()).status).toBe(429)
    expect(stats.snapshot().violations).toEqual({ rate_limited: 2 })
  })

  test('six hundred a minute, as documented', async () => {
    const { signIn, as } = setUp()
    const { get } = as((await signIn()).access_token)
    for (let i = 0; i < 600; i += 1) expect((await get('/v2/user/info/?fields=open_id')).status).toBe(200)
    expect((await get('/v2/user/info/?fields=open_id')).status).toBe(429)
  })
})

describe('TikTok’s sign-in', () => {
  test('lasts as long as the refresh token', async () => {
    const { signIn, token } = setUp()
    const { refresh_token } = await signIn()
    now += 180 * DAY_MS
    expect(await token({ grant_type: 'refresh_token', refresh_token })).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant' },
    })
  })
})
