import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { Account } from '../../src/services/accounts/schemas.ts'
import { ImportReport } from '../../src/services/imports/schemas.ts'
import { Job } from '../../src/services/jobs/schemas.ts'
import { Overview } from '../../src/services/overview/schemas.ts'
import { Post } from '../../src/services/posts/schemas.ts'
import { chunkedBody, expectProblem, parsed, pointersOf } from './support/client.ts'
import { expectOverviewToBeTrue } from './support/expected.ts'
import { importFile, importReport, ndjson, type Person, signUp, upload } from './support/people.ts'
import { sql, sqlRow } from './support/stack.ts'

const IMPORT_LIMIT_BYTES = 100_000_000
const CSV = { 'content-type': 'text/csv' }

/** Two rows that are good, and four that are not. */
const MIXED_CSV = [
  'likes,post_id,posted_at,text,kind,comments,colour,views,account',
  '10,a,2026-11-01T10:00:00Z,"Two lines,\r\nof #Tide",post,,red,1000,',
  'many,b,2026-11-01T10:00:00Z,No count,post,1,red,,',
  '1,,2026-11-01T10:00:00Z,No id,post,1,red,,',
  '3,c,2026-11-02 23:30:00,Another account,reply,0,red,,@Second',
  '1,d,2026-13-01T10:00:00Z,No such month,story,1,red,,',
  '',
].join('\r\n')

