import type { Timer, TimerHeap } from './timers.ts'
import type { Clock, FlowControlSpec, FlowKeyState } from './types.ts'

/** Messages that share their limits: those of one flow-control key, or all without one. */
interface Lane {
  key: string | null
  state: FlowKeyState
  active: number
  /** First in, first out. */
  waiting: Set<string>
  /** Set while the lane waits for its next rate period. */
  wake: Timer | null
}

export interface FlowControlOptions {
  /** Deliveries under way at once, over all keys. */
  maxParallelism: number
  clock: Clock
  timers: TimerHeap
  /** Begins the delivery of a message whose turn it is. */
  start: (messageId: string) => void
  /** Keeps what must outlive the process. */
  persist: (key: string, state: FlowKeyState) => void
}

const unlimited = (): FlowKeyState => ({
  parallelismMax: 0,
  rateMax: 0,
  ratePeriodSeconds: 1,
  ratePeriodStartMs: 0,
  rateCount: 0,
  isPaused: false,
  isPinnedParallelism: false,
  isPinnedRate: false,
})

/**
 * Decides when a due message may go: within its key's parallelism and rate, and within the global
 * parallelism; keys take turns. A delivery counts against a rate when it begins, retries included.
 */
export class FlowControl {
  readonly maxParallelism: number
  private readonly clock: Clock
  private readonly timers: TimerHeap
  private readonly start: (messageId: string) => void
  private readonly persist: (key: string, state: FlowKeyState) => void
  private readonly plain: Lane = newLane(null, unlimited())
  private readonly lanes = new Map<string, Lane>()
  /** Lanes that may have something to begin. */
  private readonly ready = new Set<Lane>()
  private activeTotal = 0

  constructor(options: FlowControlOptions) {
    this.maxParallelism = options.maxParallelism
    this.clock = options.clock
    this.timers = options.timers
    this.start = options.start
    this.persist = options.persist
  }

  get activeCount(): number {
    return this.activeTotal
  }

  /** Takes a key back from storage. */
  restore(key: string, state: FlowKeyState): void {
    this.lanes.set(key, newLane(key, state))
  }

  /** The newest message of a key sets its limits, unless they are pinned. */
  configure(spec: FlowControlSpec): void {
    const { state } = this.lane(spec.key)
    const before = JSON.stringify(state)
    if (!state.isPinnedParallelism) state.parallelismMax = spec.parallelism ?? 0
    if (!state.isPinnedRate) {
      state.rateMax = spec.rate ?? 0
      state.ratePeriodSeconds = spec.periodSeconds
    }
    if (before !== JSON.stringify(state)) this.save(spec.key)
  }

  /** Lets a due message wait for its turn, which may come at once. */
  enqueue(messageId: string, key: string | undefined): void {
    const lane = this.lane(key)
    lane.waiting.add(messageId)
    this.ready.add(lane)
    this.pump()
  }

  /** Takes a message out that still waits. */
  cancel(messageId: string, key: string | undefined): void {
    this.lane(key).waiting.delete(messageId)
  }

  /** A delivery that was begun has ended, well or badly. */
  complete(key: string | undefined): void {
    const lane = this.lane(key)
    lane.active -= 1
    this.activeTotal -= 1
    this.ready.add(lane)
    this.pump()
  }

  isPaused(key: string | undefined): boolean {
    return key !== undefined && (this.lanes.get(key)?.state.isPaused ?? false)
  }

  /** @returns `undefined` for a key that was never used. */
  describe(key: string) {
    const lane = this.lanes.get(key)
    if (!lane) return undefined
    const { state } = lane
    this.rollPeriod(state)
    return {
      flowControlKey: key,
      waitListSize: lane.waiting.size,
      parallelismMax: state.parallelismMax,
      parallelismCount: lane.active,
      rateMax: state.rateMax,
      rateCount: state.rateCount,
      ratePeriod: state.ratePeriodSeconds,
      ratePeriodStart: Math.floor(state.ratePeriodStartMs / 1000),
      isPaused: state.isPaused,
      isPinnedParallelism: state.isPinnedParallelism,
      isPinnedRate: state.isPinnedRate,
    }
  }

