import { listen } from '../lib/http-server.ts'
import { Database } from './database.ts'
import { Deliverer } from './delivery.ts'
import { Dispatcher } from './dispatcher.ts'
import { type Disturbance, DisturbedDeliverer } from './disturbed-deliverer.ts'
import { FlowControl } from './flow-control.ts'
import { newId } from './ids.ts'
import { messageRoutes } from './message-routes.ts'
import { Publisher } from './publish.ts'
import { Schedules } from './schedules.ts'
import { apiHandler } from './server.ts'
import { settingsRoutes } from './settings-routes.ts'
import { SettingsStore, type SigningKeys } from './settings-store.ts'
import { MessageStore } from './store.ts'
import { TimerHeap } from './timers.ts'
import { type Clock, type Limits, systemClock } from './types.ts'

export type { Disturbance } from './disturbed-deliverer.ts'
export type { Clock, Limits } from './types.ts'

/** Deliveries under way at once, over all destinations. */
const MAX_PARALLELISM = 100

/** Those of QStash's own development server and smaller plans, so that what goes here goes there. */
const DEFAULT_LIMITS: Limits = {
  maxRetries: 5,
  maxDelayMs: 7 * 86_400_000,
  maxMessageBytes: 1_048_576,
  // A local stack runs for days; it is the plan's budget, not the code, that this one is about.
  messagesPerDay: Number.POSITIVE_INFINITY,
}

export interface QStashOptions {
  /** 0 or none: any free port. */
  port?: number
  token: string
  currentSigningKey: string
  nextSigningKey: string
  /** A SQLite file, made where it is not there. One process at a time has it. */
  dataFile: string
  /** Governs due times, schedules and deduplication; signatures follow the real time. */
  clock?: Clock
  log?: (line: string) => void
  /** For tests: multiplies the waits between attempts (0.001 makes 12 s to 12 ms). Delays that a publish asks for keep their length. */
  timeScale?: number
  /** Where a test needs other limits. */
  limits?: Partial<Limits>
}

export interface QStash {
  /** For `new Client({ baseUrl })`. */
  url: string
  port: number
  /** Cuts off what is under way (it is delivered again at the next start) and lets go of port and file. May be called twice. */
  stop(): Promise<void>
  /** As `POST /v2/keys/rotate`: the next key becomes the current, and a new next one is made. */
  rotateKeys(): SigningKeys
  /**
   * Resolves when nothing is due, under way, waiting for its turn or between two attempts. Messages
   * whose first time is yet to come, and those that a pause holds, do not count.
   */
  idle(): Promise<void>
  /** For trying out what destinations bear: decides from now on what goes wrong with each delivery; `null`: nothing. */
  disturb(disturbance: Disturbance | null): void
}

/**
 * Starts a local QStash: the REST API that `@upstash/qstash` speaks, with real signed deliveries.
 * Every accepted message, schedule, dead letter and setting is in `dataFile` before it is answered,
 * and survives the process; delivery is at least once.
 * @throws when the port or the file cannot be had.
 */
export async function startQStash(options: QStashOptions): Promise<QStash> {
  const clock = options.clock ?? systemClock
  const log = options.log ?? (() => {})
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const database = new Database(options.dataFile)
  const settings = new SettingsStore(database)
  const store = new MessageStore(database)
  const timers = new TimerHeap(clock, (error) => log(`qstash: ${String(error)}`))

  const configuredKeys = { current: options.currentSigningKey, next: options.nextSigningKey }
  let signingKeys = settings.signingKeys(configuredKeys)
  const rotateKeys = () => {
    signingKeys = { current: signingKeys.next, next: newId('sig') }
    settings.saveSigningKeys(configuredKeys, signingKeys)
    return signingKeys
  }

  const deliverer = new DisturbedDeliverer(new Deliverer())
  const dispatcher = new Dispatcher({
    store,
    clock,
    timers,
    limits,
    log,
    deliverer,
    timeScale: options.timeScale ?? 1,
    signingKey: () => signingKeys.current,
    flowControl: (start) =>
      new FlowControl({
        clock,
        timers,
        start,
        maxParallelism: MAX_PARALLELISM,
        persist: (key, state) => settings.saveFlowKey(key, state),
      }),
    onScheduledState: (...state) => schedules.recordState(...state),
  })
  const publisher = new Publisher({ dispatcher, settings, clock, limits })
  const schedules = new Schedules({ settings, publisher, dispatcher, clock, timers, limits, log })

  const handler = apiHandler({
    token: options.token,
    log,
    routes: [
      ...messageRoutes({ store, dispatcher, publisher, clock }),
      ...settingsRoutes({
        settings,
        dispatcher,
        schedules,
        clock,
        rotateKeys,
        signingKeys: () => signingKeys,
      }),
    ],
  })
  const server = await listen(handler, { port: options.port ?? 0 }).catch((error: unknown) => {
    database.close()
    throw error
  })

  for (const { key, state } of settings.flowKeys()) dispatcher.flow.restore(key, state)
  for (const queue of settings.queues()) dispatcher.queues.set(queue.name, queue)
  dispatcher.loadPending()
  schedules.load()

  const stop = async () => {
    timers.stop()
    await server.close()
    await dispatcher.stop()
    await deliverer.repeated()
    database.close()
  }
  const idle = async () => {
    do {
      await deliverer.repeated()
      await dispatcher.idle()
    } while (deliverer.isRepeating)
  }
  let stopped: Promise<void> | undefined
  return {
    url: server.url,
    port: server.port,
    rotateKeys,
    idle,
    disturb: (disturbance) => deliverer.disturb(disturbance),
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}
