import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { removeRecord, stopOrphan, stopTemporaryOrphans, writeRecord } from './redis-orphans.ts'
import { OWNER_CONNECTION_NAME, signalAndWait, TEMPORARY_PREFIX } from './redis-ownership.ts'

export interface RedisProcessOptions {
  /** Path of a redis-server or valkey-server. */
  binary: string
  /** Where the append-only file is kept, so that data survive a restart; none: they end with the server. */
  dataDir?: string
  log: (message: string) => void
}

export interface RedisProcess {
  /** Only this user may connect to it. */
  socketPath: string
  /** Kills the server as the system might, and starts it again after `downMs`; resolves when it answers. */
  kill(downMs: number): Promise<void>
  /** Lets the server write what it holds, and waits until it is gone. */
  stop(): Promise<void>
}

/** Loading a large append-only file takes its time. */
const START_TIMEOUT_MS = 30_000
/** A server that was killed comes back by itself, but late enough for the outage to be noticed. */
const RESTART_DELAY_MS = 5000
/** Unix socket paths end at 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100

/**
 * Starts a private Redis server on a Unix socket, first stopping one that a killed parent left behind.
 * @throws Error when the data are in use by a running local stack, or the server does not start.
 */
export async function startRedisProcess(options: RedisProcessOptions): Promise<RedisProcess> {
  const { log } = options
  const dataDir = options.dataDir === undefined ? undefined : resolve(options.dataDir)
  if (dataDir === undefined) await stopTemporaryOrphans(log)
  else {
    await mkdir(dataDir, { recursive: true })
    await stopOrphan(dataDir, log)
  }
  const runDir = await makeRunDir()
  const server = new SupervisedServer({ binary: options.binary, dataDir, runDir, log })
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    socketPath: server.socketPath,
    kill: (downMs) => server.kill(downMs),
    stop: () => server.stop(),
  }
}

async function makeRunDir(): Promise<string> {
  const longest = join(tmpdir(), `${TEMPORARY_PREFIX}XXXXXX`, 'redis.sock')
  const parent = Buffer.byteLength(longest) > MAX_SOCKET_PATH_BYTES ? '/tmp' : tmpdir()
  const runDir = await mkdtemp(join(parent, TEMPORARY_PREFIX))
  await chmod(runDir, 0o700)
  return runDir
}

interface ServerPlace {
  binary: string
  dataDir: string | undefined
  runDir: string
  log: (message: string) => void
}

class SupervisedServer {
  readonly socketPath: string
  readonly #place: ServerPlace
  /** Where the record of this server is kept, and its log. */
  readonly #homeDir: string
  #child: ChildProcess | undefined
  /** Held open, so that another start sees that the server still has its owner. */
  #owner: Redis | undefined
  #stopping: Promise<void> | undefined
  #restarting: Promise<void> | undefined
  /** How long the next outage lasts. */
  #restartDelayMs = RESTART_DELAY_MS

  constructor(place: ServerPlace) {
    this.#place = place
    this.socketPath = join(place.runDir, 'redis.sock')
    this.#homeDir = place.dataDir ?? place.runDir
  }

  async start(): Promise<void> {
    const child = this.#spawn()
    await Promise.race([this.#connectOwner(), this.#failedStart(child)])
    child.once('exit', (code, signal) => {
      this.#restarting = this.#restart(signal ?? `code ${code}`, this.#restartDelayMs)
      this.#restartDelayMs = RESTART_DELAY_MS
    })
  }

  async kill(downMs: number): Promise<void> {
    await this.#restarting
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    this.#restartDelayMs = downMs
    child.kill('SIGKILL')
    await gone
    await this.#restarting
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end()
    return this.#stopping
  }

  #spawn(): ChildProcess {
    const { binary } = this.#place
    // A group of its own: Ctrl-C is for the parent, who then stops the server when nobody needs it any more.
    const child = spawn(binary, ['-'], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    child.stdin?.on('error', () => {})
    child.stdin?.end(this.#configuration())
    this.#child = child
    if (child.pid !== undefined) {
      writeRecord(this.#homeDir, { pid: child.pid, socketPath: this.socketPath })
    }
    process.off('exit', this.#killAtExit)
    process.once('exit', this.#killAtExit)
    return child
  }

  #configuration(): string {
    const { dataDir } = this.#place
    return [
      'port 0',
      `unixsocket ${quoted(this.socketPath)}`,
      'unixsocketperm 700',
      `dir ${quoted(this.#homeDir)}`,
      `logfile ${quoted(join(this.#homeDir, 'redis.log'))}`,
      'loglevel warning',
      'daemonize no',
      'save ""',
      `appendonly ${dataDir === undefined ? 'no' : 'yes'}`,
      '',
    ].join('\n')
  }

  async #connectOwner(): Promise<void> {
    this.#owner?.disconnect()
    const owner = new Redis({
      path: this.socketPath,
      connectionName: OWNER_CONNECTION_NAME,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    })
    // Until the server listens, every attempt fails.
    owner.on('error', () => {})
    this.#owner = owner
    await owner.ping()
  }

  /** Rejects when the server ends, or takes too long. */
  async #failedStart(child: ChildProcess): Promise<never> {
    const ended = new Promise<string>((resolveReason) => {
      child.once('error', (error) => resolveReason(error.message))
      child.once('exit', (code, signal) => resolveReason(`it ended with ${signal ?? `code ${code}`}`))
    })
    const late = delay(START_TIMEOUT_MS, `it did not answer within ${START_TIMEOUT_MS / 1000} s`, {
      ref: false,
    })
    const reason = await Promise.race([ended, late])
    const logged = await readFile(join(this.#homeDir, 'redis.log'), 'utf8').catch(() => '')
    const lastLines = logged.split('\n').slice(-6)
    throw new Error([`${this.#place.binary} could not be started: ${reason}`, ...lastLines].join('\n'))
  }

  async #restart(reason: string, delayMs: number): Promise<void> {
    const { log } = this.#place
    if (this.#stopping !== undefined) return
    log(`redis-server ended (${reason}); starting it again in ${delayMs / 1000} s`)
    await delay(delayMs, undefined, { ref: false })
    if (this.#stopping !== undefined) return
    try {
      await this.start()
      log('redis-server runs again')
    } catch (error) {
      log(error instanceof Error ? error.message : String(error))
    }
  }

  async #end(): Promise<void> {
    this.#owner?.disconnect()
    const pid = this.#child?.pid
    if (pid !== undefined && this.#child?.exitCode === null && this.#child.signalCode === null) {
      await signalAndWait(pid)
    }
    process.off('exit', this.#killAtExit)
    removeRecord(this.#homeDir)
    await rm(this.#place.runDir, { recursive: true, force: true })
  }

  /** Where the process ends without stop(): nothing asynchronous can run any more. */
  readonly #killAtExit = () => {
    this.#child?.kill('SIGTERM')
  }
}

/** A path as a quoted word of a Redis configuration. */
const quoted = (path: string) => `"${path.replace(/["\\]/g, '\\$&')}"`
