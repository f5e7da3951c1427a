import { defineProject } from 'vitest/config'

/** How many stacks there are, and how many files run against them at once: mostly they wait. */
export const E2E_WORKERS = 3

/** `*.e2e.test.ts`: tests of the whole stack. Each worker has one, which its files have one after the other. */
export default defineProject({
  test: {
    name: 'e2e',
    include: ['test/e2e/**/*.e2e.test.ts'],
    globalSetup: ['test/e2e/support/global-setup.ts'],
    maxWorkers: E2E_WORKERS,
    // Last: what is measured in seconds shall not share the machine with tests that keep it busy.
    sequence: { groupOrder: 1 },
    // None by itself: `.ci/run` asks for one, and names the tests that needed it.
    retry: Number(process.env.E2E_RETRIES ?? 0),
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
