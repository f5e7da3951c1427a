import { describe, expect, it } from 'vitest'
import { isId, newId } from './ids.ts'

describe('newId', () => {
  it('is a UUID of version 7 that begins with its time', () => {
    const id = newId(Date.parse('2026-11-22T10:00:00.123Z'))
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(
      Date.parse('2026-11-22T10:00:00.123Z'),
    )
  })

  it.each([0, 1, 2 ** 31, 2 ** 32, 2 ** 47 + 1, 2 ** 48 - 1])(
    'keeps all 48 bits of the time: %d',
    (nowMs) => {
      expect(Number.parseInt(newId(nowMs).replaceAll('-', '').slice(0, 12), 16)).toBe(nowMs)
    },
  )

  it('takes the present where no time is given', () => {
    const before = Date.now()
    const atMs = Number.parseInt(newId().replaceAll('-', '').slice(0, 12), 16)
    expect(atMs).toBeGreaterThanOrEqual(before)
    expect(atMs).toBeLessThanOrEqual(Date.now())
  })

  it('is another each time, and later ones sort behind', () => {
    const ids = Array.from({ length: 1_000 }, () => newId(1_000))
    expect(new Set(ids).size).toBe(1_000)
    expect(ids.every((id) => id < newId(1_001))).toBe(true)
    expect(ids.every(isId)).toBe(true)
  })
})

describe('isId', () => {
  it('takes any UUID as we write it', () => {
    expect(isId('0190a0b0-c0d0-7000-8000-000000000001')).toBe(true)
    expect(isId(crypto.randomUUID())).toBe(true)
  })

  it.each([
    '',
    'posts',
    '0190A0B0-C0D0-7000-8000-000000000001',
    '0190a0b0c0d070008000000000000001',
    '{0190a0b0-c0d0-7000-8000-000000000001}',
    '0190a0b0-c0d0-7000-8000-00000000000',
    '0190a0b0-c0d0-7000-8000-0000000000011',
    '0190a0b0-c0d0-7000-8000-000000000001\n',
    "0190a0b0-c0d0-7000-8000-00000000000'",
    '0190g0b0-c0d0-7000-8000-000000000001',
  ])('refuses %j', (text) => {
    expect(isId(text)).toBe(false)
  })
})
