import { describe, expect, test } from 'vitest'
import { readHeader } from './csv.ts'
import { csvHeader, writeCsvRow } from './csv-writer.ts'
import { toBytes } from './ranges.test-helper.ts'

describe('writeCsvRow', () => {
  test.each([
    [['a', 1, null, ''], 'a,1,,\r\n'],
    [['a,b', 'say "x"', 'two\nlines', ' spaced '], '"a,b","say ""x""","two\nlines", spaced \r\n'],
    [['=SUM(A1)', '@handle', '-1'], '=SUM(A1),@handle,-1\r\n'],
    [[null], '""\r\n'],
  ])('%j', (cells, expected) => {
    expect(writeCsvRow(cells)).toBe(expected)
  })

  test('the header names every column that an import understands', () => {
    expect(csvHeader()).toBe(
      'platform,account,post_id,posted_at,text,permalink,kind,media_type,likes,comments,shares,quotes,saves,views,impressions,reach,metrics_at\r\n',
    )
    expect(readHeader(toBytes(csvHeader())).columns).toHaveLength(17)
  })
})
