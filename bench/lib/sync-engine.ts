import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createBlueskyHandler,
  createMastodonHandler,
  type World,
} from '../../scripts/local/platforms/index.ts'
import { createStats, type Stats } from '../../scripts/local/platforms/stats.ts'
import type { PlatformName } from '../../scripts/local/platforms/types.ts'
import { startRedis } from '../../scripts/local/redis.ts'
import { startUpstashRest } from '../../scripts/local/upstash-rest/index.ts'
import { createConnectors } from '../../src/adapters/platforms/index.ts'
import { createRateBudget } from '../../src/adapters/rate-budget.ts'
import { createRedis } from '../../src/adapters/redis.ts'
import type { Db } from '../../src/db/client.ts'
import { insertAccount } from '../../src/db/queries/accounts.ts'
import { newId } from '../../src/lib/ids.ts'
import type { Clock, QueueMessage, RateBudget } from '../../src/ports.ts'
import { connectorContext, connectorOf } from '../../src/services/accounts/connector-context.ts'
import type { ServiceDeps } from '../../src/services/context.ts'
import { backfill } from '../../src/services/sync/backfill.ts'
import {
  BackfillMessage,
  RefreshPostsMessage,
  SyncAccountsMessage,
} from '../../src/services/sync/messages.ts'
import { planSync } from '../../src/services/sync/plan.ts'
import { refreshPosts } from '../../src/services/sync/refresh-posts.ts'
import { syncAccounts } from '../../src/services/sync/sync-accounts.ts'
import { quietDeps } from '../../test/harness/deps.ts'

/** The simulated platforms, as one client sees them. */
export interface PlatformView {
  fetchFor: ServiceDeps['fetchFor']
  stats: Record<PlatformName, Stats>
}

const APP_VIEW = 'http://127.0.0.1:2584'
export const MASTODON_HOST = '127.0.0.1:3000'
const REDIS_TIMEOUT_MS = 5_000

/** The present, which can be moved ahead: nobody waits for a platform's window to end. */
export class MovableClock {
  #aheadMs = 0

  /** Milliseconds since 1970. */
  readonly now = (): number => Date.now() + this.#aheadMs

  advance(ms: number): void {
    this.#aheadMs += ms
  }
}

/** Platforms with limits and counters of their own: two views of a world do not get in each other's way. */
export function viewPlatforms(world: World): PlatformView {
  const stats = { bluesky: createStats(), mastodon: createStats() }
  const bluesky = createBlueskyHandler(world, { stats: stats.bluesky })
  const mastodon = createMastodonHandler(world, { stats: stats.mastodon })
  return {
    stats,
    fetchFor: (platform) => (url, init) =>
      (platform === 'bluesky' ? bluesky : mastodon)(new Request(url, init)),
  }
}

/** The outgoing budgets, in a Redis of their own. */
export async function startBudget(resources: AsyncDisposableStack, clock: Clock): Promise<RateBudget> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-redis-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const redis = await startRedis({ dataDir: directory })
  resources.defer(() => redis.stop())
  const token = 'bench-token'
  const rest = await startUpstashRest({ token, redis })
  resources.defer(() => rest.stop())
  return createRateBudget(createRedis({ url: rest.url, token, timeoutMs: REDIS_TIMEOUT_MS }), clock)
}

/**
 * The sync engine, with a queue that delivers at once, as many of a host's messages together as they ask for.
 * Where a message is to come later, the clock is moved instead.
 */
export class SyncEngine {
  readonly deps: ServiceDeps
  /** By how much the clock was moved. */
  waitedMs = 0
  readonly #clock: MovableClock
  #queued: QueueMessage[] = []
  readonly #background: Promise<unknown>[] = []

  constructor(parts: { db: Db; platforms: PlatformView; budget: RateBudget; clock: MovableClock }) {
    const { db, platforms, budget, clock } = parts
    this.#clock = clock
    this.deps = {
      ...quietDeps(db),
      queue: { publish: async (messages) => void this.#queued.push(...messages) },
      objects: { put: unused, getRange: unused, delete: unused },
      connectors: createConnectors({ blueskyAppViewUrl: APP_VIEW, allowPrivateHosts: true }),
      fetchFor: platforms.fetchFor,
      budget,
      watchList: { mark: async () => {}, list: async () => [] },
      clock,
      waitUntil: (work) => void this.#background.push(work),
      vault: null,
      mailer: null,
      publicUrl: 'http://127.0.0.1',
      syncIntervalSeconds: 60,
    }
  }

  /** Connects accounts that are due at once. @param handle as people type it */
  async connect(workspaceId: string, platform: PlatformName, handle: string): Promise<void> {
    const { deps } = this
    const profile = await connectorOf(deps, platform).resolve(connectorContext(deps, platform), handle)
    const { externalId, host, displayName, url, avatarUrl } = profile
    await deps.db.inWorkspace(workspaceId, [
      insertAccount(workspaceId, {
        id: newId(),
        platform,
        externalId,
        host,
        handle: profile.handle,
        displayName,
        url,
        avatarUrl,
        brandId: null,
        trackedSince: new Date(deps.clock.now()).toISOString(),
      }),
    ])
  }

  /** Plans, and works through all that comes of it, until nothing is due. */
  async run(): Promise<void> {
    for (;;) {
      const { accounts, posts } = await planSync(this.deps, { repeated: true })
      if (accounts + posts === 0) return
      while (this.#queued.length > 0) await this.#deliverDue()
      await Promise.all(this.#background.splice(0))
    }
  }

  async #deliverDue(): Promise<void> {
    const [due, later] = [true, false].map((isDue) =>
      this.#queued.filter(({ delaySeconds }) => (delaySeconds === undefined) === isDue),
    )
    if (due === undefined || later === undefined) return
    this.#queued = later
    if (due.length === 0) {
      const waitMs = 1_000 * Math.max(...later.map(({ delaySeconds = 0 }) => delaySeconds))
      this.#clock.advance(waitMs)
      this.waitedMs += waitMs
      due.push(...this.#queued.splice(0))
    }
    const lanes = Map.groupBy(due, ({ flow }) => flow?.key ?? '')
    const workers = [...lanes.values()].flatMap((waiting) =>
      Array.from({ length: waiting[0]?.flow?.parallelism ?? 1 }, async () => {
        for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await this.#deliver(one)
      }),
    )
    await Promise.all(workers)
  }

  async #deliver({ topic, body }: QueueMessage): Promise<void> {
    switch (topic) {
      case 'sync/accounts':
        return syncAccounts(this.deps, SyncAccountsMessage.parse(body))
      case 'sync/posts':
        return refreshPosts(this.deps, RefreshPostsMessage.parse(body))
      case 'sync/backfill':
        return backfill(this.deps, BackfillMessage.parse(body))
      default:
        throw new Error(`Nobody takes ${topic}`)
    }
  }
}

async function unused(): Promise<never> {
  throw new Error('The sync engine stores no objects')
}
