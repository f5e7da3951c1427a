import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SCHEDULES } from '../../../src/domain/schedules.ts'
import { CURRENT_KEY, NEXT_KEY, startLocal, TOKEN } from '../../local/qstash/test-support.ts'
import { formatReport, hasProblems, ok, problem, warning } from '../report.ts'
import { registerSchedules } from '../schedules.ts'
import { checkAddresses, compareVersions } from './database.ts'
import { checkClock, checkKeys, checkQStash, describeSchedules } from './qstash.ts'
import { checkVariables, estimateBits } from './variables.ts'

const PUBLIC_URL = 'https://tidemark.example'

const COMPLETE = {
  DATABASE_URL: 'postgresql://worker:x@ep-x-pooler.neon.tech/tidemark',
  MIGRATION_DATABASE_URL: 'postgresql://owner:x@ep-x.neon.tech/tidemark',
  UPSTASH_REDIS_REST_URL: 'https://x.upstash.io',
  UPSTASH_REDIS_REST_TOKEN: 'redis-token',
  QSTASH_URL: 'https://qstash.upstash.io',
  QSTASH_TOKEN: 'qstash-token',
  QSTASH_CURRENT_SIGNING_KEY: 'sig_current',
  QSTASH_NEXT_SIGNING_KEY: 'sig_next',
  BETTER_AUTH_SECRET: randomBytes(32).toString('base64'),
  CREDENTIALS_KEY: randomBytes(32).toString('base64'),
  PUBLIC_URL,
  EMAIL_API_KEY: 're_key',
  EMAIL_FROM: 'Tidemark <mail@tidemark.example>',
}

/** What is wrong with a configuration, as `status finding`. */
function complaints(
  change: Partial<
    Record<
      keyof typeof COMPLETE | 'ALLOW_PRIVATE_HOSTS' | 'CALLBACKS_URL' | 'EMAIL_API_URL' | 'SIGNUP_MODE',
      string
    >
  >,
) {
  const raw = Object.fromEntries(
    Object.entries({ ...COMPLETE, ...change }).filter(([, value]) => value !== ''),
  )
  return checkVariables(raw)
    .filter(({ status }) => status !== 'ok')
    .map(({ status, finding }) => `${status} ${finding}`)
}

describe('variables', () => {
  it('in order', () => {
    expect(checkVariables(COMPLETE)).toEqual([
      { area: 'configuration', status: 'ok', finding: '13 variables are set, and well-formed' },
      { area: 'secrets', status: 'ok', finding: 'long and random' },
    ])
  })

  it('missing and malformed ones are all named, and no value is shown', () => {
    const found = complaints({ DATABASE_URL: 'hunter2', QSTASH_TOKEN: '', MIGRATION_DATABASE_URL: '' })
    expect(found).toHaveLength(3)
    expect(found.join()).toMatch(/DATABASE_URL.*QSTASH_TOKEN is missing.*MIGRATION_DATABASE_URL is missing/)
    expect(found.join()).not.toContain('hunter2')
  })

  it.each([
    [
      { BETTER_AUTH_SECRET: 'abababababababababababababababababababab' },
      'problem BETTER_AUTH_SECRET is easy',
    ],
    [{ BETTER_AUTH_SECRET: 'change-me-change-me-change-me-ch' }, 'problem BETTER_AUTH_SECRET is easy'],
    [{ CREDENTIALS_KEY: '' }, 'warning CREDENTIALS_KEY is missing'],
    [{ CREDENTIALS_KEY: Buffer.alloc(32).toString('base64') }, 'problem CREDENTIALS_KEY is not random'],
    [
      { CREDENTIALS_KEY: `${COMPLETE.CREDENTIALS_KEY},${Buffer.alloc(32).toString('base64')}` },
      'problem CREDENTIALS_KEY is not random',
    ],
    [
      { CREDENTIALS_KEY: `${COMPLETE.CREDENTIALS_KEY},${COMPLETE.CREDENTIALS_KEY}` },
      'problem CREDENTIALS_KEY names the same key twice',
    ],
    [{ BETTER_AUTH_SECRET: COMPLETE.CREDENTIALS_KEY }, 'problem BETTER_AUTH_SECRET and CREDENTIALS_KEY'],
    [{ PUBLIC_URL: 'http://127.0.0.1:8787' }, 'problem PUBLIC_URL is http://127.0.0.1:8787'],
    [{ PUBLIC_URL: 'http://tidemark.example' }, 'problem PUBLIC_URL is not https'],
    [{ PUBLIC_URL: `${PUBLIC_URL}/app` }, 'problem PUBLIC_URL has a path'],
    [{ CALLBACKS_URL: 'http://127.0.0.1:8788' }, 'problem CALLBACKS_URL is http://127.0.0.1:8788'],
    [{ CALLBACKS_URL: 'http://sync.tidemark.example' }, 'problem CALLBACKS_URL is not https'],
    [{ ALLOW_PRIVATE_HOSTS: 'true' }, 'warning ALLOW_PRIVATE_HOSTS is on'],
    [{ SIGNUP_MODE: 'open' }, 'warning SIGNUP_MODE is open'],
    [{ EMAIL_API_KEY: '' }, 'warning EMAIL_API_KEY is missing'],
    [{ EMAIL_FROM: '' }, 'problem EMAIL_FROM is missing'],
    [{ EMAIL_API_URL: 'http://mail.example' }, 'problem EMAIL_API_URL is not https'],
  ])('%j', (change, expected) => {
    expect(complaints(change)).toEqual([expect.stringContaining(expected)])
  })

  it('a key of another length', () => {
    expect(complaints({ CREDENTIALS_KEY: randomBytes(16).toString('base64') })).toContainEqual(
      'problem CREDENTIALS_KEY is not 32 bytes in base64',
    )
  })

  it('a local deployment may be local', () => {
    expect(complaints({ PUBLIC_URL: 'http://localhost:8787', QSTASH_URL: 'http://127.0.0.1:8080' })).toEqual(
      [],
    )
  })

  it('an address that is missing will be found by deploying', () => {
    const { PUBLIC_URL: _, ...rest } = COMPLETE
    expect(checkVariables(rest)[0]).toMatchObject({
      finding: 'PUBLIC_URL is missing',
      isSolvedByDeploying: true,
    })
  })

  it('random secrets are hard to guess, whatever their alphabet', () => {
    for (let round = 0; round < 50; round++) {
      expect(estimateBits(randomBytes(32).toString('hex'))).toBeGreaterThan(96)
      expect(estimateBits(randomBytes(24).toString('base64'))).toBeGreaterThan(96)
    }
    expect(estimateBits('')).toBe(0)
  })
})