describe('imports', () => {
  let person: Person
  beforeAll(async () => {
    person = await signUp()
  })

  /** All that an import could change. */
  const stored = (workspaceId: string) =>
    sqlRow<Record<string, string>>(
      `SELECT (SELECT md5(string_agg(p::text, '|' ORDER BY p.id)) FROM posts p WHERE workspace_id = $1) AS posts,
         (SELECT md5(string_agg(d::text, '|' ORDER BY d.account_id, d.day)) FROM account_days d WHERE workspace_id = $1) AS days,
         (SELECT md5(string_agg(q::text, '|' ORDER BY q.account_id, q.quarter)) FROM account_quarters q WHERE workspace_id = $1) AS quarters,
         (SELECT count(*)::text FROM post_snapshots WHERE workspace_id = $1) AS snapshots,
         (SELECT count(*)::text FROM accounts WHERE workspace_id = $1) AS accounts,
         (SELECT generation::text FROM workspaces WHERE id = $1) AS generation`,
      [workspaceId],
    )

  it('take CSV in, and report each line that they cannot', async () => {
    const { key } = await signUp()
    const answer = await key.send('POST', '/api/v1/imports?platform=instagram&handle=first', {
      body: MIXED_CSV,
      headers: CSV,
    })
    const job = parsed(Job.extend({ jobId: Job.shape.id }), answer, 202)
    expect(job).toMatchObject({ kind: 'import', status: 'queued', jobId: job.id })
    expect(answer.headers.get('location')).toBe(`/api/v1/jobs/${job.id}`)

    const report = await importReport(key, job.id)
    expect(report).toMatchObject({
      id: job.id,
      status: 'succeeded',
      platform: 'instagram',
      format: 'csv',
      sizeBytes: MIXED_CSV.length,
      processedBytes: MIXED_CSV.length,
      ...{ accepted: 2, inserted: 2, updated: 0, unchanged: 0, rejected: 3 },
    })
    expect(report.errors.map(({ line, column }) => [line, column])).toEqual([
      [4, 'likes'],
      [5, 'post_id'],
      [7, 'posted_at'],
      [7, 'kind'],
    ])
    for (const { message } of report.errors) expect(message).toMatch(/\w.*\.$/)
    const done = await key.read(Job, `/api/v1/jobs/${job.id}`)
    expect(done).toMatchObject({
      status: 'succeeded',
      resultUrl: `/api/v1/imports/${job.id}`,
      progress: { done: MIXED_CSV.length, total: MIXED_CSV.length },
    })

    const accounts = await key.readAll(Account, '/api/v1/accounts')
    expect(accounts.map(({ handle, status, platform }) => [handle, status, platform])).toEqual([
      ['first', 'imported', 'instagram'],
      ['Second', 'imported', 'instagram'],
    ])
    const posts = await key.readAll(Post, '/api/v1/posts')
    expect(posts).toMatchObject([
      { platformPostId: 'c', kind: 'reply', accountId: accounts[1]?.id, metrics: { likes: 3, comments: 0 } },
      {
        platformPostId: 'a',
        kind: 'post',
        text: 'Two lines,\r\nof #Tide',
        hashtags: ['Tide'],
        accountId: accounts[0]?.id,
        // What a cell leaves out is unknown, and not zero.
        metrics: { likes: 10, comments: null, views: 1000, engagements: 10 },
      },
    ])
  })

  it('take NDJSON in, and count what they bring in every figure', async () => {
    const { key, workspaceId } = await signUp()
    const rows = Array.from({ length: 300 }, (_, n) => ({
      post_id: n,
      posted_at: new Date(Date.now() - n * 3_600_000).toISOString(),
      text: `Number ${n}`,
      likes: n * 3,
      comments: n % 2 === 0 ? n : null,
      shares: 1,
      kind: n % 10 === 0 ? 'repost' : 'post',
      account: `account-${n % 3}`,
    }))
    const report = await importFile(key, { platform: 'threads', body: `${ndjson(rows)}{"post_id":` })
    expect(report).toMatchObject({ status: 'succeeded', accepted: 300, inserted: 300, rejected: 1 })
    expect(report.errors).toMatchObject([{ line: 301, column: null }])

    const overview = await expectOverviewToBeTrue(key, workspaceId, 'period=28d')
    // By hand: reposts count nowhere.
    const counted = rows.filter(({ kind }) => kind === 'post')
    const sum = (values: (number | null)[]) => values.reduce<number>((a, b) => a + (b ?? 0), 0)
    expect(overview.totals).toMatchObject({
      posts: { value: 270 },
      likes: { value: sum(counted.map(({ likes }) => likes)) },
      comments: { value: sum(counted.map(({ comments }) => comments)) },
      shares: { value: 270 },
      followers: { value: null },
    })
    expect(overview.coverage.comments).toEqual({ known: 120, total: 270 })
    expect(overview.accounts).toHaveLength(3)
    await expectOverviewToBeTrue(key, workspaceId, 'period=7d&timezone=Asia/Kathmandu&platforms=threads')
  })

  it('change nothing the second time', async () => {
    const { key, workspaceId } = await signUp()
    const rows = [1, 2, 3].map((n) => ({
      post_id: `again-${n}`,
      posted_at: '2026-11-01T10:00:00Z',
      text: `#again ${n}`,
      likes: n,
      metrics_at: '2026-11-05T00:00:00Z',
    }))
    const file = { handle: 'again', body: ndjson(rows) }
    expect(await importFile(key, file)).toMatchObject({ inserted: 3, updated: 0, unchanged: 0 })
    const before = await stored(workspaceId)
    expect(await importFile(key, file)).toMatchObject({ accepted: 3, inserted: 0, updated: 0, unchanged: 3 })
    expect(await stored(workspaceId)).toEqual(before)
    // A later reading takes over, an earlier one does not.
    const reading = (metrics_at: string, likes: number) =>
      importFile(key, { handle: 'again', body: ndjson([{ ...rows[0], likes, metrics_at }]) })
    expect(await reading('2026-11-04T00:00:00Z', 100)).toMatchObject({ updated: 0, unchanged: 1 })
    expect(await reading('2026-11-06T00:00:00Z', 50)).toMatchObject({ updated: 1, unchanged: 0 })
    const { totals } = await key.read(Overview, '/api/v1/dashboard/overview?period=90d&minGeneration=999999')
    expect(totals.likes.value).toBe(50 + 2 + 3)
  })

  it('go into the account that has the handle already', async () => {
    const { key } = await signUp()
    const row = { posted_at: '2026-11-01T10:00:00Z' }
    await importFile(key, { handle: 'Tide.Example', body: ndjson([{ ...row, post_id: 'one' }]) })
    await importFile(key, { handle: '@tide.example', body: ndjson([{ ...row, post_id: 'two' }]) })
    expect(await key.readAll(Account, '/api/v1/accounts')).toHaveLength(1)
    expect(await key.readAll(Post, '/api/v1/posts')).toHaveLength(2)
  })

  it.each<[string, string, Record<string, string>, string, number, string, string[]]>([
    ['an empty file', '?platform=x&handle=a', CSV, '', 400, 'invalid_request', ['/csv']],
    ['a header without ids', '?platform=x&handle=a', CSV, 'text,likes\n', 400, 'invalid_request', []],
    ['no account', '?platform=x', CSV, 'post_id,posted_at\n', 400, 'invalid_request', ['/query/handle']],
    ['no platform', '?handle=a&x=1', CSV, 'a', 400, 'invalid_request', ['/query/platform', '/query/x']],
    [
      'JSON',
      '?platform=x&handle=a',
      { 'content-type': 'application/json' },
      '[]',
      415,
      'unsupported_media_type',
      [],
    ],
    ['text of no kind', '?platform=x&handle=a', {}, 'a', 415, 'unsupported_media_type', []],
  ])('refuse %s, and keep nothing of it', async (_, query, headers, body, status, code, pointers) => {
    const before = await sql('SELECT id FROM jobs WHERE workspace_id = $1', [person.workspaceId])
    const answer = await person.key.send('POST', `/api/v1/imports${query}`, { body, headers })
    const problem = expectProblem(answer, status, code)
    if (pointers.length > 0) expect(pointersOf(problem)).toEqual(pointers)
    expect(await sql('SELECT id FROM jobs WHERE workspace_id = $1', [person.workspaceId])).toEqual(before)
  })

  it('refuse files over 100 MB', async () => {
    const body = chunkedBody(IMPORT_LIMIT_BYTES + 1)
    const path = '/api/v1/imports?platform=x&handle=large'
    expectProblem(await person.key.send('POST', path, { body, headers: CSV }), 413, 'payload_too_large')
    expect(await sql('SELECT id FROM imports WHERE workspace_id = $1', [person.workspaceId])).toEqual([])
  })
})

