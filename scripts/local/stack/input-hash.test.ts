import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashInputs } from './input-hash.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-hash-'))
  mkdirSync(join(root, 'src/deep'), { recursive: true })
  writeFileSync(join(root, 'src/a.ts'), 'one')
  writeFileSync(join(root, 'src/deep/b.ts'), 'two')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const hash = (...paths: string[]) => hashInputs(root, paths.length > 0 ? paths : ['src', 'package.json'])

test('the same files have the same hash, wherever they lie and however they are named', async () => {
  const before = await hash()
  expect(await hash('package.json', 'src', 'src/a.ts')).toBe(before)
  const moved = `${root}-moved`
  renameSync(root, moved)
  root = moved
  expect(await hash()).toBe(before)
})

test.each<[string, () => void]>([
  ['a changed file', () => writeFileSync(join(root, 'src/deep/b.ts'), 'three')],
  ['a new file', () => writeFileSync(join(root, 'src/c.ts'), '')],
  ['a file that comes into being', () => writeFileSync(join(root, 'package.json'), '{}')],
  ['a renamed file', () => renameSync(join(root, 'src/a.ts'), join(root, 'src/z.ts'))],
  [
    'content that moves from one file to the next',
    () => {
      writeFileSync(join(root, 'src/a.ts'), 'onet')
      writeFileSync(join(root, 'src/deep/b.ts'), 'wo')
    },
  ],
])('%s changes the hash', async (_, change) => {
  const before = await hash()
  change()
  expect(await hash()).not.toBe(before)
})

test('a test does not change the hash', async () => {
  const before = await hash()
  writeFileSync(join(root, 'src/a.test.ts'), 'test')
  expect(await hash()).toBe(before)
})
