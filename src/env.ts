import { isPlatformLimitName, PLATFORM_LIMITS, type PlatformLimitName } from './domain/platform-limits.ts'
import { PLATFORMS, type Platform } from './domain/platforms.ts'
import { isLimitName, LIMIT_NAMES, type LimitName } from './lib/limit-names.ts'
import {
  address,
  atLeast,
  commaSeparated,
  MalformedError,
  matching,
  numberFrom,
  oneOf,
  optional,
  type Read,
  readGiven,
  required,
  text,
  type Values,
  type Variable,
  wholeNumberFrom,
  withDefault,
} from './lib/variables.ts'
import { BREAKER_MODES, type BreakerMode } from './ports.ts'

const url = address(/^https?$/)
const databaseUrl = address(/^postgres(ql)?$/)
/** An address that paths are put behind. */
const origin: Read<string> = (given) => url(given).replace(/\/+$/, '')
const flag: Read<boolean> = (given) => ['true', '1'].includes(oneOf('true', 'false', '1', '0')(given))

/** `reads=600/60, writes=60/60`: how many, in how many seconds. */
const rateLimits: Read<Partial<Record<LimitName, { limit: number; windowSeconds: number }>>> = (given) => {
  const limits: Partial<Record<LimitName, { limit: number; windowSeconds: number }>> = {}
  for (const part of commaSeparated(given)) {
    const match = /^([a-z-]+)=(\d+)\/(\d+)$/i.exec(part)
    const [, name, limit, windowSeconds] = match ?? []
    if (name === undefined || Number(limit) < 1 || Number(windowSeconds) < 1)
      throw new MalformedError('must look like reads=600/60,writes=60/60')
    // A limit that nobody knows would be believed to be in force.
    if (!isLimitName(name)) {
      const known = LIMIT_NAMES.join(', ')
      throw new MalformedError(`must name limits that there are (${known}), not ${name}`)
    }
    limits[name] = { limit: Number(limit), windowSeconds: Number(windowSeconds) }
  }
  return limits
}

/** What has a circuit breaker in every isolate; those of platforms are shared, and not configured. */
const BREAKERS = ['postgres', 'redis', 'replica'] as const
type BreakerName = (typeof BREAKERS)[number]

const breakerNamed = (name: string) => BREAKERS.find((known) => known === name)
const unknownBreaker = (name: string) => `must name what has a breaker (${BREAKERS.join(', ')}), not ${name}`

/** `postgres=5/30, redis=5/30`: after how many failures in a row it opens, for how many seconds. */
const breakers: Read<Partial<Record<BreakerName, { failures: number; openForMs: number }>>> = (written) => {
  const options: Partial<Record<BreakerName, { failures: number; openForMs: number }>> = {}
  for (const part of commaSeparated(written)) {
    const [, given, failures, openSeconds] = /^([a-z-]+)=(\d{1,6})\/(\d{1,5})$/i.exec(part) ?? []
    if (given === undefined || Number(failures) < 1 || Number(openSeconds) < 1)
      throw new MalformedError('must look like postgres=5/30,redis=5/30')
    const name = breakerNamed(given)
    if (name === undefined) throw new MalformedError(unknownBreaker(given))
    options[name] = { failures: Number(failures), openForMs: Number(openSeconds) * 1_000 }
  }
  return options
}

/** `enforce` or `observe` for all of them, or `redis=observe` for those that are named. */
const breakersMode: Read<Record<BreakerName, BreakerMode>> = (written) => {
  const modes: Record<BreakerName, BreakerMode> = {
    postgres: 'enforce',
    redis: 'enforce',
    replica: 'enforce',
  }
  for (const part of commaSeparated(written)) {
    const [, given, word] = /^(?:([a-z-]+)=)?([a-z]+)$/i.exec(part) ?? []
    const mode = BREAKER_MODES.find((known) => known === word)
    if (mode === undefined) throw new MalformedError('must be enforce or observe, or look like redis=observe')
    if (given === undefined) {
      for (const name of BREAKERS) modes[name] = mode
      continue
    }
    const name = breakerNamed(given)
    if (name === undefined) throw new MalformedError(unknownBreaker(given))
    modes[name] = mode
  }
  return modes
}

