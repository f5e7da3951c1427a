import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, type Plugin } from 'esbuild'
import { minifyDependencies } from './minify-dependencies.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Messages of the validator in forty languages, of which we use its own English: they hang on an object that
 * nothing can be shaken off.
 */
const withoutLocales: Plugin = {
  name: 'without locales',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) =>
      /\/node_modules\/zod\//.test(importer) ? { path: importer, namespace: 'no-locales' } : null,
    )
    onLoad({ filter: /./, namespace: 'no-locales' }, () => ({ contents: 'export {}' }))
  },
}

/**
 * The library that documents routes hands all of the validator to a function that looks at one class of it, so that
 * nothing of either could be left out.
 */
const validatorInParts: Plugin = {
  name: 'validator in parts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^zod$/, namespace: 'file' }, ({ importer, resolveDir }) =>
      /\/node_modules\/@hono\/zod-openapi\//.test(importer)
        ? { path: importer, namespace: 'validator-in-parts', pluginData: { resolveDir } }
        : null,
    )
    onLoad({ filter: /./, namespace: 'validator-in-parts' }, ({ pluginData: { resolveDir } }) => ({
      contents: `import { ZodType } from 'zod'; export const z = { ZodType }`,
      resolveDir,
    }))
  },
}

/** Entries of the Workers, relative to the repository. */
export type WorkerEntry = 'workers/api.ts' | 'workers/sync.ts'

/**
 * Bundles a Worker as workerd is to load it: one module with what every answer may need, and beside it those
 * that are imported when they are first used. Our own names stay as they are written, since stack traces in logs
 * are read without source maps.
 * @returns what became of each source file; paths are relative to the repository
 * @throws with the bundler's own words when the Worker does not build.
 */
export async function bundleWorker(entry: WorkerEntry, outdir: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, entry)],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    // As wrangler bundles.
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    // The runtime checks every expression of every module before the first answer; of those that name properties of
    // characters, which have this flag, that takes long. As calls they are made when the code that has them runs.
    supported: { 'regexp-sticky-and-unicode-flags': false },
    define: { 'process.env.NODE_ENV': '"production"' },
    external: ['cloudflare:*', 'node:*'],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    metafile: true,
    plugins: [withoutLocales, validatorInParts, minifyDependencies],
    logLevel: 'silent',
  })
  return metafile
}
