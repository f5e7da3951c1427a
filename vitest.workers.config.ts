import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineProject } from 'vitest/config'
import { E2E_WORKERS } from './vitest.e2e.config.ts'

/** `*.workers.test.ts`: tests that run inside workerd. */
export default defineProject({
  plugins: [cloudflareTest({ wrangler: { configPath: './test/workers/wrangler.toml' } })],
  test: {
    name: 'workers',
    include: ['test/workers/**/*.workers.test.ts'],
    // Beside the last of `*.e2e.test.ts`, which leave room. A group has one number of workers.
    maxWorkers: E2E_WORKERS,
    sequence: { groupOrder: 1 },
    testTimeout: 20_000,
  },
})
