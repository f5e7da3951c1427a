import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ApiKey } from '../../src/services/access/schemas.ts'
import { Client, expectProblem, nobody, parsed } from './support/client.ts'
import { type DescribedOperation, describedOperations } from './support/described-operations.ts'
import { ask } from './support/examples.ts'
import { bearer, makeKey, type Person, signUp } from './support/people.ts'
import { sqlRow, stack } from './support/stack.ts'
import { makeThings, pathOf, type Things } from './support/things.ts'

const NOT_IDS = ['nothing', '0', '00000000-0000-0000-0000-00000000000', "'; DROP TABLE posts; --", 'a%00b']

const pathPattern = (path: string) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)

describe('who is asking', () => {
  let all: DescribedOperation[]
  let mine: Things
  let theirs: Things
  beforeAll(async () => {
    all = await describedOperations()
    ;[mine, theirs] = [await makeThings(), await makeThings()]
  })

  /** What is asked of a workspace; `tenancy.e2e.test.ts` has who may. */
  const ofWorkspaces = () => all.filter(({ permission }) => permission !== 'operator')
  const withId = () => ofWorkspaces().filter(({ path }) => path.includes('/{id}'))

  it('knows a session by its cookie and a program by its key, on every route that reads', async () => {
    const reads = ofWorkspaces().filter(({ method }) => method === 'GET')
    expect(reads.length).toBeGreaterThan(10)
    for (const operation of reads)
      for (const client of [mine.person.session, mine.person.key]) {
        const { status, text } = await ask(client, operation, mine.ids)
        expect(`${operation.name} ${status} ${text}`).toMatch(/ 200 /)
      }
  })

  it.each([
    ['a key that was never made', { authorization: `Bearer tm_${'A'.repeat(43)}` }],
    ['what is no key', { authorization: 'Bearer secret' }],
    ['another scheme', { authorization: 'Basic dG06dG0=' }],
    ['an empty header', { authorization: '' }],
    [
      'a forged cookie',
      { cookie: '__Host-tidemark.session_token=abc.def; __Host-tidemark.session_data=e30=' },
    ],
  ])('refuses %s', async (_, headers) => {
    expectProblem(await new Client(headers).get('/api/v1/me'), 401, 'unauthorized')
  })

  it('answers ids that cannot be any in the same way', async () => {
    for (const operation of withId())
      for (const id of NOT_IDS) {
        const answer = await ask(
          mine.person.session,
          operation,
          Object.fromEntries(Object.keys(mine.ids).map((c) => [c, id])),
        )
        expect(`${operation.name} ${id} ${answer.status}`).toBe(`${operation.name} ${id} 404`)
        expectProblem(answer, 404, 'not_found')
      }
  })

  it('leaves the things of others out of lists and figures that name them', async () => {
    const { accounts } = theirs.ids
    const page = z.object({ items: z.array(z.unknown()) })
    for (const list of ['posts', 'accounts'])
      expect(await mine.person.key.read(page, `/api/v1/${list}?accounts=${accounts}`)).toMatchObject({
        items: [],
      })
    const overview = z.object({ accounts: z.array(z.unknown()), totals: z.object({ posts: z.unknown() }) })
    expect(
      await mine.person.key.read(overview, `/api/v1/dashboard/overview?period=90d&accounts=${accounts}`),
    ).toMatchObject({ accounts: [], totals: { posts: { value: 0 } } })
  })

  it('answers 405 and names the methods that a path has', async () => {
    for (const path of new Set(all.map((operation) => operation.path))) {
      // `/accounts/batch` is also where the account `batch` would be.
      const fits = all.filter((other) => pathPattern(other.path).test(path))
      const allowed = new Set([
        'OPTIONS',
        ...fits.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : method)),
      ])
      const refused = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !allowed.has(method))
      for (const method of refused) {
        const answer = await mine.person.key.send(method, pathOf({ path }, mine.ids))
        expect(`${method} ${path} ${answer.status}`).toBe(`${method} ${path} 405`)
        expectProblem(answer, 405, 'method_not_allowed')
        expect(answer.headers.get('allow')?.split(', ')).toEqual([...allowed].toSorted())
      }
    }
  })
})

