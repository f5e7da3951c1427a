import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'

export interface BaselineWorker {
  /** Of workerd's own socket, as the stack's. */
  url: string
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

/** Bundles a Worker that something is compared with, and runs it in the same runtime. */
export async function startBaselineWorker(
  resources: AsyncDisposableStack,
  { entry, bindings = {}, durableObjects = {} }: BaselineWorkerOptions,
): Promise<BaselineWorker> {
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
  const contents = bundle.outputFiles[0]?.text ?? ''
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
  const { origin } = await miniflare.unsafeGetDirectURL(NAME)
  return { url: origin }
}
