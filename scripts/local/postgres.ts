import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { findPostgresBinaries, type PostgresBinaries } from './lib/postgres-binaries.ts'
import { exists, findPostgresHome, type PostgresHome, readOwner } from './lib/postgres-home.ts'
import { readPostmasterFile, sendSignal, stopOrphan, stopProcess } from './lib/postmaster.ts'
import { findUnprivilegedUser, type User } from './lib/unprivileged-user.ts'

export interface PostgresOptions {
  /**
   * Everything is kept here, or (as root, where other users may not come here) a note of where it is. Below
   * the folder for temporary files, directories are opened for others to pass through instead.
   */
  dataDir: string
  /** None or 0: any free port. */
  port?: number
  /** Takes lines about starting and stopping; Postgres' own log is `postgres.log` beside the data. */
  log?: (line: string) => void
}

export interface Postgres {
  host: string
  port: number
  /** A connection string of the superuser, for the database `postgres`. */
  adminUrl: string
  /** Whether a Postgres that a killed process had left behind was found on the data, and stopped first. */
  tookOver: boolean
  /** Kills its main process as the system might; resolves when that is gone, which its sessions follow. */
  kill(): Promise<void>
  /** Ends all sessions and stops Postgres; resolves when it is gone. May be called twice. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const SUPERUSER = 'postgres'

/** Crash recovery comes before it answers, and may have much to do. */
const READY_TIMEOUT_MS = 120_000
const POLL_MS = 20
const MAX_PORT_ATTEMPTS = 3
const MAX_LOG_BYTES = 10 * 1024 * 1024
const ERROR_LOG_BYTES = 4_000

const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '256MB',
  fsync: 'on',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/**
 * Starts the Postgres that npm installed, on data that survives restarts; the first start makes it. As root
 * it runs as an unprivileged user, as Postgres demands. A Postgres that a killed process left behind on the
 * same data is stopped first.
 * @throws when a living process uses the data, or Postgres does not start; the message ends with its log.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const log = options.log ?? (() => {})
  const unprivileged = await findUnprivilegedUser()
  const home = await findPostgresHome(options.dataDir, unprivileged)
  // Data that some other user made earlier stays that user's: Postgres runs for nobody else.
  const user = unprivileged && ((await ownerOf(home.cluster)) ?? unprivileged)
  const tookOver = await stopOrphan(home.cluster, await readOwner(home))
  if (tookOver) log('Stopped a Postgres that was left behind')
  const binaries = await findPostgresBinaries(user)
  const password = await ensureCluster(home, binaries, user, log)
  await prepareLog(home.logFile)
  const server = await launchReady(options.port ?? 0, home.cluster, (port) =>
    launch(binaries, home, port, user),
  )
  const { port } = server
  const stopServer = () => stopProcess(server.pid, () => hasEnded(server.child))
  try {
    await checkLogin(port, password)
  } catch (error) {
    await stopServer()
    throw new Error(`The password in ${home.passwordFile} does not fit the data`, { cause: error })
  }
  await writeFile(home.ownerFile, `${process.pid}\n`)
  log(`Postgres listens on ${HOST}:${port}, data in ${home.directory}`)

  let stopping: Promise<void> | undefined
  server.child.once('exit', () => {
    if (stopping === undefined) log(`Postgres ended by itself; see ${home.logFile}`)
  })
  return {
    host: HOST,
    port,
    adminUrl: `postgresql://${SUPERUSER}:${password}@${HOST}:${port}/postgres`,
    tookOver,
    kill: async () => {
      if (hasEnded(server.child)) return
      const gone = once(server.child, 'exit')
      sendSignal(server.pid, 'SIGKILL')
      await gone
    },
    stop: () => {
      stopping ??= stopServer().then(() => rm(home.ownerFile, { force: true }))
      return stopping
    },
  }
}

/** Makes the cluster where there is none yet. Returns the superuser's password. */
async function ensureCluster(
  home: PostgresHome,
  binaries: PostgresBinaries,
  user: User | undefined,
  log: (line: string) => void,
): Promise<string> {
  const { cluster, passwordFile } = home
  if (await exists(join(cluster, 'PG_VERSION'))) {
    return (await readFile(passwordFile, 'utf8')).trim()
  }
  log(`Making a Postgres cluster in ${cluster}`)
  const password = randomBytes(24).toString('base64url')
  await rm(passwordFile, { force: true })
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  // Made beside its place and moved there when whole, so that an interrupted start leaves nothing half done.
  const unfinished = `${cluster}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  if (user !== undefined) {
    for (const path of [unfinished, passwordFile]) await chown(path, user.uid, user.gid)
  }
  // Where the system has no C.UTF-8, the provider within Postgres still knows it for collation and case.
  await runInitdb(binaries, unfinished, passwordFile, 'C.UTF-8', user).catch(() =>
    runInitdb(binaries, unfinished, passwordFile, 'C', user),
  )
  await rename(unfinished, cluster)
  return password
}

async function runInitdb(
  binaries: PostgresBinaries,
  directory: string,
  passwordFile: string,
  locale: string,
  user: User | undefined,
): Promise<void> {
  const args = [
    `--pgdata=${directory}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    `--locale=${locale}`,
    '--lc-messages=C',
    '--no-instructions',
  ]
  await promisify(execFile)(binaries.initdb, args, childOptions(binaries, user))
}

