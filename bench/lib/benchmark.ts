import type { Table } from './table.ts'

/** What may be said on the command line. */
export interface BenchmarkOptions {
  /** `live`: sockets on one workspace, from few to many. */
  sockets: number[]
  /** `scale`: how many posts, from few to many. */
  posts: number[]
  /** `sync`: accounts on all platforms together. */
  accounts: number
  /** `reads`, `live`: the names of the sections that are wanted; none: all of them. */
  only: string[]
}

export interface BenchmarkContext {
  options: BenchmarkOptions
  /** Whatever a benchmark starts is put here, and stopped in the opposite order. */
  resources: AsyncDisposableStack
  /** What is being done, for people who wait. */
  log(line: string): void
}

export interface Measurement {
  tables: Table[]
  /** What a reader has to know to understand the figures. */
  notes: string[]
  /** What is wrong with the product, if anything was found: printed last, and the command fails. */
  failures?: string[]
}

export interface Benchmark {
  name: string
  /** In one line, for `--help`. */
  summary: string
  /** @throws when what was measured did not do what it is meant to: figures of that would be worth nothing. */
  run(context: BenchmarkContext): Promise<Measurement>
}

/** @throws unless the condition holds. */
export function assertMeasured(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Nothing can be said: ${message}`)
}
