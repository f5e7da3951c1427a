import { z } from 'zod'
import { isPlatformLimitName, PLATFORM_LIMITS, type PlatformLimitName } from './domain/platform-limits.ts'
import { PLATFORMS, type Platform } from './domain/platforms.ts'
import { isLimitName, LIMIT_NAMES, type LimitName } from './lib/limit-names.ts'
import { BREAKER_MODES, type BreakerMode } from './ports.ts'

const url = z.url({ protocol: /^https?$/ })
const secret = z.string().min(16, 'must have at least 16 characters')
const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .default('false')
  .transform((value) => value === 'true' || value === '1')
const commaSeparated = z
  .string()
  .default('')
  .transform((value) => partsOf(value))

/** What lies between commas, without spaces and empty parts. */
function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** `reads=600/60, writes=60/60`: how many, in how many seconds. */
const rateLimits = z
  .string()
  .default('')
  .transform((text, ctx) => {
    const limits: Partial<Record<LimitName, { limit: number; windowSeconds: number }>> = {}
    for (const part of partsOf(text)) {
      const match = /^([a-z-]+)=(\d+)\/(\d+)$/i.exec(part)
      const [, name, limit, windowSeconds] = match ?? []
      if (name === undefined || Number(limit) < 1 || Number(windowSeconds) < 1) {
        ctx.addIssue({ code: 'custom', message: 'must look like reads=600/60,writes=60/60' })
        return z.NEVER
      }
      // A limit that nobody knows would be believed to be in force.
      if (!isLimitName(name)) {
        const known = LIMIT_NAMES.join(', ')
        ctx.addIssue({ code: 'custom', message: `must name limits that there are (${known}), not ${name}` })
        return z.NEVER
      }
      limits[name] = { limit: Number(limit), windowSeconds: Number(windowSeconds) }
    }
    return limits
  })

/** What has a circuit breaker in every isolate; those of platforms are shared, and not configured. */
const BREAKERS = ['postgres', 'redis'] as const
type BreakerName = (typeof BREAKERS)[number]

const breakerNamed = (name: string) => BREAKERS.find((known) => known === name)
const unknownBreaker = (name: string) => `must name what has a breaker (${BREAKERS.join(', ')}), not ${name}`

/** `postgres=5/30, redis=5/30`: after how many failures in a row it opens, for how many seconds. */
const breakers = z
  .string()
  .default('')
  .transform((text, ctx) => {
    const options: Partial<Record<BreakerName, { failures: number; openForMs: number }>> = {}
    for (const part of partsOf(text)) {
      const [, given, failures, openSeconds] = /^([a-z-]+)=(\d{1,6})\/(\d{1,5})$/i.exec(part) ?? []
      if (given === undefined || Number(failures) < 1 || Number(openSeconds) < 1) {
        ctx.addIssue({ code: 'custom', message: 'must look like postgres=5/30,redis=5/30' })
        return z.NEVER
      }
      const name = breakerNamed(given)
      if (name === undefined) {
        ctx.addIssue({ code: 'custom', message: unknownBreaker(given) })
        return z.NEVER
      }
      options[name] = { failures: Number(failures), openForMs: Number(openSeconds) * 1_000 }
    }
    return options
  })

/** `enforce` or `observe` for all of them, or `redis=observe` for those that are named. */
const breakersMode = z
  .string()
  .default('enforce')
  .transform((text, ctx) => {
    const modes: Record<BreakerName, BreakerMode> = { postgres: 'enforce', redis: 'enforce' }
    for (const part of partsOf(text)) {
      const [, given, word] = /^(?:([a-z-]+)=)?([a-z]+)$/i.exec(part) ?? []
      const mode = BREAKER_MODES.find((known) => known === word)
      if (mode === undefined) {
        ctx.addIssue({ code: 'custom', message: 'must be enforce or observe, or look like redis=observe' })
        return z.NEVER
      }
      if (given === undefined) {
        for (const name of BREAKERS) modes[name] = mode
        continue
      }
      const name = breakerNamed(given)
      if (name === undefined) {
        ctx.addIssue({ code: 'custom', message: unknownBreaker(given) })
        return z.NEVER
      }
      modes[name] = mode
    }
    return modes
  })

/** `linkedin.app=50000, youtube.units=100000`: what platforms granted this deployment in place of the usual. */
const platformLimits = z
  .string()
  .default('')
  .transform((text, ctx) => {
    const limits: Partial<Record<PlatformLimitName, number>> = {}
    for (const part of partsOf(text)) {
      const [, name, limit] = /^([a-z.]+)=(\d{1,12})$/.exec(part) ?? []
      if (name === undefined || Number(limit) < 1) {
        ctx.addIssue({ code: 'custom', message: 'must look like linkedin.app=50000,youtube.units=100000' })
        return z.NEVER
      }
      if (!isPlatformLimitName(name)) {
        const known = Object.keys(PLATFORM_LIMITS).join(', ')
        ctx.addIssue({ code: 'custom', message: `must name limits that there are (${known}), not ${name}` })
        return z.NEVER
      }
      limits[name] = Number(limit)
    }
    return limits
  })

