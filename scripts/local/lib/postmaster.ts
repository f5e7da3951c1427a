import { execFile } from 'node:child_process'
import { readFile, readlink, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** What Postgres writes about its main process into the cluster's directory. */
export interface PostmasterFile {
  pid: number
  ready: boolean
}

const STOP_TIMEOUT_MS = 20_000
const QUIT_TIMEOUT_MS = 5_000
const POLL_MS = 20

/** Reads `postmaster.pid`; undefined where there is none, or one that is only half written. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n').map((line) => line.trim())
  const pid = Number(lines[0])
  // The eighth line is the status: starting, ready, stopping.
  return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7] === 'ready' } : undefined
}

/**
 * Stops a Postgres that an earlier process left behind when it was killed. One whose starter still lives is
 * left alone. A pid file whose number now belongs to some other program is removed, since Postgres would
 * refuse to start because of it.
 * @param ownerPid the process that last started Postgres on this cluster
 * @returns whether there was one.
 * @throws when the cluster is in use, or when nobody can tell.
 */
export async function stopOrphan(cluster: string, ownerPid: number | undefined): Promise<boolean> {
  const file = await readPostmasterFile(cluster)
  // Where no such process lives, Postgres cleans up after it by itself, and more carefully than we could.
  if (file === undefined || !isAlive(file.pid)) return false
  const { pid } = file
  const identity = await identify(pid, cluster)
  if (identity === 'stranger') {
    await rm(join(cluster, 'postmaster.pid'))
    return false
  }
  if (identity === 'unknown') {
    throw new Error(`Process ${pid} may be a Postgres on ${cluster}; stop it, or remove its postmaster.pid`)
  }
  // An orphan has a foster parent; only a living starter is still the parent.
  if (ownerPid !== undefined && (await parentOf(pid)) === ownerPid) {
    throw new Error(`The Postgres on ${cluster} is in use by process ${ownerPid}`)
  }
  await stopProcess(pid, async () => !isAlive(pid) || (await identify(pid, cluster)) !== 'ours')
  return true
}

/**
 * Fast shutdown: sessions are ended, the data is written; failing that in time, an immediate one, after
 * which the next start recovers from the log.
 * @param isGone says whether the process has ended
 * @throws when it survives both.
 */
export async function stopProcess(pid: number, isGone: () => boolean | Promise<boolean>): Promise<void> {
  for (const { signal, timeoutMs } of [
    { signal: 'SIGINT', timeoutMs: STOP_TIMEOUT_MS },
    { signal: 'SIGQUIT', timeoutMs: QUIT_TIMEOUT_MS },
  ] as const) {
    if (await isGone()) return
    sendSignal(pid, signal)
    const deadline = Date.now() + timeoutMs
    while (Date.now() < deadline) {
      if (await isGone()) return
      await sleep(POLL_MS)
    }
  }
  throw new Error(`Postgres (process ${pid}) does not stop`)
}

/** Sends a signal; a process that is gone already is fine. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process of another user is alive, too.
    return errorCode(error) === 'EPERM'
  }
}

/** Whether the process is the Postgres of this cluster, or only has the number of one that is long gone. */
async function identify(pid: number, cluster: string): Promise<'ours' | 'stranger' | 'unknown'> {
  if (process.platform !== 'linux') return identifyByCommand(await processStatus(pid, 'args'), cluster)
  try {
    // Postgres works in its cluster's directory, and the link follows it where that is moved or renamed.
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(cluster)) ? 'ours' : 'stranger'
  } catch (error) {
    // The remains of a process that nobody has waited for work nowhere.
    if (errorCode(error) === 'ENOENT') return 'stranger'
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    return name.trim() === 'postgres' ? 'unknown' : 'stranger'
  }
}

function identifyByCommand(command: string | undefined, cluster: string): 'ours' | 'stranger' | 'unknown' {
  if (command === undefined) return 'unknown'
  if (command.includes(`-D ${cluster}`)) return 'ours'
  return command.includes('postgres') ? 'unknown' : 'stranger'
}

async function parentOf(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return Number(await processStatus(pid, 'ppid'))
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name, in parentheses, may hold anything; state and parent follow it.
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
}

async function processStatus(pid: number, column: string): Promise<string | undefined> {
  const run = promisify(execFile)
  return run('ps', ['-o', `${column}=`, '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
