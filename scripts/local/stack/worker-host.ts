import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { assembleMiniflare } from './miniflare-options.ts'
import { type FromHost, ToHost, type WorkerSettings } from './worker-protocol.ts'
import { removeWorkerdRecord, WORKERD_RECORD, writeWorkerdRecord } from './workerd-record.ts'

/**
 * The process around Miniflare, in a process group of its own: Ctrl-C is for its parent, who ends it in turn.
 * When the parent is gone, however it ended, so is this, and workerd with it.
 */

const MAX_CRASHES = 5
const CRASH_WINDOW_MS = 60_000
const MAX_LINE = 2_000

function send(message: FromHost): void {
  if (process.connected) process.send?.(message)
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  // Sockets beside Miniflare's own entry are reported in workerd's words.
  const isPortTaken = code === 'ERR_ADDRESS_IN_USE' || message.includes('Address already in use')
  send({ type: 'failed', message, isPortTaken })
}

/** The Worker writes JSON lines that carry their level; what else is written has the console's. */
function isTrouble(level: string, message: string): boolean {
  return /^\{"level":"(error|warn)"/.test(message) || level === 'error' || level === 'warn'
}

/** Miniflare's own lines. */
class HostLog extends Log {
  readonly #write: (line: string) => void

  constructor(write: (line: string) => void) {
    super(LogLevel.WARN)
    this.#write = write
  }

  protected override log(message: string): void {
    this.#write(message)
  }
}

class WorkerHost {
  readonly #recordFile: string
  readonly #crashes: number[] = []
  #miniflare: Miniflare | undefined
  readonly #assemble: () => ReturnType<typeof assembleMiniflare>
  #workerdPid = 0
  /** Set while workerd is meant to end. */
  #isReplacing = false

  constructor(settings: WorkerSettings) {
    mkdirSync(settings.stateDir, { recursive: true })
    this.#recordFile = join(settings.stateDir, WORKERD_RECORD)
    const logFile = createWriteStream(settings.logFile, { flags: 'a' })
    this.#assemble = () =>
      assembleMiniflare({
        ...settings,
        stateDir: join(settings.stateDir, 'state'),
        log: new HostLog((line) => logFile.write(`${line}\n`)),
        onLine: ({ level, message }) => {
          logFile.write(`${message}\n`)
          if (isTrouble(level, message)) send({ type: 'log', message: message.slice(0, MAX_LINE) })
        },
      })
    subscribe('child_process', (message) => this.#onChild(childOf(message)))
  }

  async start(): Promise<void> {
    this.#miniflare = new Miniflare(await this.#assemble())
    await this.#announce()
  }

  async restart(): Promise<void> {
    const options = await this.#assemble()
    this.#isReplacing = true
    try {
      await this.#miniflare?.setOptions(options)
    } finally {
      this.#isReplacing = false
    }
    await this.#announce()
  }

  async stop(): Promise<void> {
    this.#isReplacing = true
    try {
      await this.#miniflare?.dispose()
    } finally {
      removeWorkerdRecord(this.#recordFile)
    }
  }

  async #announce(): Promise<void> {
    await this.#miniflare?.ready
    send({ type: 'ready', workerdPid: this.#workerdPid })
  }

  /** Miniflare does not say which process is workerd; Node does. */
  #onChild(child: ChildProcess): void {
    child.once('spawn', () => {
      if (child.pid === undefined) return
      this.#workerdPid = child.pid
      writeWorkerdRecord(this.#recordFile, { pid: child.pid, args: child.spawnargs })
    })
    child.once('exit', () => void this.#onExit())
  }

  /** Miniflare starts workerd again by itself, on the same ports. */
  async #onExit(): Promise<void> {
    if (this.#isReplacing) return
    send({ type: 'died' })
    const now = Date.now()
    this.#crashes.push(now)
    if (this.#crashes.filter((at) => now - at < CRASH_WINDOW_MS).length > MAX_CRASHES) {
      fail(new Error('workerd keeps dying'))
      return
    }
    // Until Miniflare has noticed, it calls itself ready.
    await sleep(100)
    try {
      await this.#announce()
    } catch (error) {
      fail(error)
    }
  }
}

/** What Node publishes on the channel `child_process`, as documented. */
function childOf(message: unknown): ChildProcess {
  return (message as { process: ChildProcess }).process
}

let host: WorkerHost | undefined

async function handle(message: ToHost): Promise<void> {
  switch (message.type) {
    case 'start':
      host = new WorkerHost(message.settings)
      return host.start()
    case 'restart':
      return host?.restart()
    case 'stop':
      // A Miniflare that never came up says so once more when it is disposed of.
      await host?.stop().catch(() => {})
      process.exit(0)
  }
}

process.on('message', (message) => {
  const parsed = ToHost.safeParse(message)
  if (parsed.success) handle(parsed.data).catch(fail)
})
process.on('disconnect', () => {
  void (host?.stop() ?? Promise.resolve()).catch(() => {}).finally(() => process.exit(1))
})
