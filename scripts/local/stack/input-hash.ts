import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Changes in tests change no build. */
const IGNORED = /(\.test\.tsx?|\.DS_Store|~)$/

/**
 * Hashes names and contents of files, and of all files in directories; what is not there counts as absent.
 * Equal hashes mean equal inputs, in whatever order the paths are given.
 * @param root what the paths are relative to; where it lies does not enter the hash
 */
export async function hashInputs(root: string, paths: readonly string[]): Promise<string> {
  const files = (await Promise.all(paths.map((path) => filesBelow(join(root, path))))).flat()
  const unique = [...new Set(files)].sort()
  const contents = await Promise.all(unique.map((file) => readFile(file)))
  const hash = createHash('sha256')
  unique.forEach((file, index) => {
    const content = contents[index] ?? Buffer.alloc(0)
    // With the length in front, no two lists of files run together into the same bytes.
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content)
  })
  return hash.digest('hex')
}

async function filesBelow(path: string): Promise<string[]> {
  const stats = await stat(path).catch(() => undefined)
  if (stats === undefined) return []
  if (!stats.isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !IGNORED.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}
