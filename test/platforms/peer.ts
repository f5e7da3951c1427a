import { afterEach, beforeEach, expect, vi } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import type { WebHandler } from '../../scripts/local/platforms/platform-handler.ts'
import { createStats, type Stats } from '../../scripts/local/platforms/stats.ts'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import { typedNameOf } from '../../scripts/local/platforms/typed.ts'
import type { Account, AccountSpec } from '../../scripts/local/platforms/types.ts'
import { createWorld, type World } from '../../scripts/local/platforms/world.ts'
import { createGuardedFetch } from '../../src/adapters/guarded-fetch.ts'
import { type TestNetwork, testNetwork } from '../../src/adapters/platforms/test-network.ts'
import type { Platform } from '../../src/domain/platforms.ts'
import type {
  AccountRef,
  BatchScope,
  ConnectorContext,
  PlatformConnector,
  PlatformPost,
  PostRef,
} from '../../src/ports.ts'

/** A platform that the local stack simulates, which knows the truth, and the connector that reads it. */

export const NOW = Date.parse('2026-11-22T12:00:00Z')
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
/** A simulated answer that is missing comes by and by. */
const MOST_ROUNDS = 10

export interface Peer {
  platform: Platform
  world: World
  stats: Stats
  connector: PlatformConnector
  /** What the connector was let do, and how that went. */
  network: TestNetwork
  /** Without anybody's token. */
  ctx: ConnectorContext
  accounts: readonly Account[]
  account: Account
  other: Account
  /** The first account, as it is stored. */
  ref: AccountRef
  handler: WebHandler
  /** Asks the platform itself. */
  ask: (path: string, init?: RequestInit) => Promise<{ status: number; headers: Headers; json: unknown }>
  /** Does something on this platform, as the simulator's control interface does. */
  act: (verb: string, body?: object) => void
  /** What the platform should be showing at this moment, of the first account where none is named. */
  truth: (account?: Account) => AccountTruth
}

interface PeerOptions {
  platform: Platform
  seed: string
  /** Where it is found. */
  origin: string
  historyDays: number
  accounts: number | readonly AccountSpec[]
  handler: (world: World, stats: Stats) => WebHandler
  connector: PlatformConnector
}

/** Lets every test of a file begin at the same moment. */
export function useFixedClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}

/** Lets time pass, there and here. */
export function advance(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

/** Starts a simulated platform; what the connector asks anybody else fails the test. */
export function startPeer(options: PeerOptions): Peer {
  const { platform, origin, connector, accounts: wanted } = options
  const world = createWorld({
    seed: options.seed,
    now: () => Date.now(),
    epoch: NOW - options.historyDays * DAY_MS,
    accounts: typeof wanted === 'number' ? { [platform]: wanted } : wanted,
  })
  const stats = createStats()
  const handler = options.handler(world, stats)
  const network = testNetwork(() => undefined)
  network.ctx.fetch = createGuardedFetch({
    allowPrivateHosts: true,
    fetch: (url, init) => {
      expect(new URL(url).origin).toBe(origin)
      return handler(new Request(url, init))
    },
  })
  const accounts = world.accounts(platform)
  const [account, other] = accounts
  if (account === undefined || other === undefined) throw new Error('The world has too few accounts')
  return {
    ...{ platform, world, stats, connector, network, ctx: network.ctx, accounts, account, other, handler },
    ref: { externalId: account.id, host: null, handle: account.handle },
    ask: async (path, init) => {
      const response = await handler(new Request(new URL(path, origin), init))
      const json: unknown = await response.json()
      return { status: response.status, headers: response.headers, json }
    },
    act: (verb, body = {}) => void runAction(world, verb, { platform, ...body }),
    truth: (whose = account) => truthOf(world, whose, Date.now()),
  }
}

/** What a person pastes to name an account. */
export function typed({ world, connector }: Peer, account: Account, host = ''): string {
  const { handle } = world.namesAt(account, Date.now())
  return connector.platform === 'bluesky' ? `@${handle}` : typedNameOf(account, handle, host)
}

/** Everything that an account posted, as a sync reads it. @param newest the newest post that is known already */
export async function readAll(
  { connector }: Peer,
  ctx: ConnectorContext,
  account: AccountRef,
  newest?: PostRef,
): Promise<PlatformPost[]> {
  const posts: PlatformPost[] = []
  let cursor: string | null = null
  do {
    const page = await connector.fetchPosts(ctx, account, cursor, newest)
    posts.push(...page.posts)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

/** Refreshes posts, and again those that were left open, until there are none; in the order of their refs. */
export async function refreshAll(
  { connector, network }: Peer,
  ctx: ConnectorContext,
  scope: BatchScope,
  known: readonly PostRef[],
): Promise<PlatformPost[]> {
  const found = new Map<string, PlatformPost>()
  let asked = [...known]
  for (let round = 1; asked.length > 0; round++) {
    if (round > MOST_ROUNDS) throw new Error(`There is never an answer for ${asked.length} posts`)
    network.open.length = 0
    for (const post of await connector.refreshPosts(ctx, scope, asked)) {
      expect(found.has(post.platformPostId), `${post.platformPostId} is there twice`).toBe(false)
      found.set(post.platformPostId, post)
    }
    const open = new Set(network.open)
    asked = asked.filter(({ id }) => open.has(id))
  }
  return known.flatMap(({ id }) => found.get(id) ?? [])
}

/** Posts as they are known once they have been listed. */
export function refsOf(posts: readonly PlatformPost[]): PostRef[] {
  return posts.map(({ platformPostId, postedAt }) => ({
    id: platformPostId,
    postedAtMs: Date.parse(postedAt),
  }))
}
