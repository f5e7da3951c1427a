import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { assembleMiniflare } from '../../scripts/local/stack/miniflare-options.ts'
import { claimPort, PortTakenError } from '../../scripts/local/stack/ports.ts'
import { Connection } from './load/connection.ts'

export interface BaselineWorker {
  /** Of workerd's own socket, as the stack's. */
  url: string
  /** Of workerd. */
  pid: number
}

export interface BaselineWorkerOptions {
  entry: URL
  bindings?: Record<string, string>
  /** Class names by binding. */
  durableObjects?: Record<string, string>
}

/** As the product's own (see wrangler.toml). */
const COMPATIBILITY = { compatibilityDate: '2026-10-23', compatibilityFlags: ['nodejs_compat'] }
const HOST = '127.0.0.1'
const NAME = 'baseline'
const CHILD_CHANNEL = 'child_process'
const START_TIMEOUT_MS = 20_000
const QUIET_PORTS = { from: 28_000, to: 32_000 }

/** Bundles a Worker that something is compared with, as one module. */
export async function bundleBaseline(entry: URL): Promise<string> {
  const bundle = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'silent',
  })
  return bundle.outputFiles[0]?.text ?? ''
}

/** Bundles a Worker that something is compared with, and runs it in the same runtime. */
export async function startBaselineWorker(
  resources: AsyncDisposableStack,
  { entry, bindings = {}, durableObjects = {} }: BaselineWorkerOptions,
): Promise<BaselineWorker> {
  const contents = await bundleBaseline(entry)
  // Miniflare does not say which process is workerd; Node does.
  let pid = 0
  const onChild = (message: unknown) => {
    childOf(message).once('spawn', () => {
      pid = childOf(message).pid ?? 0
    })
  }
  subscribe(CHILD_CHANNEL, onChild)
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: HOST,
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.ERROR),
      workers: [
        {
          ...COMPATIBILITY,
          name: NAME,
          modules: [{ type: 'ESModule', path: '/index.js', contents }],
          modulesRoot: '/',
          bindings,
          durableObjects: Object.fromEntries(
            Object.entries(durableObjects).map(([binding, className]) => [
              binding,
              { className, useSQLite: true },
            ]),
          ),
          unsafeDirectSockets: [{ host: HOST, port: 0 }],
        },
      ],
    }),
  )
  resources.defer(() => miniflare.dispose())
  await miniflare.ready
  unsubscribe(CHILD_CHANNEL, onChild)
  const { origin } = await miniflare.unsafeGetDirectURL(NAME)
  return { url: origin, pid }
}

/** What Node publishes on the channel, as documented. */
function childOf(message: unknown): ChildProcess {
  return (message as { process: ChildProcess }).process
}

export interface StartedAnswer {
  /** Milliseconds from when the process was started until the answer was complete. */
  tookMs: number
  status: number
  /** Status line and headers, as they came. */
  head: string
}

/**
 * Starts a built Worker as the local stack does, asks it once as soon as it can be reached, and ends it.
 * @throws when it cannot be reached
 */
export async function timeStart(options: {
  /** See `Build` in scripts/build.ts. */
  workerDir: string
  webDir: string
  bindings: Record<string, string>
  path: string
  headers: Record<string, string>
}): Promise<StartedAnswer> {
  const { path, headers, ...build } = options
  const port = await claimQuietPort()
  const stateDir = await mkdtemp(join(tmpdir(), 'tidemark-bench-state-'))
  const log = new Log(LogLevel.ERROR)
  const assembled = await assembleMiniflare({ ...build, port, stateDir, log, onLine: () => {} })
  // Miniflare does not say when it starts workerd; Node does.
  const started = Promise.withResolvers<number>()
  const onChild = () => started.resolve(performance.now())
  subscribe(CHILD_CHANNEL, onChild)
  const miniflare = new Miniflare(assembled)
  try {
    const startedMs = await started.promise
    const lines = Object.entries({ host: `${HOST}:${port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    const connection = await connectWhenThere(port)
    const { status, head } = await connection.exchange(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    const tookMs = performance.now() - startedMs
    connection.close()
    await miniflare.ready
    return { tookMs, status, head }
  } finally {
    unsubscribe(CHILD_CHANNEL, onChild)
    await miniflare.dispose()
    await rm(stateDir, { recursive: true, force: true })
  }
}

/**
 * A port below those that systems hand out to outgoing connections: of those, whoever tries to connect before anybody
 * listens is connected to itself at some point, and takes the port from the Worker.
 */
async function claimQuietPort(): Promise<number> {
  for (;;) {
    try {
      return await claimPort(randomInt(QUIET_PORTS.from, QUIET_PORTS.to))
    } catch (error) {
      if (!(error instanceof PortTakenError)) throw error
    }
  }
}

async function connectWhenThere(port: number): Promise<Connection> {
  const endMs = performance.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      return await Connection.open(HOST, port)
    } catch (error) {
      if (performance.now() > endMs) throw error
      await sleep(1)
    }
  }
}
