import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Of each project, what spends the allowances of the stack that it has in common with others comes last. */
class SpendersLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byProject = Map.groupBy(await super.sort(files), ({ project }) => project)
    const spends = ({ moduleId }: TestSpecification) => moduleId.endsWith('/fuzz.e2e.test.ts')
    return [...byProject.values()].flatMap((sorted) => [
      ...sorted.filter((file) => !spends(file)),
      ...sorted.filter(spends),
    ])
  }
}

/**
 * The suffix of a test file says what it needs (docs/architecture.md, "Tests"):
 * `*.test.ts` nothing, `*.pg.test.ts` the local Postgres and Redis stand-ins,
 * `*.workers.test.ts` workerd, `*.e2e.test.ts` the whole stack.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: SpendersLast },
    // More than there are cores on a small machine: many files wait for Postgres, for passwords to be hashed in
    // small portions, and for processes to start.
    maxWorkers: Math.max(4, availableParallelism() - 1),
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
