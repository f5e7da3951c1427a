import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as referenceParse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { PLATFORMS, POST_METRICS } from '../platforms.ts'
import { type ImportColumn, matchColumn } from './columns.ts'
import { parseWhole, readInRanges } from './ranges.test-helper.ts'

/**
 * Real files, where there are any: every `*.csv` in the directory that TIDEMARK_SAMPLE_DATA names has to be
 * read without a rejection, and to the same figures as a parser that is not ours.
 */
const directory = process.env.TIDEMARK_SAMPLE_DATA
const files = directory === undefined ? [] : readdirSync(directory).filter((name) => name.endsWith('.csv'))

describe.skipIf(directory === undefined)('the files in TIDEMARK_SAMPLE_DATA', () => {
  test('are there', () => {
    expect(files).not.toEqual([])
  })

  test.each(files)('%s', (name) => {
    const bytes = new Uint8Array(readFileSync(join(directory ?? '', name)))
    const [header = [], ...records]: string[][] = referenceParse(Buffer.from(bytes), { bom: true })
    const column = (wanted: ImportColumn) => {
      const index = header.findIndex((field) => matchColumn(field) === wanted)
      return records.map((record) => record[index] ?? '')
    }
    const platform = PLATFORMS.find((known) => known === column('platform')[0]) ?? 'x'
    const whole = parseWhole(bytes, 'csv', undefined, { platform, handle: 'example', nowMs: Date.now() })

    expect(whole.rejected).toEqual([])
    expect(whole.rows.map((row) => row.platformPostId)).toEqual(column('post_id'))
    expect(whole.rows.map((row) => row.text ?? '')).toEqual(column('text'))
    expect(whole.rows.map((row) => Date.parse(row.postedAt))).toEqual(
      column('posted_at').map((cell) => Date.parse(cell)),
    )
    const kinds = column('kind')
    for (const metric of POST_METRICS) {
      const expected = column(metric).filter((cell, row) => cell !== '' && kinds[row] !== 'repost')
      const actual = whole.rows.flatMap((row) => row.metrics[metric] ?? [])
      expect({ known: actual.length, sum: actual.reduce((sum, count) => sum + count, 0) }, metric).toEqual({
        known: expected.length,
        sum: expected.reduce((sum, cell) => sum + Number(cell), 0),
      })
    }

    const rangeContext = { platform, handle: 'example', nowMs: Date.now() }
    expect(readInRanges(bytes, 'csv', () => 4096, undefined, rangeContext)).toEqual(whole)
  })
})
