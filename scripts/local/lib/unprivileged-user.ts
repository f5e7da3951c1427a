import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The user that a child process runs as, in the form that `spawn` takes. */
export interface User {
  uid: number
  gid: number
}

/** Accounts that exist on most systems and may be left with a database's files, best first. */
const CANDIDATES = ['postgres', '_postgres', 'nobody']

/**
 * A user for programs that refuse to run as root; undefined where this process is not root and may run
 * them as itself.
 * @throws when this process is root and no such account exists.
 */
export async function findUnprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const name of CANDIDATES) {
    const account = accounts.find((fields) => fields[0] === name)
    const uid = Number(account?.[2])
    const gid = Number(account?.[3])
    // Some systems write nobody as -2, which spawn does not take.
    if (uid > 0 && gid > 0) return { uid, gid }
  }
  throw new Error(`Postgres refuses to run as root, and none of the users ${CANDIDATES.join(', ')} exists`)
}

/** Whether the user may pass through the directory and everything above it. Looks at modes, not at ACLs. */
export async function canEnter(directory: string, user: User): Promise<boolean> {
  let path = await realpath(directory)
  for (;;) {
    const { mode, uid, gid } = await stat(path)
    const executeBit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & executeBit) === 0) return false
    if (dirname(path) === path) return true
    path = dirname(path)
  }
}
