import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { claimPort } from '../../scripts/local/stack/ports.ts'

const PROGRAM = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 10_000

const Instance = z.object({
  url: z.string(),
  email: z.string(),
  password: z.string(),
  apiKey: z.string(),
  workspaceId: z.string(),
})

let directory: string
let port: number
let running: Started | undefined

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-start-'))
  port = await claimPort(0)
})
afterAll(async () => {
  for (const pid of running === undefined ? [] : familyOf(running.pid)) kill(pid)
  rmSync(directory, { recursive: true, force: true })
})

interface Started {
  child: ChildProcess
  pid: number
  output(): string
  ended: Promise<number | null>
}

/** What `npm start -- --empty` runs. */
function spawnStart(): Started {
  const child = spawn(process.execPath, [PROGRAM, '--empty'], {
    env: { ...process.env, PORT: String(port), STATE_DIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const ended = once(child, 'close').then(([code]): number | null => code)
  return { child, pid: child.pid ?? 0, output: () => output, ended }
}

async function start(): Promise<Started> {
  const started = spawnStart()
  running = started
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!started.output().includes('Ctrl-C stops everything')) {
    if (started.child.exitCode !== null || Date.now() > deadline)
      throw new Error(`It did not start:\n${started.output()}`)
    await sleep(50)
  }
  return started
}

const readInstance = () => Instance.parse(JSON.parse(readFileSync(join(directory, 'instance.json'), 'utf8')))

/** A process and all that come from it. */
function familyOf(pid: number): number[] {
  const parents = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const family = [pid]
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member && child !== undefined) family.push(child)
  }
  return family
}

function isAlive(pid: number): boolean {
  try {
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
    return !state.trim().startsWith('Z')
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended in the meantime.
  }
}

function callApi(path: string, init: RequestInit = {}): Promise<Response> {
  const { url, apiKey } = readInstance()
  return fetch(`${url}/api/v1${path}`, {
    ...init,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
  })
}

/** Stores something that has to be there at the next start. */
async function addKey(name: string): Promise<void> {
  const response = await callApi('/api-keys', {
    method: 'POST',
    body: JSON.stringify({ name, scopes: ['read'] }),
  })
  expect(response.status).toBe(201)
}

async function keyNames(): Promise<string[]> {
  const List = z.object({ items: z.array(z.object({ name: z.string() })) })
  const { items } = List.parse(await (await callApi('/api-keys')).json())
  return items.map(({ name }) => name)
}

test('a start prints what it writes down, and the key opens the API', {
  timeout: START_TIMEOUT_MS,
}, async () => {
  const { output } = await start()
  const instance = readInstance()
  expect(instance.url).toBe(`http://127.0.0.1:${port}`)
  expect(statSync(join(directory, 'instance.json')).mode & 0o777).toBe(0o600)
  for (const shown of [
    instance.url,
    instance.email,
    instance.password,
    instance.apiKey,
    `${instance.url}/docs`,
  ])
    expect(output()).toContain(shown)
  expect(await (await callApi('/me')).json()).toMatchObject({
    workspace: { id: instance.workspaceId },
    scopes: expect.arrayContaining(['read', 'write', 'admin', 'operator']),
  })
  await addKey('Before')
})

test('a second start in the same place says where the first one is', { timeout: 30_000 }, async () => {
  const second = spawnStart()
  expect(await second.ended).toBe(1)
  expect(second.output()).toContain(`Tidemark already runs here, at http://127.0.0.1:${port}`)
})

test('Ctrl-C ends everything in time, and the next start finds it all', {
  timeout: START_TIMEOUT_MS,
}, async () => {
  const before = readInstance()
  const first = running
  if (first === undefined) throw new Error('Nothing runs')
  const family = familyOf(first.pid)
  // The Worker's process, workerd and Postgres at least.
  expect(family.length).toBeGreaterThanOrEqual(4)
  first.child.kill('SIGINT')
  expect(await Promise.race([first.ended, sleep(STOP_TIMEOUT_MS, 'too late')])).toBe(0)
  expect(family.filter(isAlive)).toEqual([])
  await start()
  expect(readInstance()).toEqual(before)
  expect(await keyNames()).toContain('Before')
})

test('what a SIGKILL leaves behind is taken over', { timeout: START_TIMEOUT_MS }, async () => {
  await addKey('Just before the end')
  const before = readInstance()
  const first = running
  if (first === undefined) throw new Error('Nothing runs')
  const [main = 0, ...children] = familyOf(first.pid)
  const commandOf = (pid: number) =>
    execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  // With its own process killed as well, nobody tells workerd.
  const host = children.find((pid) => commandOf(pid).includes('worker-host'))
  const workerd = children.find((pid) => commandOf(pid).includes('workerd serve'))
  if (host === undefined || workerd === undefined) throw new Error('The Worker does not run')
  for (const pid of [main, host]) process.kill(pid, 'SIGKILL')
  await first.ended
  expect(isAlive(workerd)).toBe(true)
  const second = await start()
  expect(second.output()).toContain('Found a workerd that an earlier start had left behind')
  expect(children.filter(isAlive)).toEqual([])
  expect(readInstance()).toEqual(before)
  expect(await keyNames()).toEqual(expect.arrayContaining(['Before', 'Just before the end']))
  second.child.kill('SIGTERM')
  expect(await second.ended).toBe(0)
})
