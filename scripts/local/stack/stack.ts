import { mkdir, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Build, ensureBuilt } from '../../build.ts'
import { registerSchedules } from '../../operate/schedules.ts'
import type { Platforms } from '../platforms/index.ts'
import { type QStash, startQStash } from '../qstash/index.ts'
import type { RedisHandle } from '../redis.ts'
import { type Bindings, configureWorker, ignoredVariables, type Variables } from './configuration.ts'
import { clearHalfHistory, ensureHistory } from './demo-history.ts'
import { confirmDemoAddress, ensureDemoUser, type Instance } from './demo-user.ts'
import { lockDirectory } from './directory-lock.ts'
import { layOutStack, type StackLayout } from './layout.ts'
import { stopOrphans } from './orphans.ts'
import { chooseFreePorts, chooseStablePorts, claimPort, reservePort } from './ports.ts'
import type { KeptPostgres } from './postgres-keeper.ts'
import { resetState } from './reset.ts'
import { loadSecrets, writePrivate } from './secrets.ts'
import { startCache, startDatabase, startMail, startWorld, type WorldChoice } from './stand-ins.ts'
import { createStoppers, type Stoppers } from './stoppers.ts'
import type { Worker } from './worker.ts'
import { startWorkers } from './workers.ts'

export interface StackOptions {
  /** Everything that is kept lies here. */
  directory: string
  /** Of the Worker; 0: any. */
  port: number
  /** The caller's environment: any variable of the Worker's configuration, and `REDIS_URL`. */
  variables: Variables
  /** Throws away what was kept. */
  reset?: boolean
  /** Leaves a new workspace without accounts. */
  empty?: boolean
  /** Takes whatever ports are free, for a stack that is thrown away. */
  isTemporary?: boolean
  /** What is to be otherwise of the simulated platforms. */
  world?: WorldChoice
  /** Where another Worker than the project's is to be run. */
  build?: () => Promise<Build>
  log: (line: string) => void
  /** Called once, when something that cannot be replaced is gone. */
  onFailure: (error: Error) => void
  /** Gives up starting. */
  signal?: AbortSignal
}

export interface LocalInstance extends Instance {
  /** Where mails can be seen that the Worker has sent. */
  mailUrl: string
}

export interface LocalStack {
  instance: LocalInstance
  /** What both Workers were given. */
  bindings: Bindings
  /** The database's address as its owner, who sees every workspace. */
  ownerUrl: string
  postgres: KeptPostgres
  redis: RedisHandle
  platforms: Platforms
  qstash: QStash
  worker: Worker
  /** The Worker that takes the queue's callbacks. */
  sync: Worker
  layout: StackLayout
  /** Stops everything in order. May be called twice. */
  stop(): Promise<void>
}

/** The system closes a killed process's sockets shortly after it has called it dead. */
const ORPHAN_PORT_PATIENCE_MS = 3_000

/**
 * Starts everything that the Workers need, and the Workers, with a person who may do everything.
 * @throws DirectoryInUseError, PortTakenError, ConfigurationError, or what a part says that does not start;
 *   whatever had been started is stopped by then.
 */
export async function startLocalStack(options: StackOptions): Promise<LocalStack> {
  const stoppers = createStoppers(options.log)
  try {
    return await start(options, stoppers)
  } catch (error) {
    await stoppers.stop()
    throw error
  }
}

