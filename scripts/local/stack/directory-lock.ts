import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

const LOCK_FILE = 'lock'
const HOLDER_FILE = 'running.json'

const Holder = z.object({ pid: z.int().positive(), publicUrl: z.string() })
type Holder = z.infer<typeof Holder>

/** A directory's state is in use by another process. */
export class DirectoryInUseError extends Error {
  /** `null` where it has not said yet who it is. */
  readonly holder: Holder | null

  constructor(directory: string, holder: Holder | null) {
    super(
      holder === null
        ? `Another process is using ${directory}`
        : `Tidemark already runs here, at ${holder.publicUrl} (process ${holder.pid}). Stop it with Ctrl-C first.`,
    )
    this.name = 'DirectoryInUseError'
    this.holder = holder
  }
}

export interface DirectoryLock {
  /** Says who holds it, for those who come too late. */
  announce(publicUrl: string): void
  /** May be called twice. */
  release(): void
}

/** Files of this module, which a reset has to leave alone. */
export function isLockFile(name: string): boolean {
  return name.startsWith(LOCK_FILE) || name === HOLDER_FILE
}

/**
 * Takes a directory for this process alone, making it where needed. The system lets go of the lock however
 * the process ends, so that nothing has to be cleaned up after a SIGKILL.
 * @throws DirectoryInUseError when another process has it.
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true })
  const holderFile = join(directory, HOLDER_FILE)
  const database = new DatabaseSync(join(directory, LOCK_FILE))
  try {
    // An exclusive transaction that is never ended: SQLite locks the file by means of the system.
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch {
    database.close()
    throw new DirectoryInUseError(directory, readHolder(holderFile))
  }
  rmSync(holderFile, { force: true })
  return {
    announce(publicUrl) {
      const holder: Holder = { pid: process.pid, publicUrl }
      writeFileSync(holderFile, JSON.stringify(holder))
    },
    release() {
      if (!database.isOpen) return
      rmSync(holderFile, { force: true })
      database.close()
    },
  }
}

function readHolder(file: string): Holder | null {
  try {
    return Holder.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}
