import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { newId } from '../../lib/ids.ts'
import { makeRoutesRig, type RoutesRig } from './rig.test-helper.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let rig: RoutesRig
beforeEach(async () => {
  rig = await makeRoutesRig(database)
})

describe('the audit log over HTTP', () => {
  let owner: Record<string, string>
  beforeEach(async () => {
    owner = await rig.person('owning')
  })
  const wrote = (at: string) =>
    database.sql(
      `INSERT INTO audit_log (id, workspace_id, at, actor_kind, action) VALUES ($1, $2, $3, 'system', 'brand.created')`,
      [newId(), rig.workspaceId, at],
    )

  it('goes by days of the workspace’s timezone, or of another one', async () => {
    await database.sql("UPDATE workspaces SET timezone = 'Asia/Tokyo' WHERE id = $1", [rig.workspaceId])
    owner = await rig.person('in-tokyo')
    await wrote('2026-03-01T14:59:59Z')
    await wrote('2026-03-01T15:00:00Z')
    const count = async (query: string) => {
      const { text } = await rig.ask(`/api/v1/audit-log?${query}`, owner)
      return text.match(/"action":/g)?.length ?? 0
    }
    expect(await count('')).toBe(2)
    expect(await count('from=2026-03-02')).toBe(1)
    expect(await count('to=2026-03-01')).toBe(1)
    expect(await count('from=2026-03-01&to=2026-03-02')).toBe(2)
    expect(await count('from=2026-03-02&timezone=UTC')).toBe(0)
  })

  it('goes on where a page ended, and takes no cursor but its own', async () => {
    for (const day of ['01', '02', '03']) await wrote(`2026-03-${day}T00:00:00Z`)
    const moments: string[] = []
    for (let query = 'limit=2'; query !== ''; ) {
      const { text } = await rig.ask(`/api/v1/audit-log?${query}`, owner)
      moments.push(...[...text.matchAll(/"at":"([^"]+)"/g)].map((match) => match[1] ?? ''))
      const next = /"nextCursor":"([^"]+)"/.exec(text)?.[1]
      query = next === undefined ? '' : `limit=2&cursor=${next}`
    }
    expect(moments).toEqual(['2026-03-03T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-01T00:00:00Z'])
    expect((await rig.ask('/api/v1/audit-log?cursor=abc', owner)).status).toBe(400)
  })

  it('names every filter that is wrong', async () => {
    const { status, body } = await rig.ask(
      '/api/v1/audit-log?actions=brand.created,brand.eaten&from=yesterday&timezone=Mars&limit=0&who=me',
      owner,
    )
    expect(status).toBe(400)
    expect(body).toMatchObject({
      errors: expect.arrayContaining([
        { pointer: '/query/actions/1', detail: 'there is no action brand.eaten' },
        expect.objectContaining({ pointer: '/query/from' }),
        expect.objectContaining({ pointer: '/query/timezone' }),
        expect.objectContaining({ pointer: '/query/limit' }),
        expect.objectContaining({ pointer: '/query/who' }),
      ]),
    })
    const reversed = await rig.ask('/api/v1/exports/audit-log.csv?from=2026-03-02&to=2026-03-01', owner)
    expect(reversed.body).toMatchObject({ errors: [{ pointer: '/query/to' }] })
  })

  it('is exported as a file', async () => {
    const { status, headers, text } = await rig.ask('/api/v1/exports/audit-log.csv', owner)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/csv/)
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="tidemark-audit-log-\d{4}-\d\d-\d\d\.csv"$/,
    )
    expect(headers.get('cache-control')).toBe('no-store')
    expect(text.split('\r\n')).toHaveLength(3)
    // Asking for the headers alone is no export: the second one finds but the first.
    const peeked = await rig.ask('/api/v1/exports/audit-log.csv', owner, 'HEAD')
    expect([peeked.status, peeked.text]).toEqual([200, ''])
    expect(peeked.headers.get('content-disposition')).toBe(headers.get('content-disposition'))
    const again = await rig.ask('/api/v1/exports/audit-log.csv', owner)
    expect(again.text.split('\r\n')).toHaveLength(4)
    expect(text).toContain(',owning@example.com,audit_log.exported,')
  })
})
