import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { parseNdjsonRange } from './ndjson.ts'
import { context, parseWhole, readInRanges, toBytes } from './ranges.test-helper.ts'

function parse(body: string | Uint8Array) {
  return parseWhole(typeof body === 'string' ? toBytes(body) : body, 'ndjson')
}

function rejection(line: string) {
  const { rows, rejected } = parse(`${line}\n{"post_id":"after","posted_at":"2016-09-19"}\n`)
  expect(rows.map((row) => row.platformPostId)).toEqual(['after'])
  return rejected
}

describe('parseNdjsonRange', () => {
  test('reads keys in snake_case and camelCase, numbers and numeric strings', () => {
    const { rows, rejected } = parse(
      [
        '{"post_id":"a","posted_at":"2016-09-19T10:11:12+02:00","text":" &amp; \\n","likes":3,"comments":"4","shares":null}',
        '{"postId":"b","postedAt":"2016-09-19","mediaType":"photo","metricsAt":"2016-09-20","url":1,"extra":{"post_id":1}}',
      ].join('\n'),
    )
    expect(rejected).toEqual([])
    expect(rows).toMatchObject([
      {
        line: 1,
        platformPostId: 'a',
        postedAt: '2016-09-19T08:11:12.000Z',
        text: ' &amp; \n',
        metrics: { likes: 3, comments: 4, shares: null },
      },
      {
        line: 2,
        platformPostId: 'b',
        text: null,
        media: [{ type: 'image', url: null, alt: null }],
        metricsAt: '2016-09-20T00:00:00.000Z',
      },
    ])
  })

  test('keeps every digit of an id that is written as a number', () => {
    expect(parse('{"post_id":892420643555336193,"posted_at":"2016-09-19"}').rows[0]?.platformPostId).toBe(
      '892420643555336193',
    )
  })

  test('skips blank lines and a byte order mark, and takes CRLF and a last line without an end', () => {
    const { rows, nextLine } = parse(
      '\ufeff\r\n{"post_id":"a","posted_at":"2016-09-19"}\r\n  \n{"post_id":"b","posted_at":"2016-09-19"}',
    )
    expect(rows.map((row) => [row.line, row.platformPostId])).toEqual([
      [2, 'a'],
      [4, 'b'],
    ])
    expect(nextLine).toBe(4)
    const marked = toBytes('\ufeff{"post_id":"a","posted_at":"2016-09-19"}')
    for (const rangeBytes of [1, 3, 4, 1000]) {
      expect(readInRanges(marked, 'ndjson', () => rangeBytes).rows).toHaveLength(1)
    }
  })

  test('accepts the longest line to the byte, and no longer one', () => {
    const line = '{"post_id":"a","posted_at":"2016-09-19"}'
    for (const ending of ['\n', '']) {
      const bytes = toBytes(line + ending)
      expect(parseWhole(bytes, 'ndjson', line.length)).toMatchObject({ rejected: [], rows: [{ line: 1 }] })
      expect(parseWhole(bytes, 'ndjson', line.length - 1)).toMatchObject({ rejectedRows: 1, rows: [] })
    }
  })

  test('tells an empty text from an unknown one', () => {
    const texts = parse(
      '{"post_id":1,"posted_at":"2016-09-19","text":""}\n{"post_id":2,"posted_at":"2016-09-19","text":null}',
    ).rows.map((row) => row.text)
    expect(texts).toEqual(['', null])
  })

  test('replaces halves of surrogate pairs', () => {
    const { rows } = parse('{"post_id":"\\ud83d1","posted_at":"2016-09-19","text":"a\\udc36 \\ud83d\\udc36"}')
    expect(rows[0]).toMatchObject({ platformPostId: '\ufffd1', text: 'a\ufffd 🐶' })
  })

  test.each([
    ['{"post_id":', null, /^The line is not valid JSON: [^"]+\.$/],
    ["{'post_id':'a'}", null, /^The line is not valid JSON: [^"]+\.$/],
    ['nonsense', null, /^The line is not valid JSON: /],
    ['[{"post_id":"a"}]', null, /not a JSON object/],
    ['12', null, /not a JSON object/],
    ['null', null, /not a JSON object/],
    ['"text"', null, /not a JSON object/],
    ['{"post_id":true,"posted_at":"2016-09-19"}', 'post_id', /^post_id has to be a string or a number\.$/],
    [
      '{"post_id":{"$oid":"a"},"posted_at":"2016-09-19"}',
      'post_id',
      /^post_id has to be a string or a number\.$/,
    ],
    ['{"post_id":"a","posted_at":1474243200}', 'posted_at', /^posted_at has to be a string\.$/],
    ['{"post_id":"a","posted_at":"2016-09-19","text":["a"]}', 'text', /^text has to be a string\.$/],
    [
      '{"post_id":"a","posted_at":"2016-09-19","likes":[1]}',
      'likes',
      /^likes has to be a string or a number\.$/,
    ],
    ['{"post_id":"a","posted_at":"2016-09-19","likes":1.5}', 'likes', /not "1\.5"\.$/],
    ['{"post_id":"a","posted_at":"2016-09-19","likes":12.0}', 'likes', /not "12\.0"\.$/],
    ['{"post_id":"a","posted_at":"2016-09-19","likes":1e3}', 'likes', /not "1e3"\.$/],
    ['{"post_id":"a","posted_at":"2016-09-19","likes":-1}', 'likes', /not "-1"\.$/],
    [
      '{"post_id":"a","posted_at":"2016-09-19","likes":9007199254740992}',
      'likes',
      /larger than 9007199254740991/,
    ],
    [
      '{"post_id":1.5e3,"posted_at":"2016-09-19"}',
      'post_id',
      /^post_id is a number but not in digits alone \("1\.5e3"\); write it as a string\.$/,
    ],
    [
      '{"post_id":"a","postId":"b","posted_at":"2016-09-19"}',
      'post_id',
      /given twice, as "post_id" and as "postId"/,
    ],
    ['{"post_id":"a\\u0000","posted_at":"2016-09-19"}', 'post_id', /NUL/],
    ['{"posted_at":"2016-09-19"}', 'post_id', /^post_id is required\.$/],
  ])('rejects %s', (line, column, message) => {
    expect(rejection(line)).toEqual([{ line: 1, column, message: expect.stringMatching(message) }])
  })

  test('rejects brackets nested deeper than the stack', () => {
    const open = '['.repeat(200_000)
    const notJson = [
      { line: 1, column: null, message: expect.stringMatching(/^The line is not valid JSON: /) },
    ]
    expect(rejection(open)).toEqual(notJson)
    expect(rejection(open + ']'.repeat(200_000))).toEqual(notJson)
  })

  test('rejects an id whose digits may be lost where the runtime does not hand out a number’s text', () => {
    const parseJson = JSON.parse
    const withoutContext = vi
      .spyOn(JSON, 'parse')
      .mockImplementation((text, reviver) => parseJson(text, (key, value) => reviver?.call({}, key, value)))
    try {
      const { rows, rejected } = parse(
        '{"post_id":9007199254740993,"posted_at":"2016-09-19"}\n{"post_id":9007199254740991,"posted_at":"2016-09-19","likes":5}\n{"post_id":1e21,"posted_at":"2016-09-19"}',
      )
      const lossy = 'post_id is too large to be read as a number; write it as a string.'
      expect(rejected).toEqual([
        { line: 1, column: 'post_id', message: lossy },
        { line: 3, column: 'post_id', message: lossy },
      ])
      expect(rows).toMatchObject([{ platformPostId: '9007199254740991', metrics: { likes: 5 } }])
    } finally {
      withoutContext.mockRestore()
    }
  })

  test('reports every problem of a line at once', () => {
    expect(
      rejection('{"post_id":[],"likes":"x","kind":"story"}')
        .map((error) => error.column)
        .sort(),
    ).toEqual(['kind', 'likes', 'post_id', 'posted_at'])
  })

  test('does not mistake a key for a property of every object', () => {
    const { rows } = parse('{"__proto__":{"likes":5},"constructor":1,"post_id":"a","posted_at":"2016-09-19"}')
    expect(rows[0]?.metrics.likes).toBe(null)
  })

  test('rejects a line that is not UTF-8, and reads the next', () => {
    const bytes = new Uint8Array([
      ...toBytes('{"post_id":"'),
      0xe9,
      ...toBytes('"}\n{"post_id":"b","posted_at":"2016-09-19"}'),
    ])
    expect(parse(bytes)).toMatchObject({
      rejected: [{ line: 1, column: null, message: 'The line is not valid UTF-8.' }],
      rows: [{ line: 2, platformPostId: 'b' }],
    })
  })

  test('stops after maxRows rows', () => {
    const line = '{"post_id":"a","posted_at":"2016-09-19"}\n'
    const result = parseNdjsonRange({
      bytes: toBytes(`\nnonsense\n${line.repeat(5)}`),
      offset: 500,
      line: 10,
      skipping: false,
      isLast: true,
      maxRows: 3,
      context,
    })
    expect(result.rows.map((row) => row.line)).toEqual([12, 13])
    expect(result).toMatchObject({
      rejectedRows: 1,
      nextOffset: 500 + 1 + 9 + 2 * line.length,
      nextLine: 14,
      done: false,
    })
  })

  test('skips a line that is too long, wherever the ranges end', () => {
    const line = '{"post_id":"a","posted_at":"2016-09-19"}\n'
    const file = toBytes(`${line}{"post_id":"${'x'.repeat(300)}"}\n${line}`)
    for (const rangeBytes of [1, 50, 101, 102, 1000]) {
      const { rows, rejected } = readInRanges(file, 'ndjson', () => rangeBytes, 100)
      expect(rejected).toEqual([{ line: 2, column: null, message: 'The line is longer than 100 bytes.' }])
      expect(rows.map((row) => row.line)).toEqual([1, 3])
    }
  })
})

describe('properties', () => {
  const noise = fc
    .array(
      fc.constantFrom(
        '{',
        '}',
        '"',
        '\\',
        '\n',
        '\r\n',
        'é',
        '🐶',
        ' ',
        '{"post_id":12,"posted_at":"2016-09-19","text":"é"}\n',
      ),
      { maxLength: 40 },
    )
    .map((parts) => toBytes(parts.join('')))

  test('rows, errors and lines are the same however the file is cut into ranges', () => {
    fc.assert(
      fc.property(
        noise,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(10, 60, 1000),
        (file, lengths, maxRecordBytes) => {
          let turn = 0
          const nextLength = () => lengths[turn++ % lengths.length] ?? 1
          expect(readInRanges(file, 'ndjson', nextLength, maxRecordBytes)).toEqual(
            parseWhole(file, 'ndjson', maxRecordBytes),
          )
        },
      ),
      { numRuns: 1500 },
    )
  })

  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
        parseWhole(garbage, 'ndjson', 32)
      }),
      { numRuns: 1000 },
    )
  })

  test('texts and ids come out as they went in', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.bigInt({ min: 0n, max: 10n ** 30n })), { minLength: 1 }),
        (posts) => {
          const file = posts
            .map(
              ([value, id]) => `{"post_id":${id},"posted_at":"2016-09-19","text":${JSON.stringify(value)}}\n`,
            )
            .join('')
          const { rows, rejected } = parse(file)
          expect(rejected).toEqual([])
          expect(rows.map((row) => [row.text, row.platformPostId])).toEqual(
            posts.map(([value, id]) => [value, String(id)]),
          )
        },
      ),
    )
  })
})
