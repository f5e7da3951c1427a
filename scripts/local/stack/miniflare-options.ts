import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  convertV4MiniflareOptions,
  type Log,
  type MiniflareOptions,
  type V4WorkerOptions,
  type V4WorkerOptionsShape,
} from 'miniflare'
import { OPTIONS_FILE } from '../../build.ts'
import {
  ASSETS_BINDING,
  ASSETS_ENTRY,
  routingModule,
  SITE_BINDING,
  SITE_MODULE,
  UNROUTED_ENTRY,
  WORKER_BINDING,
} from './asset-routing.ts'
import {
  type DescribedWorker,
  handOnObjects,
  type Module,
  reachObjects,
  textModule,
} from './shared-objects.ts'
import type { WorkerSettings } from './worker-protocol.ts'

const HOST = '127.0.0.1'
const SITE = 'site'
const REPLACEMENT_MS = 200
const ROUTING_MODULE = 'local-routing.js'

export interface AssembleOptions extends Omit<WorkerSettings, 'logFile'> {
  log: Log
  onLine: (line: { level: string; message: string; timestamp: number }) => void
}

/**
 * Puts together what Miniflare runs: a Worker as its configuration file describes it, with its code and its
 * configuration, on workerd's own socket, and its static files.
 * @throws when the build is not there.
 */
export async function assembleMiniflare(settings: AssembleOptions): Promise<MiniflareOptions> {
  const { entry, worker, modules } = await readBuild(settings.workerDir).catch(async () => {
    // Another process may be putting a newer build in its place at this very moment.
    await sleep(REPLACEMENT_MS)
    return readBuild(settings.workerDir)
  })
  const { assets, ...bare } = worker
  const described: DescribedWorker = {
    ...bare,
    modules,
    modulesRoot: '/',
    bindings: { ...bare.bindings, ...settings.bindings },
    // Miniflare's own entry would come in front of the Worker, at many times its cost.
    unsafeDirectSockets: [{ host: HOST, port: settings.port }],
  }
  const { owned, elsewhere } = settings.objects ?? {}
  const wired = elsewhere === undefined ? described : reachObjects(described, entry, elsewhere)
  const workers = assets === undefined ? [wired] : withSite(wired, entry, assets, settings.webDir)
  if (owned !== undefined) workers.push(handOnObjects(worker, owned))
  return convertV4MiniflareOptions({
    host: HOST,
    // Its own entry, which nobody uses.
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    resourcePersistencePath: settings.stateDir,
    log: settings.log,
    handleStructuredLogs: settings.onLine,
    workers,
  })
}

/** The Worker, and another one that has the static files. */
function withSite(
  worker: DescribedWorker,
  entry: string,
  assets: NonNullable<V4WorkerOptionsShape['assets']>,
  webDir: string,
): V4WorkerOptions[] {
  const { name = '', compatibilityDate, compatibilityFlags } = worker
  const patterns = assets.run_worker_first
  const site: V4WorkerOptions = {
    name: SITE,
    ...(compatibilityDate && { compatibilityDate }),
    ...(compatibilityFlags && { compatibilityFlags }),
    modules: [textModule('index.js', SITE_MODULE)],
    modulesRoot: '/',
    assets: { ...assets, directory: webDir, binding: ASSETS_BINDING },
    serviceBindings: { [WORKER_BINDING]: patterns === true ? name : { name, entrypoint: UNROUTED_ENTRY } },
  }
  const routed: V4WorkerOptions = {
    ...worker,
    modules:
      patterns === true
        ? worker.modules
        : [textModule(ROUTING_MODULE, routingModule(entry, patterns || [])), ...worker.modules],
    serviceBindings: {
      ...worker.serviceBindings,
      [SITE_BINDING]: SITE,
      ...(assets.binding && { [assets.binding]: { name: SITE, entrypoint: ASSETS_ENTRY } }),
    },
  }
  return [routed, site]
}

async function readBuild(
  workerDir: string,
): Promise<{ entry: string; worker: V4WorkerOptionsShape; modules: Module[] }> {
  const text = await readFile(join(workerDir, OPTIONS_FILE), 'utf8')
  const { entry, worker } = describedBuild(JSON.parse(text))
  return { entry, worker, modules: await readModules(workerDir, entry) }
}

/** `scripts/build.ts` wrote this file, from what wrangler says in these very types. */
function describedBuild(json: unknown): { entry: string; worker: V4WorkerOptionsShape } {
  return json as { entry: string; worker: V4WorkerOptionsShape }
}

/** Modules of the bundle, the entry first. They are held in memory: a build may replace the files any time. */
async function readModules(directory: string, entry: string): Promise<Module[]> {
  const names = (await readdir(directory)).filter((name) => name !== OPTIONS_FILE && extname(name) !== '.map')
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
