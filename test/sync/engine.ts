import { vi } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import { createWorld, type World } from '../../scripts/local/platforms/index.ts'
import type { Stats } from '../../scripts/local/platforms/stats.ts'
import { typedNameOf } from '../../scripts/local/platforms/typed.ts'
import type { Account as Person } from '../../scripts/local/platforms/types.ts'
import type { Db } from '../../src/db/client.ts'
import { PLATFORM_FACTS, type Platform } from '../../src/domain/platforms.ts'
import { AppError } from '../../src/errors.ts'
import { verdictOf } from '../../src/jobs/verdict.ts'
import type { LiveEvent } from '../../src/ports.ts'
import { connectAccount } from '../../src/services/accounts/connect-account.ts'
import type { Account } from '../../src/services/accounts/schemas.ts'
import type { ServiceContext, ServiceDeps } from '../../src/services/context.ts'
import { backfill } from '../../src/services/sync/backfill.ts'
import {
  BackfillMessage,
  PlanMessage,
  RefreshPostsMessage,
  SyncAccountsMessage,
} from '../../src/services/sync/messages.ts'
import { type Plan, planSync } from '../../src/services/sync/plan.ts'
import { refreshPosts } from '../../src/services/sync/refresh-posts.ts'
import { syncAccounts } from '../../src/services/sync/sync-accounts.ts'
import type { TestDatabase } from '../harness/database.ts'
import { makeWorkspace } from '../harness/factories.ts'
import { createContext, type EngineOptions, whileRedisIsGone } from './context.ts'
import { HOSTS, Networks } from './networks.ts'
import { PEOPLE } from './people.ts'
import { type Delivery, TestQueue } from './queue.ts'
import { signIn } from './sign-in.ts'

export { PEOPLE }

/** The sync engine as it is deployed, in this process: only the queue, the network and the clock are doubles. */

export const START_MS = Date.parse('2026-11-22T12:00:00Z')
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export const MASTODON_HOST = HOSTS.mastodon

/** Where a delivery may break: each is reached once with everything before it done. */
export type BreakingPoint = 'before the ingest' | 'after the ingest' | 'at the next publish'

class Crash extends Error {}

/** What becomes of a statement that is sent to the database: it is lost on the way there, or its answer is. */
type Interruption = 'lost' | 'unanswered' | null

/** How messages arrive. */
export type Order = 'in order' | 'shuffled' | 'twice' | 'at once'

export class Engine {
  readonly world: World
  readonly networks: Networks
  readonly queue: TestQueue
  readonly ctx: ServiceContext
  readonly told: LiveEvent[] = []
  /** Generations that the hub was handed, by workspace. */
  readonly heard = new Map<string, Set<number>>()
  /** Addresses that the platforms were asked for. */
  readonly calls: URL[] = []
  /** Answers in place of a platform, where it gives a response. */
  interfere: (url: URL, headers: Headers) => Response | undefined | Promise<Response | undefined> = () =>
    undefined
  /** Breaks the way to the database, for every round trip anew. */
  interrupt: () => Interruption = () => null
  /** Whether the hub can be reached. */
  isHubThere: () => boolean = () => true
  #nowMs = START_MS
  #crash: BreakingPoint | null = null
  readonly #background: Promise<unknown>[] = []

  constructor(database: TestDatabase, workspaceId: string, options: EngineOptions) {
    const now = () => this.#nowMs
    vi.useFakeTimers({ toFake: ['Date'], now: START_MS })
    this.world = createWorld({
      seed: 'sync',
      now,
      epoch: START_MS - (options.historyDays ?? 25) * DAY_MS,
      accounts: options.accounts ?? PEOPLE,
    })
    this.networks = new Networks(this.world, options.limits)
    this.queue = new TestQueue(now)
    this.ctx = createContext(workspaceId, options, {
      db: this.#breakable(database.db),
      hub: {
        announce: async (_workspaceId, events) => void this.told.push(...events),
        publish: async (to, batches) => this.#hear(to, batches),
      },
      waitUntil: (work) => void this.#background.push(work),
      queue: {
        publish: async (messages) => {
          if (messages.length > 0) this.#break('at the next publish')
          await this.queue.publish(messages)
        },
      },
      fetch: (platform, url, init) => this.#answer(platform, url, init),
      clock: { now },
    })
  }