async function start(options: StackOptions, stoppers: Stoppers): Promise<LocalStack> {
  const { variables, log, signal } = options
  const layout = layOutStack(options.directory)
  await mkdir(layout.directory, { recursive: true })
  const lock = lockDirectory(layout.directory)
  stoppers.add('The lock', () => lock.release())

  const orphans = await stopOrphans(layout, log)
  const port = await claimPort(options.port, orphans.length > 0 ? ORPHAN_PORT_PATIENCE_MS : 0)
  const publicUrl = `http://127.0.0.1:${port}`
  lock.announce(publicUrl)
  if (options.reset) {
    await resetState(layout)
    log('Threw away what was kept')
  }

  const secrets = await loadSecrets(layout.secretsFile)
  const ports = options.isTemporary
    ? await chooseFreePorts()
    : await chooseStablePorts({
        file: layout.portsFile,
        laterFile: layout.laterPortsFile,
        workerPort: port,
        log,
      })
  const freeQueuePort = await reservePort(ports.qstash)
  stoppers.add('The port of QStash', freeQueuePort)
  const { bindings, simulated } = configureWorker({ variables, secrets, ports, publicUrl })
  for (const name of ignoredVariables(variables)) log(`${name} is ignored: the local stack has its own`)

  const parts = { layout, ports, secrets, stoppers, log, onFailure: options.onFailure }
  const build = options.build ?? (() => ensureBuilt({ log, signal }))
  const [{ postgres, ownerUrl }, redis, platforms, mail, built] = await allOrNone([
    startDatabase({ ...parts, appUrl: bindings.DATABASE_URL ?? '' }),
    startCache({ ...parts, redisUrl: variables.REDIS_URL }),
    startWorld({ ...parts, world: options.world ?? {} }),
    startMail(parts),
    build(),
  ])
  log('Postgres, Redis and the simulated platforms run')
  signal?.throwIfAborted()

  const { worker, sync } = await startWorkers({ ...parts, built, bindings, port, signal })
  signal?.throwIfAborted()

  const demo = await ensureDemoUser({
    url: publicUrl,
    password: secrets.demoPassword,
    apiKey: await keptApiKey(layout.instanceFile),
  })
  await confirmDemoAddress(ownerUrl)
  const instance: LocalInstance = { ...demo, mailUrl: mail.url }
  await writePrivate(layout.instanceFile, instance)
  const { workspaceId } = instance
  await clearHalfHistory({ ownerUrl, marker: layout.historyMarker, workspaceId })
  if (!options.empty) {
    const making = ensureHistory({
      ownerUrl,
      marker: layout.historyMarker,
      workspaceId,
      bindings,
      world: platforms.world,
      interventionsFile: layout.interventionsFile,
      // What another network knows is not for this history to say.
      platforms: [...simulated],
      mastodonHost: platforms.mastodon.host,
      log,
    })
    const accounts = await unlessAborted(making, signal)
    if (accounts > 0) log(`Connected ${accounts} simulated accounts with their history`)
  }
  signal?.throwIfAborted()

  // Last, so that nothing is delivered to a Worker that does not serve yet.
  await freeQueuePort()
  const qstash = await startQStash({
    port: ports.qstash,
    token: secrets.qstashToken,
    currentSigningKey: secrets.qstashCurrentSigningKey,
    nextSigningKey: secrets.qstashNextSigningKey,
    dataFile: layout.qstashFile,
    log,
  })
  stoppers.add('QStash', () => qstash.stop())
  const callbacksUrl = bindings.CALLBACKS_URL ?? publicUrl
  await registerSchedules({ qstashUrl: qstash.url, token: secrets.qstashToken, callbacksUrl })
  return {
    instance,
    bindings,
    ownerUrl,
    postgres,
    redis,
    platforms,
    qstash,
    worker,
    sync,
    layout,
    stop: () => stoppers.stop(),
  }
}

/** Stops waiting for something long when nobody wants it any more; what becomes of it then is of no interest. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = () => reject(signal.reason)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
  })
  return Promise.race([work, aborted])
}

/** Waits for all, also where one fails: what is still starting could not be stopped. */
async function allOrNone<T extends readonly unknown[]>(
  parts: {
    [K in keyof T]: Promise<T[K]>
  },
): Promise<T> {
  await Promise.allSettled(parts)
  return resolved(Promise.all(parts))
}

/** `Promise.all` over a mapped tuple type answers in that tuple's types, which the compiler does not see. */
function resolved<T>(all: Promise<unknown>): Promise<T> {
  return all as Promise<T>
}

async function keptApiKey(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '{}')
  return z.object({ apiKey: z.string() }).partial().catch({}).parse(parseJson(text)).apiKey
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