/** `linkedin.app=50000, youtube.units=100000`: what platforms granted this deployment in place of the usual. */
const platformLimits: Read<Partial<Record<PlatformLimitName, number>>> = (given) => {
  const limits: Partial<Record<PlatformLimitName, number>> = {}
  for (const part of commaSeparated(given)) {
    const [, name, limit] = /^([a-z.]+)=(\d{1,12})$/.exec(part) ?? []
    if (name === undefined || Number(limit) < 1)
      throw new MalformedError('must look like linkedin.app=50000,youtube.units=100000')
    if (!isPlatformLimitName(name)) {
      const known = Object.keys(PLATFORM_LIMITS).join(', ')
      throw new MalformedError(`must name limits that there are (${known}), not ${name}`)
    }
    limits[name] = Number(limit)
  }
  return limits
}

/** `youtube=http://…, x=http://…`: where platforms are, in place of their own addresses. */
const platformUrls: Read<Partial<Record<Platform, string>>> = (given) => {
  const urls: Partial<Record<Platform, string>> = {}
  for (const part of commaSeparated(given)) {
    const [, name, address] = /^([a-z]+)=(https?:\/\/.+)$/.exec(part) ?? []
    const platform = PLATFORMS.find((known) => known === name)
    if (platform === undefined || address === undefined || URL.parse(address) === null)
      throw new MalformedError('must look like youtube=https://…,x=https://…')
    urls[platform] = address.replace(/\/+$/, '')
  }
  return urls
}

/** Goes into a header: printable, without spaces. */
const token = matching(/^[!-~]+$/, 'must be printable, without spaces')

const sealingKey = matching(
  /^[A-Za-z0-9+/]{43}=$/,
  'must be 32 bytes in base64, or several of those with commas',
)
/** Keys of 32 bytes in base64, separated by commas: the first seals, all of them open. */
const sealingKeys: Read<string[]> = (given) => given.split(',').map((key) => sealingKey(key.trim()))

/** `mail@example.com` or `Name <mail@example.com>`. */
const sender: Read<string> = (given) =>
  matching(
    /^(?:[^\s<>@]+@[^\s<>@]+|[^<>\p{C}]+ <[^\s<>@]+@[^\s<>@]+>)$/u,
    'must look like mail@example.com or Name <mail@example.com>',
  )(given)

