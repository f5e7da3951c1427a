import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineProject } from 'vitest/config'

/** `*.workers.test.ts`: tests that run inside workerd. */
export default defineProject({
  plugins: [cloudflareTest({ wrangler: { configPath: './test/workers/wrangler.toml' } })],
  test: {
    name: 'workers',
    include: ['test/workers/**/*.workers.test.ts'],
    testTimeout: 20_000,
  },
})
