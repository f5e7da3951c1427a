import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import {
  convertV4MiniflareOptions,
  type Log,
  type MiniflareOptions,
  type V4WorkerOptions,
  type V4WorkerOptionsShape,
} from 'miniflare'
import { NOT_MODULES, OPTIONS_FILE } from '../../build.ts'
import {
  ASSETS_BINDING,
  ASSETS_ENTRY,
  frontSource,
  SITE_BINDING,
  SITE_SOURCE,
  WORKER_BINDING,
} from './site-workers.ts'
import type { WorkerSettings } from './worker-protocol.ts'

type Module = Extract<V4WorkerOptions, { modules: unknown[] }>['modules'][number]
const HOST = '127.0.0.1'
const SITE = 'site'
const FRONT = 'front'

/** What is written of the Worker in `wrangler.toml`, with its code, its configuration, and its site. */
export interface Assembly {
  options: MiniflareOptions
  workerName: string
}

export interface AssembleOptions extends Omit<WorkerSettings, 'logFile'> {
  log: Log
  onLine: (line: { level: string; message: string; timestamp: number }) => void
}

/**
 * Puts together what Miniflare runs. The Worker is reached as on Cloudflare, without Miniflare's own entry
 * Worker: what its patterns say goes to it, the rest is looked up among the static files first.
 * @throws when the build is not there.
 */
export async function assembleMiniflare(settings: AssembleOptions): Promise<Assembly> {
  const { entry, worker } = await readBuild(settings.workerDir)
  const workerName = worker.name ?? 'worker'
  const { assets, ...bare } = worker
  const { compatibilityDate, compatibilityFlags } = worker
  const common = {
    ...(compatibilityDate && { compatibilityDate }),
    ...(compatibilityFlags && { compatibilityFlags }),
  }
  const socket = { host: HOST, port: settings.port }
  const isBehindSite = assets !== undefined && assets.run_worker_first !== true
  const patterns = Array.isArray(assets?.run_worker_first) ? assets.run_worker_first : []

  const workers: V4WorkerOptions[] = [
    {
      ...bare,
      modules: await readModules(settings.workerDir, entry),
      modulesRoot: '/',
      bindings: { ...bare.bindings, ...settings.bindings },
      // One more, for measurements, where the Worker has not got the public one.
      unsafeDirectSockets: [isBehindSite ? { host: HOST, port: 0 } : socket],
      ...(assets?.binding && {
        serviceBindings: {
          ...bare.serviceBindings,
          [assets.binding]: { name: SITE, entrypoint: ASSETS_ENTRY },
        },
      }),
    },
  ]
  if (assets !== undefined) {
    workers.push({
      ...common,
      name: SITE,
      ...inlineModule(SITE_SOURCE),
      assets: { ...assets, directory: settings.webDir, binding: ASSETS_BINDING },
      serviceBindings: { [WORKER_BINDING]: workerName },
    })
  }
  if (isBehindSite) {
    workers.unshift({
      ...common,
      name: FRONT,
      ...inlineModule(frontSource(patterns)),
      serviceBindings: { [WORKER_BINDING]: workerName, [SITE_BINDING]: SITE },
      unsafeDirectSockets: [socket],
    })
  }
  const options = convertV4MiniflareOptions({
    host: HOST,
    // Its own entry is not used.
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: settings.stateDir,
    log: settings.log,
    handleStructuredLogs: settings.onLine,
    workers,
  })
  return { options, workerName }
}

async function readBuild(workerDir: string): Promise<{ entry: string; worker: V4WorkerOptionsShape }> {
  const text = await readFile(join(workerDir, OPTIONS_FILE), 'utf8')
  return describedBuild(JSON.parse(text))
}

/** `buildWorker` wrote this file, from what wrangler says in these very types. */
function describedBuild(json: unknown): { entry: string; worker: V4WorkerOptionsShape } {
  return json as { entry: string; worker: V4WorkerOptionsShape }
}

function inlineModule(source: string): { modules: Module[]; modulesRoot: string } {
  return { modules: [{ type: 'ESModule', path: '/index.js', contents: source }], modulesRoot: '/' }
}

/** Modules of the bundle, the entry first. They are held in memory: a build may replace the files any time. */
async function readModules(directory: string, entry: string): Promise<Module[]> {
  const names = (await readdir(directory)).filter(
    (name) => !NOT_MODULES.includes(name) && extname(name) !== '.map',
  )
  const sorted = [entry, ...names.filter((name) => name !== entry).sort()]
  return Promise.all(
    sorted.map(async (name) => ({
      type: moduleType(name),
      path: `/${name}`,
      contents: await readFile(join(directory, name)),
    })),
  )
}

function moduleType(name: string): Module['type'] {
  switch (extname(name)) {
    case '.wasm':
      return 'CompiledWasm'
    case '.bin':
      return 'Data'
    case '.txt':
    case '.html':
    case '.sql':
      return 'Text'
    default:
      return 'ESModule'
  }
}
