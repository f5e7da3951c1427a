import { expect, test } from 'vitest'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { ConfigurationError, parseEnv } from '../../../src/env.ts'
import { SIMULATED_CLIENT } from '../platforms/oauth-server.ts'
import { SIMULATED_BEARER_TOKEN } from '../platforms/x.ts'
import { SIMULATED_API_KEY } from '../platforms/youtube.ts'
import { configureWorker, ignoredVariables, type Variables } from './configuration.ts'
import type { Secrets } from './secrets.ts'

const secrets: Secrets = {
  databaseOwnerPassword: 'owner/password',
  databaseAppPassword: 'app/password',
  redisToken: 'redis-token',
  qstashToken: 'qstash-token',
  qstashCurrentSigningKey: 'sig_current',
  qstashNextSigningKey: 'sig_next',
  authSecret: 'a'.repeat(48),
  credentialsKey: Buffer.alloc(32, 7).toString('base64'),
  metricsToken: 'metrics-token-metrics-token',
  mailApiKey: 're_mail',
  demoPassword: 'demo-password',
}

const ports = {
  ...{ postgres: 1, neon: 2, redis: 3, qstash: 4, bluesky: 5, mastodon: 6, control: 7, mail: 8 },
  ...{ youtube: 9, x: 10, instagram: 11, threads: 12, facebook: 13, tiktok: 14, linkedin: 15, reddit: 16 },
  ...{ sync: 17, objects: 18 },
}

const configureWith = (variables: Variables) =>
  configureWorker({ variables, secrets, ports, publicUrl: 'http://127.0.0.1:8787' })
const configure = (variables: Variables = {}) => configureWith(variables).bindings

test('what comes out is a complete configuration, open to everybody on this machine', () => {
  const env = parseEnv(configure())
  expect(env.SIGNUP_MODE).toBe('open')
  expect(env.ALLOW_PRIVATE_HOSTS).toBe(true)
  expect(env.BLUESKY_APPVIEW_URL).toBe('http://127.0.0.1:5')
  expect(env.PUBLIC_URL).toBe('http://127.0.0.1:8787')
  expect(env.CALLBACKS_URL).toBe('http://127.0.0.1:17')
  expect(new URL(env.DATABASE_URL).password).toBe('app%2Fpassword')
  expect(env.OPERATOR_EMAILS).toEqual(['demo@tidemark.localhost'])
  expect(env).toMatchObject({
    EMAIL_API_URL: 'http://127.0.0.1:8',
    EMAIL_API_KEY: 're_mail',
    EMAIL_FROM: 'Tidemark <mail@tidemark.localhost>',
  })
})

test("the caller's variables win over the defaults", () => {
  const env = parseEnv(
    configure({
      BLUESKY_APPVIEW_URL: 'http://127.0.0.1:2584',
      SIGNUP_MODE: 'closed',
      SYNC_INTERVAL_SECONDS: '10',
      ALLOW_PRIVATE_HOSTS: 'false',
      OPERATOR_EMAILS: 'ada@example.com',
      CORS_ORIGINS: '',
    }),
  )
  expect(env.BLUESKY_APPVIEW_URL).toBe('http://127.0.0.1:2584')
  expect(env.SIGNUP_MODE).toBe('closed')
  expect(env.SYNC_INTERVAL_SECONDS).toBe(10)
  expect(env.ALLOW_PRIVATE_HOSTS).toBe(false)
  expect(env.OPERATOR_EMAILS).toEqual(['demo@tidemark.localhost', 'ada@example.com'])
})