describe('what somebody may do', () => {
  let person: Person
  beforeAll(async () => {
    person = await signUp()
  })
  const accountBody = { platform: 'bluesky', handle: 'spokeandchain.example.social' }

  it('lets a key do what its scopes say and no more', async () => {
    const [reading, writing] = [
      await makeKey(person.session, ['read']),
      await makeKey(person.session, ['write']),
    ]
    for (const answer of [
      await bearer(reading.key).post('/api/v1/accounts', accountBody),
      await bearer(reading.key).get('/api/v1/api-keys'),
      await bearer(writing.key).post('/api/v1/api-keys', { name: 'More', scopes: ['read'] }),
      await bearer(writing.key).patch(`/api/v1/workspaces/${person.workspaceId}`, { name: 'Mine' }),
      await bearer(writing.key).get('/api/v1/accounts'),
      await bearer(writing.key).get('/api/v1/posts'),
      await bearer(writing.key).get('/api/v1/jobs'),
      await bearer(writing.key).get('/api/v1/dashboard/overview'),
      await bearer(writing.key).get('/api/v1/trending/hashtags'),
      await bearer(writing.key).post('/api/v1/realtime/tickets'),
    ])
      expectProblem(answer, 403, 'insufficient_scope')
    expect((await bearer(reading.key).get('/api/v1/accounts')).status).toBe(200)
    const { count } = await sqlRow<{ count: number }>(
      'SELECT count(*)::int FROM accounts WHERE workspace_id = $1',
      [person.workspaceId],
    )
    expect(count).toBe(0)
  })

  it('lets nobody make a key that may do more than they may', async () => {
    const admin = await makeKey(person.session, ['admin'])
    for (const [client, scope] of [
      [bearer(admin.key), 'write'],
      [person.key, 'operator'],
      [person.session, 'operator'],
    ] as const)
      expectProblem(
        await client.post('/api/v1/api-keys', { name: 'More', scopes: [scope] }),
        403,
        'insufficient_role',
      )
  })

  it('knows a revoked key no longer, from the next request on', async () => {
    const { id, key } = await makeKey(person.session, ['read'])
    expect((await bearer(key).get('/api/v1/me')).status).toBe(200)
    expect((await person.session.delete(`/api/v1/api-keys/${id}`)).status).toBe(204)
    expectProblem(await bearer(key).get('/api/v1/me'), 401, 'unauthorized')
    expectProblem(await person.session.delete(`/api/v1/api-keys/${id}`), 404, 'not_found')
    expect(await person.key.readAll(ApiKey, '/api/v1/api-keys')).not.toContainEqual(
      expect.objectContaining({ id }),
    )
  })

  it('shows a key once and keeps its hash alone', async () => {
    const { id, key, prefix } = await makeKey(person.session, ['read'])
    const listed = await person.key.get('/api/v1/api-keys')
    expect(listed.text).toContain(prefix)
    expect(listed.text).not.toContain(key)
    const { row } = await sqlRow<{ row: string }>('SELECT k::text AS row FROM api_keys k WHERE id = $1', [id])
    expect(row).not.toContain(key)
  })

  it('takes writes with a cookie from its own pages alone', async () => {
    const write = (headers: Record<string, string>) =>
      person.session.with(headers).patch(`/api/v1/workspaces/${person.workspaceId}`, { name: 'Written' })
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expectProblem(await write(headers), 403, 'insufficient_scope')
    expect((await write({ origin: stack.url })).status).toBe(204)
    expect((await write({ 'sec-fetch-site': 'same-origin' })).status).toBe(204)
    // A key is no cookie: no browser sends it by itself.
    const byKey = await person.key
      .with({ origin: 'https://elsewhere.example' })
      .patch(`/api/v1/workspaces/${person.workspaceId}`, { name: 'By key' })
    expect(byKey.status).toBe(204)
  })

  it('lets pages of other origins read nothing', async () => {
    const preflight = await nobody.send('OPTIONS', '/api/v1/me', {
      headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' },
    })
    expect(preflight.status).toBe(403)
    const answer = await person.session.get('/api/v1/me', { origin: 'https://elsewhere.example' })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('lets pages of a partner’s origin do what the person may, and read what came of it', async () => {
    const origin = { origin: stack.partnerOrigin }
    const preflight = await nobody.send('OPTIONS', '/api/v1/accounts', {
      headers: { ...origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    const rename = { json: { name: 'From afar' }, headers: origin }
    for (const answer of [
      preflight,
      await person.session.get('/api/v1/me', origin),
      await nobody.get('/api/v1/me', origin),
      await person.session.send('PATCH', `/api/v1/workspaces/${person.workspaceId}`, rename),
    ]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe(stack.partnerOrigin)
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
      expect(answer.headers.get('vary')).toContain('Origin')
      expect([200, 204, 401]).toContain(answer.status)
    }
  })

  it('finds the workspace that X-Workspace-Id names among one’s own alone', async () => {
    const other = await signUp()
    const me = z.object({ workspace: z.object({ id: z.string() }) })
    for (const client of [person.session, person.key]) {
      const own = await client.get('/api/v1/me', { 'x-workspace-id': person.workspaceId })
      expect(parsed(me, own).workspace.id).toBe(person.workspaceId)
      for (const wanted of [other.workspaceId, 'nothing'])
        expectProblem(await client.get('/api/v1/me', { 'x-workspace-id': wanted }), 404, 'not_found')
    }
  })
})
