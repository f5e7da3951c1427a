import type { LoadGenerator } from '../../lib/load/load-generator.ts'
import type { BenchStack } from '../../lib/stack.ts'
import type { Table } from '../../lib/table.ts'
import type { Targets } from './targets.ts'
import type { Verdict } from './verdicts.ts'

/** What every section of the benchmark works with. */
export interface ReadsBench {
  stack: BenchStack
  generator: LoadGenerator
  targets: Targets
  /** Of the workspace that is read. */
  accountIds: string[]
  /** Stopped at the end of the benchmark. */
  resources: AsyncDisposableStack
  log(line: string): void
}

export interface Findings {
  tables: Table[]
  notes?: string[]
  verdicts?: Verdict[]
}

/** @throws when nothing can be said. */
export type Section = (bench: ReadsBench) => Promise<Findings>
