import { describe, expect, test } from 'vitest'
import { AppError } from '../../errors.ts'
import { MAX_HEADER_BYTES, readHeader } from './csv.ts'
import { toBytes } from './ranges.test-helper.ts'

function headerProblems(bytes: Uint8Array): Record<string, string> {
  try {
    readHeader(bytes)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    expect(error.code).toBe('invalid_request')
    return Object.fromEntries(error.fields.map((field) => [field.pointer, field.detail]))
  }
  throw new Error('the header was accepted')
}

describe('readHeader', () => {
  test('names the columns, and says where and on which line the rows begin', () => {
    expect(readHeader(toBytes('post_id,posted_at\n1,2\n'))).toEqual({
      columns: ['post_id', 'posted_at'],
      nextOffset: 18,
      line: 2,
    })
  })

  test('passes over a byte order mark and blank lines', () => {
    expect(readHeader(toBytes('\ufeff\r\n \r\npost_id,posted_at\r\n1,2'))).toEqual({
      columns: ['post_id', 'posted_at'],
      nextOffset: 3 + 2 + 3 + 19,
      line: 4,
    })
  })

  test('takes names in any case, spelled with spaces or hyphens, quoted, and keeps foreign ones', () => {
    const header = readHeader(toBytes('" Post ID ",POSTED-AT,Metrics_At,mediaType,"my, column",Bewertung\n'))
    expect(header.columns).toEqual([
      'post_id',
      'posted_at',
      'metrics_at',
      'media_type',
      'my, column',
      'Bewertung',
    ])
  })

  test('counts the lines of a header that spans several', () => {
    expect(readHeader(toBytes('post_id,posted_at,"a\r\nnote"\r\n1,2,3\r\n')).line).toBe(3)
  })

  test('may be all there is', () => {
    expect(readHeader(toBytes('post_id,posted_at'))).toMatchObject({ nextOffset: 17, line: 1 })
  })

  test('names every missing and every repeated column at once', () => {
    expect(headerProblems(toBytes('likes,Likes,text,shares,x,x,Text\n'))).toEqual({
      '/csv/columns/likes': 'The header names likes twice: as column 1 and as column 2.',
      '/csv/columns/text': 'The header names text twice: as column 3 and as column 7.',
      '/csv/columns/post_id': 'The header does not name post_id, which is required.',
      '/csv/columns/posted_at': 'The header does not name posted_at, which is required.',
    })
  })

  test.each([
    ['nothing', new Uint8Array(), 'empty'],
    ['blank lines alone', toBytes('\n\n'), 'empty'],
    ['a quote that never closes', toBytes('post_id,"posted_at\n1,2\n'), 'never closed'],
    ['a misplaced quote', toBytes('post_id,posted"_at\n'), 'misplaced'],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x70, 0x00]), 'UTF-16'],
    ['big-endian UTF-16', new Uint8Array([0xfe, 0xff, 0x00, 0x70]), 'UTF-16'],
    ['Latin-1', new Uint8Array([...toBytes('post_id,posted_at,caf'), 0xe9, 0x0a]), 'not valid UTF-8'],
    ['a header without end', toBytes(`post_id,${'x'.repeat(MAX_HEADER_BYTES)}`), '64 KiB'],
    ['semicolons', toBytes('post_id;posted_at;likes\n'), 'semicolons'],
    ['tabs', toBytes('post_id\tposted_at\n'), 'tabs'],
  ])('refuses %s', (_name, bytes, words) => {
    expect(headerProblems(bytes)['/csv']).toContain(words)
  })
})
