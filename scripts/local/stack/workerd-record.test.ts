import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stopOrphanWorkerd, writeWorkerdRecord } from './workerd-record.ts'

let directory: string
let file: string
let child: ChildProcess | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-record-'))
  file = join(directory, 'workerd.json')
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

async function startProcess(): Promise<{ process: ChildProcess; pid: number }> {
  const process_ = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child = process_
  if (process_.stdout !== null) await once(process_.stdout, 'data')
  return { process: process_, pid: process_.pid ?? 0 }
}

test('a process that goes on after its start was killed is ended', async () => {
  const orphan = await startProcess()
  writeWorkerdRecord(file, { pid: orphan.pid, args: orphan.process.spawnargs })
  const exited = once(orphan.process, 'exit')
  expect(await stopOrphanWorkerd(file)).toBe(true)
  expect(await exited).toEqual([null, 'SIGKILL'])
  expect(existsSync(file)).toBe(false)
})

test('another process that has got the same number is left alone', async () => {
  const stranger = await startProcess()
  writeWorkerdRecord(file, { pid: stranger.pid, args: ['workerd', 'serve', '--external-addr=loopback=1'] })
  expect(await stopOrphanWorkerd(file)).toBe(false)
  expect(stranger.process.exitCode ?? stranger.process.signalCode).toBeNull()
  expect(existsSync(file)).toBe(false)
})

test('no record, or one that was cut off, means no orphan', async () => {
  expect(await stopOrphanWorkerd(file)).toBe(false)
  writeFileSync(file, '{"pid":')
  expect(await stopOrphanWorkerd(file)).toBe(false)
})
