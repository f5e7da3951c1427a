import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-tries-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function report(tests: string): Promise<string> {
  await writeFile(join(directory, 'some.test.js'), tests)
  const args = ['run', '--root', directory, '--globals', '--retry=1']
  const { stdout } = await run(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      ...args,
      `--reporter=${join(import.meta.dirname, 'second-tries.ts')}`,
    ],
    { env: { PATH: process.env.PATH } },
  )
  return stdout
}

it('names what passed at the second try, and why it failed at the first', async () => {
  const stdout = await report(`
    let tries = 0
    describe('a part', () => {
      it('is lucky', () => { if (++tries === 1) throw new Error('The door was shut.\\nAnd more') })
      it('is well', () => {})
    })`)
  expect(stdout.trim()).toBe(
    'Passed at another try only:\n- some.test.js: a part > is lucky (The door was shut.)',
  )
})

it('says nothing where all passed at once', async () => {
  expect((await report(`it('is well', () => {})`)).trim()).toBe('')
})
