import { describe, expect, it } from 'vitest'
import { ConfigurationError, parseEnv } from './env.ts'
import { LIMIT_NAMES } from './lib/limit-names.ts'

const COMPLETE = {
  DATABASE_URL: 'postgres://app:pw@db.example.com/tidemark',
  UPSTASH_REDIS_REST_URL: 'https://redis.example.com',
  UPSTASH_REDIS_REST_TOKEN: 'r',
  QSTASH_TOKEN: 'q',
  QSTASH_CURRENT_SIGNING_KEY: 'sig_current',
  QSTASH_NEXT_SIGNING_KEY: 'sig_next',
  BETTER_AUTH_SECRET: 'x'.repeat(32),
  PUBLIC_URL: 'https://tidemark.example.com',
}
const REQUIRED = Object.keys(COMPLETE)

function problemsOf(raw: object): string[] {
  try {
    parseEnv(raw)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('a configuration', () => {
  it('is complete with what has no default', () => {
    expect(parseEnv({ ...COMPLETE })).toEqual({
      ...COMPLETE,
      QSTASH_URL: 'https://qstash.upstash.io',
      CORS_ORIGINS: [],
      SIGNUP_MODE: 'invite',
      OPERATOR_EMAILS: [],
      RATE_LIMITS: {},
      BREAKERS: {},
      BREAKERS_MODE: { postgres: 'enforce', redis: 'enforce', replica: 'enforce' },
      BLUESKY_APPVIEW_URL: 'https://public.api.bsky.app',
      X_DAILY_BUDGET_USD: 5,
      PLATFORM_URLS: {},
      PLATFORM_LIMITS: {},
      ALLOW_PRIVATE_HOSTS: false,
      SYNC_INTERVAL_SECONDS: 60,
      EMAIL_API_URL: 'https://api.resend.com',
      COMMIT: 'unknown',
    })
  })

  it('is refused with every missing variable named at once', () => {
    expect(problemsOf({}).sort()).toEqual(REQUIRED.map((name) => `${name} is missing`).sort())
  })

  it('takes an empty variable for one that is not set', () => {
    const empty = Object.fromEntries(REQUIRED.map((name) => [name, '']))
    expect(problemsOf(empty)).toHaveLength(REQUIRED.length)
    expect(
      parseEnv({ ...COMPLETE, QSTASH_URL: '', CREDENTIALS_KEY: '', ALLOW_PRIVATE_HOSTS: '' }),
    ).toMatchObject({ QSTASH_URL: 'https://qstash.upstash.io', ALLOW_PRIVATE_HOSTS: false })
  })

  const MALFORMED = {
    DATABASE_URL: 'mysql://app:hunter2@db.example.com/x',
    DATABASE_READ_URL: 'hunter2',
    NEON_FETCH_ENDPOINT: 'ftp://hunter2.example.com',
    UPSTASH_REDIS_REST_URL: 'redis://:hunter2@redis.example.com',
    QSTASH_URL: 'hunter2',
    BETTER_AUTH_SECRET: 'hunter2',
    CREDENTIALS_KEY: 'hunter2',
    PUBLIC_URL: 'hunter2.example.com',
    CALLBACKS_URL: 'hunter2.example.com',
    METRICS_TOKEN: 'hunter2',
    SIGNUP_MODE: 'hunter2',
    RATE_LIMITS: 'reads=hunter2',
    BREAKERS: 'redis=hunter2',
    BREAKERS_MODE: 'hunter2',
    BLUESKY_APPVIEW_URL: 'hunter2',
    ALLOW_PRIVATE_HOSTS: 'hunter2',
    SYNC_INTERVAL_SECONDS: 'hunter2',
    EMAIL_API_KEY: 'hunter2 hunter2',
    EMAIL_FROM: 'hunter2',
    EMAIL_API_URL: 'hunter2',
    YOUTUBE_API_KEY: 'hunter2 hunter2',
    X_DAILY_BUDGET_USD: 'hunter2',
    PLATFORM_URLS: 'myspace=https://hunter2.example',
    PLATFORM_LIMITS: 'youtube.units=hunter2',
  }

  it('is refused with every malformed and missing variable named, and no value echoed', () => {
    const { QSTASH_TOKEN: _, ...incomplete } = COMPLETE
    const problems = problemsOf({ ...incomplete, ...MALFORMED })
    expect(problems.map((problem) => problem.split(' ')[0]).sort()).toEqual(
      [...Object.keys(MALFORMED), 'QSTASH_TOKEN'].sort(),
    )
    expect(problems.join()).not.toContain('hunter2')
    expect(problems).toContain('QSTASH_TOKEN is missing')
    expect(problems).toContain('BETTER_AUTH_SECRET must have at least 32 characters')
    expect(problems).toContain('RATE_LIMITS must look like reads=600/60,writes=60/60')
    expect(problems).toContain('PUBLIC_URL is malformed')
    expect(problems).toContain('CALLBACKS_URL is malformed')
  })

  it.each([
    ['META_APP_ID', 'META_APP_SECRET'],
    ['TIKTOK_CLIENT_SECRET', 'TIKTOK_CLIENT_KEY'],
  ])('is refused with %s and without %s', (given, missing) => {
    expect(problemsOf({ ...COMPLETE, [given]: 'something' })).toEqual([
      `${missing} is missing: ${given} needs it`,
    ])
  })

  it('names platforms and their limits as they are known', () => {
    const env = parseEnv({
      ...COMPLETE,
      PLATFORM_URLS: 'youtube=http://127.0.0.1:9001/, x=http://127.0.0.1:9002',
      PLATFORM_LIMITS: 'linkedin.app=50000',
    })
    expect(env.PLATFORM_URLS).toEqual({ youtube: 'http://127.0.0.1:9001', x: 'http://127.0.0.1:9002' })
    expect(env.PLATFORM_LIMITS).toEqual({ 'linkedin.app': 50_000 })
    expect(problemsOf({ ...COMPLETE, PLATFORM_LIMITS: 'myspace.calls=5' })[0]).toContain('linkedin.app')
  })

  it('is refused with a message that says so, for a log', () => {
    const error = new ConfigurationError(['A is missing', 'B is malformed'])
    expect(error.message).toBe('The configuration is not complete: A is missing; B is malformed')
  })

  it.each([
    ['4', 'below'],
    ['3601', 'above'],
    ['7.5', 'between'],
  ])('is refused with a sync interval of %s: %s what it may be', (seconds) => {
    expect(problemsOf({ ...COMPLETE, SYNC_INTERVAL_SECONDS: seconds })).toEqual([
      'SYNC_INTERVAL_SECONDS is malformed',
    ])
    expect(parseEnv({ ...COMPLETE, SYNC_INTERVAL_SECONDS: '5' }).SYNC_INTERVAL_SECONDS).toBe(5)
  })

  it('reads lists, flags and addresses', () => {
    expect(
      parseEnv({
        ...COMPLETE,
        CORS_ORIGINS: 'https://a.example, https://b.example,',
        OPERATOR_EMAILS: ' one@example.com ',
        PUBLIC_URL: 'http://127.0.0.1:8787//',
        CALLBACKS_URL: 'http://127.0.0.1:8788/',
        BLUESKY_APPVIEW_URL: 'http://127.0.0.1:2584/',
        ALLOW_PRIVATE_HOSTS: '1',
        CREDENTIALS_KEY: `${btoa('k'.repeat(32))}, ${btoa('o'.repeat(32))}`,
      }),
    ).toMatchObject({
      CREDENTIALS_KEY: [btoa('k'.repeat(32)), btoa('o'.repeat(32))],
      CORS_ORIGINS: ['https://a.example', 'https://b.example'],
      OPERATOR_EMAILS: ['one@example.com'],
      PUBLIC_URL: 'http://127.0.0.1:8787',
      CALLBACKS_URL: 'http://127.0.0.1:8788',
      BLUESKY_APPVIEW_URL: 'http://127.0.0.1:2584',
      ALLOW_PRIVATE_HOSTS: true,
    })
    for (const flag of ['true', '1'])
      expect(parseEnv({ ...COMPLETE, ALLOW_PRIVATE_HOSTS: flag })).toMatchObject({
        ALLOW_PRIVATE_HOSTS: true,
      })
    for (const flag of ['false', '0'])
      expect(parseEnv({ ...COMPLETE, ALLOW_PRIVATE_HOSTS: flag })).toMatchObject({
        ALLOW_PRIVATE_HOSTS: false,
      })
  })

  it('reads limits of requests', () => {
    expect(parseEnv({ ...COMPLETE, RATE_LIMITS: 'reads=1000/60, sign-in=5/900,' }).RATE_LIMITS).toEqual({
      reads: { limit: 1_000, windowSeconds: 60 },
      'sign-in': { limit: 5, windowSeconds: 900 },
    })
    for (const text of [
      'reads',
      'reads=0/60',
      'reads=5/0',
      'reads=5',
      '=5/60',
      'reads=-5/60',
      'reads=5/60;writes=5/60',
    ])
      expect(problemsOf({ ...COMPLETE, RATE_LIMITS: text }), text).toHaveLength(1)
  })

  it('reads when breakers open, for how long, and whether they are only to observe', () => {
    const given = { BREAKERS: 'redis=3/20, postgres=9/1,', BREAKERS_MODE: 'redis=observe' }
    expect(parseEnv({ ...COMPLETE, ...given })).toMatchObject({
      BREAKERS: { redis: { failures: 3, openForMs: 20_000 }, postgres: { failures: 9, openForMs: 1_000 } },
      BREAKERS_MODE: { postgres: 'enforce', redis: 'observe', replica: 'enforce' },
    })
    expect(parseEnv({ ...COMPLETE, BREAKERS_MODE: 'observe' }).BREAKERS_MODE).toEqual({
      postgres: 'observe',
      redis: 'observe',
      replica: 'observe',
    })
    for (const text of [
      'redis',
      'redis=0/30',
      'redis=5/0',
      'redis=5',
      'redis=observe',
      'redis=5/30;postgres=5/30',
    ])
      expect(problemsOf({ ...COMPLETE, BREAKERS: text }), text).toEqual([
        'BREAKERS must look like postgres=5/30,redis=5/30',
      ])
    for (const text of ['off', 'redis=off', 'redis=', 'Observe', 'redis=5/30'])
      expect(problemsOf({ ...COMPLETE, BREAKERS_MODE: text }), text).toEqual([
        'BREAKERS_MODE must be enforce or observe, or look like redis=observe',
      ])
    for (const [variable, text] of [
      ['BREAKERS', 'redis=5/30,queue=5/30'],
      ['BREAKERS_MODE', 'observe,queue=observe'],
    ] as const)
      expect(problemsOf({ ...COMPLETE, [variable]: text })).toEqual([
        `${variable} must name what has a breaker (postgres, redis, replica), not queue`,
      ])
  })

  it('says who mail is from, once mail can be sent', () => {
    const key = { EMAIL_API_KEY: 're_hunter2' }
    expect(problemsOf({ ...COMPLETE, ...key })).toEqual(['EMAIL_FROM is missing: EMAIL_API_KEY needs it'])
    expect(problemsOf({ ...key, EMAIL_FROM: '' })).toHaveLength(REQUIRED.length + 1)
    for (const from of ['mail@example.com', 'Tidemark <mail@example.com>', 'Tídemark, Inc. <m@example.com>'])
      expect(parseEnv({ ...COMPLETE, ...key, EMAIL_FROM: from }).EMAIL_FROM).toBe(from)
    for (const from of [
      'example.com',
      'A <a@b.example> B',
      '<a@b.example>',
      'A\nBcc: x <a@b.example>',
      'a@b@c',
    ])
      expect(problemsOf({ ...COMPLETE, ...key, EMAIL_FROM: from }), from).toHaveLength(1)
  })

  it('is refused where it limits what has no limit, naming it', () => {
    for (const name of ['raeds', 'Reads', 'read', 'constructor', 'sign-in-'])
      expect(problemsOf({ ...COMPLETE, RATE_LIMITS: `writes=5/60,${name}=5/60` })).toEqual([
        `RATE_LIMITS must name limits that there are (${LIMIT_NAMES.join(', ')}), not ${name}`,
      ])
    for (const name of LIMIT_NAMES)
      expect(parseEnv({ ...COMPLETE, RATE_LIMITS: `${name}=7/9` }).RATE_LIMITS).toEqual({
        [name]: { limit: 7, windowSeconds: 9 },
      })
  })

  it('keeps out what is no variable of ours', () => {
    expect(parseEnv({ ...COMPLETE, WORKSPACE_HUB: {}, PATH: '/bin' })).not.toHaveProperty('PATH')
  })

  it('is refused where a binding has a variable’s name', () => {
    expect(problemsOf({ ...COMPLETE, DATABASE_URL: { connectionString: 'x' } })).toEqual([
      'DATABASE_URL is malformed',
    ])
  })

  it('is read once an environment', () => {
    const raw = { ...COMPLETE }
    expect(parseEnv(raw)).toBe(parseEnv(raw))
    expect(parseEnv({ ...COMPLETE })).not.toBe(parseEnv(raw))
  })
})
