import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { OPTIONS_FILE } from '../../build.ts'
import { claimPort, PortTakenError } from './ports.ts'
import { startWorker, type Worker } from './worker.ts'

const WORKER_MODULE = fileURLToPath(new URL('./worker.ts', import.meta.url))

/** A Worker that says what it is asked for, and counts in a Durable Object. */
const source = (version: string) => `
import { DurableObject } from 'cloudflare:workers'
export class Counter extends DurableObject {
  async add() {
    const count = ((await this.ctx.storage.get('count')) ?? 0) + 1
    await this.ctx.storage.put('count', count)
    return count
  }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url)
    if (pathname === '/api/count') return new Response(await env.COUNTER.getByName('one').add())
    if (pathname === '/api/file') return env.FILES.fetch('https://any/hello.txt')
    if (pathname === '/api/error') console.log(JSON.stringify({ level: 'error', message: 'it went wrong' }))
    return Response.json({ version: ${JSON.stringify(version)}, pathname, greeting: env.GREETING, kept: env.KEPT })
  },
}`

const description = {
  entry: 'api.js',
  worker: {
    name: 'test',
    compatibilityDate: '2026-10-01',
    compatibilityFlags: ['nodejs_compat'],
    bindings: { GREETING: 'overridden', KEPT: 'kept' },
    durableObjects: { COUNTER: { className: 'Counter', useSQLite: true } },
    assets: {
      directory: 'elsewhere',
      binding: 'FILES',
      run_worker_first: ['/api/*', '!/api/static/*'],
      assetConfig: { not_found_handling: 'single-page-application' },
      routerConfig: {
        has_user_worker: true,
        static_routing: { user_worker: ['/api/*'], asset_worker: ['/api/static/*'] },
      },
    },
  },
}

let directory: string
let workers: Worker[]
let lines: string[]
let failures: Error[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-worker-'))
  workers = []
  lines = []
  failures = []
  mkdirSync(join(directory, 'build'))
  mkdirSync(join(directory, 'web/api/static'), { recursive: true })
  writeBuild('1')
  writeFileSync(join(directory, 'build', OPTIONS_FILE), JSON.stringify(description))
  writeFileSync(join(directory, 'web/index.html'), '<h1>Dashboard</h1>')
  writeFileSync(join(directory, 'web/hello.txt'), 'hello')
  writeFileSync(join(directory, 'web/api/static/a.txt'), 'static')
})
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
  rmSync(directory, { recursive: true, force: true })
})

const writeBuild = (version: string) => writeFileSync(join(directory, 'build/api.js'), source(version))

const settings = (port: number) => ({
  workerDir: join(directory, 'build'),
  webDir: join(directory, 'web'),
  port,
  bindings: { GREETING: 'hello' },
  stateDir: join(directory, 'state'),
  logFile: join(directory, 'worker.log'),
})

async function start(port?: number): Promise<{ worker: Worker; url: string }> {
  const chosen = port ?? (await claimPort(0))
  const worker = await startWorker({
    ...settings(chosen),
    log: (line) => lines.push(line),
    onFailure: (error) => failures.push(error),
  })
  workers.push(worker)
  return { worker, url: `http://127.0.0.1:${chosen}` }
}

const textOf = async (url: string) => (await fetch(url)).text()

const recordFile = () => join(directory, 'state/workerd.json')
const workerdPid = () =>
  z.object({ pid: z.number() }).parse(JSON.parse(readFileSync(recordFile(), 'utf8'))).pid

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // Where nobody reaps orphans, a dead one keeps its number.
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('a running Worker', () => {
  test('gets what its patterns name; everything else is a file or the dashboard', async () => {
    const { url } = await start()
    const answer = await (await fetch(`${url}/api/x?y=/index.html`)).json()
    expect(answer).toEqual({ version: '1', pathname: '/api/x', greeting: 'hello', kept: 'kept' })
    expect(await textOf(`${url}/hello.txt`)).toBe('hello')
    expect(await textOf(`${url}/api/static/a.txt`)).toBe('static')
    expect(await textOf(`${url}/`)).toBe('<h1>Dashboard</h1>')
    expect(await textOf(`${url}/accounts/1?api=/api/`)).toBe('<h1>Dashboard</h1>')
    expect(await textOf(`${url}/api`)).toBe('<h1>Dashboard</h1>')
    expect(await textOf(`${url}/api/file`)).toBe('hello')
  })

  test('is started again with the modules that are built now, and keeps what it stored', async () => {
    const { worker, url } = await start()
    expect(await textOf(`${url}/api/count`)).toBe('1')
    writeBuild('2')
    await worker.restart()
    expect(await (await fetch(`${url}/api/x`)).json()).toMatchObject({ version: '2' })
    expect(await textOf(`${url}/api/count`)).toBe('2')
    expect(failures).toEqual([])
  })

  test('comes back on the same port after workerd was killed', async () => {
    const { worker, url } = await start()
    expect(await textOf(`${url}/api/count`)).toBe('1')
    const killed = workerdPid()
    await worker.kill()
    expect(await textOf(`${url}/api/count`)).toBe('2')
    expect(workerdPid()).not.toBe(killed)
    expect(isAlive(killed)).toBe(false)
    expect(failures).toEqual([])
  })

  test('has its errors reported, and everything it says in its log', async () => {
    const { url } = await start()
    await fetch(`${url}/api/error`)
    await vi.waitFor(() => expect(lines).toEqual(['Worker: {"level":"error","message":"it went wrong"}']))
    await vi.waitFor(() =>
      expect(readFileSync(join(directory, 'worker.log'), 'utf8')).toContain('it went wrong'),
    )
  })

  test('leaves no process and no record when it is stopped', async () => {
    const { worker } = await start()
    const pid = workerdPid()
    await worker.stop()
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(recordFile())).toBe(false)
    expect(failures).toEqual([])
  })
})

test('a Worker that does not start says why', async () => {
  writeFileSync(join(directory, 'build/api.js'), 'export default {')
  await expect(start()).rejects.toThrow('Unexpected end of input')
  expect(existsSync(recordFile()) && isAlive(workerdPid())).toBe(false)
})

test('a port that is taken is named', async () => {
  const squatter = createServer()
  const port = await claimPort(0)
  await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve))
  try {
    await expect(start(port)).rejects.toThrow(PortTakenError)
  } finally {
    squatter.close()
  }
})

test('a Worker whose process is killed is reported, and leaves no workerd behind', async () => {
  const { worker } = await start()
  const pid = workerdPid()
  const host = Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }))
  process.kill(host, 'SIGKILL')
  await vi.waitFor(() =>
    expect(failures).toEqual([expect.objectContaining({ message: expect.stringContaining('SIGKILL') })]),
  )
  await worker.stop()
  expect(isAlive(pid)).toBe(false)
})

describe('a Worker whose starter is killed', () => {
  let starter: ChildProcess | undefined
  afterEach(() => {
    starter?.kill('SIGKILL')
  })

  test('ends by itself', async () => {
    const port = await claimPort(0)
    const program = `
      const { startWorker } = await import(${JSON.stringify(WORKER_MODULE)})
      await startWorker({ ...${JSON.stringify(settings(port))}, log() {}, onFailure() {} })
      console.log('started')`
    starter = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => starter?.stdout?.once('data', resolve))
    const pid = workerdPid()
    expect(isAlive(pid)).toBe(true)
    starter.kill('SIGKILL')
    for (let waitedMs = 0; waitedMs < 5_000 && isAlive(pid); waitedMs += 50) await sleep(50)
    expect(isAlive(pid)).toBe(false)
  })
})
