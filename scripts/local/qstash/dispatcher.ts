import { callbackDraft, responseBody } from './callbacks.ts'
import type { Deliverer } from './delivery.ts'
import type { FlowControl } from './flow-control.ts'
import { newId } from './ids.ts'
import { QueueBoard } from './queues.ts'
import { nextDelayMs } from './retry-delay.ts'
import type { MessageStore, PendingMessage } from './store.ts'
import type { Timer, TimerHeap } from './timers.ts'
import type {
  AttemptResult,
  CallbackSpec,
  Clock,
  Limits,
  LogEntry,
  LogState,
  MessageDraft,
  MessageSpec,
  ScheduledState,
  StoredMessage,
} from './types.ts'

/** Waits before a message is tried again that this program, not its destination, failed on. */
const INTERNAL_ERROR_DELAY_MS = 5000

/** A pending message as the dispatcher sees it; its content stays in the database. */
interface Job extends PendingMessage {
  /** waiting: for its time or its place in a queue; lane: for flow control; inFlight: for the answer. */
  phase: 'waiting' | 'lane' | 'inFlight'
  timer: Timer | null
}

export interface DispatcherOptions {
  store: MessageStore
  deliverer: Pick<Deliverer, 'deliver' | 'close'>
  clock: Clock
  timers: TimerHeap
  limits: Limits
  /** Multiplies the waits between attempts. */
  timeScale: number
  /** The key to sign with now. */
  signingKey: () => string
  flowControl: (start: (messageId: string) => void) => FlowControl
  /** Told of what becomes of a schedule's message. */
  onScheduledState: (scheduleId: string, messageId: string, state: ScheduledState) => void
  log: (line: string) => void
}

export interface Accepted {
  messageId: string
  url: string
  deduplicated?: true
}

/**
 * Moves messages from acceptance to their end: due time and queue place, then flow control, then the
 * call, then delivered, tried again or dead. Each step is in the database before anyone hears of it.
 */
export class Dispatcher {
  readonly flow: FlowControl
  readonly queues: QueueBoard
  private readonly options: DispatcherOptions
  private readonly jobs = new Map<string, Job>()
  private readonly attempts = new Set<Promise<void>>()
  private readonly idleWaiters = new Set<() => void>()
  private inFlight = 0
  private stopped = false
  private dlqCount = 0

  constructor(options: DispatcherOptions) {
    this.options = options
    this.queues = new QueueBoard((messageId, cameDue) => this.release(messageId, cameDue))
    this.flow = options.flowControl((messageId) => this.begin(messageId))
  }

  /** Takes up what an earlier process left: also what it was delivering when it ended. */
  loadPending(): void {
    for (const message of this.options.store.pendingMessages()) this.admit(message)
  }

  /**
   * Stores messages, all or none, and lets them go their way.
   * @param alongside what must be stored with them
   */
  accept(drafts: MessageDraft[], alongside?: () => void): Accepted[] {
    const admitted: PendingMessage[] = []
    const results = this.options.store.transaction(() => {
      alongside?.()
      return drafts.map((draft) => this.acceptOne(draft, admitted))
    })
    for (const message of admitted) this.admit(message)
    return results
  }

  /**
   * Gives up messages. A call under way may still arrive, but is not repeated.
   * @returns how many of them there were
   */
  cancel(messageIds: Iterable<string>): number {
    const { store } = this.options
    const cancelled: Job[] = []
    store.transaction(() => {
      for (const messageId of messageIds) {
        const job = this.jobs.get(messageId)
        if (!job || !store.removeMessage(messageId)) continue
        cancelled.push(job)
        this.log(job.spec, 'CANCELED')
        this.reportSchedule(job.spec, 'FAIL')
      }
    })
    for (const job of cancelled) {
      this.jobs.delete(job.spec.messageId)
      job.timer?.cancel()
      if (job.phase === 'lane') this.flow.cancel(job.spec.messageId, job.spec.flowControl?.key)
    }
    // Only now: each place that is left opens the next, which must not be a cancelled one.
    for (const job of cancelled) if (job.phase !== 'inFlight') this.leaveQueue(job)
    this.checkIdle()
    return cancelled.length
  }

  /** Every message that is not done with. */
  pending(): Iterable<PendingMessage> {
    return this.jobs.values()
  }

