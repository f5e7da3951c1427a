import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  Count,
  chunksOf,
  distinctBy,
  LooseList,
  OptionalName,
  OptionalText,
  readTimestamp,
  WebAddress,
} from './fields.ts'

describe('the fields of an answer', () => {
  const Everything = z.object({
    count: Count,
    text: OptionalText,
    name: OptionalName,
    url: WebAddress,
    list: LooseList,
  })

  it('may all be missing', () => {
    expect(Everything.parse({})).toEqual({ count: null, text: null, name: null, url: null, list: [] })
  })

  it('may all be of the wrong type', () => {
    const wrong = { count: '3', text: 3, name: {}, url: 7, list: 'x' }
    expect(Everything.parse(wrong)).toEqual({ count: null, text: null, name: null, url: null, list: [] })
  })

  it.each([
    [0, 0],
    [7, 7],
    [-1, null],
    [1.5, null],
    [2 ** 60, null],
    [Number.NaN, null],
    [null, null],
  ])('take %s for the count %s', (sent, count) => {
    expect(Count.parse(sent)).toBe(count)
  })

  it.each([
    ['https://a.example/x', 'https://a.example/x'],
    ['http://a.example/', 'http://a.example/'],
    ['javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['//a.example/', null],
    ['', null],
  ])('take %j for the web address %j', (sent, url) => {
    expect(WebAddress.parse(sent)).toBe(url)
  })
})

describe('readTimestamp', () => {
  const timezone = process.env.TZ
  afterEach(() => {
    if (timezone === undefined) delete process.env.TZ
    else process.env.TZ = timezone
  })

  it.each([
    ['2026-11-20T08:00:00Z', '2026-11-20T08:00:00.000Z'],
    ['2026-11-20T08:00:00.123456Z', '2026-11-20T08:00:00.123Z'],
    ['2026-11-20T08:00:00+02:00', '2026-11-20T06:00:00.000Z'],
    ['2026-11-20T08:00:00', '2026-11-20T08:00:00.000Z'],
    ['2026-11-20 08:00', '2026-11-20T08:00:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ])('reads %j the same wherever it runs', (text, expected) => {
    process.env.TZ = 'America/New_York'
    expect(new Date(2026, 0, 1).getTimezoneOffset()).toBe(300)
    expect(new Date(readTimestamp(text) ?? Number.NaN).toISOString()).toBe(expected)
  })

  it.each([
    null,
    '',
    'yesterday',
    '2026-11-20',
    '2026-13-40T99:00:00Z',
    '1969-12-31T23:59:59Z',
    '0001-01-01T00:00:00Z',
    '99999-01-01T00:00:00Z',
  ])('reads no moment in %j', (text) => {
    expect(readTimestamp(text)).toBeNull()
  })
})

describe('lists', () => {
  it('are cut into groups', () => {
    expect(chunksOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
    expect(chunksOf([], 2)).toEqual([])
  })

  it('keep the first of each id', () => {
    expect(distinctBy(['a1', 'b1', 'a2'], (value) => value.slice(0, 1))).toEqual(['a1', 'b1'])
  })
})
