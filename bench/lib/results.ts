import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchmarkOptions, Measurement } from './benchmark.ts'
import type { MachineFacts } from './machine.ts'

const DIRECTORY = fileURLToPath(new URL('../results', import.meta.url))

export interface Result extends Measurement {
  name: string
  /** RFC 3339. */
  startedAt: string
  durationMs: number
  options: BenchmarkOptions
  machine: MachineFacts
  /** See `loadPerCore`. */
  load: { before: number; after: number }
}

/** Keeps a result in place of the last one of its name. @returns where */
export async function writeResult(result: Result): Promise<string> {
  await mkdir(DIRECTORY, { recursive: true })
  const path = join(DIRECTORY, `${result.name}.json`)
  const fresh = `${path}.${process.pid}.new`
  await writeFile(fresh, `${JSON.stringify(result, null, 2)}\n`)
  await rename(fresh, path)
  return path
}