  /**
   * Resolves when nothing is due, under way, waiting for its turn or between two attempts. Messages
   * whose first time is yet to come, and those that a pause holds, do not count.
   */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.idleWaiters.add(resolve)
      this.checkIdle()
    })
  }

  /** Something outside changed that may let `idle` resolve, such as a pause. */
  checkIdle(): void {
    if (this.idleWaiters.size === 0 || this.inFlight > 0) return
    for (const job of this.jobs.values()) if (this.isBusy(job)) return
    for (const resolve of this.idleWaiters) resolve()
    this.idleWaiters.clear()
  }

  /** Begins nothing more, and resolves when every call under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true
    this.options.deliverer.close()
    await Promise.all(this.attempts)
    for (const resolve of this.idleWaiters) resolve()
    this.idleWaiters.clear()
  }

  private acceptOne(draft: MessageDraft, admitted: PendingMessage[]): Accepted {
    const { store, clock } = this.options
    const { spec, deduplicationKey } = draft
    if (deduplicationKey !== undefined) {
      const messageId = store.duplicateOf(deduplicationKey, clock.now())
      if (messageId !== undefined) return { messageId, url: spec.url, deduplicated: true }
      store.rememberDeduplication(deduplicationKey, spec.messageId, clock.now())
    }
    admitted.push(store.addMessage(spec, draft.body, draft.position))
    if (spec.flowControl) this.flow.configure(spec.flowControl)
    this.log(spec, 'CREATED')
    this.reportSchedule(spec, 'IN_PROGRESS')
    return { messageId: spec.messageId, url: spec.url }
  }

  private admit(message: PendingMessage): void {
    const { spec } = message
    this.jobs.set(spec.messageId, { ...message, phase: 'waiting', timer: null })
    if (spec.queueName === undefined) this.release(spec.messageId, false)
    else this.queues.add(spec.queueName, message.position, spec.messageId)
  }

  private release(messageId: string, cameDue: boolean): void {
    const job = this.jobs.get(messageId)
    if (!job) return
    if (cameDue || job.dueAtMs <= this.options.clock.now()) this.due(job)
    else job.timer = this.options.timers.at(job.dueAtMs, () => this.due(job))
  }

  private due(job: Job): void {
    const { queueName, messageId, flowControl } = job.spec
    job.timer = null
    if (queueName !== undefined && this.queues.isPaused(queueName)) {
      this.queues.park(queueName, messageId)
      return
    }
    job.phase = 'lane'
    this.flow.enqueue(messageId, flowControl?.key)
  }

  private begin(messageId: string): void {
    const job = this.jobs.get(messageId)
    if (!job) throw new Error(`no pending message ${messageId}`)
    job.phase = 'inFlight'
    if (this.stopped) return
    this.inFlight += 1
    const attempt = this.attempt(job).finally(() => {
      this.attempts.delete(attempt)
      this.inFlight -= 1
      if (this.stopped) return
      // Its place in the queue is passed on before its place in flow control, so that order holds.
      if (!this.jobs.has(messageId)) this.leaveQueue(job)
      this.flow.complete(job.spec.flowControl?.key)
      this.checkIdle()
    })
    this.attempts.add(attempt)
  }

  /** One call and its consequences; never rejects. */
  private async attempt(job: Job): Promise<void> {
    const { store, deliverer, signingKey } = this.options
    const { messageId } = job.spec
    try {
      const message = store.message(messageId)
      if (!message) {
        this.jobs.delete(messageId)
        return
      }
      this.log(message.spec, 'ACTIVE')
      const result = await deliverer.deliver(message, signingKey())
      // Cancelled meanwhile, or cut off by the end of this process: then it is delivered again.
      if (this.jobs.get(messageId) !== job || (this.stopped && result.status === 0)) return
      this.settle(job, message, result)
    } catch (error) {
      this.options.log(`qstash: ${messageId}: ${error instanceof Error ? error.message : String(error)}`)
      if (this.jobs.get(messageId) === job) {
        this.retryAt(job, this.options.clock.now() + INTERNAL_ERROR_DELAY_MS)
      }
    }
  }

  private settle(job: Job, message: StoredMessage, result: AttemptResult): void {
    const { store } = this.options
    const { spec } = message
    const callbacks: PendingMessage[] = []
    const callBack = (callback: CallbackSpec | undefined, dlqId?: string) => {
      if (!callback) return
      const { clock, limits } = this.options
      const draft = callbackDraft({ callback, source: message, result, dlqId, nowMs: clock.now(), limits })
      this.acceptOne(draft, callbacks)
    }
    const retryAtMs = store.transaction(() => {
      callBack(spec.callback)
      if (result.status >= 200 && result.status < 300) {
        store.removeMessage(spec.messageId)
        this.log(spec, 'DELIVERED', { responseStatus: result.status })
        this.reportSchedule(spec, 'SUCCESS')
        return null
      }
      this.log(spec, 'ERROR', failureOf(result))
      if (message.retried < spec.maxRetries && !isNonRetryable(result)) {
        return this.storeRetry(message, result)
      }
      callBack(spec.failureCallback, this.bury(message, result))
      return null
    })
    if (retryAtMs === null) this.jobs.delete(spec.messageId)
    else this.retryAt(job, retryAtMs)
    for (const callback of callbacks) this.admit(callback)
  }

  private storeRetry(message: StoredMessage, result: AttemptResult): number {
    const { store, clock, timeScale } = this.options
    const { spec, retried } = message
    const nowMs = clock.now()
    const delayMs = nextDelayMs({
      retried,
      expression: spec.retryDelayExpression,
      responseHeader: result.header,
      nowMs,
    })
    const dueAtMs = nowMs + delayMs * timeScale
    store.scheduleRetry(spec.messageId, retried + 1, dueAtMs)
    this.log(spec, 'RETRY', { nextDeliveryTime: Math.round(dueAtMs) })
    return dueAtMs
  }

  /** Moves a message to the dead letters. */
  private bury(message: StoredMessage, result: AttemptResult): string {
    const { store, clock } = this.options
    const { spec, body, retried } = message
    const failedAtMs = clock.now()
    this.dlqCount += 1
    const dlqId = `${Math.floor(failedAtMs)}-${this.dlqCount}-${newId('msg').slice(-6)}`
    store.removeMessage(spec.messageId)
    store.addDeadLetter({ dlqId, failedAtMs, retried, spec, body, response: result })
    this.log(spec, 'FAILED', failureOf(result))
    this.reportSchedule(spec, 'FAIL')
    return dlqId
  }

  private retryAt(job: Job, dueAtMs: number): void {
    job.phase = 'waiting'
    job.attempted = true
    job.dueAtMs = dueAtMs
    job.timer = this.options.timers.at(dueAtMs, () => this.due(job))
  }

  private leaveQueue(job: Job): void {
    const { queueName, messageId } = job.spec
    if (queueName !== undefined) this.queues.remove(queueName, job.position, messageId)
  }

  private isBusy(job: Job): boolean {
    const { flowControl, queueName } = job.spec
    if (job.phase === 'inFlight') return true
    if (this.flow.isPaused(flowControl?.key) || this.queues.isPaused(queueName)) return false
    return job.phase === 'lane' || job.attempted || job.dueAtMs <= this.options.clock.now()
  }

  private reportSchedule(spec: MessageSpec, state: ScheduledState): void {
    if (spec.scheduleId !== undefined) {
      this.options.onScheduledState(spec.scheduleId, spec.messageId, state)
    }
  }

  private log(spec: MessageSpec, state: LogState, details: Partial<LogEntry> = {}): void {
    this.options.store.log({
      time: Math.floor(this.options.clock.now()),
      state,
      messageId: spec.messageId,
      url: spec.url,
      method: spec.method,
      header: spec.header,
      maxRetries: spec.maxRetries,
      callerIp: spec.callerIp,
      labels: spec.labels,
      label: spec.labels[0],
      topicName: spec.topicName,
      endpointName: spec.endpointName,
      queueName: spec.queueName,
      scheduleId: spec.scheduleId,
      flowControlKey: spec.flowControl?.key,
      ...details,
    })
  }
}

/** 489 with the header is QStash's agreed way to say: do not try this again. */
function isNonRetryable(result: AttemptResult): boolean {
  return result.status === 489 && result.header['Upstash-Nonretryable-Error']?.[0]?.toLowerCase() === 'true'
}

function failureOf(result: AttemptResult): Partial<LogEntry> {
  return {
    error: result.error ?? `unexpected status ${result.status}`,
    responseStatus: result.status === 0 ? undefined : result.status,
    responseBody: responseBody(result).toString('base64'),
  }
}
