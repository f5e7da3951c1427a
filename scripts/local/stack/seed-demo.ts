import { createConnectors } from '../../../src/adapters/platforms/index.ts'
import { createDb } from '../../../src/db/client.ts'
import { insertAccount } from '../../../src/db/queries/accounts.ts'
import type { Platform } from '../../../src/domain/platforms.ts'
import { newId } from '../../../src/lib/ids.ts'
import { type Logger, PlatformError, type QueueMessage } from '../../../src/ports.ts'
import { connectorContext, connectorOf } from '../../../src/services/accounts/connector-context.ts'
import type { ServiceDeps } from '../../../src/services/context.ts'
import { refreshTrending } from '../../../src/services/hashtags/index.ts'
import { RefreshPostsMessage, SyncAccountsMessage } from '../../../src/services/sync/messages.ts'
import { planSync } from '../../../src/services/sync/plan.ts'
import { refreshPostsMessage, syncAccountsMessage } from '../../../src/services/sync/queue.ts'
import { refreshPosts } from '../../../src/services/sync/refresh-posts.ts'
import { syncAccounts } from '../../../src/services/sync/sync-accounts.ts'
import { createBlueskyHandler, createMastodonHandler, type World } from '../platforms/index.ts'

export interface SeedOptions {
  /** As the Worker has them. */
  databaseUrl: string
  neonEndpoint: string
  workspaceId: string
  world: World
  /** Where the simulated platforms answer, so that the seeded accounts go on being read there. */
  blueskyUrl: string
  mastodonUrl: string
  mastodonHost: string
  /** Refreshes the database's statistics, which a young database has none of. */
  analyse(): Promise<void>
  log?: (line: string) => void
}

const DAY_MS = 86_400_000
const HISTORY_DAYS = 90

/** Moments of the replay: every third day at first, and closer together towards the present. */
function replayMoments(nowMs: number): number[] {
  const moments: number[] = []
  const add = (fromDays: number, toDays: number, stepDays: number) => {
    for (let ago = fromDays; ago > toDays; ago -= stepDays) moments.push(nowMs - ago * DAY_MS)
  }
  add(HISTORY_DAYS, 28, 3)
  add(28, 2, 1)
  add(2, 0, 1 / 4)
  moments.push(nowMs)
  return moments
}

/** Newest posts are read at every step; older ones that are due, at every few: the history is soon there. */
const REFRESH_EVERY = 10
const REFRESH_BATCH = 1_000

/** While the tables grow by multiples. */
const ANALYSE_AFTER_STEPS = new Set([0, 2, 8, 24])

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }

/**
 * Gives a workspace 90 days of history: the sync engine itself is run through past moments, reading the
 * simulated platforms as they were then. Nothing is stored that did not pass through the engine's ingest.
 */
export async function seedDemo(options: SeedOptions): Promise<{ accounts: number; steps: number }> {
  const { workspaceId, world } = options
  const clock = { nowMs: 0, now: () => clock.nowMs }
  const bluesky = createBlueskyHandler(world, {
    now: clock.now,
    limits: { requests: Number.POSITIVE_INFINITY, windowMs: 300_000 },
  })
  const mastodon = createMastodonHandler(world, {
    now: clock.now,
    limits: {
      requests: Number.POSITIVE_INFINITY,
      windowMs: 300_000,
      pagedRequests: Number.POSITIVE_INFINITY,
      pagedWindowMs: 900_000,
    },
  })
  const queued: QueueMessage[] = []
  const background: Promise<unknown>[] = []
  const deps: ServiceDeps = {
    db: createDb({ connectionString: options.databaseUrl, fetchEndpoint: options.neonEndpoint }),
    generations: { raise: async () => {} },
    queue: { publish: async (messages) => void queued.push(...messages) },
    hub: {
      publish: async () => {},
      announce: async () => {},
      issueTicket: async () => {},
      revoke: async () => 0,
    },
    objects: { put: unavailable, getRange: unavailable, delete: unavailable },
    connectors: createConnectors({ blueskyAppViewUrl: options.blueskyUrl, allowPrivateHosts: true }),
    fetchFor: (platform) => (url, init) =>
      (platform === 'bluesky' ? bluesky : mastodon)(new Request(url, init)),
    budget: { spend: async () => {}, follow() {} },
    watchList: { mark: async () => {}, list: async () => [] },
    clock,
    log: quiet,
    waitUntil: (work) => void background.push(work),
    vault: null,
    mailer: null,
    publicUrl: 'http://127.0.0.1',
    syncIntervalSeconds: 60,
  }

  const moments = replayMoments(Date.now())
  clock.nowMs = moments[0] ?? Date.now()
  const accounts = await connectAll(deps, options)
  for (const [step, moment] of moments.entries()) {
    clock.nowMs = moment
    const isLast = step === moments.length - 1
    if (isLast || step % REFRESH_EVERY === REFRESH_EVERY - 1) await planSync(deps, { repeated: true })
    else queued.push(...accounts.map((message) => syncAccountsMessage(message)))
    await Promise.all(inLargeBatches(queued.splice(0)).map((message) => deliver(deps, message)))
    // Posts older than the history are left to the running engine, which finds where to go on.
    queued.length = 0
    await Promise.all(background.splice(0))
    if (ANALYSE_AFTER_STEPS.has(step)) await options.analyse()
    if (step % 10 === 0) options.log?.(`history: ${Math.round((100 * step) / moments.length)} %`)
  }
  await refreshTrending(deps, workspaceId)
  await Promise.all(background.splice(0))
  return { accounts: accounts.flatMap((message) => message.accounts).length, steps: moments.length }
}

