import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OPTIONS_FILE } from '../../build.ts'
import { claimPort } from './ports.ts'
import { startWorker, type Worker } from './worker.ts'

const OWNER = `
import { DurableObject } from 'cloudflare:workers'
export class Counter extends DurableObject {
  async add(...numbers) {
    const sum = numbers.reduce((a, b) => a + b, (await this.ctx.storage.get('sum')) ?? 0)
    await this.ctx.storage.put('sum', sum)
    return { sum, name: this.ctx.id.name }
  }
  async nothing() {}
  async fail() { throw new Error('it went wrong') }
}
export default {
  async fetch(request, env) {
    return Response.json(await env.COUNTER.getByName('a/b').add(100))
  },
}`

const USER = `
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url)
    try {
      switch (pathname) {
        case '/add': return Response.json(await env.COUNTER.getByName('a/b').add(1, 2))
        case '/nothing': return Response.json((await env.COUNTER.getByName('a/b').nothing()) ?? 'nothing')
        case '/fail': return Response.json(await env.COUNTER.getByName('a/b').fail())
        case '/put': return Response.json((await env.FILES.put('dir/ä.txt', new TextEncoder().encode('0123456789'))) ?? 'put')
        case '/get': {
          const object = await env.FILES.get('dir/ä.txt', { range: { offset: 2, length: 3 } })
          return Response.json(object === null ? null : new TextDecoder().decode(await object.arrayBuffer()))
        }
        case '/delete': return Response.json((await env.FILES.delete('dir/ä.txt')) ?? 'deleted')
      }
    } catch (error) {
      return Response.json(error.message, { status: 500 })
    }
  },
}`

const common = { compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] }
const r2Buckets = { FILES: { id: 'files' } }
const described = {
  owner: { ...common, name: 'owner', durableObjects: { COUNTER: { className: 'Counter', useSQLite: true } } },
  user: {
    ...common,
    name: 'user',
    durableObjects: { COUNTER: { className: 'Counter', scriptName: 'owner' } },
  },
}

let directory: string
let ports: Record<'owner' | 'user' | 'objects', number>
let owner: Worker
let user: Worker

async function start(name: 'owner' | 'user', source: string): Promise<Worker> {
  const workerDir = join(directory, name)
  mkdirSync(workerDir)
  writeFileSync(join(workerDir, 'index.js'), source)
  const worker = { ...described[name], r2Buckets }
  writeFileSync(join(workerDir, OPTIONS_FILE), JSON.stringify({ entry: 'index.js', worker }))
  const shared = { port: ports.objects, token: 'sesame' }
  return startWorker({
    workerDir,
    webDir: workerDir,
    port: ports[name],
    bindings: {},
    stateDir: join(directory, `${name}-state`),
    logFile: join(directory, `${name}.log`),
    objects: name === 'owner' ? { owned: shared } : { elsewhere: shared },
    log() {},
    onFailure(error) {
      throw error
    },
  })
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-objects-'))
  ports = { owner: await claimPort(0), user: await claimPort(0), objects: await claimPort(0) }
  ;[owner, user] = await Promise.all([start('owner', OWNER), start('user', USER)])
})
afterAll(async () => {
  await Promise.all([owner, user].map((worker) => worker.stop()))
  rmSync(directory, { recursive: true, force: true })
})

async function ask(who: 'owner' | 'user', path = '/'): Promise<[status: number, body: unknown]> {
  const response = await fetch(`http://127.0.0.1:${ports[who]}${path}`)
  return [response.status, await response.json()]
}

test('an object of another process is the same one, under its name', async () => {
  expect(await ask('user', '/add')).toEqual([200, { sum: 3, name: 'a/b' }])
  expect(await ask('owner')).toEqual([200, { sum: 103, name: 'a/b' }])
  expect(await ask('user', '/nothing')).toEqual([200, 'nothing'])
  expect(await ask('user', '/fail')).toEqual([500, 'it went wrong'])
})

test('a bucket of another process gives what was put, part of it, and forgets it', async () => {
  expect(await ask('user', '/get')).toEqual([200, null])
  expect(await ask('user', '/put')).toEqual([200, 'put'])
  expect(await ask('user', '/get')).toEqual([200, '234'])
  expect(await ask('user', '/delete')).toEqual([200, 'deleted'])
  expect(await ask('user', '/get')).toEqual([200, null])
})

test('nobody else is let in', async () => {
  const url = `http://127.0.0.1:${ports.objects}/COUNTER/a/add`
  for (const authorization of ['', 'Bearer ', 'Bearer other'])
    expect((await fetch(url, { method: 'POST', body: '[1]', headers: { authorization } })).status).toBe(401)
})

test('both are reached again after either process was killed', async () => {
  await owner.kill()
  expect(await ask('user', '/add')).toEqual([200, { sum: 106, name: 'a/b' }])
  await user.kill()
  expect((await ask('user', '/add'))[0]).toBe(200)
  expect((await ask('user', '/put'))[0]).toBe(200)
})
