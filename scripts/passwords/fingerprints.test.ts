import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fingerprint, isCommonPassword } from '../../src/adapters/auth/common-passwords.ts'
import { REPOSITORY } from '../check/files.ts'
import { commonPasswords, FINGERPRINTS_FILE, renderFingerprints } from './fingerprints.ts'

test('what the Worker carries is made from the list that is installed', async () => {
  expect(await readFile(join(REPOSITORY, FINGERPRINTS_FILE), 'utf8')).toBe(renderFingerprints())
})

test('every password of the list is known by its fingerprint, and hardly any other', () => {
  const passwords = commonPasswords()
  expect(passwords.length).toBeGreaterThan(1_500)
  expect(passwords.filter((password) => !isCommonPassword(password))).toEqual([])
  const others = passwords.map((password) => `${password} and more`)
  expect(others.filter(isCommonPassword)).toEqual([])
})

test('fingerprints are FNV-1a as published', () => {
  expect(['', 'a', 'foobar'].map(fingerprint)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968])
})
