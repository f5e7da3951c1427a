import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSecrets } from './secrets.ts'

let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-secrets-'))
  file = join(directory, 'secrets.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('secrets are made once, for this user alone', async () => {
  const made = await loadSecrets(file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await loadSecrets(file)).toEqual(made)
  expect(new Set(Object.values(made)).size).toBe(Object.keys(made).length)
  expect(Buffer.from(made.credentialsKey, 'base64')).toHaveLength(32)
})

test('a secret that a newer version needs is added, and the others stay', async () => {
  const { redisToken: _, ...older } = await loadSecrets(file)
  writeFileSync(file, JSON.stringify(older))
  const completed = await loadSecrets(file)
  expect(completed).toMatchObject(older)
  expect(completed.redisToken).not.toBe('')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(completed)
})

test('a file that is broken is not overwritten', async () => {
  writeFileSync(file, '{')
  await expect(loadSecrets(file)).rejects.toThrow('--reset')
  expect(readFileSync(file, 'utf8')).toBe('{')
})
