import { parse as referenceParse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../errors.ts'
import { parseCsvRange, readHeader } from './csv.ts'
import { csvHeader, writeCsvRow } from './csv-writer.ts'
import { DECISIVE_RANGE_BYTES, MAX_RECORD_BYTES } from './range.ts'
import { context, parseWhole, readInRanges, toBytes } from './ranges.test-helper.ts'

const COLUMNS = ['post_id', 'posted_at', 'text', 'likes']

function parseBody(body: string | Uint8Array, options: { line?: number; maxRecordBytes?: number } = {}) {
  const bytes = typeof body === 'string' ? toBytes(body) : body
  return parseCsvRange({
    bytes,
    offset: 0,
    line: 1,
    skipping: false,
    isLast: true,
    columns: COLUMNS,
    context,
    ...options,
  })
}

describe('parseCsvRange', () => {
  test('reads quoted cells with line breaks, doubled quotes and commas, whatever ends a line', () => {
    const { rows, rejected, nextLine, done } = parseBody(
      '1,2016-09-19,"a, ""b""\r\nc\n\rd",5\r\n\r\n2,2016-09-19,é🐶,\n3,2016-09-19,x,7\r4,2016-09-19,"",0',
    )
    expect(rejected).toEqual([])
    expect(rows.map((row) => [row.line, row.platformPostId, row.text, row.metrics.likes])).toEqual([
      [1, '1', 'a, "b"\r\nc\n\rd', 5],
      [6, '2', 'é🐶', null],
      [7, '3', 'x', 7],
      [8, '4', null, 0],
    ])
    expect({ nextLine, done }).toEqual({ nextLine: 8, done: true })
  })

  test('leaves a record that the range cuts off, and counts offsets from the start of the file', () => {
    const bytes = toBytes('1,2016-09-19,a,1\n2,2016-09-19,"b\n')
    const result = parseCsvRange({
      bytes,
      offset: 1000,
      line: 40,
      skipping: false,
      isLast: false,
      columns: COLUMNS,
      context,
    })
    expect(result.rows.map((row) => row.line)).toEqual([40])
    expect(result).toMatchObject({ rejected: [], nextOffset: 1017, nextLine: 41, done: false })
  })

  test('does not take the first half of CRLF, nor a quote that may be doubled, for the end', () => {
    for (const cut of ['1,2016-09-19,a,1\r', '1,2016-09-19,a,"1"', '1,2016-09-19,a,1']) {
      const input = { offset: 0, line: 1, skipping: false, columns: COLUMNS, context }
      const open = parseCsvRange({ ...input, bytes: toBytes(cut), isLast: false })
      expect(open).toMatchObject({ rows: [], nextOffset: 0, done: false })
      const closed = parseCsvRange({ ...input, bytes: toBytes(cut), isLast: true })
      expect(closed).toMatchObject({ rejected: [], nextOffset: cut.length, done: true })
      expect(closed.rows).toHaveLength(1)
    }
  })

  test('stops after maxRows rows, accepted or not, and goes on from there', () => {
    const body = '1,2016-09-19,a,1\n\n2,nonsense,b,1\n3,2016-09-19,c,1\n'
    const input = { line: 1, skipping: false, isLast: true, columns: COLUMNS, context, maxRows: 2 }
    const first = parseCsvRange({ ...input, bytes: toBytes(body), offset: 0 })
    expect(first).toMatchObject({ rejectedRows: 1, nextLine: 4, done: false })
    expect(first.rows).toHaveLength(1)
    const rest = parseCsvRange({
      ...input,
      bytes: toBytes(body).subarray(first.nextOffset),
      offset: first.nextOffset,
      line: first.nextLine,
    })
    expect(rest.rows.map((row) => [row.line, row.platformPostId])).toEqual([[4, '3']])
    expect(rest.done).toBe(true)
  })

  test.each([
    ['1,2016-09-19,a\n', null, 'The row has 3 fields; the header names 4.'],
    ['1,2016-09-19,a,1,\n', null, 'The row has 5 fields; the header names 4.'],
    ['""\n', null, 'The row has 1 field; the header names 4.'],
    ['1,2016-09-19,a "b",1\n', 'text', 'A field with a quote in it has to be quoted, and the quote doubled.'],
    [
      '1,2016-09-19,"a"b,1\n',
      'text',
      'There is text after the closing quote; a quote within a quoted field has to be doubled.',
    ],
    [
      '1,2016-09-19,"a\nx "b" c",1\n',
      'text',
      'There is text after the closing quote; a quote within a quoted field has to be doubled. Lines 1 to 2 were read as one row.',
    ],
    [
      '1,2016-09-19,"a"é"",1\n',
      'text',
      'There is text after the closing quote; a quote within a quoted field has to be doubled.',
    ],
  ])('rejects %j and reads the row after it', (broken, column, message) => {
    const { rows, rejected, rejectedRows } = parseBody(`${broken}9,2016-09-19,z,1\n`)
    expect(rejected).toEqual([{ line: 1, column, message }])
    expect(rejectedRows).toBe(1)
    expect(rows.map((row) => row.platformPostId)).toEqual(['9'])
  })

  test('reports a quote that never closes where it opened, and reads on from the next line', () => {
    const { rows, rejected, done } = parseBody(
      '1,2016-09-19,a,1\n2,"2016-09-19\n\n","b,1\n3,2016-09-19,c,1\n4,2016-09-19,d,1',
    )
    expect(rejected).toEqual([
      { line: 4, column: 'text', message: 'The quote that opens here is never closed.' },
    ])
    expect(rows.map((row) => [row.line, row.platformPostId])).toEqual([
      [1, '1'],
      [5, '3'],
      [6, '4'],
    ])
    expect(done).toBe(true)
  })

  test('reports a quote that never closes on the last line', () => {
    const { rejected, nextOffset, done } = parseBody('1,2016-09-19,"')
    expect(rejected).toEqual([
      { line: 1, column: 'text', message: 'The quote that opens here is never closed.' },
    ])
    expect({ nextOffset, done }).toEqual({ nextOffset: 14, done: true })
  })

  test('rejects bytes that are not UTF-8 by column, and ignores them in columns that it ignores', () => {
    const latin1 = (prefix: string, suffix: string) =>
      new Uint8Array([...toBytes(prefix), 0xe9, ...toBytes(suffix)])
    expect(parseBody(latin1('1,2016-09-19,caf', ',1\n2,2016-09-19,x,1\n'))).toMatchObject({
      rejected: [{ line: 1, column: 'text', message: 'text is not valid UTF-8.' }],
      rows: [{ platformPostId: '2' }],
    })
    const ignoring = parseCsvRange({
      bytes: latin1('1,2016-09-19,caf', '\n'),
      offset: 0,
      line: 2,
      skipping: false,
      isLast: true,
      columns: ['post_id', 'posted_at', 'Café'],
      context,
    })
    expect(ignoring).toMatchObject({ rejected: [], rows: [{ platformPostId: '1' }] })
  })

  test('rejects half a surrogate pair encoded as if it were UTF-8', () => {
    const bytes = new Uint8Array([...toBytes('1,2016-09-19,'), 0xed, 0xa0, 0x80, ...toBytes(',1\n')])
    expect(parseBody(bytes).rejected).toEqual([
      { line: 1, column: 'text', message: 'text is not valid UTF-8.' },
    ])
  })

  test('keeps a byte order mark within a cell', () => {
    expect(parseBody('1,2016-09-19,\ufeffa,1\n').rows[0]?.text).toBe('\ufeffa')
    expect(parseBody('1,2016-09-19,"\ufeffé",1\n').rows[0]?.text).toBe('\ufeffé')
  })
})

describe('records without end', () => {
  const row = (id: number) => `${id},2016-09-19,x,1\n`

  test('skips a line that is too long, wherever the ranges end', () => {
    const file = `post_id,posted_at,text,likes\n${row(1)}2,2016-09-19,${'x'.repeat(200)}\r\n${row(3)}`
    for (const rangeBytes of [1, 7, 64, 90, 91, 1000]) {
      const { rows, rejected } = readInRanges(toBytes(file), 'csv', () => rangeBytes, 80)
      expect(rejected).toEqual([{ line: 3, column: null, message: 'The row is longer than 80 bytes.' }])
      expect(rows.map(({ line }) => line)).toEqual([2, 4])
    }
  })

  test('takes a quote that stays open too long for a mistake, and reads on from the next line', () => {
    const file = `post_id,posted_at,text,likes\n${row(1)}2,2016-09-19,"x,1\n${row(3).repeat(9)}`
    const { rows, rejected } = readInRanges(toBytes(file), 'csv', () => 50, 80)
    expect(rejected).toEqual([
      {
        line: 3,
        column: 'text',
        message: 'The row is longer than 80 bytes. Is the quote that opens on line 3 ever closed?',
      },
    ])
    expect(rows.map(({ line }) => line)).toEqual([2, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  test('counts a CRLF that lies across the greatest length as one line break', () => {
    // The first line break after the quote is a CRLF that ends two bytes before the limit of 80, then one, and so on.
    for (const extra of [-3, -2, -1, 0, 1]) {
      const file = toBytes(
        `post_id,posted_at,text,likes\n2,2016-09-19,"${'x'.repeat(66 + extra)}\r\n${row(3)}`,
      )
      const whole = parseWhole(file, 'csv', 80)
      expect(whole.rejected).toMatchObject([{ line: 2 }])
      expect(whole.rows.map(({ line }) => line)).toEqual([3])
      for (let rangeBytes = 78; rangeBytes <= 86; rangeBytes += 1) {
        expect(readInRanges(file, 'csv', () => rangeBytes, 80)).toEqual(whole)
      }
    }
  })

  test('accepts the longest record to the byte, and no longer one', () => {
    const rest = '1,2016-09-19,,1'.length
    const atLimit = (extra: number) => `1,2016-09-19,${' '.repeat(80 - rest + extra)},1`
    for (const ending of ['\n', '\r\n', '\r', '']) {
      expect(parseBody(atLimit(0) + ending, { maxRecordBytes: 80 }).rows).toHaveLength(1)
      expect(parseBody(atLimit(1) + ending, { maxRecordBytes: 80 })).toMatchObject({
        rows: [],
        rejectedRows: 1,
        done: true,
      })
    }
  })

  test('a range of DECISIVE_RANGE_BYTES always gets ahead, a shorter one may not', () => {
    const longest = `1,2016-09-19,${' '.repeat(MAX_RECORD_BYTES - 13)}`
    const bytes = toBytes(`${longest}\r\n${row(2)}`)
    const input = { offset: 0, line: 1, skipping: false, isLast: false, columns: COLUMNS, context }
    const short = parseCsvRange({ ...input, bytes: bytes.subarray(0, DECISIVE_RANGE_BYTES - 1) })
    expect(short).toMatchObject({ nextOffset: 0, done: false })
    const decisive = parseCsvRange({ ...input, bytes: bytes.subarray(0, DECISIVE_RANGE_BYTES) })
    expect(decisive).toMatchObject({ nextOffset: DECISIVE_RANGE_BYTES, rejectedRows: 1 })
  })
})

describe('properties', () => {
  // Few letters, so that quotes, line breaks and commas meet often; some take two to four bytes.
  const csvNoise = fc
    .array(
      fc.constantFrom(
        '"',
        '""',
        ',',
        '\n',
        '\r\n',
        '\r',
        ' ',
        'é',
        '🐶',
        '1',
        '2016-09-19',
        '1,2016-09-19,"x",1\n',
        '\0',
      ),
      { maxLength: 60 },
    )
    .map((parts) => `post_id,posted_at,text,likes\n${parts.join('')}`)

  test('rows, errors and lines are the same however the file is cut into ranges', () => {
    fc.assert(
      fc.property(
        csvNoise,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(16, 40, 1000),
        (file, lengths, maxRecordBytes) => {
          const bytes = toBytes(file)
          const whole = parseWhole(bytes, 'csv', maxRecordBytes)
          let turn = 0
          const nextLength = () => lengths[turn++ % lengths.length] ?? 1
          expect(readInRanges(bytes, 'csv', nextLength, maxRecordBytes)).toEqual(whole)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('no bytes make it throw or stand still', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.constantFrom(0x22, 0x2c, 0x0a, 0x0d, 0xff, 0x31), { maxLength: 300 })
        .map((list) => new Uint8Array(list)),
    )
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 64 }), (garbage, maxRecordBytes) => {
        const file = new Uint8Array([...toBytes('post_id,posted_at,text,likes\n'), ...garbage])
        expect(readInRanges(file, 'csv', () => 13, maxRecordBytes)).toEqual(
          parseWhole(file, 'csv', maxRecordBytes),
        )
        try {
          readHeader(garbage)
        } catch (error) {
          expect(error).toBeInstanceOf(AppError)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('what is written is read again, to the last character', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('"', ',', '\r', '\n', ' ', '=1', '🐶'), { maxLength: 8 })
        .map((parts) => parts.join('')),
    )
    const text = cell.filter((value) => !value.includes('\0'))
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 10 }), (texts) => {
        const file = [
          csvHeader(['post_id', 'posted_at', 'text']),
          ...texts.map((value, index) => writeCsvRow([index + 1, '2016-09-19T00:00:00.000Z', value])),
        ].join('')
        const { rows, rejected } = parseWhole(toBytes(file), 'csv')
        expect(rejected).toEqual([])
        expect(rows.map((row) => row.text)).toEqual(texts.map((value) => (value === '' ? null : value)))
        expect(rows.map((row) => row.platformPostId)).toEqual(texts.map((_, index) => String(index + 1)))
      }),
      { numRuns: 500 },
    )
  })

  test('a well-formed file gives the same cells as csv-parse', () => {
    const text = fc
      .array(fc.constantFrom('"', ',', '\r\n', '\n', ' ', 'a', 'é', '🐶'), { maxLength: 8 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (texts) => {
        const body = texts.map((value, index) => writeCsvRow([index + 1, '2016-09-19', value, 1])).join('')
        const reference: string[][] = referenceParse(body, { record_delimiter: '\r\n' })
        expect(parseBody(body).rows.map((row) => [row.platformPostId, row.text ?? ''])).toEqual(
          reference.map(([id, , value]) => [id, value]),
        )
      }),
      { numRuns: 300 },
    )
  })
})
