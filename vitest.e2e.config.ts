import { defineProject } from 'vitest/config'

/** `*.e2e.test.ts`: tests of the whole stack, of which all share one. */
export default defineProject({
  test: {
    name: 'e2e',
    include: ['test/e2e/**/*.e2e.test.ts'],
    globalSetup: ['test/e2e/support/global-setup.ts'],
    fileParallelism: false,
    // Last and alone: what is measured in seconds shall not share the machine with other tests.
    sequence: { groupOrder: 1 },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
