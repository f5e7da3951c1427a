import { describe, expect, it } from 'vitest'
import { readBegun } from './begun-authorization.ts'

describe('readBegun', () => {
  it('reads what was wanted, and nothing else', () => {
    expect(readBegun({ brandId: 'b1', more: 1 })).toEqual({ brandId: 'b1' })
    expect(readBegun({ accountId: 'a1' })).toEqual({ accountId: 'a1' })
  })

  it.each([null, 7, 'text', [], { brandId: 7, accountId: null }])('understands nothing in %j', (kept) => {
    expect(readBegun(kept)).toEqual({})
  })
})
