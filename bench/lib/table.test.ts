import { describe, expect, it } from 'vitest'
import { formatNumber, formatTable } from './table.ts'

describe('a table', () => {
  it('puts names to the left, numbers to the right, and a dash where nothing was measured', () => {
    const text = formatTable({
      title: 'Reads',
      columns: [{ name: 'case' }, { name: 'p50', unit: 'ms', digits: 1 }, { name: 'requests' }],
      rows: [
        ['memory hit', 1.24, 12_345],
        ['cold', null, 7],
      ],
    })
    expect(text.split('\n')).toEqual([
      'Reads',
      '────────────────────────────',
      'case        p50 ms  requests',
      '────────────────────────────',
      'memory hit     1.2    12,345',
      'cold             –         7',
      '────────────────────────────',
    ])
  })

  it('keeps a column of words to the left, whatever its width', () => {
    const text = formatTable({
      title: 'Two',
      columns: [{ name: 'a' }, { name: 'b' }],
      rows: [
        ['x', 'long word'],
        ['yy', '–'],
      ],
    })
    expect(text.split('\n').slice(4, 6)).toEqual(['x   long word', 'yy  –'])
  })
})

describe('a number', () => {
  it('has as many digits as its size makes sense of', () => {
    expect([0.1234, 12.345, 1234.5, 3, 1_234_567].map((value) => formatNumber(value))).toEqual([
      '0.12',
      '12.3',
      '1,235',
      '3',
      '1,234,567',
    ])
  })

  it('has the digits that its column asks for', () => {
    expect(formatNumber(3, 2)).toBe('3.00')
    expect(formatNumber(0.000_41, 4)).toBe('0.0004')
  })
})
