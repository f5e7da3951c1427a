import { NETWORKS } from '../../scripts/local/platforms/networks.ts'
import { createRandom, type Random } from '../../scripts/local/platforms/random.ts'
import { PLATFORMS, type Platform } from '../../src/domain/platforms.ts'
import { sweepOutbox } from '../../src/services/sync/sweep-outbox.ts'
import type { TestDatabase } from '../harness/database.ts'
import { type BreakingPoint, DAY_MS, type Engine, HOUR_MS, MINUTE_MS, withoutRedis } from './engine.ts'
import { signIn } from './sign-in.ts'

/** Hours in which everything goes wrong that can, on all platforms at once; then quiet. */

const POINTS: readonly BreakingPoint[] = ['before the ingest', 'after the ingest', 'at the next publish']
const FAULTS = ['burst429', 'outage', 'truncate', 'malform'] as const

/** How often each thing has happened: chaos in which nothing happens proves nothing. */
interface Toll {
  crashes: number
  repeated: number
  swapped: number
  lostStatements: number
  unansweredStatements: number
  redisOutages: number
  unheardEvents: number
  faults: number
  posts: number
  likes: number
  edits: number
  deletions: number
}

export class Chaos {
  readonly toll: Toll = {
    ...{ crashes: 0, repeated: 0, swapped: 0, lostStatements: 0, unansweredStatements: 0, redisOutages: 0 },
    ...{ unheardEvents: 0, faults: 0, posts: 0, likes: 0, edits: 0, deletions: 0 },
  }
  readonly #engine: Engine
  /** What happens at each step: the same at every run of a seed. */
  readonly #random: Random
  /** What becomes of statements, events and messages: how many there are is up to the machine. */
  readonly #mishaps: Random

  constructor(engine: Engine, seed: string) {
    this.#engine = engine
    this.#random = createRandom('chaos', seed)
    this.#mishaps = createRandom('chaos', seed, 'mishaps')
  }

