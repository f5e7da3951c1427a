import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cidOf, didOf, partsOfSnowflake, snowflakeOf, tidOf, timeOfTid } from './identity.ts'
import { hash32 } from './random.ts'

const times = fc.integer({ min: Date.UTC(2016, 0), max: Date.UTC(2090, 0) })

describe('identifiers', () => {
  test('a record key gives back its time and sorts by it', () => {
    fc.assert(
      fc.property(times, fc.nat(), (atMs, salt) => {
        const tid = tidOf(atMs, salt)
        expect(tid).toMatch(/^[2-7a-z]{13}$/)
        expect(timeOfTid(tid)).toBe(atMs)
        expect(tidOf(atMs + 1, 0) > tid).toBe(true)
      }),
    )
  })

  test('a snowflake gives back its parts, is above 2^53 and sorts by time', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 65_535 }), (atMs, sequence) => {
        const id = snowflakeOf(atMs, sequence)
        expect(partsOfSnowflake(id)).toEqual({ atMs, sequence })
        expect(BigInt(id)).toBeGreaterThan(2n ** 53n)
        expect(BigInt(snowflakeOf(atMs + 1, 0))).toBeGreaterThan(BigInt(id))
      }),
    )
  })

  test('what is no identifier has no parts', () => {
    expect(timeOfTid('short')).toBeUndefined()
    expect(timeOfTid('0000000000000')).toBeUndefined()
    expect(partsOfSnowflake('12x')).toBeUndefined()
    expect(partsOfSnowflake('')).toBeUndefined()
  })

  test('DIDs and content ids have the platform’s form and differ by what they name', () => {
    expect(didOf('seed', 'a')).toMatch(/^did:plc:[a-z2-7]{24}$/)
    expect(didOf('seed', 'a')).not.toBe(didOf('seed', 'b'))
    expect(cidOf('a')).toMatch(/^bafyrei[a-z2-7]{52}$/)
    expect(cidOf('a')).not.toBe(cidOf('b'))
  })

  test('hashes tell the parts of a name apart', () => {
    expect(hash32('ab', 'c')).not.toBe(hash32('a', 'bc'))
  })
})
