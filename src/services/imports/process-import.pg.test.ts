import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { countsOf, csv, importFile, makeRig, postsOf, STARTED_AT } from './rig.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

describe('what an import stores', () => {
  it('keeps ids beyond 2^53, quotes, line breaks and entities as they are, and empty counts unknown', async () => {
    const rig = await makeRig(database)
    const text = 'She said "hi" &amp; left,\nthen\r\ncame 🐕 back #Tide'
    const report = await importFile(
      rig,
      csv(
        ['post_id', 'posted_at', 'text', 'permalink', 'likes', 'comments', 'kind', 'media_type', 'whatever'],
        [
          '666020888022790149',
          '2016-01-02T03:04:05Z',
          text,
          'https://x.com/a/1',
          '12',
          '',
          'post',
          'photo',
          'z',
        ],
        ['666020888022790150', '2016-01-02', '', '', '', '0', 'reply', '', ''],
      ),
    )
    expect(countsOf(report)).toEqual({
      status: 'succeeded',
      accepted: 2,
      inserted: 2,
      updated: 0,
      unchanged: 0,
      rejected: 0,
    })
    expect(
      await postsOf(
        database,
        rig,
        'platform_post_id AS id, text, p.url, likes::int, comments::int, shares, kind, p.metrics_at, media',
      ),
    ).toEqual([
      {
        id: '666020888022790149',
        text,
        url: 'https://x.com/a/1',
        likes: 12,
        comments: null,
        shares: null,
        kind: 'post',
        metrics_at: null,
        media: [{ type: 'image', url: null, alt: null }],
      },
      {
        id: '666020888022790150',
        text: null,
        url: null,
        likes: null,
        comments: 0,
        shares: null,
        kind: 'reply',
        metrics_at: null,
        media: [],
      },
    ])
    expect(
      await database.sql('SELECT tag, display FROM post_hashtags WHERE workspace_id = $1', [
        rig.ctx.workspace.id,
      ]),
    ).toEqual([{ tag: 'tide', display: 'Tide' }])
  })

  it('makes sums and rollups equal to what the file says, whatever the number of ranges', async () => {
    const rig = await makeRig(database, { timezone: 'America/New_York' })
    const rows = Array.from({ length: 2_400 }, (_, i) => ({
      id: `p${i}`,
      at: new Date(Date.UTC(2025, 0, 1) + i * 3_700_000).toISOString(),
      kind: i % 10 === 0 ? 'repost' : 'post',
      likes: i % 7 === 0 ? null : i * 3,
      shares: i % 5,
      text: 'long enough '.repeat(20),
    }))
    const report = await importFile(
      rig,
      csv(
        ['post_id', 'posted_at', 'kind', 'likes', 'shares', 'text'],
        ...rows.map((row) => [row.id, row.at, row.kind, row.likes, row.shares, row.text]),
      ),
    )
    expect(countsOf(report)).toMatchObject({ status: 'succeeded', accepted: 2_400, inserted: 2_400 })
    expect(report.processedBytes).toBe(report.sizeBytes)
    const own = rows.filter((row) => row.kind !== 'repost')
    const expected = {
      posts: own.length,
      likes: own.reduce((sum, row) => sum + (row.likes ?? 0), 0),
      likes_known: own.filter((row) => row.likes !== null).length,
      shares: own.reduce((sum, row) => sum + row.shares, 0),
    }
    for (const table of ['account_days', 'account_quarters']) {
      const [sums] = await database.sql(
        `SELECT sum(posts)::int AS posts, sum(likes)::int AS likes, sum(likes_known)::int AS likes_known,
           sum(shares)::int AS shares FROM ${table} WHERE workspace_id = $1`,
        [rig.ctx.workspace.id],
      )
      expect(sums, table).toEqual(expected)
    }
    const [gained] = await database.sql(
      'SELECT count(gained_likes)::int AS gained FROM account_days WHERE workspace_id = $1',
      [rig.ctx.workspace.id],
    )
    expect(gained).toEqual({ gained: 0 })
    const byDay = new Map<string, number>()
    const dayIn = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York' })
    for (const row of own) {
      const day = dayIn.format(new Date(row.at))
      byDay.set(day, (byDay.get(day) ?? 0) + 1)
    }
    const days = await database.sql<{ day: string; posts: number }>(
      'SELECT day::text, posts FROM account_days WHERE workspace_id = $1 ORDER BY day',
      [rig.ctx.workspace.id],
    )
    expect(new Map(days.map(({ day, posts }) => [day, posts]))).toEqual(byDay)
  })

  it('changes nothing when the same file comes again', async () => {
    const rig = await makeRig(database)
    const file = csv(
      ['post_id', 'posted_at', 'text', 'likes', 'metrics_at'],
      ['1', '2026-01-01', 'a', '5', ''],
      ['2', '2026-01-02', 'b', '6', '2026-02-01T00:00:00Z'],
      ['3', '2026-01-03', 'c', '', ''],
    )
    const state = () =>
      database.sql(
        `SELECT (SELECT jsonb_agg(to_jsonb(p) - 'still_readings' ORDER BY p.id) FROM posts p WHERE p.workspace_id = w.id) AS posts,
           (SELECT jsonb_agg(d ORDER BY d.day) FROM account_days d WHERE d.workspace_id = w.id) AS days,
           (SELECT count(*)::int FROM post_snapshots s WHERE s.workspace_id = w.id) AS snapshots,
           w.generation FROM workspaces w WHERE w.id = $1`,
        [rig.ctx.workspace.id],
      )
    await importFile(rig, file)
    const before = await state()
    expect(before).toMatchObject([{ snapshots: 1 }])
    rig.time.nowMs += 60_000
    expect(countsOf(await importFile(rig, file))).toEqual({
      status: 'succeeded',
      accepted: 3,
      inserted: 0,
      updated: 0,
      unchanged: 3,
      rejected: 0,
    })
    expect(await state()).toEqual(before)
  })

  it('counts a corrected row as updated, and lets the last of several lines of one post win', async () => {
    const rig = await makeRig(database)
    const header = ['post_id', 'posted_at', 'likes']
    await importFile(rig, csv(header, ['1', '2026-01-01', '5'], ['2', '2026-01-02', '6']))
    const report = await importFile(
      rig,
      csv(
        header,
        ['1', '2026-01-01', '7'],
        ['2', '2026-01-02', '6'],
        ['1', '2026-01-01', '8'],
        ['3', '2026-01-03', '1'],
      ),
    )
    expect(countsOf(report)).toEqual({
      status: 'succeeded',
      accepted: 4,
      inserted: 1,
      updated: 1,
      unchanged: 2,
      rejected: 0,
    })
    expect(await postsOf(database, rig, 'likes::int')).toEqual([{ likes: 8 }, { likes: 6 }, { likes: 1 }])
  })

  it('takes readings from the future for readings made at the start', async () => {
    const rig = await makeRig(database)
    await importFile(
      rig,
      csv(
        ['post_id', 'posted_at', 'likes', 'metrics_at'],
        ['1', '2026-03-01', '5', '2026-03-10T20:00:00Z'],
        ['2', '2026-03-01', '5', '2026-03-10T11:00:00Z'],
      ),
    )
    expect(await postsOf(database, rig, 'p.metrics_at')).toEqual([
      { metrics_at: new Date(STARTED_AT) },
      { metrics_at: new Date('2026-03-10T11:00:00Z') },
    ])
  })
})

