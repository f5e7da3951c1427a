import { createHash, scryptSync } from 'node:crypto'
import { hashPassword as hashAsTheLibrary } from 'better-auth/crypto'
import { describe, expect, it } from 'vitest'
import { hashPassword, verifyPassword } from './passwords.ts'

describe('the hash of a password', () => {
  it('fits that password alone', async () => {
    const hash = await hashPassword('otter canal seventeen')
    expect(await verifyPassword(hash, 'otter canal seventeen')).toBe(true)
    for (const other of ['', 'otter canal seventee', 'Otter canal seventeen', 'otter canal seventeen '])
      expect(await verifyPassword(hash, other)).toBe(false)
  })

  it('is another one each time, and shows nothing of it', async () => {
    const hashes = await Promise.all([
      hashPassword('otter canal seventeen'),
      hashPassword('otter canal seventeen'),
    ])
    expect(new Set(hashes).size).toBe(2)
    for (const hash of hashes) expect(hash).toMatch(/^scrypt-lanes:2048:8:40:[0-9a-f]{32}:[0-9a-f]{128}$/)
  })

  it('fits however a keyboard writes a letter', async () => {
    const hash = await hashPassword('Zw\u00f6lf Boxk\u00e4mpfer')
    expect(await verifyPassword(hash, 'Zwo\u0308lf Boxka\u0308mpfer')).toBe(true)
  })

  it('may be one that the sign-in library has made', async () => {
    const hash = await hashAsTheLibrary('otter canal seventeen')
    expect(await verifyPassword(hash, 'otter canal seventeen')).toBe(true)
    expect(await verifyPassword(hash, 'otter canal eighteen')).toBe(false)
  })

  it('costs time, which a plain hash would not', async () => {
    const startedMs = performance.now()
    await hashPassword('otter canal seventeen')
    expect(performance.now() - startedMs).toBeGreaterThan(20)
  })

  it('is all of its lanes, which Node’s scrypt confirms', async () => {
    const [, N, r, lanes, salt = '', key] = (await hashPassword('otter canal seventeen')).split(':')
    const digest = createHash('sha512')
    for (let lane = 0; lane < Number(lanes); lane += 1)
      digest.update(
        scryptSync('otter canal seventeen', `${salt}:${lane}`, 64, { N: Number(N), r: Number(r) }),
      )
    expect(digest.digest('hex')).toBe(key)
  })

  it.each([
    '',
    ':',
    'abc',
    'a:b:c',
    `other:1:1:1:${'0'.repeat(32)}:${'0'.repeat(128)}`,
    `${'0'.repeat(32)}:`,
    `:${'0'.repeat(128)}`,
  ])('is not %j', async (hash) => {
    await expect(verifyPassword(hash, 'otter canal seventeen')).rejects.toThrow('no password hash')
  })

  it('fits nothing where it was cut short', async () => {
    const hash = await hashPassword('otter canal seventeen')
    expect(await verifyPassword(hash.slice(0, -2), 'otter canal seventeen')).toBe(false)
  })
})
