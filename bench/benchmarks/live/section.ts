import type { SocketClients } from '../../lib/sockets/socket-client.ts'
import type { BenchStack } from '../../lib/stack.ts'
import type { Table } from '../../lib/table.ts'
import type { Verdict } from '../reads/verdicts.ts'
import type { Crowds } from './crowds.ts'

/** What every section of the benchmark works with. */
export interface LiveBench {
  /** Started when it is first asked for. */
  stack(): Promise<BenchStack>
  /** Sockets of one workspace, and as many of the baseline; see `growCrowds`. */
  crowds(): Promise<Crowds>
  clients: SocketClients
  /** How many sockets on one workspace, from few to many. */
  sizes: readonly number[]
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
export type Section = (bench: LiveBench) => Promise<Findings>