describe('database addresses', () => {
  const check = (url: string, ownerUrl?: string, fetchEndpoint?: string) =>
    checkAddresses({ url, ownerUrl, replicaUrl: undefined, fetchEndpoint }).map(({ finding }) => finding)
  const pooled = 'postgresql://worker:x@ep-x-pooler.neon.tech/tidemark'

  it.each([
    [pooled, 'postgresql://owner:x@ep-x.neon.tech/tidemark', undefined, []],
    ['postgresql://w:x@ep-x.neon.tech/t', undefined, undefined, ['DATABASE_URL is not the pooled address']],
    ['postgresql://w:x@127.0.0.1/t', 'postgresql://o:x@127.0.0.1/t', 'http://127.0.0.1/sql', []],
    [
      pooled,
      'postgresql://o:x@ep-x-pooler.neon.tech/tidemark',
      undefined,
      ['MIGRATION_DATABASE_URL is the pooled address'],
    ],
    [
      pooled,
      'postgresql://worker:x@ep-x.neon.tech/tidemark',
      undefined,
      ['the Worker would be the owner of its tables'],
    ],
    [
      pooled,
      'postgresql://owner:x@ep-x.neon.tech/other',
      undefined,
      ['the two addresses name different databases'],
    ],
  ])('%s and %s', (url, ownerUrl, fetchEndpoint, expected) => {
    expect(check(url, ownerUrl, fetchEndpoint)).toEqual(expected)
  })
})

describe('schema versions', () => {
  const files = [
    { name: '0000_a', hash: '1' },
    { name: '0001_b', hash: '2' },
  ]
  it.each([
    [files, 'ok at 0001_b'],
    [files.slice(0, 1), 'problem not yet applied: 0001_b'],
    [[], 'problem not yet applied: 0000_a, 0001_b'],
    [[...files, { name: '0002_c', hash: '3' }], 'warning the database is ahead of this checkout: 0002_c'],
    [[{ name: '0000_a', hash: 'x' }, ...files.slice(1)], 'problem edited after they were applied: 0000_a'],
  ])('%j', (applied, expected) => {
    expect(compareVersions(files, applied).map(({ status, finding }) => `${status} ${finding}`)).toEqual([
      expected,
    ])
  })
})