describe('lines that cannot be taken', () => {
  it('reports each with its line and column, and takes the others', async () => {
    const rig = await makeRig(database)
    const report = await importFile(
      rig,
      [
        'post_id,posted_at,text,likes',
        '1,2026-01-01,"two',
        'lines",5',
        '2,yesterday,b,-1',
        '3,2026-01-03,c',
        '4,2026-01-04,d,4',
        ',2026-01-05,e,5',
      ].join('\n'),
    )
    expect(countsOf(report)).toMatchObject({ status: 'succeeded', accepted: 2, inserted: 2, rejected: 3 })
    expect(report.errors.map(({ line, column }) => [line, column])).toEqual([
      [4, 'posted_at'],
      [4, 'likes'],
      [5, null],
      [7, 'post_id'],
    ])
    for (const error of report.errors) expect(error.message).toMatch(/^[A-Za-z_ ]+ .*\.$/)
  })

  it('keeps a thousand errors and counts all of them', async () => {
    const rig = await makeRig(database)
    const bad = Array.from({ length: 1_500 }, (_, i) => [String(i), 'never'])
    const report = await importFile(rig, csv(['post_id', 'posted_at'], ...bad, ['x', '2026-01-01']))
    expect(countsOf(report)).toMatchObject({ status: 'succeeded', accepted: 1, rejected: 1_500 })
    expect(report.errors).toHaveLength(1_000)
    expect(report.errors.at(-1)?.line).toBe(1_001)
  })

  it('survives characters that the database cannot keep, wherever they stand', async () => {
    const rig = await makeRig(database)
    const table = await importFile(
      rig,
      `${csv(
        ['post_id', 'posted_at', 'no\0te', 'text'],
        ['1', '2026-01-01', 'x', 'a\0b'],
        ['2', '2026-01-01', 'x', 'fine'],
      )}3,2026-01-01,a"b,fine\r\n`,
    )
    expect(countsOf(table)).toMatchObject({ status: 'succeeded', accepted: 1, rejected: 2 })
    expect(table.errors.map(({ line, column }) => [line, column])).toEqual([
      [2, 'text'],
      [4, 'no\ufffdte'],
    ])
    const lines = await importFile(
      rig,
      [
        '\0',
        '{"post_id":"1",\u{1f415}}',
        '{"post_id":"9","posted_at":"2026-01-01","text":"\\ud83d\\u0000"}',
        '[1]',
        '',
      ].join('\n'),
      { format: 'ndjson' },
    )
    expect(countsOf(lines)).toMatchObject({ status: 'succeeded', accepted: 0, rejected: 4 })
    expect(lines.errors.map(({ line }) => line)).toEqual([1, 2, 3, 4])
  })

  it('reads records longer than a range, and skips those that are too long', async () => {
    const rig = await makeRig(database)
    const long = '犬'.repeat(99_000)
    const lines = [
      { post_id: 'a', posted_at: '2026-01-01', text: 'short' },
      { post_id: 'b', posted_at: '2026-01-01', text: long },
      { post_id: 'c', posted_at: '2026-01-01', text: long.repeat(9) },
      { post_id: 'd', posted_at: '2026-01-01', text: 'after' },
    ]
    const report = await importFile(rig, lines.map((line) => JSON.stringify(line)).join('\n'), {
      format: 'ndjson',
    })
    expect(countsOf(report)).toMatchObject({ status: 'succeeded', accepted: 3, rejected: 1 })
    expect(report.errors).toMatchObject([{ line: 3, column: null }])
    expect(await postsOf(database, rig, 'platform_post_id AS id, length(text) AS length')).toEqual([
      { id: 'a', length: 5 },
      { id: 'b', length: 99_000 },
      { id: 'd', length: 5 },
    ])
  })
})
