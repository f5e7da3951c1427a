import { expect, test } from 'vitest'
import { ConfigurationError, parseEnv } from '../../../src/env.ts'
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

const ports = { postgres: 1, neon: 2, redis: 3, qstash: 4, bluesky: 5, mastodon: 6, control: 7, mail: 8 }

const configure = (variables: Variables = {}) =>
  configureWorker({ variables, secrets, ports, publicUrl: 'http://127.0.0.1:8787' })

test('what comes out is a complete configuration, open to everybody on this machine', () => {
  const env = parseEnv(configure())
  expect(env.SIGNUP_MODE).toBe('open')
  expect(env.ALLOW_PRIVATE_HOSTS).toBe(true)
  expect(env.BLUESKY_APPVIEW_URL).toBe('http://127.0.0.1:5')
  expect(env.PUBLIC_URL).toBe('http://127.0.0.1:8787')
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
