import { describe, expect, test } from 'vitest'
import { noMetrics } from '../platforms.ts'
import { type Cells, IMPORT_COLUMNS, type ImportColumn } from './columns.ts'
import type { RowContext } from './range.ts'
import { context } from './ranges.test-helper.ts'
import { parseRow } from './row.ts'

function cellsOf(row: Partial<Record<ImportColumn, string>>): Cells {
  const cells: Cells = new Map()
  const given = { post_id: '1', posted_at: '2016-09-19', ...row }
  for (const column of IMPORT_COLUMNS) {
    const cell = given[column]
    if (cell !== undefined) cells.set(column, cell)
  }
  return cells
}

function accept(row: Partial<Record<ImportColumn, string>>, rowContext: RowContext = context) {
  const outcome = parseRow(7, cellsOf(row), rowContext)
  if (Array.isArray(outcome)) throw new Error(outcome.map((error) => error.message).join(' '))
  return outcome
}

function reject(row: Partial<Record<ImportColumn, string>>, rowContext: RowContext = context) {
  const outcome = parseRow(7, cellsOf(row), rowContext)
  if (!Array.isArray(outcome)) throw new Error('the row was accepted')
  return outcome
}

test('a row with nothing but what is required', () => {
  expect(accept({})).toEqual({
    line: 7,
    platformPostId: '1',
    postedAt: '2016-09-19T00:00:00.000Z',
    kind: 'post',
    text: null,
    hashtags: [],
    url: null,
    media: [],
    metrics: noMetrics(),
    metricsAt: null,
    accountHandle: null,
  })
})

test('a full row: texts verbatim, ids and handles trimmed, hashtags from the text', () => {
  const row = accept({
    platform: ' X ',
    account: ' The Other 98% ',
    post_id: ' 892420643555336193 ',
    posted_at: ' 2016-09-19T10:11:12.3456-07:00 ',
    text: '  Tom &amp; #Jerry\r\n🐶 #two  ',
    permalink: ' https://x.com/a/status/1?b=é ',
    kind: ' Quote ',
    media_type: 'Photo',
    likes: ' 0012 ',
    comments: '0',
    reach: '9007199254740991',
    metrics_at: '2016-10-01 00:00:00',
  })
  expect(row).toEqual({
    line: 7,
    platformPostId: '892420643555336193',
    postedAt: '2016-09-19T17:11:12.345Z',
    kind: 'quote',
    text: '  Tom &amp; #Jerry\r\n🐶 #two  ',
    hashtags: ['Jerry', 'two'],
    url: 'https://x.com/a/status/1?b=é',
    media: [{ type: 'image', url: null, alt: null }],
    metrics: { ...noMetrics(), likes: 12, comments: 0, reach: 9007199254740991 },
    metricsAt: '2016-10-01T00:00:00.000Z',
    accountHandle: 'The Other 98%',
  })
})

test('a repost keeps none of the counts, which are the original’s', () => {
  expect(accept({ kind: 'REPOST', likes: '0', shares: '51774' }).metrics).toEqual(noMetrics())
})

test('a repost’s counts are checked all the same', () => {
  expect(reject({ kind: 'repost', shares: 'many' })).toHaveLength(1)
})

describe('posted_at', () => {
  test.each([
    ['2016-09-19', '2016-09-19T00:00:00.000Z'],
    ['2016-02-29', '2016-02-29T00:00:00.000Z'],
    ['2016-09-19 10:11:12', '2016-09-19T10:11:12.000Z'],
    ['2016-09-19 10:11:12.5', '2016-09-19T10:11:12.500Z'],
    ['2016-09-19 10:11:12+02:00', '2016-09-19T08:11:12.000Z'],
    ['2016-09-19t10:11:12z', '2016-09-19T10:11:12.000Z'],
    ['2016-09-19T00:30:00+05:45', '2016-09-18T18:45:00.000Z'],
    ['2016-09-19T23:30:00-01:00', '2016-09-20T00:30:00.000Z'],
    ['2016-09-19T10:11:12.123999999Z', '2016-09-19T10:11:12.123Z'],
    ['2016-09-19T10:11:12-00:00', '2016-09-19T10:11:12.000Z'],
    ['2004-01-01', '2004-01-01T00:00:00.000Z'],
    // A day past context.nowMs, to the millisecond.
    ['2020-01-02T00:00:00.000Z', '2020-01-02T00:00:00.000Z'],
  ])('%s is %s', (cell, instant) => {
    expect(accept({ posted_at: cell }).postedAt).toBe(instant)
  })

  test.each([
    ['2016-02-30', 'not a day of the calendar'],
    ['2015-02-29', 'not a day of the calendar'],
    ['2016-13-01', 'not a day of the calendar'],
    ['2016-00-10', 'not a day of the calendar'],
    ['2016-04-31T00:00:00Z', 'not a day of the calendar'],
    ['0016-04-30', 'not a day of the calendar'],
    ['2016-09-19T24:00:00Z', 'not a time of day'],
    ['2016-09-19T10:60:00Z', 'not a time of day'],
    ['2016-09-19T10:00:61Z', 'not a time of day'],
    ['2016-09-19T10:00:00+24:00', 'not a time of day'],
    ['2016-09-19T10:00:00+02:60', 'not a time of day'],
    ['2016-09-19T10:11:12', 'no offset from UTC'],
    ['2003-12-31T23:59:59.999Z', 'before 2004'],
    ['2004-01-01T00:00:00+01:00', 'before 2004'],
    ['2020-01-02T00:00:00.001Z', 'in the future'],
    ['9999-12-31', 'in the future'],
    ['2016-09', 'not a date or time'],
    ['2016-9-1', 'not a date or time'],
    ['19.09.2016', 'not a date or time'],
    ['09/19/2016', 'not a date or time'],
    ['2016-09-19 10:11', 'not a date or time'],
    ['2016-09-19T10:11:12+0200', 'not a date or time'],
    ['1474243200', 'not a date or time'],
    ['Mon Sep 19 2016', 'not a date or time'],
    ['２０１６-09-19', 'not a date or time'],
    ['', 'required'],
    ['  ', 'required'],
  ])('%j is rejected: %s', (cell, words) => {
    expect(reject({ posted_at: cell })).toEqual([
      { line: 7, column: 'posted_at', message: expect.stringContaining(words) },
    ])
  })

  test('metrics_at is read alike', () => {
    expect(accept({ metrics_at: '2016-09-20T00:00:00+02:00' }).metricsAt).toBe('2016-09-19T22:00:00.000Z')
    expect(reject({ metrics_at: '2016-02-30' })).toMatchObject([{ column: 'metrics_at' }])
  })
})

