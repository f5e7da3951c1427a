import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chooseFreePorts, chooseStablePorts, claimPort, PortTakenError, reservePort } from './ports.ts'

let directory: string
const servers: Server[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-ports-'))
})
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  rmSync(directory, { recursive: true, force: true })
})

function occupy(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    servers.push(server)
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function choose(lines: string[] = [], workerPort = 1) {
  return chooseStablePorts({
    file: join(directory, 'ports.json'),
    laterFile: join(directory, 'worker-ports.json'),
    workerPort,
    log: (line) => lines.push(line),
  })
}

test('every part gets a port of its own, and the same one at the next start', async () => {
  const first = await choose()
  expect(new Set(Object.values(first)).size).toBe(18)
  expect(await choose()).toEqual(first)
})

test('a port that somebody else has taken is replaced until it is free again', async () => {
  const first = await choose()
  const squatter = await occupy(first.mastodon)
  const lines: string[] = []
  const second = await choose(lines)
  expect(second).toEqual({ ...first, mastodon: expect.any(Number) })
  expect(Object.values(first)).not.toContain(second.mastodon)
  expect(lines).toEqual([expect.stringContaining(`Port ${first.mastodon} (mastodon)`)])
  await new Promise((resolve) => squatter.close(resolve))
  expect(await choose()).toEqual(first)
})

test("the Worker's own port is left to it", async () => {
  const first = await choose()
  const second = await choose([], first.postgres)
  expect(Object.values(second)).not.toContain(first.postgres)
})

test('ports for a stack that is thrown away are all different', async () => {
  expect(new Set(Object.values(await chooseFreePorts())).size).toBe(18)
})

test('a port in use is named, and how to choose another', async () => {
  const port = await claimPort(0)
  await occupy(port)
  await expect(claimPort(port)).rejects.toThrow(PortTakenError)
  await expect(claimPort(port)).rejects.toThrow(`PORT=${port + 1} npm start`)
})

test("a reserved port is nobody else's, and says that it is too early", async () => {
  const port = await claimPort(0)
  const release = await reservePort(port)
  await expect(claimPort(port)).rejects.toThrow(PortTakenError)
  await expect(reservePort(port)).rejects.toThrow(PortTakenError)
  expect((await fetch(`http://127.0.0.1:${port}/v2/publish`)).status).toBe(503)
  await release()
  expect(await claimPort(port)).toBe(port)
})

test('a port that becomes free in time is had', async () => {
  const port = await claimPort(0)
  const squatter = await occupy(port)
  setTimeout(() => squatter.close(), 100)
  expect(await claimPort(port, 5_000)).toBe(port)
})
