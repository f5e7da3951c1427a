import { createCredentialVault } from '../../../src/adapters/credential-vault.ts'
import { createConnectors } from '../../../src/adapters/platforms/index.ts'
import { createDb } from '../../../src/db/client.ts'
import type { Platform } from '../../../src/domain/platforms.ts'
import type { Env } from '../../../src/env.ts'
import type { CallGate, Clock, Logger, QueueMessage } from '../../../src/ports.ts'
import type { ServiceDeps } from '../../../src/services/context.ts'
import type { World } from '../platforms/index.ts'
import { createPastPlatforms } from './past-platforms.ts'
import { SIMULATED_APPS } from './simulated-apps.ts'

const DAY_MS = 86_400_000

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }

/** What services work with while a history is being made. */
export interface SeedDeps {
  deps: ServiceDeps
  platforms: ReturnType<typeof createPastPlatforms>
  /** What they have queued since it was last taken. */
  takeQueued(): QueueMessage[]
  /** Waits for what they do after an answer. */
  settle(): Promise<void>
}

export interface SeedDepsOptions {
  env: Env
  world: World
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
  const queued: QueueMessage[] = []
  const background: Promise<unknown>[] = []
  const deps: ServiceDeps = {
    db: createDb({ connectionString: env.DATABASE_URL, fetchEndpoint: env.NEON_FETCH_ENDPOINT }),
    generations: { raise: async () => {} },
    queue: { publish: async (messages) => void queued.push(...messages) },
    hub: {
      publish: async () => {},
      announce: async () => {},
      issueTicket: async () => {},
      revoke: async () => 0,
    },
    objects: { put: unavailable, getRange: unavailable, delete: unavailable },
    connectors: Object.fromEntries(wanted.map((platform) => [platform, connectors[platform]])),
    fetchFor: (platform) => (url, init) => platforms(platform)(new Request(url, init)),
    gate: openGate(clock),
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
  }
}

/** Lets every call pass, and knows what each day has cost: each thing is paid for once in it. */
function openGate(clock: Clock): CallGate {
  const paid = new Set<string>()
  const spentMicros = new Map<number, number>()
  const today = () => Math.floor(clock.now() / DAY_MS)
  return {
    admit: async (call, onSettled) => ({
      settle(outcome) {
        const day = today()
        let costMicros = 0
        for (const read of outcome.paid) {
          const key = `${day} ${call.platform} ${read.object}`
          if (!paid.has(key)) costMicros += read.costMicros
          paid.add(key)
        }
        spentMicros.set(day, (spentMicros.get(day) ?? 0) + costMicros)
        onSettled?.({ call, costMicros })
      },
    }),
    moneyLeft: async (_platform, { dailyMicros }) => {
      const spent = spentMicros.get(today()) ?? 0
      // The other half is for lists of posts, and for what the running engine reads today.
      const leftMicros = Math.max(0, Math.floor(dailyMicros / 2) - spent)
      return { spentMicros: spent, leftMicros, moreAtMs: (today() + 1) * DAY_MS }
    },
  }
}

async function unavailable(): Promise<never> {
  throw new Error('The history needs no such thing.')
}
