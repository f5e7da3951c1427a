import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv as parseDotenv } from 'node:util'
import { expect, it } from 'vitest'
import { REPOSITORY } from '../check/files.ts'
import {
  OPERATOR_VARIABLES,
  readConfiguration,
  redact,
  WORKER_VARIABLES,
  wellFormed,
} from './configuration.ts'

it('reads .dev.vars, over which the environment wins', () => {
  const devVars = [
    '# a comment',
    'QSTASH_TOKEN="quoted # token"',
    'export PUBLIC_URL=https://file.example # where',
    "METRICS_TOKEN='single'",
    'SIGNUP_MODE=',
    'CORS_ORIGINS=https://a.example',
    'UNKNOWN=x',
  ].join('\n')
  const environment = { PUBLIC_URL: 'https://environment.example', CORS_ORIGINS: '', PATH: '/bin' }
  expect(readConfiguration({ environment, devVars })).toEqual({
    QSTASH_TOKEN: 'quoted # token',
    PUBLIC_URL: 'https://environment.example',
    METRICS_TOKEN: 'single',
    CORS_ORIGINS: 'https://a.example',
  })
})

it('knows what is well-formed, even where other things are not', () => {
  const env = wellFormed({
    PUBLIC_URL: 'https://tidemark.example/',
    DATABASE_URL: 'mysql://x',
    METRICS_TOKEN: 'short',
  })
  expect(env).toMatchObject({
    PUBLIC_URL: 'https://tidemark.example',
    QSTASH_URL: 'https://qstash.upstash.io',
  })
  expect(env).not.toHaveProperty('DATABASE_URL')
  expect(env).not.toHaveProperty('METRICS_TOKEN')
})

it('hides secrets and the passwords in addresses', () => {
  const raw = {
    DATABASE_URL: 'postgresql://worker:p%40ss-word@db.example/tidemark',
    QSTASH_TOKEN: 'token-1234',
    PUBLIC_URL: 'https://tidemark.example',
    METRICS_TOKEN: 'a',
  }
  const text =
    'postgresql://worker:p%40ss-word@db.example/tidemark p@ss-word token-1234 a https://tidemark.example'
  expect(redact(text, raw)).toBe('*** *** *** a https://tidemark.example')
})

it('has every variable in .dev.vars.example, with a line about it', async () => {
  const text = await readFile(join(REPOSITORY, '.dev.vars.example'), 'utf8')
  const given = Object.keys(WORKER_VARIABLES).filter((name) => name !== 'COMMIT')
  expect(Object.keys(parseDotenv(text)).sort()).toEqual([...given, ...OPERATOR_VARIABLES].sort())
  const undescribed = text
    .split('\n')
    .filter((line, at, lines) => /^[A-Z_]+=/.test(line) && !lines[at - 1]?.startsWith('# '))
  expect(undescribed).toEqual([])
})
