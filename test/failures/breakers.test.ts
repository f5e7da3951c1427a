import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { AppDeps } from '../../src/deps.ts'
import { API_KEY, startFailingUpstreams } from './upstreams.ts'

let upstreams: Awaited<ReturnType<typeof startFailingUpstreams>>
beforeAll(async () => {
  upstreams = await startFailingUpstreams()
})
afterAll(() => upstreams.close())

let deps: AppDeps
const app = createApp(() => deps)
const ask = (path: string, init?: RequestInit) =>
  app.fetch(new Request(`https://tidemark.example.com${path}`, init))
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  deps = upstreams.fail('hangs up')
})

const states = () => deps.http.breakers().map(({ name, state }) => `${name} ${state}`)

it('lets a probe find out, after one failure, what no further request has to', async () => {
  const headers = { authorization: `Bearer ${API_KEY}` }
  expect((await ask('/api/v1/posts', { headers })).status).toBe(503)
  // Redis may be asked after the answer.
  await vi.waitFor(() => expect(deps.http.breakers().every(({ failures }) => failures > 0)).toBe(true))
  expect(states()).toEqual(['postgres closed', 'redis closed'])
  expect((await ask('/healthz')).status).toBe(200)
  await vi.waitFor(() => expect(states()).toEqual(['postgres open', 'redis open']))
})

it('asks Redis no more, whatever for, where that is not needed', async () => {
  await deps.jobs.probe()
  const { limiter, services } = deps.http
  expect(await limiter.require({ name: 'writes', limit: 9, windowSeconds: 60 }, 'somebody')).toMatchObject({
    allowed: true,
  })
  await expect(services.watchList.mark('a workspace')).rejects.toThrow('redis is not being called')
  await expect(services.generations.raise('a workspace', 1)).rejects.toThrow('redis is not being called')
  const redis = deps.http.breakers().find(({ name }) => name === 'redis')
  expect(redis).toMatchObject({ state: 'open', failures: 2, rejects: 3 })
})

it('lets the plan of the minute find out before it begins, and no other callback', async () => {
  deps.jobs.verify = async () => true
  const call = (path: string) =>
    ask(`/callbacks/${path}`, { method: 'POST', headers: { 'upstash-signature': 'x' }, body: '{}' })
  await call('outbox/sweep')
  expect(states()).toEqual(['postgres closed', 'redis closed'])
  await call('sync/plan')
  expect(states()).toEqual(['postgres open', 'redis open'])
})

it('opens and refuses as the configuration says', async () => {
  deps = upstreams.fail('hangs up', { BREAKERS: 'redis=2/30', BREAKERS_MODE: 'redis=observe' })
  const mark = () => deps.http.services.watchList.mark('a workspace')
  for (let i = 0; i < 3; i++) await expect(mark()).rejects.toThrow('fetch failed')
  const redis = { name: 'redis', mode: 'observe', state: 'open', failures: 3, rejects: 1 }
  expect(deps.http.breakers()).toMatchObject([{ name: 'postgres', mode: 'enforce', state: 'closed' }, redis])
})
