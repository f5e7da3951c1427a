import { createHmac } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { signDelivery } from '../../scripts/local/qstash/signing.ts'
import { connect, untilComplete } from './support/accounts.ts'
import { type Person, signUp } from './support/people.ts'
import { callBack, sql, sqlRow, stack } from './support/stack.ts'

const PATH = '/callbacks/sync/accounts'

/** What the queue alone may call. Each call asks for an account to be read, which can be seen in its row. */
describe('queue callbacks', () => {
  let person: Person
  let message: object
  let body: string

  beforeAll(async () => {
    person = await signUp()
    const { id } = await untilComplete(
      person.key,
      (await connect(person.key, 'bluesky', 'spokeandchain.example.social')).id,
    )
    // Nobody looks at this workspace: until then it is read when it is told to.
    await sql("UPDATE accounts SET next_sync_at = now() + interval '1 hour' WHERE id = $1", [id])
    const { externalId, handle } = await sqlRow<{ externalId: string; handle: string }>(
      'SELECT external_id AS "externalId", handle FROM accounts WHERE id = $1',
      [id],
    )
    const account = { id, workspaceId: person.workspaceId, externalId, handle }
    message = { platform: 'bluesky', host: null, accounts: [account], jobId: null }
    body = JSON.stringify(message)
  })

  /** Everything that a sync changes. */
  const state = () =>
    sqlRow<{ syncedAt: string; metricsAt: string; posts: string }>(
      `SELECT a.last_synced_at::text AS "syncedAt", a.metrics_at::text AS "metricsAt",
         (SELECT max(p.metrics_at)::text FROM posts p WHERE p.account_id = a.id) AS posts
       FROM accounts a WHERE a.workspace_id = $1`,
      [person.workspaceId],
    )

  const signed = (given: { url?: string; body?: string; key?: string; nowMs?: number } = {}) =>
    signDelivery({
      url: given.url ?? stack.url + PATH,
      body: Buffer.from(given.body ?? body),
      key: given.key ?? stack.signingKeys.current,
      nowMs: given.nowMs ?? Date.now(),
    })

  /** A token whose claims are right and whose header asks not to be checked. */
  const unsigned = () => {
    const [, claims = ''] = signed().split('.')
    return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`
  }

  /** A token that the right key has signed, and that says nothing of the body. */
  const bodiless = () => {
    const [header, claims = ''] = signed().split('.')
    const { body: _, ...rest } = JSON.parse(Buffer.from(claims, 'base64url').toString())
    const text = `${header}.${Buffer.from(JSON.stringify(rest)).toString('base64url')}`
    return `${text}.${createHmac('sha256', stack.signingKeys.current).update(text).digest('base64url')}`
  }

  const post = (signature: string | null, text = body, path = PATH) =>
    fetch(stack.url + path, {
      method: 'POST',
      body: text,
      headers: {
        'content-type': 'application/json',
        ...(signature !== null && { 'upstash-signature': signature }),
      },
    })

  it.each<[string, () => Promise<Response>]>([
    ['without a signature', () => post(null)],
    ['with an empty signature', () => post('')],
    ['with what is no signature', () => post('a.b.c')],
    ['signed with another key', () => post(signed({ key: 'sig_of_somebody_else' }))],
    ['signed with an empty key', () => post(signed({ key: '' }))],
    ['whose header says that nothing is signed', () => post(unsigned())],
    ['whose signature covers no body', () => post(bodiless())],
    ['whose body was altered', () => post(signed(), `${body} `)],
    ['signed for another path', () => post(signed({ url: `${stack.url}/callbacks/sync/plan` }))],
    ['signed for another deployment', () => post(signed({ url: `https://elsewhere.example${PATH}` }))],
    ['whose signature has expired', () => post(signed({ nowMs: Date.now() - 10 * 60_000 }))],
    ['whose signature begins in an hour', () => post(signed({ nowMs: Date.now() + 60 * 60_000 }))],
  ])('refuses a call %s, and does nothing', async (_, call) => {
    const before = await state()
    const response = await call()
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'unauthorized' }])
    expect(await state()).toEqual(before)
  })

  it('refuses every callback that is not signed, whether or not it exists', async () => {
    for (const path of [
      '/callbacks/sync/plan',
      '/callbacks/sync/posts',
      '/callbacks/sync/backfill',
      '/callbacks/accounts/connect',
      '/callbacks/imports/process',
      '/callbacks/trending/plan',
      '/callbacks/trending/refresh',
      '/callbacks/trending/refresh-public',
      '/callbacks/credentials/refresh',
      '/callbacks/outbox/sweep',
      '/callbacks/reconcile/plan',
      '/callbacks/reconcile/workspace',
      '/callbacks/upkeep/daily',
      '/callbacks/nothing',
    ])
      expect((await post(null, '{}', path)).status).toBe(401)
  })

  it.each([
    ['the current key', {}],
    ['the next key', { key: stack.signingKeys.next }],
    ['the public address, which took callbacks before', { origin: stack.url }],
    ['the public address, and moved', { signedFor: stack.url }],
  ])('carries out what is signed with or for %s', async (_, options) => {
    const before = await state()
    const response = await callBack(PATH, message, options)
    expect([response.status, await response.json()]).toEqual([200, { ok: true }])
    const after = await state()
    expect(Date.parse(after.syncedAt)).toBeGreaterThan(Date.parse(before.syncedAt))
    expect(Date.parse(after.posts)).toBeGreaterThan(Date.parse(before.posts))
  })

  it.each([
    ['/callbacks/nothing', {}],
    [PATH, { platform: 'bluesky', accounts: [] }],
    [PATH, 'not an object'],
    ['/callbacks/imports/process', { importId: 'x' }],
  ])('tells the queue never to try %s %j again', async (path, wrong) => {
    const response = await callBack(path, wrong)
    expect(response.status).toBe(489)
    expect(response.headers.get('upstash-nonretryable-error')).toBe('true')
  })

  it('tells the queue to try again where a platform does not answer', async () => {
    const { workspaceId } = person
    const { id } = await sqlRow<{ id: string }>(
      `INSERT INTO accounts (id, workspace_id, platform, external_id, host, handle, source, status, last_synced_at,
         backfill_cursor)
       VALUES (gen_random_uuid(), $1, 'mastodon', '1', '127.0.0.1:1', 'somebody', 'public', 'active', now(),
         'max_id=5')
       RETURNING id`,
      [workspaceId],
    )
    const older = { platform: 'mastodon', host: '127.0.0.1:1', workspaceId, accountIds: [id] }
    expect((await callBack('/callbacks/sync/backfill', older)).status).toBe(503)
  })

  it('answers GET with nothing of its own', async () => {
    expect((await fetch(stack.url + PATH)).status).toBe(404)
  })

  it('go to a Worker that serves nothing else', async () => {
    const ask = async (path: string) => {
      const response = await fetch(stack.callbacksUrl + path, {
        headers: { authorization: `Bearer ${person.key}` },
      })
      return [response.status, await response.json()]
    }
    expect(await ask('/healthz')).toMatchObject([200, { status: 'ok' }])
    for (const path of ['/', '/readyz', '/api/v1/me', '/auth/get-session', PATH])
      expect(await ask(path)).toMatchObject([404, { type: '/problems/not_found' }])
    expect((await fetch(stack.callbacksUrl + PATH, { method: 'POST', body })).status).toBe(401)
  })
})