interface Server {
  child: ChildProcess
  pid: number
  port: number
  /** The end of what this start wrote to the log. */
  readLog(): Promise<string>
}

/** Starts Postgres on the port and waits for it; on another one where a free port was lost to someone else. */
async function launchReady(
  wantedPort: number,
  cluster: string,
  launchOn: (port: number) => Promise<Server>,
): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await launchOn(wantedPort === 0 ? await findFreePort() : wantedPort)
    try {
      await waitUntilReady(server, cluster)
      return server
    } catch (error) {
      await stopProcess(server.pid, () => hasEnded(server.child))
      const serverLog = await server.readLog()
      if (wantedPort === 0 && attempt < MAX_PORT_ATTEMPTS && serverLog.includes('could not bind')) continue
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`Postgres did not start: ${reason}\n${serverLog}`, { cause: error })
    }
  }
}

async function launch(
  binaries: PostgresBinaries,
  home: PostgresHome,
  port: number,
  user: User | undefined,
): Promise<Server> {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const { size: logStart } = await stat(home.logFile)
  const log = await open(home.logFile, 'a')
  try {
    const child = spawn(binaries.postgres, ['-D', home.cluster, '-p', String(port), ...settings], {
      ...childOptions(binaries, user),
      // A file, not a pipe, so that it can go on writing when this process is gone.
      stdio: ['ignore', log.fd, log.fd],
      // Ctrl-C is for this process alone, which stops Postgres when all that uses it has stopped.
      detached: true,
    })
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('spawn', () => {
        if (child.pid !== undefined) resolve(child.pid)
      })
    })
    // Where this process ends without having stopped it; after SIGKILL, the next start finds it.
    const onExit = () => sendSignal(pid, 'SIGINT')
    process.once('exit', onExit)
    child.once('exit', () => process.off('exit', onExit))
    const readLog = async () => {
      const text = await readFile(home.logFile)
      return text.subarray(Math.max(logStart, text.length - ERROR_LOG_BYTES)).toString()
    }
    return { child, pid, port, readLog }
  } finally {
    await log.close()
  }
}

function childOptions(binaries: PostgresBinaries, user: User | undefined) {
  const env = Object.fromEntries(
    // Variables for Postgres' own programs, and the locale, must not reach in from the caller's shell.
    Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name)),
  )
  // The working directory may be one that the user cannot enter.
  return { ...user, cwd: dirname(binaries.postgres), env: { ...env, LC_ALL: 'C' } }
}

async function waitUntilReady(server: Server, cluster: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    if (hasEnded(server.child)) throw new Error('it ended at once')
    const file = await readPostmasterFile(cluster)
    if (file?.pid === server.pid && file.ready) return
    if (Date.now() > deadline) throw new Error(`it was not ready within ${READY_TIMEOUT_MS} ms`)
    await sleep(POLL_MS)
  }
}

/** Proves that the password still fits the data. */
async function checkLogin(port: number, password: string): Promise<void> {
  const client = new Client({ host: HOST, port, user: SUPERUSER, password, database: 'postgres', ssl: false })
  await client.connect()
  await client.end()
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function ownerOf(path: string): Promise<User | undefined> {
  const stats = await stat(path).catch(() => undefined)
  return stats === undefined || stats.uid === 0 ? undefined : { uid: stats.uid, gid: stats.gid }
}

async function prepareLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  )
  if (size > MAX_LOG_BYTES) await rename(file, `${file}.old`)
  await writeFile(file, '', { flag: 'a' })
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, HOST, () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
