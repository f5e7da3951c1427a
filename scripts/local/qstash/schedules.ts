import { Cron } from 'croner'
import { ApiError } from './api-error.ts'
import type { Dispatcher } from './dispatcher.ts'
import { newId } from './ids.ts'
import type { Publisher } from './publish.ts'
import { checkName, parseMessageOptions, type RequestHeaders } from './publish-options.ts'
import type { SettingsStore } from './settings-store.ts'
import type { Timer, TimerHeap } from './timers.ts'
import type { Clock, Limits, ScheduledState, StoredSchedule } from './types.ts'

/** How many of a schedule's messages it shows the states of. */
const KEPT_STATES = 10

const TIMEZONE_PREFIX = /^(?:CRON_)?TZ=(\S+)\s+/

/**
 * The next time of a cron expression with five fields, UTC unless it begins with `CRON_TZ=<zone> `.
 * @returns milliseconds since 1970, after `afterMs`
 * @throws ApiError 400 for an expression that is wrong or never comes true.
 */
export function nextCronMs(expression: string, afterMs: number): number {
  const timezone = TIMEZONE_PREFIX.exec(expression)?.[1] ?? 'UTC'
  // croner reads `?` as the time of starting; QStash, like most crons, as any.
  const pattern = expression.replace(TIMEZONE_PREFIX, '').trim().replaceAll('?', '*')
  let next: Date | null
  try {
    next = new Cron(pattern, { timezone, mode: '5-part' }).nextRun(new Date(afterMs))
  } catch (error) {
    throw new ApiError(400, `invalid cron: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!next) throw new ApiError(400, `invalid cron: "${expression}" never comes true`)
  return next.getTime()
}

export interface SchedulesOptions {
  settings: SettingsStore
  publisher: Publisher
  dispatcher: Dispatcher
  clock: Clock
  timers: TimerHeap
  limits: Limits
  log: (line: string) => void
}

/** Publishes messages at the times of cron expressions. */
export class Schedules {
  private readonly options: SchedulesOptions
  private readonly timers = new Map<string, Timer>()

  constructor(options: SchedulesOptions) {
    this.options = options
  }

  /** Takes up the stored schedules. What fell due while nothing ran is left out, not caught up with. */
  load(): void {
    const { settings, clock } = this.options
    for (const schedule of settings.schedules()) {
      if (schedule.nextAtMs <= clock.now()) {
        schedule.nextAtMs = nextCronMs(schedule.spec.cron, clock.now())
        settings.saveSchedule(schedule)
      }
      this.arm(schedule)
    }
  }

  /**
   * Makes a schedule, or gives the one with this `Upstash-Schedule-Id` new settings; that one stays
   * paused if it is.
   * @throws ApiError 400, 404, 412
   */
  create(request: { destination: string; headers: RequestHeaders; body: Buffer; callerIp: string }): string {
    const { settings, publisher, clock, limits } = this.options
    const { headers, destination, body, callerIp } = request
    const cron = headers['upstash-cron']
    if (cron === undefined) throw new ApiError(400, 'Upstash-Cron header is missing')
    // Deduplication would keep a schedule from firing again within its window.
    const options = {
      ...parseMessageOptions(headers, limits),
      deduplicationId: undefined,
      contentBasedDeduplication: false,
    }
    const queueName = headers['upstash-queue-name']
    if (queueName !== undefined) checkName('queue name', queueName)
    // Whatever would be wrong with its messages is wrong with the schedule, now.
    publisher.drafts({ destination, options, body, callerIp })
    const scheduleId = checkName('schedule id', headers['upstash-schedule-id'] ?? newId('scd'))
    const existing = settings.schedule(scheduleId)
    const nowMs = Math.floor(clock.now())
    const schedule: StoredSchedule = {
      spec: {
        scheduleId,
        cron,
        destination,
        options,
        queueName,
        callerIp,
        createdAtMs: existing?.spec.createdAtMs ?? nowMs,
      },
      body,
      isPaused: existing?.isPaused ?? false,
      lastAtMs: existing?.lastAtMs ?? null,
      nextAtMs: nextCronMs(cron, nowMs),
      lastStates: existing?.lastStates ?? {},
    }
    settings.saveSchedule(schedule)
    this.arm(schedule)
    return scheduleId
  }

  /** @throws ApiError 404 */
  get(scheduleId: string): StoredSchedule {
    const schedule = this.options.settings.schedule(scheduleId)
    if (!schedule) throw new ApiError(404, `schedule ${scheduleId} not found`)
    return schedule
  }

  list(): StoredSchedule[] {
    return this.options.settings.schedules()
  }

  /** @throws ApiError 404 */
  delete(scheduleId: string): void {
    this.disarm(scheduleId)
    if (!this.options.settings.removeSchedule(scheduleId)) {
      throw new ApiError(404, `schedule ${scheduleId} not found`)
    }
  }

  /**
   * A paused schedule lets its times pass.
   * @throws ApiError 404
   */
  setPaused(scheduleId: string, isPaused: boolean): void {
    const { settings, clock } = this.options
    const schedule = this.get(scheduleId)
    schedule.isPaused = isPaused
    schedule.nextAtMs = nextCronMs(schedule.spec.cron, clock.now())
    settings.saveSchedule(schedule)
    this.arm(schedule)
  }

  /** Remembers what became of a schedule's message. */
  recordState(scheduleId: string, messageId: string, state: ScheduledState): void {
    const { settings } = this.options
    const schedule = settings.schedule(scheduleId)
    if (!schedule) return
    const states = { ...schedule.lastStates, [messageId]: state }
    schedule.lastStates = Object.fromEntries(Object.entries(states).slice(-KEPT_STATES))
    settings.saveSchedule(schedule)
  }

  private arm(schedule: StoredSchedule): void {
    const { scheduleId } = schedule.spec
    this.disarm(scheduleId)
    if (schedule.isPaused) return
    this.timers.set(
      scheduleId,
      this.options.timers.at(schedule.nextAtMs, () => this.fire(scheduleId)),
    )
  }

  private disarm(scheduleId: string): void {
    this.timers.get(scheduleId)?.cancel()
    this.timers.delete(scheduleId)
  }

  private fire(scheduleId: string): void {
    const { settings, publisher, dispatcher, clock, log } = this.options
    const schedule = settings.schedule(scheduleId)
    if (!schedule || schedule.isPaused) return
    const { spec, body } = schedule
    schedule.lastAtMs = Math.floor(clock.now())
    // From now, not from the due time: after a long sleep of the machine it fires once.
    schedule.nextAtMs = nextCronMs(spec.cron, Math.max(clock.now(), schedule.nextAtMs))
    try {
      if (spec.queueName !== undefined) publisher.ensureQueue(spec.queueName)
      // Stored together, so that no time is lost or served twice by a crash.
      dispatcher.accept(publisher.drafts({ ...spec, body }), () => settings.saveSchedule(schedule))
    } catch (error) {
      log(`qstash: schedule ${scheduleId}: ${error instanceof Error ? error.message : String(error)}`)
    }
    this.arm(schedule)
  }
}