  /** What the platforms have counted. */
  get stats(): Record<Platform, Stats> {
    return this.networks.stats
  }

  /** Of the Mastodon server, which can be closed to those without one. */
  get tokens(): Networks['tokens'] {
    return this.networks.tokens
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get workspaceId(): string {
    return this.ctx.workspace.id
  }

  elapse(ms: number): void {
    this.#nowMs += ms
    vi.setSystemTime(this.#nowMs)
  }

  /** Does something to the world, as the simulator's control interface does. */
  act(verb: string, body: object): string | undefined {
    return runAction(this.world, verb, body)[0]?.postId
  }

  person(key: string): Person {
    const found = this.world.accounts().find((account) => account.key === key)
    if (found === undefined) throw new Error(`There is no ${key}`)
    return found
  }

  /** What is typed to connect somebody. */
  typed(key: string): { platform: Platform; handle: string } {
    const person = this.person(key)
    return { platform: person.platform, handle: typedNameOf(person, person.handle, MASTODON_HOST) }
  }

  /** Connects somebody as people do: by their name or, where the platform wants that, by signing in there. */
  async connect(key: string): Promise<Account> {
    const { platform } = this.person(key)
    const account =
      PLATFORM_FACTS[platform].connects === 'oauth'
        ? await signIn(this, key)
        : await connectAccount(this.ctx, this.typed(key))
    await this.settle()
    return account
  }

  async plan(): Promise<Plan> {
    return planSync(this.ctx, { repeated: true })
  }

  /** Lets one delivery break at a point; the next one to reach it does. */
  crashNext(point: BreakingPoint): void {
    this.#crash = point
  }

  /** Whether that happened; where it did not, nothing breaks any more. */
  recover(): boolean {
    const hasCrashed = this.#crash === null
    this.#crash = null
    return hasCrashed
  }

  /** Delivers one message, as the callbacks' routes do: a failure comes again, or is given up. */
  async deliver(delivery: Delivery, deps: ServiceDeps = this.ctx): Promise<void> {
    try {
      await handle(deps, delivery.message.topic, delivery.message.body)
    } catch (error) {
      const verdict = verdictOf(error)
      if (verdict.status === 489) this.queue.giveUp(delivery, error)
      else if (error instanceof Crash) this.queue.retry(delivery, error, 0)
      else
        this.queue.retry(
          delivery,
          error,
          Number(verdict.headers.get('retry-after') ?? 2 * 4 ** delivery.retried) * 1_000,
        )
    }
    await this.settle()
  }

  /** Delivers what is due, and what comes of it, while the clock stands still. */
  async drain(order: Order = 'in order'): Promise<void> {
    for (let due = this.queue.takeDue(); due.length > 0; due = this.queue.takeDue()) {
      const again = due.map((delivery) => ({ ...delivery }))
      switch (order) {
        case 'in order':
          for (const delivery of due) await this.deliver(delivery)
          break
        case 'twice':
          for (const delivery of due.flatMap((one) => [one, { ...one }])) await this.deliver(delivery)
          break
        case 'shuffled':
          for (const delivery of shuffled([...due, ...again])) await this.deliver(delivery)
          break
        case 'at once':
          await this.#inLanes([...due, ...again])
          break
      }
    }
  }

  /** Lets time pass as it does in production: a plan at every interval, and deliveries when they are due. */
  async live(forMs: number, order: Order = 'in order'): Promise<void> {
    const untilMs = this.#nowMs + forMs
    const everyMs = this.ctx.syncIntervalSeconds * 1_000
    let planAtMs = this.#nowMs + everyMs
    for (;;) {
      const nextMs = Math.min(planAtMs, this.queue.nextDueMs() ?? planAtMs)
      if (nextMs > untilMs) break
      this.elapse(Math.max(0, nextMs - this.#nowMs))
      if (nextMs === planAtMs) {
        await this.plan()
        planAtMs += everyMs
      }
      await this.drain(order)
    }
    this.elapse(untilMs - this.#nowMs)
  }

  /** All at the same time, but for what the queue is asked to hold back. */
  async #inLanes(deliveries: Delivery[]): Promise<void> {
    const lanes = Map.groupBy(deliveries, ({ message }) => message.flow?.key ?? '')
    const workers = [...lanes.values()].flatMap((waiting) => {
      const parallelism = waiting[0]?.message.flow?.parallelism ?? waiting.length
      return Array.from({ length: parallelism }, async () => {
        for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await this.deliver(one)
      })
    })
    await Promise.all(workers)
  }

  async settle(): Promise<void> {
    await Promise.all(this.#background.splice(0))
  }

  async #answer(platform: Platform, url: string, init?: RequestInit): Promise<Response> {
    const address = new URL(url)
    this.calls.push(address)
    return (
      (await this.interfere(address, new Headers(init?.headers))) ??
      this.networks.answer(platform, new Request(url, init))
    )
  }

  /** What a platform itself says at this moment. */
  answerNow(platform: Platform, url: URL, init?: RequestInit): Promise<Response> {
    return this.networks.answer(platform, new Request(url, init))
  }

  #hear(workspaceId: string, batches: { generation: number }[]): void {
    if (!this.isHubThere()) throw new Error('The hub does not answer')
    const heard = this.heard.get(workspaceId) ?? new Set()
    for (const { generation } of batches) heard.add(generation)
    this.heard.set(workspaceId, heard)
  }

  #break(point: BreakingPoint): void {
    if (this.#crash !== point) return
    this.#crash = null
    throw new Crash(point)
  }

  /** An ingest is the only transaction of so many statements. */
  #breakable(db: Db): Db {
    const interrupted = async <T>(run: () => Promise<T>): Promise<T> => {
      const interruption = this.interrupt()
      if (interruption === 'lost') throw unavailable()
      const result = await run()
      if (interruption === 'unanswered') throw unavailable()
      return result
    }
    return {
      outside: (query, run) => interrupted(() => db.outside(query, run)),
      inWorkspace: async (workspaceId, statements, run) => {
        const isIngest = statements.length >= 6
        if (isIngest) this.#break('before the ingest')
        const results = await interrupted(() => db.inWorkspace(workspaceId, statements, run))
        if (isIngest) this.#break('after the ingest')
        return results
      },
    }
  }
}

function unavailable(): AppError {
  return new AppError('unavailable', 'The database does not answer at the moment.', { retryable: true })
}

/** An engine in a workspace of its own, alone in the database: plans look at every workspace. */
export async function startEngine(database: TestDatabase, options: EngineOptions = {}): Promise<Engine> {
  for (const table of ['audit_log', 'workspaces', 'post_snapshots'])
    await database.sql(`DELETE FROM ${table}`)
  return new Engine(database, await makeWorkspace(database, options.timezone), options)
}

/** The same engine, acting in a second workspace. */
export async function secondWorkspace(database: TestDatabase, engine: Engine): Promise<ServiceContext> {
  const id = await makeWorkspace(database, engine.ctx.workspace.timezone)
  return { ...engine.ctx, workspace: { ...engine.ctx.workspace, id } }
}

/** The same engine while Redis does not answer. */
export function withoutRedis(engine: Engine): ServiceContext {
  return whileRedisIsGone(engine.ctx)
}

async function handle(deps: ServiceDeps, topic: string, body: unknown): Promise<void> {
  switch (topic) {
    case 'sync/plan':
      return void (await planSync(deps, PlanMessage.parse(body)))
    case 'sync/accounts':
      return syncAccounts(deps, SyncAccountsMessage.parse(body))
    case 'sync/posts':
      return refreshPosts(deps, RefreshPostsMessage.parse(body))
    case 'sync/backfill':
      return backfill(deps, BackfillMessage.parse(body))
    default:
      throw new Error(`Nobody takes ${topic}`)
  }
}

/** In another order, the same at every run. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item, i) => ({ item, key: (i * 7_919 + 13) % 101 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}
