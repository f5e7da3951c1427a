import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv as parseDotenv } from 'node:util'
import { type Env, VARIABLES } from '../../src/env.ts'
import { MalformedError, readGiven, type Variable } from '../../src/lib/variables.ts'
import { REPOSITORY } from '../check/files.ts'

/**
 * Where a variable of the Worker goes when it is deployed: `plain` ones are shown in Cloudflare's dashboard,
 * `secret` ones can never be read back.
 */
export const WORKER_VARIABLES = {
  DATABASE_URL: 'secret',
  DATABASE_READ_URL: 'secret',
  NEON_FETCH_ENDPOINT: 'plain',
  UPSTASH_REDIS_REST_URL: 'plain',
  UPSTASH_REDIS_REST_TOKEN: 'secret',
  QSTASH_URL: 'plain',
  QSTASH_TOKEN: 'secret',
  QSTASH_CURRENT_SIGNING_KEY: 'secret',
  QSTASH_NEXT_SIGNING_KEY: 'secret',
  BETTER_AUTH_SECRET: 'secret',
  CREDENTIALS_KEY: 'secret',
  PUBLIC_URL: 'plain',
  CALLBACKS_URL: 'plain',
  CORS_ORIGINS: 'plain',
  METRICS_TOKEN: 'secret',
  SIGNUP_MODE: 'plain',
  OPERATOR_EMAILS: 'plain',
  RATE_LIMITS: 'plain',
  BREAKERS: 'plain',
  BREAKERS_MODE: 'plain',
  BLUESKY_APPVIEW_URL: 'plain',
  YOUTUBE_API_KEY: 'secret',
  X_BEARER_TOKEN: 'secret',
  X_DAILY_BUDGET_USD: 'plain',
  META_APP_ID: 'plain',
  META_APP_SECRET: 'secret',
  THREADS_APP_ID: 'plain',
  THREADS_APP_SECRET: 'secret',
  TIKTOK_CLIENT_KEY: 'plain',
  TIKTOK_CLIENT_SECRET: 'secret',
  LINKEDIN_CLIENT_ID: 'plain',
  LINKEDIN_CLIENT_SECRET: 'secret',
  REDDIT_CLIENT_ID: 'plain',
  REDDIT_CLIENT_SECRET: 'secret',
  PLATFORM_URLS: 'plain',
  PLATFORM_LIMITS: 'plain',
  ALLOW_PRIVATE_HOSTS: 'plain',
  SYNC_INTERVAL_SECONDS: 'plain',
  EMAIL_API_KEY: 'secret',
  EMAIL_FROM: 'plain',
  EMAIL_API_URL: 'plain',
  COMMIT: 'plain',
} as const satisfies Record<keyof Env, 'plain' | 'secret'>

/** What only the commands of an operator need. */
export const OPERATOR_VARIABLES = ['MIGRATION_DATABASE_URL'] as const

export type VariableName = keyof Env | (typeof OPERATOR_VARIABLES)[number]

const NAMES: readonly VariableName[] = [...typedKeys(WORKER_VARIABLES), ...OPERATOR_VARIABLES]

/** Variables as written, those alone that Tidemark knows; an empty one is not there. */
export type RawConfiguration = Partial<Record<VariableName, string>>

export interface ConfigurationSource {
  environment: Readonly<Record<string, string | undefined>>
  /** The text of `.dev.vars`, `''` where there is none. */
  devVars: string
}

/** Puts the configuration together: the environment wins over `.dev.vars`. */
export function readConfiguration({ environment, devVars }: ConfigurationSource): RawConfiguration {
  const fromFile = parseDotenv(devVars)
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = (environment[name] || fromFile[name])?.trim()
      return value ? [[name, value]] : []
    }),
  )
}

/** The configuration of the process that runs in this checkout. */
export async function loadConfiguration(): Promise<RawConfiguration> {
  const devVars = await readFile(join(REPOSITORY, '.dev.vars'), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  })
  return readConfiguration({ environment: process.env, devVars })
}

/** Those variables that are well-formed, each judged by itself; defaults are filled in. */
export function wellFormed(raw: RawConfiguration): Partial<Env> {
  const entries = Object.entries<Variable<unknown>>(VARIABLES).flatMap(([name, variable]) => {
    const given: unknown = Reflect.get(raw, name)
    if (given === undefined) return variable.absent === null ? [] : [[name, variable.absent.value]]
    try {
      return [[name, readGiven(variable, given)]]
    } catch (error) {
      if (error instanceof MalformedError) return []
      throw error
    }
  })
  return Object.fromEntries(entries)
}

/** What is shorter is no secret, and would be found in every word. */
const MIN_HIDDEN_LENGTH = 4

/** Replaces every secret of a configuration, and every password in its addresses, in a text. */
export function redact(text: string, raw: RawConfiguration): string {
  const hidden = Object.entries(raw).flatMap(([name, value]) => {
    const isPlain = Reflect.get(WORKER_VARIABLES, name) === 'plain'
    const password = URL.parse(value)?.password ?? ''
    return [isPlain ? '' : value, password, decoded(password)]
  })
  return hidden
    .filter((value) => value.length >= MIN_HIDDEN_LENGTH)
    .sort((a, b) => b.length - a.length)
    .reduce((redacted, value) => redacted.replaceAll(value, '***'), text)
}

/** Drivers may show a password as it is typed, without the escapes of the address. */
function decoded(password: string): string {
  try {
    return decodeURIComponent(password)
  } catch {
    return password
  }
}

/** The keys of an object literal, which has no others. */
function typedKeys<T extends object>(value: T): (keyof T)[] {
  return Object.keys(value) as (keyof T)[]
}