test('every platform is the simulated one, with an app that it knows', () => {
  const { bindings, simulated } = configureWith({})
  const env = parseEnv(bindings)
  expect(simulated).toEqual(PLATFORMS)
  expect(env.PLATFORM_URLS).toEqual({
    youtube: 'http://127.0.0.1:9',
    x: 'http://127.0.0.1:10',
    instagram: 'http://127.0.0.1:11',
    threads: 'http://127.0.0.1:12',
    facebook: 'http://127.0.0.1:13',
    tiktok: 'http://127.0.0.1:14',
    linkedin: 'http://127.0.0.1:15',
    reddit: 'http://127.0.0.1:16',
  })
  expect(env).toMatchObject({
    YOUTUBE_API_KEY: SIMULATED_API_KEY,
    X_BEARER_TOKEN: SIMULATED_BEARER_TOKEN,
    META_APP_ID: SIMULATED_CLIENT.id,
    THREADS_APP_SECRET: SIMULATED_CLIENT.secret,
    TIKTOK_CLIENT_KEY: SIMULATED_CLIENT.id,
    LINKEDIN_CLIENT_SECRET: SIMULATED_CLIENT.secret,
    REDDIT_CLIENT_ID: SIMULATED_CLIENT.id,
  })
})

test('an app of one’s own leads to the platforms that know it, which are not simulated then', () => {
  const { bindings, simulated } = configureWith({
    META_APP_ID: 'my-app',
    META_APP_SECRET: 'my-secret',
    YOUTUBE_API_KEY: 'my-key',
  })
  const env = parseEnv(bindings)
  expect(env).toMatchObject({
    META_APP_ID: 'my-app',
    META_APP_SECRET: 'my-secret',
    YOUTUBE_API_KEY: 'my-key',
  })
  expect(Object.keys(env.PLATFORM_URLS)).toEqual(['x', 'threads', 'tiktok', 'linkedin', 'reddit'])
  expect(simulated).toEqual(['bluesky', 'mastodon', 'x', 'threads', 'tiktok', 'linkedin', 'reddit'])
})

test('half an app is not completed with the simulated one’s secret', () => {
  expect(() => configure({ REDDIT_CLIENT_ID: 'my-app' })).toThrow('REDDIT_CLIENT_SECRET is missing')
})

test('an address of one’s own stands in for that platform alone', () => {
  const { bindings, simulated } = configureWith({ PLATFORM_URLS: 'tiktok=http://127.0.0.1:99' })
  const env = parseEnv(bindings)
  expect(env.PLATFORM_URLS).toMatchObject({ tiktok: 'http://127.0.0.1:99', reddit: 'http://127.0.0.1:16' })
  expect(env.TIKTOK_CLIENT_KEY).toBe(SIMULATED_CLIENT.id)
  expect(simulated).toEqual(PLATFORMS.filter((platform) => platform !== 'tiktok'))
})

test('a Bluesky network of one’s own is not simulated', () => {
  const { simulated } = configureWith({ BLUESKY_APPVIEW_URL: 'http://127.0.0.1:2584' })
  expect(simulated).toEqual(PLATFORMS.filter((platform) => platform !== 'bluesky'))
})

test('addresses that make no sense are named, and not guessed at', () => {
  expect(() => configure({ PLATFORM_URLS: 'tiktok' })).toThrow('PLATFORM_URLS')
})

test('a database of somewhere else is never used, and that is said', () => {
  const variables = { DATABASE_URL: 'postgresql://me:secret@production.example/db', HOME: '/home/me' }
  expect(JSON.stringify(configure(variables))).not.toContain('production')
  expect(configure(variables)).not.toHaveProperty('HOME')
  expect(ignoredVariables(variables)).toEqual(['DATABASE_URL'])
})

test('mail never leaves the machine, whoever it is from', () => {
  const variables = {
    EMAIL_API_KEY: 're_production',
    EMAIL_API_URL: 'https://mail.example',
    EMAIL_FROM: 'a@b.example',
  }
  expect(configure(variables)).toMatchObject({
    EMAIL_API_KEY: 're_mail',
    EMAIL_API_URL: 'http://127.0.0.1:8',
    EMAIL_FROM: 'a@b.example',
  })
  expect(ignoredVariables(variables)).toEqual(['EMAIL_API_KEY', 'EMAIL_API_URL'])
})

test('a variable that makes no sense is named', () => {
  expect(() => configure({ SYNC_INTERVAL_SECONDS: 'often' })).toThrow(ConfigurationError)
  expect(() => configure({ SYNC_INTERVAL_SECONDS: 'often' })).toThrow('SYNC_INTERVAL_SECONDS')
})
