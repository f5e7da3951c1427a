import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Intervention, interventionSchema } from './interventions.ts'

/** Keeps interventions as JSON lines, so that a restarted world is the same world. */
export interface Journal {
  /** What was kept, in order. Lines that make no sense (a write cut off by a crash) are left out. */
  read(): Intervention[]
  append(intervention: Intervention): void
}

/** A journal in a file, which is made when first written to; without a path, nothing is kept. */
export function createJournal(path: string | undefined): Journal {
  if (path === undefined) return { read: () => [], append: () => {} }
  let isReady = false
  return {
    read: () => {
      if (!existsSync(path)) return []
      return readFileSync(path, 'utf8').split('\n').flatMap(parseLine)
    },
    append: (intervention) => {
      if (!isReady) {
        mkdirSync(dirname(path), { recursive: true })
        // A torn last line must not swallow the next one.
        if (existsSync(path) && !readFileSync(path, 'utf8').endsWith('\n')) appendFileSync(path, '\n')
        isReady = true
      }
      appendFileSync(path, `${JSON.stringify(intervention)}\n`)
    },
  }
}

function parseLine(line: string): Intervention[] {
  if (line.trim() === '') return []
  try {
    const parsed = interventionSchema.safeParse(JSON.parse(line))
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}
