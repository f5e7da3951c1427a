import { describe, expect, it } from 'vitest'
import { buildQuery } from './query.ts'

describe('buildQuery', () => {
  it('joins lists by commas and leaves out what is empty', () => {
    expect(buildQuery({ accounts: ['a', 'b'], platforms: [], q: '', sort: '-likes', cursor: null })).toBe(
      '?accounts=a,b&sort=-likes',
    )
  })

  it('keeps zero and false, which are values', () => {
    expect(buildQuery({ minGeneration: 0, stale: false })).toBe('?minGeneration=0&stale=false')
  })

  it('escapes what would break the address', () => {
    expect(buildQuery({ q: 'a&b=c #d' })).toBe('?q=a%26b%3Dc+%23d')
    expect(new URLSearchParams(buildQuery({ hashtags: ['café', '日本'] })).get('hashtags')).toBe('café,日本')
  })

  it('is empty without anything to ask', () => {
    expect(buildQuery({})).toBe('')
  })
})