describe('QStash', () => {
  const settings = (url: string) => ({
    url,
    token: TOKEN,
    callbacksUrl: PUBLIC_URL,
    currentSigningKey: CURRENT_KEY,
    nextSigningKey: NEXT_KEY,
  })
  const findings = async (changed: Parameters<typeof checkQStash>[0]) =>
    (await checkQStash(changed)).map(({ status, area, finding }) => `${status} ${area} ${finding}`)

  it('in order', async () => {
    const { qstash } = await startLocal()
    await registerSchedules({ qstashUrl: qstash.url, token: TOKEN, callbacksUrl: PUBLIC_URL })
    expect(await findings(settings(qstash.url))).toEqual([
      'ok qstash accepts the token',
      'ok qstash signs with the configured keys',
      `ok schedules all ${SCHEDULES.length} are registered`,
      'ok clock agrees with that of QStash',
    ])
  })

  it('without schedules, with a wrong token, out of reach', async () => {
    const { qstash } = await startLocal()
    const results = await checkQStash(settings(qstash.url))
    expect(results.filter(({ isSolvedByDeploying }) => isSolvedByDeploying)).toHaveLength(SCHEDULES.length)
    expect(await findings({ ...settings(qstash.url), token: 'another' })).toContain(
      'problem qstash refuses the token (401)',
    )
    await qstash.stop()
    expect(await findings(settings(qstash.url))).toEqual([
      expect.stringMatching(/^problem qstash does not answer: fetch failed: ./),
    ])
  })

  it.each([
    ['a', 'b', 'ok'],
    ['z', 'a', 'warning'],
    ['a', 'z', 'warning'],
    ['b', 'c', 'problem'],
    ['x', 'y', 'problem'],
  ])('signing keys %s and %s where it has a and b: %s', (currentSigningKey, nextSigningKey, status) => {
    expect(checkKeys({ currentSigningKey, nextSigningKey }, { current: 'a', next: 'b' })).toMatchObject([
      { status },
    ])
  })

  it('says of each schedule what is wrong with it', () => {
    const destination = 'https://old.example/callbacks/x'
    const states = ['ok', 'missing', 'elsewhere', 'different', 'paused'] as const
    const results = describeSchedules(
      states.map((state) => ({ id: `tidemark-${state}`, state, destination })),
    )
    expect(results.map(({ status, finding }) => `${status} ${finding}`)).toEqual([
      'problem tidemark-missing is missing',
      'problem tidemark-elsewhere calls https://old.example/callbacks/x',
      'warning tidemark-different was changed',
      'warning tidemark-paused is paused',
    ])
    expect(results.map(({ isSolvedByDeploying }) => isSolvedByDeploying ?? false)).toEqual([
      true,
      true,
      true,
      false,
    ])
  })
})

describe('the clock', () => {
  const nowMs = Date.parse('2026-11-22T12:00:00.000Z')
  it.each([
    ['Sun, 22 Nov 2026 12:00:00 GMT', 'ok agrees with that of QStash'],
    ['Sun, 22 Nov 2026 11:59:56 GMT', 'ok agrees with that of QStash'],
    ['Sun, 22 Nov 2026 11:59:40 GMT', 'warning is 19 s ahead of that of QStash'],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 'warning is 28 s behind that of QStash'],
    ['Sun, 22 Nov 2026 12:05:00 GMT', 'problem is 298 s behind that of QStash'],
  ])('against %s', (date, expected) => {
    const [result] = checkClock(date, nowMs, nowMs + 2_000)
    expect(`${result?.status} ${result?.finding}`).toBe(expected)
  })

  it('cannot be judged without a date', () => {
    expect(checkClock(null, nowMs, nowMs)).toEqual([])
    expect(checkClock('yesterday', nowMs, nowMs)).toEqual([])
  })
})

describe('the report', () => {
  it('lists what was found, what to do, and how much of it', () => {
    const results = [
      ok('redis', 'answers'),
      warning('clock', 'is off', 'set it'),
      problem('database', 'is gone', 'look'),
    ]
    expect(formatReport(results)).toBe(
      [
        'ok       redis     answers',
        'warning  clock     is off',
        '                   → set it',
        'problem  database  is gone',
        '                   → look',
        '',
        '1 problem, 1 warning.',
      ].join('\n'),
    )
    expect(hasProblems(results)).toBe(true)
    expect(hasProblems(results.slice(0, 2))).toBe(false)
    expect(formatReport([ok('redis', 'answers')])).toMatch(/Everything is in order\.$/)
  })
})
