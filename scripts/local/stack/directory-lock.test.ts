import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DirectoryInUseError, lockDirectory } from './directory-lock.ts'

const MODULE = fileURLToPath(new URL('./directory-lock.ts', import.meta.url))

let directory: string
let other: ChildProcess | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-lock-'))
})
afterEach(() => {
  other?.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

/** Another process that holds the lock. */
async function lockElsewhere(): Promise<ChildProcess> {
  const program = `
    const { lockDirectory } = await import(${JSON.stringify(MODULE)})
    lockDirectory(${JSON.stringify(directory)}).announce('http://127.0.0.1:4321')
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  other = child
  if (child.stdout !== null) await once(child.stdout, 'data')
  return child
}

test('a directory that another process holds is refused, and the answer says who and where', async () => {
  const holder = await lockElsewhere()
  expect(() => lockDirectory(directory)).toThrow(DirectoryInUseError)
  expect(() => lockDirectory(directory)).toThrow(`at http://127.0.0.1:4321 (process ${holder.pid})`)
})

test('a killed process holds nothing any more', async () => {
  const holder = await lockElsewhere()
  const exited = once(holder, 'exit')
  holder.kill('SIGKILL')
  await exited
  lockDirectory(directory).release()
})

test('a released directory can be had again', () => {
  const lock = lockDirectory(directory)
  lock.announce('http://127.0.0.1:1')
  expect(() => lockDirectory(directory)).toThrow(DirectoryInUseError)
  lock.release()
  lock.release()
  lockDirectory(directory).release()
})
