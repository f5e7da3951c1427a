import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isLockFile } from './directory-lock.ts'
import type { StackLayout } from './layout.ts'
import { postgresHome } from './orphans.ts'

/**
 * Throws away everything that a stack keeps, also what lies elsewhere because Postgres could not come here.
 * The caller holds the directory's lock, and has seen to it that nothing runs on it.
 */
export async function resetState(layout: StackLayout): Promise<void> {
  const home = await postgresHome(layout)
  await rm(home.directory, { recursive: true, force: true })
  const names = await readdir(layout.directory)
  for (const name of names.filter((entry) => !isLockFile(entry)))
    await rm(join(layout.directory, name), { recursive: true, force: true })
}
