import { fileURLToPath } from 'node:url'
import preact from '@preact/preset-vite'
import { defineConfig } from 'vite'

/** Where `vite` (development only) finds the API. */
const api = { target: 'http://127.0.0.1:8787', changeOrigin: false }

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [preact({ devToolsEnabled: false, reactAliasesEnabled: false })],
  server: { proxy: { '/api': { ...api, ws: true }, '/auth': api, '/docs': api, '/openapi.json': api } },
  build: {
    outDir: fileURLToPath(new URL('../dist/web', import.meta.url)),
    emptyOutDir: true,
    // Nothing may be inlined as a data: URL, so that the content security policy can stay strict.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
})