describe('counts', () => {
  test.each([
    '1,234',
    '1.234',
    '1 234',
    '1e3',
    '1.5',
    '12.0',
    '-1',
    '-0',
    '+1',
    'NaN',
    'Infinity',
    '0x10',
    '1k',
    '１２',
    'null',
    '-',
    '9007199254740992',
    '9'.repeat(40),
  ])('%s is rejected', (cell) => {
    expect(reject({ saves: cell })).toEqual([
      {
        line: 7,
        column: 'saves',
        message: expect.stringMatching(/^saves (has to be a whole number|is larger)/),
      },
    ])
  })

  test('an empty cell is unknown, not zero', () => {
    expect(accept({ likes: '', shares: ' ', views: '0' }).metrics).toEqual({ ...noMetrics(), views: 0 })
  })
})

describe('other cells', () => {
  test.each([
    ['kind', 'story', 'one of post, reply, quote, repost, not "story"'],
    ['permalink', 'example.org/1', 'http or https'],
    ['permalink', 'ftp://example.org/1', 'http or https'],
    ['permalink', 'javascript:alert(1)', 'http or https'],
    ['permalink', 'http:example.org', 'http or https'],
    ['permalink', 'https://exa mple.org/', 'http or https'],
    ['permalink', 'https://example.org/\nx', 'http or https'],
    ['permalink', 'https://', 'http or https'],
    ['post_id', '', 'post_id is required.'],
    ['post_id', ' \t', 'post_id is required.'],
    ['platform', 'facebook', 'platform is "facebook", but this import is for x.'],
    ['post_id', '1\0', 'NUL'],
    ['text', 'a\0b', 'NUL'],
    ['account', '\0', 'NUL'],
  ] as const)('%s %j is rejected', (column, cell, words) => {
    expect(reject({ [column]: cell })).toEqual([{ line: 7, column, message: expect.stringContaining(words) }])
  })

  test.each([
    ['post_id', 512, ''],
    ['account', 256, ''],
    ['text', 100_000, ''],
    ['permalink', 2048, 'https://example.org/'],
  ] as const)('%s may have %i characters, and no more', (column, limit, prefix) => {
    const longest = prefix.padEnd(limit, 'x')
    expect(accept({ [column]: longest }).line).toBe(7)
    expect(reject({ [column]: `${longest}x` })).toEqual([
      { line: 7, column, message: `${column} is longer than ${limit} characters.` },
    ])
  })

  test.each([
    ['photo', 'image'],
    ['IMAGE', 'image'],
    ['video', 'video'],
    ['Reel', 'video'],
    ['gif', 'gif'],
    ['audio', 'audio'],
    ['link', 'link'],
    ['poll', 'poll'],
    ['event', 'other'],
    ['hologram', 'other'],
  ])('media_type %s is media of type %s', (cell, type) => {
    expect(accept({ media_type: cell }).media).toEqual([{ type, url: null, alt: null }])
  })

  test.each(['status', 'text', 'Text', 'none', ''])('media_type %j is no media', (cell) => {
    expect(accept({ media_type: cell }).media).toEqual([])
  })

  test('a text of spaces stays one', () => {
    expect(accept({ text: '  ' }).text).toBe('  ')
  })

  test('halves of surrogate pairs become U+FFFD', () => {
    expect(accept({ text: 'a\ud83d', account: '\udc36b' })).toMatchObject({
      text: 'a\ufffd',
      accountHandle: '\ufffdb',
    })
  })
})

test('a row has to name its account where the request does not', () => {
  const anyAccount = { ...context, handle: null }
  expect(accept({ account: 'a' }, anyAccount).accountHandle).toBe('a')
  expect(reject({}, anyAccount)).toEqual([
    { line: 7, column: 'account', message: expect.stringContaining('required') },
  ])
  // An account that is wrong is reported once, and not as missing, too.
  expect(reject({ account: 'x'.repeat(300) }, anyAccount)).toHaveLength(1)
})

test('every problem of a row is reported at once', () => {
  const errors = reject({ post_id: '', posted_at: 'x', kind: 'x', permalink: 'x', likes: 'x', views: '-1' })
  expect(errors.map((error) => error.column)).toEqual([
    'post_id',
    'posted_at',
    'permalink',
    'kind',
    'likes',
    'views',
  ])
})

test('a message quotes no more than the beginning of a cell, and no half of a surrogate pair', () => {
  const message = reject({ kind: `${'x'.repeat(59)}🐶${'y'.repeat(1000)}` })[0]?.message ?? ''
  expect(message.length).toBeLessThan(150)
  expect(message.isWellFormed()).toBe(true)
})