  /** Lets simulated time pass in steps of some minutes, with all that can happen in each of them. */
  async rage(hours: number): Promise<void> {
    const engine = this.#engine
    engine.interrupt = () => {
      const roll = this.#mishaps.next()
      if (roll < 0.015) return this.#count('lostStatements', 'lost')
      return roll < 0.03 ? this.#count('unansweredStatements', 'unanswered') : null
    }
    engine.isHubThere = () => this.#mishaps.next() > 0.1 || this.#count('unheardEvents', false)
    const untilMs = engine.nowMs + hours * HOUR_MS
    while (engine.nowMs < untilMs) {
      engine.elapse(this.#random.int(1, 9) * MINUTE_MS)
      this.#liveOn()
      if (this.#random.next() < 0.35) this.#disturb()
      const restore = this.#random.next() < 0.08 ? this.#cutRedis() : () => {}
      // A plan that breaks comes again with the next.
      await engine.plan().catch(() => {})
      await this.#deliverSomehow()
      restore()
    }
    engine.interrupt = () => null
    engine.isHubThere = () => true
    engine.recover()
    engine.act('clear', {})
  }

  /**
   * Signs in again for those whose renewed token was lost before it was stored: a platform takes the old one
   * no more then, and only its owner can help. @returns how many
   */
  async signInAgain(database: TestDatabase): Promise<number> {
    const stopped = await database.sql<{ id: string; external_id: string }>(
      "SELECT id, external_id FROM accounts WHERE status = 'needs_auth'",
    )
    for (const { id, external_id } of stopped) {
      const account = this.#engine.world.accounts().find((one) => one.id === external_id)
      if (account !== undefined) await signIn(this.#engine, account.key, id)
    }
    return stopped.length
  }

  /** Lets all be as it should until everything was read again, whatever it takes of the platforms' time. */
  async calm(database: TestDatabase): Promise<void> {
    const engine = this.#engine
    await engine.live(40 * MINUTE_MS)
    // LinkedIn says "too many" of a day, and is asked again on the next.
    engine.elapse(Math.ceil(engine.nowMs / DAY_MS) * DAY_MS - engine.nowMs + MINUTE_MS)
    // Twice with time in between, which is what it takes to believe that a post is gone.
    for (let round = 0; round < 3; round++) {
      engine.elapse(12 * MINUTE_MS)
      const now = new Date(engine.nowMs)
      await database.sql("UPDATE accounts SET next_sync_at = $1 WHERE status = 'active'", [now])
      await database.sql(
        "UPDATE posts SET next_refresh_at = $1 WHERE kind <> 'repost' AND deleted_at IS NULL",
        [now],
      )
      await engine.plan()
      await engine.drain()
    }
    await database.sql("UPDATE outbox SET created_at = created_at - interval '1 minute'")
    await sweepOutbox(engine.ctx)
    await engine.settle()
  }

  #count<T>(what: keyof Toll, result: T): T {
    this.toll[what] += 1
    return result
  }

  /** What the people do. */
  #liveOn(): void {
    const engine = this.#engine
    for (const account of engine.world.accounts()) {
      const { platform, id } = account
      if (this.#random.next() < 0.06) {
        engine.act('publish', { platform, account: id, text: this.#words(), growth: 'organic' })
        this.#count('posts', null)
      }
      if (this.#random.next() > 0.25) continue
      const shown = engine.world.posts(account, { t: engine.nowMs, limit: 12, where: isOwn })
      const post = shown.length === 0 ? undefined : this.#random.pick(shown).id
      if (post === undefined) continue
      const roll = this.#random.next()
      if (roll < 0.8) {
        const counts = { likes: this.#random.int(1, 20), replies: this.#random.int(0, 3) }
        engine.act('adjust', { platform, post, ...counts })
        this.#count('likes', null)
      } else if (roll < 0.9 && NETWORKS[platform].canEdit) {
        engine.act('edit', { platform, post, text: this.#words() })
        this.#count('edits', null)
      } else if (roll >= 0.93) {
        engine.act('delete', { platform, post })
        this.#count('deletions', null)
      }
    }
  }

  #words(): string {
    return `Number ${this.#random.int(1, 9_999)} #${this.#random.pick(['ebb', 'tide', 'flood', 'neap'])}`
  }

  /** Something happens to a platform, for some minutes. */
  #disturb(): void {
    const platform: Platform = this.#random.pick(PLATFORMS)
    const durationMs = this.#random.int(1, 12) * MINUTE_MS
    const verb = this.#random.pick(FAULTS)
    const status = this.#random.pick([500, 502, 503])
    const isHtml = this.#random.next() < 0.5
    this.#engine.act(verb, { platform, durationMs, ...(verb === 'outage' && { status, isHtml }) })
    this.#count('faults', null)
  }

  /** Redis is away until the answer is called. */
  #cutRedis(): () => void {
    const { ctx } = this.#engine
    const { gate, gateOperations, watchList } = ctx
    const gone = withoutRedis(this.#engine)
    Object.assign(ctx, {
      gate: gone.gate,
      gateOperations: gone.gateOperations,
      watchList: this.#random.next() < 0.5 ? gone.watchList : watchList,
    })
    this.#count('redisOutages', null)
    return () => void Object.assign(ctx, { gate, gateOperations, watchList })
  }

  /** Delivers what is due, some of it twice, in any order, some of it broken off on the way. */
  async #deliverSomehow(): Promise<void> {
    const engine = this.#engine
    for (let round = 0; round < 12; round++) {
      const due = engine.queue.takeDue()
      if (due.length === 0) return
      const again = due.filter(() => this.#mishaps.next() < 0.15 && this.#count('repeated', true))
      const all = [...due, ...again.map((delivery) => ({ ...delivery }))]
      for (let i = all.length - 1; i > 0; i--) {
        const j = this.#mishaps.int(0, i)
        const [one, other] = [all[i], all[j]]
        if (one === undefined || other === undefined || i === j) continue
        all[i] = other
        all[j] = one
        this.#count('swapped', null)
      }
      for (const delivery of all) {
        const crashes = this.#mishaps.chance(0.12)
        if (crashes) engine.crashNext(this.#mishaps.pick(POINTS))
        await engine.deliver(delivery)
        if (crashes && engine.recover()) this.#count('crashes', null)
      }
    }
  }
}

const isOwn = ({ kind }: { kind: string }): boolean => kind === 'post'
