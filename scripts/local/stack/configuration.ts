import { parseEnv, VARIABLES } from '../../../src/env.ts'
import type { Ports } from './ports.ts'
import type { Secrets } from './secrets.ts'
import { bindPlatforms, type PlatformBindings } from './simulated-apps.ts'

/** Variables of the Worker, as a deployment sets them. */
export type Bindings = Record<string, string>

/** Everything by name that a caller's environment may hold. */
export type Variables = Readonly<Record<string, string | undefined>>

export const DEMO_EMAIL = 'demo@tidemark.localhost'
export const DATABASE = 'tidemark'
export const OWNER_ROLE = 'tidemark_owner'
export const APP_ROLE = 'tidemark_worker'

/** Addresses and credentials of what the stack itself provides: taken from outside they would fit nothing here. */
const OWN = [
  'DATABASE_URL',
  'MIGRATION_DATABASE_URL',
  'DATABASE_READ_URL',
  'NEON_FETCH_ENDPOINT',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
  'QSTASH_URL',
  'QSTASH_TOKEN',
  'QSTASH_CURRENT_SIGNING_KEY',
  'QSTASH_NEXT_SIGNING_KEY',
  'PUBLIC_URL',
  'CALLBACKS_URL',
  'EMAIL_API_KEY',
  'EMAIL_API_URL',
]

export interface ConfigurationOptions {
  variables: Variables
  secrets: Secrets
  ports: Ports
  publicUrl: string
}

/**
 * The Worker's configuration: the caller's variables, over defaults for a machine of one's own, under what
 * only the stack can know.
 * @throws ConfigurationError naming every variable that does not fit.
 */
export function configureWorker(options: ConfigurationOptions): PlatformBindings {
  const { variables, secrets, ports, publicUrl } = options
  const given: Bindings = {}
  for (const name of Object.keys(VARIABLES)) {
    const value = variables[name]
    if (value !== undefined && value !== '' && !OWN.includes(name)) given[name] = value
  }
  const platforms = bindPlatforms(variables, ports)
  const bindings: Bindings = {
    BETTER_AUTH_SECRET: secrets.authSecret,
    CREDENTIALS_KEY: secrets.credentialsKey,
    METRICS_TOKEN: secrets.metricsToken,
    SIGNUP_MODE: 'open',
    ALLOW_PRIVATE_HOSTS: 'true',
    EMAIL_FROM: 'Tidemark <mail@tidemark.localhost>',
    ...given,
    ...platforms.bindings,
    OPERATOR_EMAILS: [DEMO_EMAIL, given.OPERATOR_EMAILS].filter(Boolean).join(','),
    DATABASE_URL: databaseUrl(APP_ROLE, secrets.databaseAppPassword, ports.postgres),
    NEON_FETCH_ENDPOINT: `http://127.0.0.1:${ports.neon}/sql`,
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${ports.redis}`,
    UPSTASH_REDIS_REST_TOKEN: secrets.redisToken,
    QSTASH_URL: `http://127.0.0.1:${ports.qstash}`,
    QSTASH_TOKEN: secrets.qstashToken,
    QSTASH_CURRENT_SIGNING_KEY: secrets.qstashCurrentSigningKey,
    QSTASH_NEXT_SIGNING_KEY: secrets.qstashNextSigningKey,
    PUBLIC_URL: publicUrl,
    CALLBACKS_URL: `http://127.0.0.1:${ports.sync}`,
    EMAIL_API_KEY: secrets.mailApiKey,
    EMAIL_API_URL: `http://127.0.0.1:${ports.mail}`,
  }
  parseEnv(bindings)
  return { bindings, simulated: platforms.simulated }
}

/** Variables that were given and have no effect here. */
export function ignoredVariables(variables: Variables): string[] {
  return OWN.filter((name) => variables[name])
}

export function databaseUrl(role: string, password: string, port: number): string {
  return `postgresql://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`
}
