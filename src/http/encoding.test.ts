import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { acceptsGzip, gzipEtag, gzipped, namesEtag } from './encoding.ts'

describe('whether a client takes gzip', () => {
  it.each([
    ['gzip', true],
    ['gzip, deflate, br', true],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', true],
    ['GZIP', true],
    ['x-gzip', true],
    ['*', true],
    ['deflate, *;q=0.5', true],
    ['gzip;q=0', false],
    ['gzip; q=0.000, *', false],
    ['*;q=0', false],
    ['br', false],
    ['notgzip', false],
    ['identity', false],
    ['', false],
    [undefined, false],
    [null, false],
  ])('%s: %s', (header, expected) => {
    expect(acceptsGzip(header)).toBe(expected)
  })
})

describe('ETags', () => {
  it.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"a-gzip"', true],
    ['"b", W/"a-gzip"', true],
    ['*', true],
    ['"ab"', false],
    ['"b"', false],
    [undefined, false],
  ])('%s names "a": %s', (given, expected) => {
    expect(namesEtag(given, '"a"')).toBe(expected)
  })

  it('are others for other bytes', () => {
    expect(gzipEtag('"a"')).toBe('"a-gzip"')
  })
})

it('compresses so that others can read it', async () => {
  const text = JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ likes: i })))
  const zipped = await gzipped(new TextEncoder().encode(text))
  expect(gunzipSync(zipped).toString()).toBe(text)
  expect(zipped.length).toBeLessThan(text.length * 0.4)
})
