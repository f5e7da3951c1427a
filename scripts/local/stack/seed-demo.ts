import type { Platform } from '../../../src/domain/platforms.ts'
import type { Env } from '../../../src/env.ts'
import type { QueueMessage } from '../../../src/ports.ts'
import type { ServiceContext, ServiceDeps } from '../../../src/services/context.ts'
import { refreshTrending } from '../../../src/services/hashtags/index.ts'
import { RefreshPostsMessage, SyncAccountsMessage } from '../../../src/services/sync/messages.ts'
import { planSync } from '../../../src/services/sync/plan.ts'
import { refreshPostsMessage, syncAccountsMessage } from '../../../src/services/sync/queue.ts'
import { refreshPosts } from '../../../src/services/sync/refresh-posts.ts'
import { syncAccounts } from '../../../src/services/sync/sync-accounts.ts'
import type { World } from '../platforms/index.ts'
import { authorizeDemo, connectDemo } from './connect-demo.ts'
import { createSeedDeps } from './seed-deps.ts'

export interface SeedOptions {
  /** As the Worker has it: the seeded accounts go on being read at the same addresses, with the same keys. */
  env: Env
  workspaceId: string
  world: World
  /** Those whose accounts are connected, which are simulated. */
  platforms: readonly Platform[]
  mastodonHost: string
  /** Refreshes the database's statistics, which a young database has none of. */
  analyse(): Promise<void>
  /** Told how far it is. */
  onProgress?: (percent: number) => void
}

const DAY_MS = 86_400_000
const HISTORY_DAYS = 90

/** Moments of the replay, in days before the present: every fourth at first, and closer together towards it. */
function replayDays(): number[] {
  const days: number[] = []
  const add = (from: number, to: number, step: number) => {
    for (let ago = from; ago > to; ago -= step) days.push(ago)
  }
  add(HISTORY_DAYS, 28, 4)
  add(28, 2, 1)
  add(2, 0, 1 / 4)
  return [...days, 0]
}

/**
 * The newest posts are read at every moment; older ones that are due, on these days before the present alone:
 * the history is soon there.
 */
const REFRESH_DAYS: ReadonlySet<number> = new Set([21, 3, 0])
const REFRESH_BATCH = 1_000

/** Where most of the cast is; elsewhere it is read at every few moments, which loses no post. */
const BUSY: ReadonlySet<Platform> = new Set<Platform>(['bluesky', 'mastodon'])
const QUIET_EVERY = 3

/** While the tables grow by multiples. */
const ANALYSE_AFTER_STEPS = new Set([0, 2, 8, 24])

/**
 * Gives a workspace 90 days of history: the sync engine itself is run through past moments, reading the
 * simulated platforms as they were then. Nothing is stored that did not pass through the engine's ingest.
 * Trends are left to `rankDemo`.
 * @returns how many accounts were connected
 */
export async function seedDemo(options: SeedOptions): Promise<number> {
  const { workspaceId, world, platforms, mastodonHost } = options
  const clock = { nowMs: Date.now(), now: () => clock.nowMs }
  const seed = createSeedDeps({ env: options.env, world, clock, platforms })
  const { deps } = seed
  const ctx: ServiceContext = {
    ...deps,
    workspace: { id: workspaceId, timezone: 'UTC' },
    actor: { kind: 'system' },
    requestId: 'local-stack',
    origin: { ip: null, userAgent: null },
  }
  const presentMs = clock.nowMs
  const days = replayDays()
  // At the present, as what a platform grants ends soon afterwards; it opens the past just as well.
  const granted = await authorizeDemo(ctx, world, platforms, seed.platforms)
  clock.nowMs = presentMs - HISTORY_DAYS * DAY_MS
  await connectDemo(ctx, world, platforms, { granted, mastodonHost })
  const accounts = accountMessages(seed.takeQueued())

  for (const [step, daysAgo] of days.entries()) {
    clock.nowMs = presentMs - daysAgo * DAY_MS
    if (REFRESH_DAYS.has(daysAgo)) await planSync(deps, { repeated: true })
    else await deps.queue.publish(accounts.filter((message) => step % QUIET_EVERY === 0 || isBusy(message)))
    await Promise.all(inLargeBatches(seed.takeQueued()).map((message) => deliver(deps, message)))
    // Posts older than the history are left to the running engine, which finds where to go on.
    seed.takeQueued()
    await seed.settle()
    if (ANALYSE_AFTER_STEPS.has(step)) await options.analyse()
    if (step % 10 === 0) options.onProgress?.(Math.round((100 * step) / days.length))
  }
  await seed.handOverSpending()
  return accounts.flatMap(({ body }) => SyncAccountsMessage.parse(body).accounts).length
}

/** Says what is trending in a history, once all of it is there. */
export async function rankDemo(options: Pick<SeedOptions, 'env' | 'world' | 'workspaceId'>): Promise<void> {
  const seed = createSeedDeps({ ...options, clock: { now: Date.now }, platforms: [] })
  await refreshTrending(seed.deps, options.workspaceId)
  await seed.settle()
}

/** Messages that read the newest posts of everybody, one a platform, from those that were queued first. */
function accountMessages(first: QueueMessage[]): QueueMessage[] {
  const messages = first.map(({ body }) => SyncAccountsMessage.parse(body))
  return [...Map.groupBy(messages, laneOf).values()].flatMap(([one, ...more]) =>
    one === undefined
      ? []
      : syncAccountsMessage({
          platform: one.platform,
          host: one.host,
          accounts: [one, ...more].flatMap(({ accounts }) =>
            accounts.map((account) => ({ ...account, isNew: false })),
          ),
          jobId: null,
        }),
  )
}

function isBusy({ body }: QueueMessage): boolean {
  return BUSY.has(SyncAccountsMessage.parse(body).platform)
}

/** Refreshes in the sizes that suit one machine: what the queue would deliver apart is read together. */
function inLargeBatches(messages: QueueMessage[]): QueueMessage[] {
  const isRefresh = ({ topic }: QueueMessage) => topic === 'sync/posts'
  const others = messages.filter((message) => !isRefresh(message))
  const refreshes = messages.filter(isRefresh).map(({ body }) => RefreshPostsMessage.parse(body))
  const merged = [...Map.groupBy(refreshes, laneOf).values()].flatMap((group) => {
    const posts = group.flatMap(({ accounts }) =>
      accounts.flatMap((account) => account.posts.map((post) => ({ account, post }))),
    )
    const first = group[0]
    return first === undefined
      ? []
      : Array.from({ length: Math.ceil(posts.length / REFRESH_BATCH) }, (_, i) => {
          const some = posts.slice(i * REFRESH_BATCH, (i + 1) * REFRESH_BATCH)
          const accounts = [...Map.groupBy(some, ({ account }) => account.id).values()].flatMap((ours) =>
            ours[0] === undefined ? [] : { ...ours[0].account, posts: ours.map(({ post }) => post) },
          )
          return refreshPostsMessage({ ...first, accounts })
        })
  })
  return [...others, ...merged]
}

function laneOf({ platform, host }: { platform: Platform; host: string | null }): string {
  return `${platform} ${host ?? ''}`
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
