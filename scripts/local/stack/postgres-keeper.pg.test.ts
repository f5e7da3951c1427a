import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { claimPort } from './ports.ts'
import { type KeptPostgres, keepPostgres } from './postgres-keeper.ts'

let dataDir: string
let postgres: KeptPostgres | undefined
const lines: string[] = []
const failures: Error[] = []

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tidemark-keeper-'))
  postgres = await keepPostgres({
    dataDir,
    port: await claimPort(0),
    restartDelayMs: 100,
    log: (line) => lines.push(line),
    onFailure: (error) => failures.push(error),
  })
})
afterEach(async () => {
  await postgres?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

async function query(text: string): Promise<unknown> {
  const client = new Client({ connectionString: postgres?.adminUrl })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows[0]
  } finally {
    await client.end()
  }
}

const pidOf = async () =>
  Number((await readFile(join(dataDir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0])

test('a Postgres that is killed comes back on the same port with its data', async () => {
  await query('CREATE TABLE kept AS SELECT 42 AS answer')
  const killed = await pidOf()
  process.kill(killed, 'SIGKILL')
  await vi.waitFor(async () => expect(await query('SELECT answer FROM kept')).toEqual({ answer: 42 }), {
    timeout: 30_000,
    interval: 200,
  })
  expect(await pidOf()).not.toBe(killed)
  expect(lines).toContain('Postgres runs again')
  expect(failures).toEqual([])
})

test('a Postgres that was killed on demand answers when that is over, however often that happens', async () => {
  await query('CREATE TABLE counted AS SELECT 0 AS kills')
  const pids = new Set<number>()
  for (let kills = 1; kills <= 2; kills += 1) {
    pids.add(await pidOf())
    await postgres?.kill(10)
    expect(await query('UPDATE counted SET kills = kills + 1 RETURNING kills')).toEqual({ kills })
  }
  expect(pids.size).toBe(2)
  expect(failures).toEqual([])
})
