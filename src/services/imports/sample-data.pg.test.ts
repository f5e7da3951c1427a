import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as referenceParse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { PLATFORMS, POST_METRICS } from '../../domain/platforms.ts'
import { getImport } from './get-import.ts'
import { drain, makeRig, streamOf } from './rig.test-helper.ts'
import { startImport } from './start-import.ts'

/**
 * Real files, where there are any: every `*.csv` in the directory that TIDEMARK_SAMPLE_DATA names has to be
 * taken in whole, and come to the figures that a parser which is not ours finds in it.
 */
const directory = process.env.TIDEMARK_SAMPLE_DATA
const files = directory === undefined ? [] : readdirSync(directory).filter((name) => name.endsWith('.csv'))

describe.skipIf(directory === undefined)('imports of the files in TIDEMARK_SAMPLE_DATA', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.close())

  test('are there', () => {
    expect(files).not.toEqual([])
  })

  test.each(files)('%s', async (name) => {
    const bytes = new Uint8Array(readFileSync(join(directory ?? '', name)))
    const records: Record<string, string>[] = referenceParse(Buffer.from(bytes), { bom: true, columns: true })
    const platform = PLATFORMS.find((known) => known === records[0]?.platform) ?? 'x'
    const rig = await makeRig(database)
    const importFile = async () => {
      const job = await startImport(rig.ctx, { platform, handle: null, format: 'csv', body: streamOf(bytes) })
      await drain(rig)
      const { status, accepted, inserted, updated, unchanged, rejected } = await getImport(rig.ctx, job.id)
      return { status, accepted, inserted, updated, unchanged, rejected }
    }
    const rows = records.length
    const whole = { status: 'succeeded', accepted: rows, updated: 0, rejected: 0 }
    expect(await importFile()).toEqual({ ...whole, inserted: rows, unchanged: 0 })

    const own = records.filter((record) => record.kind !== 'repost')
    const metrics = POST_METRICS.filter((metric) => records[0]?.[metric] !== undefined)
    const sum = (metric: string) => own.reduce((total, record) => total + Number(record[metric] ?? 0), 0)
    const known = (metric: string) => own.filter((record) => record[metric] !== '').length
    const expected = Object.fromEntries([
      ['posts', own.length],
      ...metrics.flatMap((metric) => [
        [metric, sum(metric)],
        [`${metric}_known`, known(metric)],
      ]),
    ])
    const figures = async () => {
      const sums = metrics
        .map((m) => `sum(${m})::float8 AS ${m}, sum(${m}_known)::int AS ${m}_known`)
        .join(', ')
      const found = await database.sql(
        `SELECT sum(posts)::int AS posts, ${sums} FROM account_days WHERE workspace_id = $1`,
        [rig.ctx.workspace.id],
      )
      return found[0]
    }
    expect(await figures()).toEqual(expected)
    const stored = await database.sql<{ id: string; text: string }>(
      `SELECT platform_post_id AS id, coalesce(text, '') AS text FROM posts WHERE workspace_id = $1 ORDER BY platform_post_id`,
      [rig.ctx.workspace.id],
    )
    expect(stored).toEqual(
      records
        .map((record) => ({ id: record.post_id ?? '', text: record.text ?? '' }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    )
    const [accounts] = await database.sql(
      'SELECT count(*)::int AS count FROM accounts WHERE workspace_id = $1',
      [rig.ctx.workspace.id],
    )
    expect(accounts).toEqual({ count: new Set(records.map((record) => record.account)).size })

    expect(await importFile()).toEqual({ ...whole, inserted: 0, unchanged: rows })
    expect(await figures()).toEqual(expected)
  })
})