/** `youtube=http://…, x=http://…`: where platforms are, in place of their own addresses. */
const platformUrls = z
  .string()
  .default('')
  .transform((text, ctx) => {
    const urls: Partial<Record<Platform, string>> = {}
    for (const part of partsOf(text)) {
      const [, name, address] = /^([a-z]+)=(https?:\/\/.+)$/.exec(part) ?? []
      const platform = PLATFORMS.find((known) => known === name)
      if (platform === undefined || address === undefined || URL.parse(address) === null) {
        ctx.addIssue({ code: 'custom', message: 'must look like youtube=https://…,x=https://…' })
        return z.NEVER
      }
      urls[platform] = address.replace(/\/+$/, '')
    }
    return urls
  })

/** Goes into a header: printable, without spaces. */
const token = z.string().regex(/^[!-~]+$/, 'must be printable, without spaces')

/** Keys of 32 bytes in base64, separated by commas: the first seals, all of them open. */
const sealingKeys = z
  .string()
  .transform((text) => text.split(',').map((key) => key.trim()))
  .pipe(
    z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64, or several of those with commas'),
      )
      .min(1),
  )

/** `mail@example.com` or `Name <mail@example.com>`. */
const SENDER = /^(?:[^\s<>@]+@[^\s<>@]+|[^<>\p{C}]+ <[^\s<>@]+@[^\s<>@]+>)$/u

/** Variables and secrets of a deployment; `.dev.vars.example` explains each in a line. */
export const Env = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  DATABASE_READ_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  NEON_FETCH_ENDPOINT: url.optional(),
  UPSTASH_REDIS_REST_URL: url,
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  QSTASH_URL: url.default('https://qstash.upstash.io'),
  QSTASH_TOKEN: z.string().min(1),
  QSTASH_CURRENT_SIGNING_KEY: z.string().min(1),
  QSTASH_NEXT_SIGNING_KEY: z.string().min(1),
  BETTER_AUTH_SECRET: z.string().min(32, 'must have at least 32 characters'),
  CREDENTIALS_KEY: sealingKeys.optional(),
  PUBLIC_URL: url.transform((value) => value.replace(/\/+$/, '')),
  CORS_ORIGINS: commaSeparated,
  METRICS_TOKEN: secret.optional(),
  SIGNUP_MODE: z.enum(['invite', 'open', 'closed']).default('invite'),
  OPERATOR_EMAILS: commaSeparated,
  RATE_LIMITS: rateLimits,
  BREAKERS: breakers,
  BREAKERS_MODE: breakersMode,
  BLUESKY_APPVIEW_URL: url
    .default('https://public.api.bsky.app')
    .transform((value) => value.replace(/\/+$/, '')),
  YOUTUBE_API_KEY: token.optional(),
  X_BEARER_TOKEN: token.optional(),
  /** In a UTC day and workspace. */
  X_DAILY_BUDGET_USD: z.coerce.number().min(0).max(100_000).default(5),
  META_APP_ID: token.optional(),
  META_APP_SECRET: token.optional(),
  THREADS_APP_ID: token.optional(),
  THREADS_APP_SECRET: token.optional(),
  TIKTOK_CLIENT_KEY: token.optional(),
  TIKTOK_CLIENT_SECRET: token.optional(),
  LINKEDIN_CLIENT_ID: token.optional(),
  LINKEDIN_CLIENT_SECRET: token.optional(),
  REDDIT_CLIENT_ID: token.optional(),
  REDDIT_CLIENT_SECRET: token.optional(),
  PLATFORM_URLS: platformUrls,
  PLATFORM_LIMITS: platformLimits,
  ALLOW_PRIVATE_HOSTS: flag,
  SYNC_INTERVAL_SECONDS: z.coerce.number().int().min(5).max(3_600).default(60),
  EMAIL_API_KEY: token.optional(),
  EMAIL_FROM: z
    .string()
    .regex(SENDER, 'must look like mail@example.com or Name <mail@example.com>')
    .optional(),
  EMAIL_API_URL: url.default('https://api.resend.com').transform((value) => value.replace(/\/+$/, '')),
  COMMIT: z.string().default('unknown'),
})
export type Env = z.infer<typeof Env>

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
  const given = Object.fromEntries(
    Object.keys(Env.shape).flatMap((name) => {
      const value: unknown = Reflect.get(raw, name)
      // An empty variable is how shells and dashboards say "not set".
      return value === undefined || value === '' ? [] : [[name, value]]
    }),
  )
  const result = Env.safeParse(given)
  const problems = (result.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0])
    return name in given ? `${name} ${plain(issue.message)}` : `${name} is missing`
  })
  if ('EMAIL_API_KEY' in given && !('EMAIL_FROM' in given))
    problems.push('EMAIL_FROM is missing: EMAIL_API_KEY needs it')
  for (const [one, other] of TOGETHER) {
    if (one in given && !(other in given)) problems.push(`${other} is missing: ${one} needs it`)
    if (other in given && !(one in given)) problems.push(`${one} is missing: ${other} needs it`)
  }
  if (!result.success || problems.length > 0) throw new ConfigurationError(problems)
  parsed.set(raw, result.data)
  return result.data
}

function plain(message: string): string {
  return message.startsWith('must') ? message : 'is malformed'
}