describe('idempotency keys', () => {
  const key = () => ({ 'idempotency-key': randomUUID() })
  const ACCOUNT = { platform: 'bluesky', handle: 'spokeandchain.example.social' }

  it('give a repeat the first answer, whatever became of the thing', async () => {
    const person = await signUp()
    const headers = key()
    const first = await person.key.post('/api/v1/accounts', ACCOUNT, headers)
    expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([201, null])
    const again = await person.key.post('/api/v1/accounts', ACCOUNT, headers)
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
    expect(again.text).toBe(first.text)
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expectProblem(await person.key.post('/api/v1/accounts', ACCOUNT, key()), 409, 'already_connected')
  })

  it('keep refusals too, and refuse another body', async () => {
    const person = await signUp()
    const headers = key()
    const refused = await person.key.post('/api/v1/accounts', {}, headers)
    const again = await person.key.post('/api/v1/accounts', {}, headers)
    expect([again.status, again.text, again.headers.get('content-type')]).toEqual([
      400,
      refused.text,
      'application/problem+json',
    ])
    const other = await person.key.post('/api/v1/accounts', ACCOUNT, headers)
    expectProblem(other, 422, 'idempotency_mismatch')
    expect(await person.key.readAll(Account, '/api/v1/accounts')).toEqual([])
  })

  it('are each caller’s own, and each path’s', async () => {
    const [one, other] = [await signUp(), await signUp()]
    const headers = key()
    for (const client of [one.key, one.session, other.key]) {
      const answer = await client.post('/api/v1/api-keys', { name: 'Mine', scopes: ['read'] }, headers)
      expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([201, null])
    }
    expect((await one.key.post('/api/v1/realtime/tickets', undefined, headers)).status).toBe(201)
  })

  it('let one of many at once through', async () => {
    const person = await signUp()
    const headers = key()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => person.key.post('/api/v1/accounts', ACCOUNT, headers)),
    )
    const made = answers.filter(({ status }) => status === 201)
    expect(made.length).toBeGreaterThan(0)
    expect(new Set(made.map(({ text }) => text)).size).toBe(1)
    for (const answer of answers.filter(({ status }) => status !== 201))
      expectProblem(answer, 409, 'idempotency_in_progress')
    expect(await person.key.readAll(Account, '/api/v1/accounts')).toHaveLength(1)
  })

  it('stand for an import’s file', async () => {
    const person = await signUp()
    const send = (headers: Record<string, string>) =>
      person.key.send('POST', '/api/v1/imports?platform=x&handle=once', {
        body: ndjson([{ post_id: 'once', posted_at: '2026-11-01T10:00:00Z' }]),
        headers: { 'content-type': 'application/x-ndjson', ...headers },
      })
    const headers = key()
    const [first, again] = [await send(headers), await send(headers)]
    expect([again.status, again.headers.get('idempotent-replayed'), again.text]).toEqual([
      202,
      'true',
      first.text,
    ])
    expect(await sql('SELECT 1 FROM imports WHERE workspace_id = $1', [person.workspaceId])).toHaveLength(1)
  })

  it('have to be something', async () => {
    const { key: client } = await signUp()
    const answer = await client.post('/api/v1/api-keys', {}, { 'idempotency-key': 'x'.repeat(201) })
    expect(pointersOf(expectProblem(answer, 400, 'invalid_request'))).toEqual(['/header/idempotency-key'])
  })

  it('belong to an import that can still be read', async () => {
    const person = await signUp()
    const id = await upload(person.key, {
      handle: 'x',
      body: ndjson([{ post_id: 1, posted_at: '2026-11-01' }]),
    })
    expect((await importReport(person.key, id)).accepted).toBe(1)
    expect(await person.key.read(ImportReport, `/api/v1/imports/${id}`)).toMatchObject({ id })
  })
})