async function unavailable(): Promise<never> {
  throw new Error('The history needs no stored objects.')
}

/** Connects every account of the simulated platforms; gives the messages that read them, one a platform. */
async function connectAll(deps: ServiceDeps, options: SeedOptions): Promise<SyncAccountsMessage[]> {
  const typed: { platform: Platform; host: string | null; input: string }[] = [
    ...options.world
      .accounts('bluesky')
      .map((a) => ({ platform: 'bluesky' as const, host: null, input: a.handle })),
    ...options.world.accounts('mastodon').map((a) => ({
      platform: 'mastodon' as const,
      host: options.mastodonHost,
      input: `${a.handle}@${options.mastodonHost}`,
    })),
  ]
  const messages: SyncAccountsMessage[] = []
  for (const { platform, host, input } of typed) {
    const profile = await connectorOf(deps, platform)
      .resolve(connectorContext(deps, platform), input)
      .catch((error: unknown) => {
        // An account that did not exist yet at the beginning of the history is left out.
        if (error instanceof PlatformError && error.kind === 'gone') return null
        throw error
      })
    if (profile === null) continue
    const { externalId, handle } = profile
    const account = { id: newId(), workspaceId: options.workspaceId, externalId, handle }
    await deps.db.inWorkspace(options.workspaceId, [
      insertAccount(options.workspaceId, {
        ...profile,
        id: account.id,
        platform,
        brandId: null,
        trackedSince: new Date(deps.clock.now()).toISOString(),
      }),
    ])
    const message = messages.find((known) => known.platform === platform && known.host === host)
    if (message === undefined) messages.push({ platform, host, accounts: [account], jobId: null })
    else message.accounts.push(account)
  }
  return messages
}

/** Refreshes in the sizes that suit one machine: what the queue would deliver apart is read together. */
function inLargeBatches(messages: QueueMessage[]): QueueMessage[] {
  const others = messages.filter(({ topic }) => topic !== 'sync/posts')
  const refreshes = messages
    .filter(({ topic }) => topic === 'sync/posts')
    .map(({ body }) => RefreshPostsMessage.parse(body))
  const merged = [
    ...Map.groupBy(refreshes, ({ platform, host }) => `${platform} ${host ?? ''}`).values(),
  ].flatMap((group) => {
    const posts = group.flatMap((message) => message.posts)
    const first = group[0]
    return first === undefined
      ? []
      : Array.from({ length: Math.ceil(posts.length / REFRESH_BATCH) }, (_, i) =>
          refreshPostsMessage({ ...first, posts: posts.slice(i * REFRESH_BATCH, (i + 1) * REFRESH_BATCH) }),
        )
  })
  return [...others, ...merged]
}

async function deliver(deps: ServiceDeps, message: QueueMessage): Promise<void> {
  switch (message.topic) {
    case 'sync/accounts':
      return syncAccounts(deps, SyncAccountsMessage.parse(message.body))
    case 'sync/posts':
      return refreshPosts(deps, RefreshPostsMessage.parse(message.body))
    default:
      throw new Error(`The history queued something unexpected: ${message.topic}`)
  }
}
