import { spawn } from 'node:child_process'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorker, type WorkerEntry } from './build/bundle-worker.ts'
import { hashInputs } from './local/stack/input-hash.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What a build is made from; the lock file stands for the dependencies. */
const COMMON_INPUTS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'scripts/build.ts',
  'scripts/build',
]
const INPUTS = {
  worker: [...COMMON_INPUTS, 'wrangler.toml', 'workers', 'src', 'drizzle/meta/_journal.json'],
  web: [...COMMON_INPUTS, 'web', 'src'],
} as const

/** wrangler, which reads its file, asks nobody, tells nobody, and writes nothing outside, where its user may have no home. */
const WRANGLER_ENV = {
  WRANGLER_SEND_METRICS: 'false',
  // The banner looks for updates on the network.
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_WRITE_LOGS: 'false',
  XDG_CONFIG_HOME: join(ROOT, 'dist/.config'),
  FORCE_COLOR: '0',
}

type Target = keyof typeof INPUTS

/** Both Workers: what each is made of, what says so, and where its modules are put, below `dist`. */
const WORKERS: readonly { entry: WorkerEntry; config: string; directory: string }[] = [
  { entry: 'workers/api.ts', config: 'wrangler.toml', directory: 'worker' },
  { entry: 'workers/sync.ts', config: 'workers/sync.toml', directory: 'sync' },
]

/** What its configuration file says of a Worker, in Miniflare's words. */
export const OPTIONS_FILE = 'miniflare.json'

export interface BuildOptions {
  /** Replaced as a whole, once everything is there. */
  outdir: string
}

/** Where builds are. */
export interface Build {
  /** Bundled modules, and `OPTIONS_FILE`. */
  workerDir: string
  /** The same of the Worker that takes callbacks. */
  syncDir: string
  webDir: string
}

/**
 * Builds the modules that workerd runs, here and in a deployment (`wrangler.toml` and `workers/sync.toml` name this
 * file), and translates those two for Miniflare, so that they say the same everywhere.
 * @throws with the bundler's own words when a Worker does not build.
 */
async function buildWorkers(dist: string): Promise<void> {
  await Promise.all(
    WORKERS.map(({ entry, config, directory }) =>
      replaceDirectory(join(dist, directory), async (fresh) => {
        const [description] = await Promise.all([describeWorker(config), bundleWorker(entry, fresh)])
        await writeFile(join(fresh, OPTIONS_FILE), JSON.stringify(description, null, 2))
      }),
    ),
  )
}

/** Builds the dashboard. @throws when it does not build. */
export async function buildWeb(options: BuildOptions): Promise<void> {
  const { build } = await import('vite')
  await replaceDirectory(options.outdir, async (fresh) => {
    await build({
      configFile: join(ROOT, 'web/vite.config.ts'),
      // As Node reads it: nothing has to be written for it.
      configLoader: 'native',
      logLevel: 'warn',
      build: { outDir: fresh, emptyOutDir: true },
    })
  })
}

/**
 * Builds what is not up to date, each in a process of its own: bundlers are large, and gone afterwards.
 * @param options.log told of what is built
 * @throws with the bundler's words when a build fails.
 */
export async function ensureBuilt(
  options: { log?: (line: string) => void; signal?: AbortSignal | undefined } = {},
): Promise<Build> {
  const { log = () => {}, signal } = options
  const ensure = async (target: Target): Promise<string> => {
    const outdir = join(ROOT, 'dist', target)
    const hash = await hashInputs(ROOT, INPUTS[target])
    if ((await readFile(stampOf(outdir), 'utf8').catch(() => '')) === hash) return outdir
    const startedMs = performance.now()
    await runSelf(target, signal)
    log(`Built the ${target === 'web' ? 'dashboard' : 'Workers'} (${seconds(performance.now() - startedMs)})`)
    return outdir
  }
  const [workerDir, webDir] = await Promise.all([ensure('worker'), ensure('web')])
  return { workerDir, syncDir: join(ROOT, 'dist/sync'), webDir }
}

/** Builds into `dist/` and notes from what. The hash is taken first: what changes meanwhile is built next time. */
async function buildTarget(target: Target): Promise<void> {
  const outdir = join(ROOT, 'dist', target)
  const hash = await hashInputs(ROOT, INPUTS[target])
  await rm(stampOf(outdir), { force: true })
  if (target === 'worker') await buildWorkers(join(ROOT, 'dist'))
  else await buildWeb({ outdir })
  await writeFile(stampOf(outdir), hash)
}

const MAX_ATTEMPTS = 5

const stampOf = (outdir: string) => `${outdir}.inputs`

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

/**
 * Fills a directory beside the given one and puts it in its place, so that nobody sees it half done, also
 * where others do the same at the same time.
 */
async function replaceDirectory(target: string, fill: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${target}.${process.pid}.new`
  const old = `${target}.${process.pid}.old`
  await mkdir(fresh, { recursive: true })
  try {
    await fill(fresh)
    for (let attempt = 1; ; attempt += 1) {
      await rename(target, `${old}${attempt}`).catch((error: unknown) => {
        if (!hasCode(error, 'ENOENT')) throw error
      })
      try {
        await rename(fresh, target)
        break
      } catch (error) {
        // Somebody else was there in between.
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST') || attempt === MAX_ATTEMPTS) throw error
      }
    }
  } finally {
    const olds = Array.from({ length: MAX_ATTEMPTS }, (_, index) => `${old}${index + 1}`)
    await Promise.all([fresh, ...olds].map((path) => rm(path, { recursive: true, force: true })))
  }
}

/** The name of the entry module, and the Worker's bindings and settings. Of variables only those in the file: `.dev.vars` is for `wrangler dev`. */
async function describeWorker(config: string): Promise<unknown> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler')
  const settings = unstable_readConfig({ config: join(ROOT, config) }, { hideWarnings: true })
  const { workerOptions } = unstable_getMiniflareWorkerOptions(settings)
  const entry = parse(settings.main ?? 'index.js').base
  return { entry, worker: { ...workerOptions, name: settings.name ?? 'tidemark', bindings: settings.vars } }
}

/** Runs this file as a program. */
async function runSelf(target: Target, signal: AbortSignal | undefined): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), target], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...WRANGLER_ENV },
    ...(signal && { signal }),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, exitSignal) => {
      if (code === 0) resolve()
      else reject(new Error(`Building ${target} failed (${exitSignal ?? `code ${code}`})\n${output.trim()}`))
    })
  })
}

const hasCode = (error: unknown, ...codes: string[]) =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

const USAGE = 'Usage: node scripts/build.ts [worker] [web]'

if (import.meta.main) {
  const asked = process.argv.slice(2)
  const unknown = asked.filter((name) => name !== 'worker' && name !== 'web')
  if (unknown.length > 0) {
    console.error(USAGE)
    process.exit(2)
  }
  for (const target of ['worker', 'web'] as const) {
    if (asked.length > 0 && !asked.includes(target)) continue
    try {
      await buildTarget(target)
    } catch (error) {
      console.error(error instanceof Error ? error.message : String(error))
      process.exit(1)
    }
  }
}
