import { verdictOf } from '../../../src/jobs/verdict.ts'
import type { QueueMessage } from '../../../src/ports.ts'
import type { ServiceDeps } from '../../../src/services/context.ts'
import { backfill } from '../../../src/services/sync/backfill.ts'
import {
  BackfillMessage,
  RefreshPostsMessage,
  SyncAccountsMessage,
} from '../../../src/services/sync/messages.ts'
import { planSync } from '../../../src/services/sync/plan.ts'
import { refreshPosts } from '../../../src/services/sync/refresh-posts.ts'
import { syncAccounts } from '../../../src/services/sync/sync-accounts.ts'
import { type Delivery, TestQueue } from '../../../test/sync/queue.ts'
import type { Background } from './background.ts'
import type { MovableClock } from './clock.ts'

export interface RunOptions {
  /** Asked when nothing is under way and nothing waits for its turn. */
  isDone: () => Promise<boolean>
  /** What is not done after so long is left. */
  mostMs: number
  /** Before every plan that finds nothing under way. */
  onPlan?: () => void
}

interface Lane {
  parallelism: number
  underWay: number
  waiting: Delivery[]
}

/**
 * The sync engine with its schedule and its queue: a plan at every interval, and as many of a host's messages
 * delivered at once as they ask for. Where nothing is to be done before a later moment, the clock is moved.
 */
export class SyncEngine {
  readonly deps: ServiceDeps
  /** By how much the clock was moved. */
  waitedMs = 0
  /** Deliveries that failed and came again. */
  retried = 0
  readonly #clock: MovableClock
  readonly #queue: TestQueue
  readonly #background: Background
  readonly #lanes = new Map<string, Lane>()
  #underWay = 0
  #wake = Promise.withResolvers<void>()
  #broken: unknown

  constructor(parts: {
    deps: Omit<ServiceDeps, 'queue' | 'clock' | 'waitUntil'>
    clock: MovableClock
    background: Background
  }) {
    const { clock, background } = parts
    this.#clock = clock
    this.#background = background
    this.#queue = new TestQueue(clock.now)
    this.deps = { ...parts.deps, clock, queue: this.#queue, waitUntil: background.add }
  }

  /** Lets the clock stand later at once. */
  wait(ms: number): void {
    this.#clock.advance(ms)
    this.waitedMs += ms
  }

  /** Forgets what waits to be delivered. */
  async forget(): Promise<QueueMessage[]> {
    await this.#background.settled()
    return this.#queue.lose()
  }

  /** Plans and delivers until it is done, or for so long. */
  async run({ isDone, mostMs, onPlan }: RunOptions): Promise<void> {
    const { now } = this.#clock
    const endMs = now() + mostMs
    let planAtMs = now()
    for (;;) {
      if (this.#broken !== undefined) throw this.#broken
      if (now() >= planAtMs) {
        if (this.#underWay === 0) onPlan?.()
        planAtMs = now() + this.deps.syncIntervalSeconds * 1_000
        this.#start(async () => void (await planSync(this.deps, { repeated: true })))
      }
      this.#startDue()
      const nextMs = Math.min(planAtMs, this.#queue.nextDueMs() ?? planAtMs)
      if (this.#underWay > 0) {
        await this.#wakesUp(nextMs - now())
        continue
      }
      await this.#background.settled()
      if (this.#queue.nextDueMs() === null && (await isDone())) return
      if (nextMs >= endMs) {
        this.#queue.lose()
        return
      }
      this.wait(Math.max(0, nextMs - now()))
    }
  }

  /** When something that was under way is done, or after so long. */
  async #wakesUp(afterMs: number): Promise<void> {
    const timer = setTimeout(() => this.#wake.resolve(), Math.max(0, afterMs))
    await this.#wake.promise
    clearTimeout(timer)
    this.#wake = Promise.withResolvers()
  }

  #start(work: () => Promise<void>): void {
    this.#underWay += 1
    work()
      .catch((error: unknown) => {
        this.#broken = error
      })
      .finally(() => {
        this.#underWay -= 1
        this.#wake.resolve()
      })
  }

  #startDue(): void {
    for (const delivery of this.#queue.takeDue()) {
      const { key, parallelism } = delivery.message.flow ?? { key: '', parallelism: 1 }
      const lane = this.#lanes.get(key) ?? { parallelism, underWay: 0, waiting: [] }
      this.#lanes.set(key, lane)
      lane.waiting.push(delivery)
    }
    for (const lane of this.#lanes.values()) {
      while (lane.underWay < lane.parallelism) {
        const delivery = lane.waiting.shift()
        if (delivery === undefined) break
        lane.underWay += 1
        this.#start(async () => {
          await this.#deliver(delivery)
          lane.underWay -= 1
        })
      }
    }
  }

  /** As the callbacks' routes do: what fails comes again, and what will never do is an error of the benchmark. */
  async #deliver(delivery: Delivery): Promise<void> {
    try {
      await this.#handle(delivery.message)
    } catch (error) {
      const verdict = verdictOf(error)
      if (verdict.status === 489) throw error
      this.retried += 1
      const afterSeconds = Number(verdict.headers.get('retry-after') ?? 12)
      this.#queue.retry(delivery, error, afterSeconds * 1_000)
      const [given] = this.#queue.dead
      if (given !== undefined) throw given.error
    }
  }

  async #handle({ topic, body }: QueueMessage): Promise<void> {
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