  keys(): string[] {
    return [...this.lanes.keys()]
  }

  pause(key: string): void {
    this.change(key, (state) => {
      state.isPaused = true
    })
  }

  resume(key: string): void {
    this.change(key, (state) => {
      state.isPaused = false
    })
  }

  /** Holds limits against what new messages ask for; `undefined` leaves that limit alone. */
  pin(key: string, limits: { parallelism?: number; rate?: number; periodSeconds?: number }): void {
    this.change(key, (state) => {
      if (limits.parallelism !== undefined) {
        state.parallelismMax = limits.parallelism
        state.isPinnedParallelism = true
      }
      if (limits.rate !== undefined) {
        state.rateMax = limits.rate
        state.ratePeriodSeconds = limits.periodSeconds ?? 1
        state.isPinnedRate = true
      }
      resetPeriod(state, this.clock.now())
    })
  }

  /** The limits stay until the next message of the key brings others. */
  unpin(key: string, which: { parallelism: boolean; rate: boolean }): void {
    this.change(key, (state) => {
      if (which.parallelism) state.isPinnedParallelism = false
      if (which.rate) state.isPinnedRate = false
    })
  }

  /** Begins a new rate period now. */
  resetRate(key: string): void {
    this.change(key, (state) => resetPeriod(state, this.clock.now()))
  }

  private change(key: string, apply: (state: FlowKeyState) => void): void {
    const lane = this.lane(key)
    apply(lane.state)
    this.save(key)
    lane.wake?.cancel()
    lane.wake = null
    this.ready.add(lane)
    this.pump()
  }

  private lane(key: string | undefined): Lane {
    if (key === undefined) return this.plain
    let lane = this.lanes.get(key)
    if (!lane) {
      lane = newLane(key, unlimited())
      this.lanes.set(key, lane)
    }
    return lane
  }

  private save(key: string): void {
    this.persist(key, this.lane(key).state)
  }

  private pump(): void {
    for (const lane of this.ready) {
      if (this.activeTotal >= this.maxParallelism) return
      this.ready.delete(lane)
      const messageId = this.take(lane)
      if (messageId === null) continue
      // At the end of the set: the other lanes come first.
      this.ready.add(lane)
      this.start(messageId)
    }
  }

  /** The lane's next message, counted as begun; `null` when it has none or may not. */
  private take(lane: Lane): string | null {
    const { state } = lane
    const [messageId] = lane.waiting
    if (messageId === undefined || state.isPaused || lane.wake) return null
    if (state.parallelismMax > 0 && lane.active >= state.parallelismMax) return null
    if (state.rateMax > 0) {
      this.rollPeriod(state)
      if (state.rateCount >= state.rateMax) {
        this.wakeAtNextPeriod(lane)
        return null
      }
      if (state.rateCount === 0) state.ratePeriodStartMs = this.clock.now()
      state.rateCount += 1
      if (lane.key !== null) this.save(lane.key)
    }
    lane.waiting.delete(messageId)
    lane.active += 1
    this.activeTotal += 1
    return messageId
  }

  private wakeAtNextPeriod(lane: Lane): void {
    const { ratePeriodStartMs, ratePeriodSeconds } = lane.state
    lane.wake = this.timers.at(ratePeriodStartMs + ratePeriodSeconds * 1000, () => {
      lane.wake = null
      this.ready.add(lane)
      this.pump()
    })
  }

  private rollPeriod(state: FlowKeyState): void {
    const now = this.clock.now()
    if (now >= state.ratePeriodStartMs + state.ratePeriodSeconds * 1000) resetPeriod(state, now)
  }
}

function newLane(key: string | null, state: FlowKeyState): Lane {
  return { key, state, active: 0, waiting: new Set(), wake: null }
}

function resetPeriod(state: FlowKeyState, nowMs: number): void {
  state.ratePeriodStartMs = nowMs
  state.rateCount = 0
}
