import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import type { Platforms } from '../../scripts/local/platforms/index.ts'
import type { QStash } from '../../scripts/local/qstash/index.ts'
import { PortTakenError } from '../../scripts/local/stack/ports.ts'
import { type LocalStack, startLocalStack } from '../../scripts/local/stack/stack.ts'
import type { WorldChoice } from '../../scripts/local/stack/stand-ins.ts'

export interface TestStackOptions {
  /** Variables of the Worker's configuration, over the local stack's defaults. */
  env?: Record<string, string>
  /** Without accounts, as is the default here: a history takes its time. */
  empty?: boolean
  syncIntervalSeconds?: number
  /** The simulated platforms' clock, in milliseconds since 1970. */
  now?: () => number
  /** What else is to be otherwise of the simulated platforms. */
  world?: Omit<WorldChoice, 'now'>
  /** Told what `npm start` would print. */
  log?: (line: string) => void
  /** Gives up starting. */
  signal?: AbortSignal
  /** Called once, when a part of the stack is gone for good. */
  onFailure?: (error: Error) => void
}

export interface TestStack {
  /** Where the Worker is reached. */
  url: string
  /** Where the Worker believes to be reached. */
  publicUrl: string
  /** What the queue calls: the sync Worker. */
  callbacksUrl: string
  email: string
  password: string
  /** Has every scope. */
  apiKey: string
  workspaceId: string
  /** Where mails can be seen that the Worker has sent; `/mails.json` lists them, newest first. */
  mailUrl: string
  /** SQL as the owner, who sees every workspace. */
  ownerSql<R extends object>(text: string, params?: unknown[]): Promise<R[]>
  /** The simulator and its control interface. */
  platforms: Platforms
  qstash: QStash
  /** What both Workers were given, secrets included. */
  bindings: Readonly<Record<string, string>>
  /** The process id of the workerd that runs now. */
  workerdPid(): number
  /** As a deployment: every isolate is lost. */
  restartWorker(): Promise<void>
  /** SIGKILL of the workerd that people ask; resolves when it serves again. */
  killWorker(): Promise<void>
  /** SIGKILL of the workerd that the queue calls; resolves when it serves again. */
  killSync(): Promise<void>
  /** SIGKILL of the stack's own Redis, which is away for so long; resolves when it answers. */
  killRedis(downMs: number): Promise<void>
  /** SIGKILL of Postgres' main process, which is away for so long; resolves when it answers. */
  killPostgres(downMs: number): Promise<void>
  /** Stops everything and removes its data. @throws when a part of the stack had failed meanwhile. */
  stop(): Promise<void>
}

const MAX_PORT_ATTEMPTS = 3

/** Starts the whole local stack, as `npm start` does, on free ports and with data of its own. */
export async function startStack(options: TestStackOptions = {}): Promise<TestStack> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-stack-'))
  let failure: Error | undefined
  const removeData = () => rm(directory, { recursive: true, force: true })
  const stack = await startOnFreePort(directory, options, (error) => {
    failure ??= error
    options.onFailure?.(error)
  }).catch(async (error: unknown) => {
    await removeData()
    throw error
  })
  const owner = new Pool({ connectionString: stack.ownerUrl, max: 4 })
  // Idle connections end with Postgres, which tests may kill.
  owner.on('error', () => {})
  const { instance, worker, sync, bindings } = stack
  return {
    ...instance,
    publicUrl: instance.url,
    callbacksUrl: bindings.CALLBACKS_URL ?? instance.url,
    async ownerSql<R extends object>(text: string, params: unknown[] = []) {
      return (await owner.query<R>(text, params)).rows
    },
    platforms: stack.platforms,
    qstash: stack.qstash,
    bindings,
    workerdPid: () => worker.workerdPid,
    async restartWorker() {
      await Promise.all([worker.restart(), sync.restart()])
    },
    killWorker: () => worker.kill(),
    killSync: () => sync.kill(),
    killRedis: (downMs) => stack.redis.kill(downMs),
    killPostgres: (downMs) => stack.postgres.kill(downMs),
    async stop() {
      await owner.end()
      await stack.stop()
      await removeData()
      if (failure !== undefined) throw failure
    },
  }
}

/** Ports are free when they are chosen, and may be taken a moment later. */
async function startOnFreePort(
  directory: string,
  options: TestStackOptions,
  onFailure: (error: Error) => void,
): Promise<LocalStack> {
  const { env = {}, empty = true, syncIntervalSeconds, now, world, log = () => {}, signal } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startLocalStack({
        directory,
        port: 0,
        isTemporary: true,
        empty,
        variables: {
          ...env,
          ...(syncIntervalSeconds !== undefined && { SYNC_INTERVAL_SECONDS: String(syncIntervalSeconds) }),
        },
        log,
        onFailure,
        world: { ...world, ...(now && { now }) },
        ...(signal && { signal }),
      })
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === MAX_PORT_ATTEMPTS) throw error
    }
  }
}
