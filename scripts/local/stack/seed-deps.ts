import { createCallGate } from '../../../src/adapters/call-gate.ts'
import { createCredentialVault } from '../../../src/adapters/credential-vault.ts'
import { createConnectors } from '../../../src/adapters/platforms/index.ts'
import { createRedis } from '../../../src/adapters/redis.ts'
import { createDb } from '../../../src/db/client.ts'
import type { Platform } from '../../../src/domain/platforms.ts'
import type { Env } from '../../../src/env.ts'
import type { Clock, Logger, QueueMessage } from '../../../src/ports.ts'
import type { ServiceDeps } from '../../../src/services/context.ts'
import type { World } from '../platforms/index.ts'
import { createPastGate } from './past-gate.ts'
import { createPastPlatforms } from './past-platforms.ts'
import { SIMULATED_APPS } from './simulated-apps.ts'

/** Others read their parts of the history at the same time. */
const REDIS_TIMEOUT_MS = 10_000

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }

/** What services work with while a history is being made. */
export interface SeedDeps {
  deps: ServiceDeps
  platforms: ReturnType<typeof createPastPlatforms>
  /** What they have queued since it was last taken. */
  takeQueued(): QueueMessage[]
  /** Waits for what they do after an answer. */
  settle(): Promise<void>
  /** Tells the gate of the running engine what the present day has cost; only where its clock is back there. */
  handOverSpending(): Promise<void>
}

export interface SeedDepsOptions {
  env: Env
  world: World
  /** It shows the present to begin with. */
  clock: Clock
  /** Those that are read. */
  platforms: readonly Platform[]
}

/**
 * The services over the Worker's own database and keys, and over the simulated platforms as they were at the
 * moment that the clock shows. Nobody listens, and nothing limits the calls.
 */
export function createSeedDeps({ env, world, clock, platforms: wanted }: SeedDepsOptions): SeedDeps {
  const platforms = createPastPlatforms(world, clock.now)
  const connectors = createConnectors({
    blueskyAppViewUrl: env.BLUESKY_APPVIEW_URL,
    allowPrivateHosts: true,
    apps: SIMULATED_APPS,
    urls: env.PLATFORM_URLS,
  })
  const gate = createPastGate(clock, clock.now())
  const queued: QueueMessage[] = []
  const background: Promise<unknown>[] = []
  const deps: ServiceDeps = {
    db: createDb({ connectionString: env.DATABASE_URL, fetchEndpoint: env.NEON_FETCH_ENDPOINT }),
    generations: { raise: async () => {}, note() {} },
    queue: { publish: async (messages) => void queued.push(...messages) },
    hub: {
      publish: async () => {},
      announce: async () => {},
      issueTicket: async () => {},
      revoke: async () => 0,
    },
    objects: { put: unavailable, getRange: unavailable, delete: unavailable },
    connectors: async () => Object.fromEntries(wanted.map((platform) => [platform, connectors[platform]])),
    fetchFor: (platform) => (url, init) => platforms(platform)(new Request(url, init)),
    gate,
    gateOperations: {
      breakers: unavailable,
      allowances: unavailable,
      paused: async () => [],
      pause: unavailable,
      resume: unavailable,
    },
    dailyBudgets: { x: Math.round(env.X_DAILY_BUDGET_USD * 1_000_000) },
    vault: env.CREDENTIALS_KEY === undefined ? null : createCredentialVault(env.CREDENTIALS_KEY),
    watchList: { mark: async () => {}, list: async () => [] },
    clock,
    log: quiet,
    waitUntil: (work) => void background.push(work),
    mailer: null,
    publicUrl: env.PUBLIC_URL,
    syncIntervalSeconds: 60,
  }
  return {
    deps,
    platforms,
    takeQueued: () => queued.splice(0),
    async settle() {
      await Promise.all(background.splice(0))
    },
    async handOverSpending() {
      const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = env
      const redis = createRedis({ url, token, timeoutMs: REDIS_TIMEOUT_MS })
      await gate.handOver(createCallGate({ redis, clock, waitUntil: deps.waitUntil }))
      await Promise.all(background.splice(0))
    },
  }
}

async function unavailable(): Promise<never> {
  throw new Error('The history needs no such thing.')
}
