import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** The name of the connection that a running parent holds to its server. */
export const OWNER_CONNECTION_NAME = 'tidemark-owner'
/** How the folders of sockets, and of data that nobody wants to keep, begin. */
export const TEMPORARY_PREFIX = 'tidemark-redis-'

const PROBE_TIMEOUT_MS = 1000
const TERMINATION_TIMEOUT_MS = 5000

export interface ServerRecord {
  pid: number
  socketPath: string
}

export type Ownership = 'owned' | 'orphan' | 'not ours'

/**
 * What has become of a recorded server: its parent is still there (`owned`), it runs alone (`orphan`), or it
 * is gone and the process number may mean any other program now (`not ours`).
 */
export async function examine(record: ServerRecord): Promise<Ownership> {
  if (!isAlive(record.pid)) return 'not ours'
  const probe = new Redis({
    path: record.socketPath,
    lazyConnect: true,
    connectTimeout: PROBE_TIMEOUT_MS,
    commandTimeout: PROBE_TIMEOUT_MS,
    retryStrategy: () => null,
    enableReadyCheck: false,
  })
  probe.on('error', () => {})
  try {
    await probe.connect()
    const information = await probe.info('server')
    if (!information.includes(`process_id:${record.pid}\r\n`)) return 'not ours'
    const clients = String(await probe.client('LIST'))
    return clients.includes(` name=${OWNER_CONNECTION_NAME} `) ? 'owned' : 'orphan'
  } catch {
    // A server that hangs says its socket in its title all the same.
    return commandLine(record.pid).includes(record.socketPath) ? 'orphan' : 'not ours'
  } finally {
    probe.disconnect()
  }
}

/** Asks a process to end, insists after 5 s, and waits until it is gone. */
export async function signalAndWait(pid: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    send(pid, signal)
    for (let waitedMs = 0; waitedMs < TERMINATION_TIMEOUT_MS; waitedMs += 20) {
      if (!isAlive(pid)) return
      await delay(20)
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return !isGone(error)
  }
}

/** In a container whose first process reaps nobody, an orphan that has ended keeps its number. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const isGone = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ESRCH'

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // Not Linux, or gone in the meantime.
  }
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}
