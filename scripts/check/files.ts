import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  path: string
  source: string
}

/** What no check looks into: it is not ours, or made by us on the way. */
const SKIPPED = new Set(['.git', '.local', '.wrangler', 'dist', 'node_modules'])

/** Paths of the files below a directory that have one of the endings, sorted. */
export async function listFiles(
  directory: string,
  endings: readonly string[],
  root = REPOSITORY,
): Promise<string[]> {
  const entries = await readdir(join(root, directory), { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  const paths = await Promise.all(
    entries.map(async (entry) => {
      const path = posix.join(directory, entry.name)
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : listFiles(path, endings, root)
      return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : []
    }),
  )
  return paths.flat().sort()
}

/** Files with their text. */
export function readFiles(paths: readonly string[], root = REPOSITORY): Promise<SourceFile[]> {
  return Promise.all(paths.map(async (path) => ({ path, source: await readFile(join(root, path), 'utf8') })))
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
