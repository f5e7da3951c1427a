import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findRedisServer, type RedisHandle, startRedis } from '../redis.ts'

/** A parent of its own, which can be killed; it says when its server is up. */
const PARENT = `
  import { startRedis } from ${JSON.stringify(join(import.meta.dirname, '..', 'redis.ts'))}
  const handle = await startRedis({ dataDir: process.argv[1] })
  await handle.createConnection().set('from', 'parent')
  process.once('SIGTERM', () => handle.stop().then(() => process.exit()))
  console.log('up')
  setInterval(() => {}, 1000)
`

describe.skipIf(!findRedisServer())('a private redis-server', () => {
  let dataDir: string
  let handles: RedisHandle[]
  let parents: ChildProcess[]
  const logged: string[] = []

  const start = async () => {
    const handle = await startRedis({ dataDir, log: (message) => logged.push(message) })
    handles.push(handle)
    return handle
  }

  const startParent = async () => {
    const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    parents.push(parent)
    const [line] = await once(parent.stdout, 'data')
    expect(String(line).trim()).toBe('up')
    return parent
  }

  const end = async (parent: ChildProcess, signal: NodeJS.Signals) => {
    const exited = once(parent, 'exit')
    parent.kill(signal)
    await exited
  }

  const record = (): { pid: number; socketPath: string } =>
    JSON.parse(readFileSync(join(dataDir, 'redis-server.json'), 'utf8'))

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'tidemark-test-'))
    handles = []
    parents = []
    logged.length = 0
  })

  afterEach(async () => {
    for (const parent of parents) if (parent.exitCode === null) parent.kill('SIGKILL')
    await Promise.all(handles.map((handle) => handle.stop()))
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('keeps its data over a restart, and leaves no process and no socket', async () => {
    const first = await start()
    expect(first.kind).toBe('server')
    await first.createConnection().set('key', 'value')
    const { pid, socketPath } = record()
    await first.stop()
    await first.stop()
    expect(isRunning(pid)).toBe(false)
    expect(existsSync(dirname(socketPath))).toBe(false)
    expect(existsSync(join(dataDir, 'redis-server.json'))).toBe(false)
    const second = await start()
    expect(await second.createConnection().get('key')).toBe('value')
  })

  it('is reachable for its user alone, and not over the network', async () => {
    const connection = (await start()).createConnection()
    expect(await connection.config('GET', 'port')).toEqual(['port', '0'])
    expect(await connection.config('GET', 'unixsocketperm')).toEqual(['unixsocketperm', '700'])
  })

  it('is found and stopped when its parent was killed, and its data are taken over', async () => {
    const parent = await startParent()
    const { pid } = record()
    await end(parent, 'SIGKILL')
    expect(isRunning(pid)).toBe(true)
    const next = await start()
    expect(isRunning(pid)).toBe(false)
    expect(logged).toEqual([`Stopping redis-server ${pid}, which an earlier start left behind`])
    expect(await next.createConnection().get('from')).toBe('parent')
  })

  it('is left alone while its parent runs', async () => {
    const parent = await startParent()
    const { pid } = record()
    await expect(start()).rejects.toThrow(/Another local stack is running/)
    expect(isRunning(pid)).toBe(true)
    await end(parent, 'SIGTERM')
    expect(isRunning(pid)).toBe(false)
  })

  it('never stops a process that is not its own, whatever the record says', async () => {
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    parents.push(bystander)
    const socketPath = join(tmpdir(), 'tidemark-redis-gone', 'redis.sock')
    writeFileSync(join(dataDir, 'redis-server.json'), JSON.stringify({ pid: bystander.pid, socketPath }))
    await start()
    expect(bystander.exitCode).toBeNull()
    expect(bystander.signalCode).toBeNull()
    expect(logged).toEqual([])
  })

  it('comes back by itself, with its data, when it was killed', async () => {
    const handle = await start()
    const connection = handle.createConnection({ maxRetriesPerRequest: null })
    await connection.set('key', 'value')
    process.kill(record().pid, 'SIGKILL')
    expect(await connection.get('key')).toBe('value')
    await expect.poll(() => logged).toContain('redis-server runs again')
  })

  it('answers again, with its data, when it was killed on demand and that is over', async () => {
    const handle = await start()
    const connection = handle.createConnection({ maxRetriesPerRequest: null })
    for (let kills = 1; kills <= 2; kills += 1) {
      const { pid } = record()
      await handle.kill(10)
      expect(isRunning(pid)).toBe(false)
      expect(await connection.incr('kills')).toBe(kills)
    }
  })

  it('says why it cannot start', async () => {
    writeFileSync(join(dataDir, 'appendonlydir'), 'in the way')
    await expect(start()).rejects.toThrow(/redis-server could not be started: it ended with code 1/)
    expect(existsSync(join(dataDir, 'redis-server.json'))).toBe(false)
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // One that has ended but was not waited for still has its number.
  return !/\) Z /.test(readProcessState(pid))
}

function readProcessState(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}
