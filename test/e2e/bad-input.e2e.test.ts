import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { typedHandle } from './support/accounts.ts'
import { chunkedBody, expectProblem, pointersOf } from './support/client.ts'
import { importFile, ndjson, type Person, signUp } from './support/people.ts'
import { sqlRow, stack } from './support/stack.ts'
import { act } from './support/world.ts'

const JSON_LIMIT_BYTES = 10 * 1024 * 1024
const CONNECTABLE = { platform: 'bluesky', handle: 'spokeandchain.example.social' } as const
const OVERVIEW = '/api/v1/dashboard/overview'

describe('what is asked wrongly', () => {
  let person: Person
  beforeAll(async () => {
    person = await signUp()
    const rows = [1, 2, 3].map((n) => ({ post_id: `bad-${n}`, posted_at: '2026-11-01T10:00:00Z', likes: n }))
    await importFile(person.key, { handle: 'bad-input', body: ndjson(rows) })
  })

  const accountsStored = async () =>
    sqlRow<{ count: number }>(
      `SELECT count(*)::int FROM accounts WHERE workspace_id = $1 AND source <> 'import'`,
      [person.workspaceId],
    ).then(({ count }) => count)

  it.each([
    [`${OVERVIEW}?from=2026-11-02&to=2026-11-01`, ['/query/to']],
    [`${OVERVIEW}?from=2026-11-01`, ['/query/to']],
    [`${OVERVIEW}?to=2026-11-01`, ['/query/from']],
    [`${OVERVIEW}?from=2024-11-01&to=2026-11-02`, ['/query/from']],
    [`${OVERVIEW}?from=2026-02-30&to=2026-11-31`, ['/query/from', '/query/to']],
    [
      `${OVERVIEW}?from=yesterday&to=1&timezone=Mars/Olympus`,
      ['/query/from', '/query/timezone', '/query/to'],
    ],
    [`${OVERVIEW}?from=9999-12-31&to=9999-12-31`, ['/query/from', '/query/to']],
    [`${OVERVIEW}?from=0001-01-01&to=0001-01-02`, ['/query/from', '/query/to']],
    [`${OVERVIEW}?timezone=%2B02:00`, ['/query/timezone']],
    [`${OVERVIEW}?period=28d&from=2026-11-01&to=2026-11-02`, ['/query/period']],
    [`${OVERVIEW}?period=30d`, ['/query/period']],
    [`${OVERVIEW}?compare=next&basis=lost`, ['/query/basis', '/query/compare']],
    [`${OVERVIEW}?accounts=mine`, ['/query/accounts/0']],
    [`${OVERVIEW}?platforms=bluesky,myspace`, ['/query/platforms/1']],
    [`${OVERVIEW}?minGeneration=-1`, ['/query/minGeneration']],
    [`${OVERVIEW}?perood=28d&x=1`, ['/query/perood', '/query/x']],
    ['/api/v1/posts?limit=0', ['/query/limit']],
    ['/api/v1/posts?limit=101', ['/query/limit']],
    ['/api/v1/posts?limit=ten&sort=likes&kinds=story', ['/query/kinds/0', '/query/limit', '/query/sort']],
    ['/api/v1/posts?from=2026-11-02&to=2026-11-01', ['/query/to']],
    ['/api/v1/posts?from=0000-01-01&to=9999-12-31&q=%00', ['/query/from', '/query/q', '/query/to']],
    ['/api/v1/posts?from=11/02/2026&timezone=Nowhere', ['/query/from', '/query/timezone']],
    ['/api/v1/posts?hashtags=%20%23,', ['/query/hashtags']],
    ['/api/v1/posts?cursor=abc', ['/query/cursor']],
    ['/api/v1/accounts?q=a%00b', ['/query/q']],
    ['/api/v1/accounts?status=great', ['/query/status']],
    ['/api/v1/accounts?limit=101&unknown=1', ['/query/limit', '/query/unknown']],
    ['/api/v1/jobs?limit=0', ['/query/limit']],
    ['/api/v1/trending/hashtags?window=2h&scope=world', ['/query/scope', '/query/window']],
    ['/api/v1/trending/hashtags/%23', ['/path/tag']],
  ])('names every wrong field of %s', async (path, pointers) => {
    const problem = expectProblem(await person.key.get(path), 400, 'invalid_request')
    expect(pointersOf(problem)).toEqual(pointers)
  })

  it('takes cursors as it made them, of the same list and order alone', async () => {
    const page = z.object({ nextCursor: z.string() })
    const { nextCursor } = await person.key.read(page, '/api/v1/posts?limit=1')
    expect((await person.key.get(`/api/v1/posts?limit=1&cursor=${nextCursor}`)).status).toBe(200)
    const [payload = '', signature = ''] = nextCursor.split('.')
    const position: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...Object(position), value: '2020-01-01' })).toString(
      'base64url',
    )
    for (const path of [
      `/api/v1/posts?cursor=${forged}.${signature}`,
      `/api/v1/posts?cursor=${payload}`,
      `/api/v1/posts?cursor=${nextCursor}.x`,
      `/api/v1/posts?cursor=${payload}.${signature.slice(0, -1)}`,
      `/api/v1/posts?sort=-likes&cursor=${nextCursor}`,
      `/api/v1/jobs?cursor=${nextCursor}`,
      `/api/v1/accounts?cursor=${nextCursor}`,
    ])
      expect(pointersOf(expectProblem(await person.key.get(path), 400, 'invalid_request'))).toEqual([
        '/query/cursor',
      ])
  })

  it.each<[string, string, unknown, string[]]>([
    ['POST', '/api/v1/accounts', {}, ['/handle', '/platform']],
    ['POST', '/api/v1/accounts', { platform: 'myspace', handle: ' ' }, ['/handle', '/platform']],
    ['POST', '/api/v1/accounts', { ...CONNECTABLE, token: 'x', 'a/b': 1 }, ['/a~1b', '/token']],
    ['POST', '/api/v1/accounts', { ...CONNECTABLE, brandId: '1' }, ['/brandId']],
    ['POST', '/api/v1/accounts', [], ['']],
    ['POST', '/api/v1/api-keys', { name: 'a\0b', scopes: ['read'] }, ['/name']],
    ['POST', '/api/v1/api-keys', { name: '', scopes: ['read', 'root'] }, ['/name', '/scopes/1']],
    [
      'POST',
      '/api/v1/api-keys',
      { name: 'x', scopes: [], expiresInDays: 0.5 },
      ['/expiresInDays', '/scopes'],
    ],
  ])('names every wrong field of the body of %s %s %j', async (method, path, json, pointers) => {
    const problem = expectProblem(await person.key.send(method, path, { json }), 400, 'invalid_request')
    expect(pointersOf(problem)).toEqual(pointers)
    expect(await accountsStored()).toBe(0)
  })

  it('refuses a timezone that does not exist, and a brand that is not there', async () => {
    const workspace = `/api/v1/workspaces/${person.workspaceId}`
    const timezone = await person.key.patch(workspace, { timezone: 'Europe/Atlantis' })
    expect(pointersOf(expectProblem(timezone, 400, 'invalid_request'))).toEqual(['/timezone'])
    const brandId = '0193b3a0-0000-7000-8000-000000000000'
    const brand = await person.key.post('/api/v1/accounts', { ...CONNECTABLE, brandId })
    expect(pointersOf(expectProblem(brand, 400, 'invalid_request'))).toEqual(['/brandId'])
    expect(await accountsStored()).toBe(0)
  })

  it.each(['{"platform":', '', 'null and void', '{"platform":"bluesky"}}', '\u0000'])(
    'refuses malformed JSON: %j',
    async (body) => {
      const headers = { 'content-type': 'application/json' }
      expectProblem(
        await person.key.send('POST', '/api/v1/accounts', { body, headers }),
        400,
        'invalid_request',
      )
    },
  )

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
    'takes JSON alone, and not %j',
    async (type) => {
      const body = new TextEncoder().encode(JSON.stringify(CONNECTABLE))
      const answer = await person.key.send('POST', '/api/v1/accounts', {
        body,
        ...(type !== '' && { headers: { 'content-type': type } }),
      })
      expectProblem(answer, 415, 'unsupported_media_type')
      expect(await accountsStored()).toBe(0)
    },
  )

  it('refuses a body over 10 MB that says so, and one that does not', async () => {
    const headers = { 'content-type': 'application/json' }
    const declared = await person.key.announce('/api/v1/accounts', JSON_LIMIT_BYTES + 1, headers)
    expectProblem(declared, 413, 'payload_too_large')
    const body = chunkedBody(JSON_LIMIT_BYTES + 1)
    const streamed = await person.key.send('POST', '/api/v1/accounts', { body, headers })
    expectProblem(streamed, 413, 'payload_too_large')
    // Spaces may stand before JSON, as many as the limit allows.
    const text = JSON.stringify({ platform: 'myspace' })
    const fits = ' '.repeat(JSON_LIMIT_BYTES - text.length) + text
    const within = await person.key.send('POST', '/api/v1/accounts', { body: fits, headers })
    expect(pointersOf(expectProblem(within, 400, 'invalid_request'))).toEqual(['/handle', '/platform'])
  })

  it('keeps nothing of an account that its platform does not know', async () => {
    for (const json of [
      { platform: 'bluesky', handle: 'nobody-at-all.example.social' },
      { platform: 'bluesky', handle: 'not a handle' },
      { platform: 'mastodon', handle: typedHandle('mastodon', 'nobody') },
      { platform: 'mastodon', handle: 'without-a-server' },
    ]) {
      const problem = expectProblem(await person.key.post('/api/v1/accounts', json), 422, 'account_not_found')
      expect(pointersOf(problem)).toEqual(['/handle'])
    }
    expect(await accountsStored()).toBe(0)
  })

  it('says of platforms where people sign in themselves that a name is not enough', async () => {
    const answer = await person.key.post('/api/v1/accounts', { platform: 'linkedin', handle: 'somebody' })
    expect(expectProblem(answer, 422, 'platform_auth_required').detail).toContain('signed in')
  })

  it.each([
    ['x', 'https://www.youtube.com/@somebody', 'YouTube'],
    ['bluesky', 'https://x.com/somebody', 'X'],
    ['mastodon', 'https://bsky.app/profile/ada.example.social', 'Bluesky'],
    ['youtube', 'https://www.reddit.com/r/somewhere', 'Reddit'],
  ])('names the right platform for an address that is not of %s: %s', async (platform, handle, right) => {
    const answer = await person.key.post('/api/v1/accounts', { platform, handle })
    expect(expectProblem(answer, 422, 'account_not_found').detail).toContain(`choose ${right}`)
  })

  it('says when to try again where a platform is not there', async () => {
    const unreachable = { platform: 'mastodon', handle: 'user@127.0.0.1:1' }
    expectProblem(await person.key.post('/api/v1/accounts', unreachable), 503, 'platform_unavailable')
    await act('outage', { platform: 'bluesky', durationMs: 60_000, pathIncludes: 'getProfile' })
    try {
      expectProblem(await person.key.post('/api/v1/accounts', CONNECTABLE), 503, 'platform_unavailable')
    } finally {
      await act('clear', { platform: 'bluesky' })
    }
    expect(await accountsStored()).toBe(0)
  })

  it('names the account that is connected already, however it is written', async () => {
    const other = await signUp()
    const account = z.object({ id: z.string() })
    const { id } = await other.key.make(account, '/api/v1/accounts', CONNECTABLE)
    for (const handle of [
      CONNECTABLE.handle,
      `@${CONNECTABLE.handle.toUpperCase()}`,
      `https://bsky.app/profile/${CONNECTABLE.handle}`,
    ]) {
      const again = await other.key.post('/api/v1/accounts', { platform: 'bluesky', handle })
      expect(expectProblem(again, 409, 'already_connected').existingId).toBe(id)
    }
  })

  it.each(['/api/v1/nothing', '/api/v1/accounts/', '/api/v1/accounts/1/2/3', '/api/v2/me'])(
    'knows no %s',
    async (path) => {
      expectProblem(await person.key.get(path), 404, 'not_found')
    },
  )

  it('answers HEAD as GET without the body, and OPTIONS with what there is', async () => {
    const head = await person.key.send('HEAD', '/api/v1/me')
    expect([head.status, head.text]).toEqual([200, ''])
    const options = await person.key.send('OPTIONS', '/api/v1/accounts')
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST'])
  })

  it('says the request’s id in the answer, the caller’s own where it has one', async () => {
    const own = await person.key.get('/api/v1/nothing', { 'x-request-id': 'request-1234' })
    expect(expectProblem(own, 404, 'not_found').requestId).toBe('request-1234')
    const strange = await person.key.get('/api/v1/nothing', { 'x-request-id': 'a b' })
    expect(expectProblem(strange, 404, 'not_found').requestId).not.toBe('a b')
    expect(stack.url).toMatch(/^http:/)
  })
})
