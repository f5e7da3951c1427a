import { readFile } from 'node:fs/promises'
import { type Plugin, transform } from 'esbuild'

/**
 * They look for `process` only to find out whether they run on Node, and the runtime makes its own, with Node's
 * streams and files behind it, when somebody first looks.
 */
const ASKS_FOR_NODE = /[\\/]node_modules[\\/](?:lru-cache|temporal-polyfill)[\\/]/

/**
 * Shortens names within dependencies, which are most of the code: a runtime parses every module of a Worker
 * before the first answer, also those that wait for their first use. Our own names stay, for stack traces.
 */
export const minifyDependencies: Plugin = {
  name: 'minify dependencies',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].*\.m?js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const { code } = await transform(source, {
        loader: 'js',
        target: 'es2024',
        minifyIdentifiers: true,
        define: ASKS_FOR_NODE.test(path) ? { process: 'undefined', 'globalThis.process': 'undefined' } : {},
        // Source maps lead to dependencies as they are bundled: to what is thrown, and where, our own frames tell more.
        sourcemap: false,
      })
      return { contents: code, loader: 'js' }
    })
  },
}
