import { randomBytes } from 'node:crypto'
import { rename, stat } from 'node:fs/promises'
import type { Build } from '../../build.ts'
import type { Bindings } from './configuration.ts'
import type { StackLayout } from './layout.ts'
import type { Ports } from './ports.ts'
import type { Stoppers } from './stoppers.ts'
import { startWorker, type Worker } from './worker.ts'

export interface WorkersOptions {
  built: Build
  /** Of the Worker that people ask. */
  port: number
  ports: Ports
  bindings: Bindings
  layout: StackLayout
  stoppers: Stoppers
  log: (line: string) => void
  onFailure: (error: Error) => void
  /** Gives up starting. */
  signal: AbortSignal | undefined
}

const HEALTH_TIMEOUT_MS = 5_000
const MAX_LOG_BYTES = 10 * 1024 * 1024

/**
 * Starts the Worker that people ask, and the one that the queue calls, each in a process of its own as each has a
 * thread of its own on Cloudflare. The first has the objects and the bucket of both.
 * @throws PortTakenError, or what a Worker says that does not start or does not answer.
 */
export async function startWorkers(options: WorkersOptions): Promise<{ worker: Worker; sync: Worker }> {
  const { built, port, ports, bindings, layout, stoppers, log, onFailure, signal } = options
  await Promise.all([layout.workerLog, layout.syncLog].map(rotate))
  const shared = { port: ports.objects, token: randomBytes(24).toString('base64url') }
  const both = { webDir: built.webDir, bindings, log, onFailure, signal }
  const starting = startWorker({
    ...both,
    workerDir: built.workerDir,
    port,
    stateDir: layout.worker,
    logFile: layout.workerLog,
    objects: { owned: shared },
  })
  stoppers.add('The Worker', () => stopStarted(starting))
  const syncStarting = startWorker({
    ...both,
    label: 'sync Worker',
    workerDir: built.syncDir,
    port: ports.sync,
    stateDir: layout.sync,
    logFile: layout.syncLog,
    objects: { elsewhere: shared },
  })
  stoppers.add('The sync Worker', () => stopStarted(syncStarting))
  const [worker, sync] = await Promise.all([starting, syncStarting])
  await Promise.all([port, ports.sync].map(checkHealth))
  log('The Worker serves')
  return { worker, sync }
}

/** One that did not start has stopped by itself. */
async function stopStarted(starting: Promise<Worker>): Promise<void> {
  const worker = await starting.catch(() => null)
  await worker?.stop()
}

async function checkHealth(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/healthz`, {
    signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
  })
  if (!response.ok)
    throw new Error(
      `A Worker started, but answers ${response.status}: ${(await response.text()).slice(0, 500)}`,
    )
}

async function rotate(file: string): Promise<void> {
  const size = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  )
  if (size > MAX_LOG_BYTES) await rename(file, `${file}.old`)
}
