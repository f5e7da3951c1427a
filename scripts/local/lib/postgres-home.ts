import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import { stopOrphan } from './postmaster.ts'
import { canEnter, type User } from './unprivileged-user.ts'

/** Where a Postgres keeps its things. */
export interface PostgresHome {
  directory: string
  /** What Postgres itself calls its data directory. */
  cluster: string
  passwordFile: string
  /** Holds the id of the process that last started Postgres here. */
  ownerFile: string
  logFile: string
}

/** Outside of folders for temporary files: those are swept, and databases with them. */
const READABLE_BASES = ['/var/lib/tidemark', '/var/tmp/tidemark']

/**
 * Finds the home of a data directory, always the same one: the directory itself, or where `user` may not
 * come there, one elsewhere that is noted in it. Data that was made before others were shut out moves along.
 * @param user whom Postgres runs as, where that is not this process's own user
 * @throws when no place will do, or when data that has to move is in use.
 */
export async function findPostgresHome(dataDir: string, user: User | undefined): Promise<PostgresHome> {
  const given = layOut(resolve(dataDir))
  await mkdir(given.directory, { recursive: true })
  if (user === undefined) return given
  const note = join(given.directory, 'location')
  const noted = (await readFile(note, 'utf8').catch(() => '')).trim()
  if (noted !== '') {
    await makeOpenDirectory(noted)
    return layOut(noted)
  }
  await openTemporary(given.directory)
  if (await canEnter(given.directory, user)) return given
  const home = layOut(await makeReadableDirectory(user))
  if (await exists(given.cluster)) {
    await stopOrphan(given.cluster, await readOwner(given))
    // It keeps the owner, also to another file system.
    await promisify(execFile)('mv', [given.cluster, given.passwordFile, home.directory])
  }
  await writeFile(note, `${home.directory}\n`)
  return home
}

/** The process that last started Postgres here, dead or alive; undefined where it was stopped in order. */
export async function readOwner(home: PostgresHome): Promise<number | undefined> {
  const pid = Number(await readFile(home.ownerFile, 'utf8').catch(() => ''))
  return pid > 0 ? pid : undefined
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function layOut(directory: string): PostgresHome {
  return {
    directory,
    cluster: join(directory, 'cluster'),
    passwordFile: join(directory, 'superuser-password'),
    ownerFile: join(directory, 'owner'),
    logFile: join(directory, 'postgres.log'),
  }
}

/**
 * Lets other users pass through (not look into) our own directories below the folder for temporary files.
 * What is kept there is thrown away with its directory, and data elsewhere would be left behind.
 */
async function openTemporary(directory: string): Promise<void> {
  const temporary = await realpath(tmpdir())
  for (let path = await realpath(directory); path.startsWith(temporary + sep); path = dirname(path)) {
    const { uid, mode } = await stat(path)
    if (uid === process.getuid?.()) await chmod(path, (mode & 0o7777) | 0o011)
  }
}

async function makeReadableDirectory(user: User): Promise<string> {
  const failures: unknown[] = []
  for (const base of READABLE_BASES) {
    try {
      await makeOpenDirectory(base)
      if (!(await canEnter(base, user))) throw new Error(`Not everyone may enter ${base}`)
      const directory = await mkdtemp(join(base, 'postgres-'))
      await chmod(directory, 0o755)
      return directory
    } catch (error) {
      // Such as a read-only file system; the next may be better.
      failures.push(error)
    }
  }
  throw new AggregateError(
    failures,
    'Found no place for data that both root and an unprivileged user can use',
  )
}

/** Makes a directory that all may enter, whatever this process's umask; leaves one alone that is there. */
async function makeOpenDirectory(path: string): Promise<void> {
  if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, 0o755)
}
