import { defineConfig } from 'vitest/config'

/**
 * The suffix of a test file says what it needs (docs/architecture.md, "Tests"):
 * `*.test.ts` nothing, `*.pg.test.ts` the local Postgres and Redis stand-ins,
 * `*.workers.test.ts` workerd, `*.e2e.test.ts` the whole stack.
 */
export default defineConfig({
  test: {
    projects: [
      './vitest.workers.config.ts',
      './vitest.e2e.config.ts',
      {
        test: {
          name: 'unit',
          include: ['{src,scripts,workers,web,test,bench}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.{pg,workers,e2e}.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'pg',
          include: ['{src,scripts,test}/**/*.pg.test.ts'],
          globalSetup: ['test/harness/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