/** Variables and secrets of a deployment; `.dev.vars.example` explains each in a line. */
export const VARIABLES = {
  DATABASE_URL: required(databaseUrl),
  DATABASE_READ_URL: optional(databaseUrl),
  NEON_FETCH_ENDPOINT: optional(url),
  UPSTASH_REDIS_REST_URL: required(url),
  UPSTASH_REDIS_REST_TOKEN: required(text),
  QSTASH_URL: withDefault(url, 'https://qstash.upstash.io'),
  QSTASH_TOKEN: required(text),
  QSTASH_CURRENT_SIGNING_KEY: required(text),
  QSTASH_NEXT_SIGNING_KEY: required(text),
  BETTER_AUTH_SECRET: required(atLeast(32)),
  CREDENTIALS_KEY: optional(sealingKeys),
  PUBLIC_URL: required(origin),
  /** Of the Worker that takes the queue's callbacks, where that is one of its own. */
  CALLBACKS_URL: optional(origin),
  CORS_ORIGINS: withDefault(commaSeparated, []),
  METRICS_TOKEN: optional(atLeast(16)),
  SIGNUP_MODE: withDefault(oneOf('invite', 'open', 'closed'), 'invite'),
  OPERATOR_EMAILS: withDefault(commaSeparated, []),
  RATE_LIMITS: withDefault(rateLimits, {}),
  BREAKERS: withDefault(breakers, {}),
  BREAKERS_MODE: withDefault(breakersMode, breakersMode('enforce')),
  BLUESKY_APPVIEW_URL: withDefault(origin, 'https://public.api.bsky.app'),
  YOUTUBE_API_KEY: optional(token),
  X_BEARER_TOKEN: optional(token),
  /** In a UTC day and workspace. */
  X_DAILY_BUDGET_USD: withDefault(numberFrom(0, 100_000), 5),
  META_APP_ID: optional(token),
  META_APP_SECRET: optional(token),
  THREADS_APP_ID: optional(token),
  THREADS_APP_SECRET: optional(token),
  TIKTOK_CLIENT_KEY: optional(token),
  TIKTOK_CLIENT_SECRET: optional(token),
  LINKEDIN_CLIENT_ID: optional(token),
  LINKEDIN_CLIENT_SECRET: optional(token),
  REDDIT_CLIENT_ID: optional(token),
  REDDIT_CLIENT_SECRET: optional(token),
  PLATFORM_URLS: withDefault(platformUrls, {}),
  PLATFORM_LIMITS: withDefault(platformLimits, {}),
  ALLOW_PRIVATE_HOSTS: withDefault(flag, false),
  SYNC_INTERVAL_SECONDS: withDefault(wholeNumberFrom(5, 3_600), 60),
  EMAIL_API_KEY: optional(token),
  EMAIL_FROM: optional(sender),
  EMAIL_API_URL: withDefault(origin, 'https://api.resend.com'),
  COMMIT: withDefault(text, 'unknown'),
} satisfies Record<string, Variable<unknown>>
export type Env = Values<typeof VARIABLES>

/** An app at a platform is a name and a secret. */
const TOGETHER = [
  ['META_APP_ID', 'META_APP_SECRET'],
  ['THREADS_APP_ID', 'THREADS_APP_SECRET'],
  ['TIKTOK_CLIENT_KEY', 'TIKTOK_CLIENT_SECRET'],
  ['LINKEDIN_CLIENT_ID', 'LINKEDIN_CLIENT_SECRET'],
  ['REDDIT_CLIENT_ID', 'REDDIT_CLIENT_SECRET'],
] as const

/** Configuration that does not fit. Names every variable at once, and never says what its value was. */
export class ConfigurationError extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(`The configuration is not complete: ${problems.join('; ')}`)
    this.name = 'ConfigurationError'
    this.problems = problems
  }
}

const parsed = new WeakMap<object, Env>()

/**
 * Reads the variables of a deployment; the result is kept per object.
 * @throws ConfigurationError naming every missing or malformed variable
 */
export function parseEnv(raw: object): Env {
  const known = parsed.get(raw)
  if (known !== undefined) return known
  const problems: string[] = []
  const given = new Set<string>()
  const values = Object.entries<Variable<unknown>>(VARIABLES).map(([name, variable]) => {
    const value: unknown = Reflect.get(raw, name)
    // An empty variable is how shells and dashboards say "not set".
    if (value === undefined || value === '') {
      if (variable.absent === null) problems.push(`${name} is missing`)
      return [name, variable.absent?.value]
    }
    given.add(name)
    try {
      return [name, readGiven(variable, value)]
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      problems.push(`${name} ${error.message}`)
      return []
    }
  })
  if (given.has('EMAIL_API_KEY') && !given.has('EMAIL_FROM'))
    problems.push('EMAIL_FROM is missing: EMAIL_API_KEY needs it')
  for (const [one, other] of TOGETHER) {
    if (given.has(one) && !given.has(other)) problems.push(`${other} is missing: ${one} needs it`)
    if (given.has(other) && !given.has(one)) problems.push(`${one} is missing: ${other} needs it`)
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  const env = complete(Object.fromEntries(values))
  parsed.set(raw, env)
  return env
}

/** Every variable was read by its own reader, and none was a problem. */
function complete(values: Record<string, unknown>): Env {
  return values as Env
}
