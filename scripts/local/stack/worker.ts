import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PortTakenError } from './ports.ts'
import { FromHost, type ToHost, type WorkerSettings } from './worker-protocol.ts'
import { stopOrphanWorkerd, WORKERD_RECORD } from './workerd-record.ts'

export interface WorkerOptions extends WorkerSettings {
  /** What people are told it is: `Worker` where there is no other. */
  label?: string
  log: (line: string) => void
  /** Called once, when the Worker is gone for good. */
  onFailure: (error: Error) => void
  /** Gives up starting. */
  signal?: AbortSignal | undefined
}

export interface Worker {
  /** The process id of the workerd that runs now. */
  readonly workerdPid: number
  /** Starts workerd anew, with the modules that are built now: every isolate is lost, as in a deployment. */
  restart(): Promise<void>
  /** Kills workerd as the system might; resolves when it serves again. */
  kill(): Promise<void>
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 4_000

const HOST_PROGRAM = fileURLToPath(new URL('./worker-host.ts', import.meta.url))

/**
 * Runs the built Worker in workerd, in a process of its own.
 * @throws PortTakenError, or an Error with workerd's words when it does not start.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const worker = new WorkerProcess(options)
  try {
    await worker.start()
    return worker
  } catch (error) {
    await worker.stop()
    throw error
  }
}

function emptyDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  return path
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

class WorkerProcess implements Worker {
  readonly #options: WorkerOptions
  readonly #label: string
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #workerdPid = 0
  #isRunning = false
  #stopping: Promise<void> | undefined
  /** Who waits for the next `ready`. */
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#label = options.label ?? 'Worker'
    // Detached: a Ctrl-C in the terminal must not reach it before this process has decided what to do.
    this.#child = fork(HOST_PROGRAM, [], {
      detached: true,
      // Flags of this process, such as a debugger's port, are not for that one.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // What a killed Miniflare leaves behind is gone with the next start.
      env: { ...process.env, TMPDIR: emptyDirectory(join(options.stateDir, 'tmp')) },
    })
    let words = ''
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4_000)
    })
    this.#child.on('message', (message) => this.#onMessage(FromHost.parse(message)))
    this.#child.on('error', (error) => this.#fail(error))
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        resolve()
        if (this.#stopping === undefined)
          this.#fail(
            new Error(`The ${this.#label}'s process ended (${signal ?? `code ${code}`})\n${words}`.trim()),
          )
      })
    })
    process.once('exit', this.#killAtExit)
  }

  get workerdPid(): number {
    return this.#workerdPid
  }

  async start(): Promise<void> {
    const { log: _log, onFailure: _onFailure, label: _label, signal, ...settings } = this.#options
    const giveUp = () => this.#waiting?.reject(new Error('The start was given up'))
    signal?.addEventListener('abort', giveUp, { once: true })
    await this.#untilReady(() => this.#send({ type: 'start', settings }))
    signal?.removeEventListener('abort', giveUp)
    this.#isRunning = true
  }

  async restart(): Promise<void> {
    await this.#untilReady(() => this.#send({ type: 'restart' }))
  }

  async kill(): Promise<void> {
    await this.#untilReady(() => killProcess(this.#workerdPid))
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end()
    return this.#stopping
  }

  async #end(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#send({ type: 'stop' })
      const late = setTimeout(() => this.#child.kill('SIGTERM'), STOP_TIMEOUT_MS / 2)
      const tooLate = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await this.#exited
      clearTimeout(late)
      clearTimeout(tooLate)
    }
    process.off('exit', this.#killAtExit)
    // A host that was killed could not end it.
    await stopOrphanWorkerd(join(this.#options.stateDir, WORKERD_RECORD), 0)
  }

  /** Where this process ends without stop(): nothing asynchronous can run any more. */
  readonly #killAtExit = () => {
    this.#child.kill('SIGKILL')
    if (this.#workerdPid !== 0) killProcess(this.#workerdPid)
  }

  #send(message: ToHost): void {
    // A host that is gone has been reported already.
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  async #untilReady(act: () => void): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
    const timer = setTimeout(
      () =>
        this.#waiting?.reject(
          new Error(`The ${this.#label} was not ready within ${START_TIMEOUT_MS / 1000} s`),
        ),
      START_TIMEOUT_MS,
    )
    try {
      act()
      await ready
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
    }
  }

  #onMessage(message: FromHost): void {
    const { log } = this.#options
    switch (message.type) {
      case 'ready':
        this.#workerdPid = message.workerdPid
        if (this.#waiting === undefined) log(`The ${this.#label} runs again`)
        this.#waiting?.resolve()
        break
      case 'died':
        if (this.#waiting === undefined)
          log(`workerd of the ${this.#label} ended by itself and is started again`)
        break
      case 'failed':
        this.#fail(
          message.isPortTaken
            ? new PortTakenError(this.#options.port)
            : new Error(`The ${this.#label} does not start: ${message.message}`),
        )
        break
      case 'log':
        log(`${this.#label}: ${message.message}`)
        break
    }
  }

  #fail(error: Error): void {
    if (this.#waiting !== undefined) this.#waiting.reject(error)
    else if (this.#isRunning && this.#stopping === undefined) {
      this.#isRunning = false
      this.#options.onFailure(error)
    }
  }
}
