import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCredentialVault } from '../../src/adapters/credential-vault.ts'
import { AppError } from '../../src/errors.ts'
import { connectAccount } from '../../src/services/accounts/connect-account.ts'
import { getAccount } from '../../src/services/accounts/manage-accounts.ts'
import type { Account } from '../../src/services/accounts/schemas.ts'
import type { ServiceContext } from '../../src/services/context.ts'
import { removeCredentials, storeCredentials } from '../../src/services/credentials/manage-credentials.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import {
  type Engine,
  HOUR_MS,
  MASTODON_HOST,
  MINUTE_MS,
  START_MS,
  secondWorkspace,
  startEngine,
} from './engine.ts'
import { expectPostsToBeTrue, expectRollupsToMatchPosts } from './facts.ts'
import { PEOPLE } from './people.ts'

let database: TestDatabase
let engine: Engine
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  engine = await startEngine(database, { accounts: PEOPLE, historyDays: 10, syncIntervalSeconds: 300 })
})
afterEach(() => {
  vi.useRealTimers()
})

const issue = (key = 'dora') => engine.tokens.issue({ accountId: engine.person(key).id })

async function connectWith(accessToken: string, ctx: ServiceContext = engine.ctx): Promise<Account> {
  const account = await connectAccount(ctx, { ...engine.typed('cleo'), credentials: { accessToken } })
  await engine.settle()
  return account
}

const rowOf = async (id: string) =>
  (await database.sql<Record<string, unknown>>('SELECT * FROM accounts WHERE id = $1', [id]))[0]
const credentials = () => database.sql<Record<string, unknown>>('SELECT * FROM platform_credentials')
const actions = async () =>
  (await database.sql<{ action: string }>('SELECT action FROM audit_log ORDER BY ctid')).map(
    ({ action }) => action,
  )

/** How many posts were read after a moment. */
const refreshedSince = async (ms: number) =>
  (await database.sql('SELECT 1 FROM posts WHERE metrics_at > $1', [new Date(ms)])).length

/** Every call to a platform, with the token that it carried. */
function watchCalls(): { url: URL; authorization: string | null }[] {
  const calls: { url: URL; authorization: string | null }[] = []
  engine.interfere = (url, headers) => {
    calls.push({ url, authorization: headers.get('authorization') })
    return undefined
  }
  return calls
}

describe('an account of a server that shows nothing to strangers', () => {
  beforeEach(() => engine.tokens.close(true))

  it('is read whole with a token of any user there, and not at all without', async () => {
    await expect(engine.connect('cleo')).rejects.toMatchObject({ code: 'platform_auth_required' })
    const account = await connectWith(issue('dora'))
    expect(account).toMatchObject({
      status: 'active',
      credentials: { updatedAt: '2026-11-22T12:00:00Z', expiresAt: null },
    })
    expect(await rowOf(account.id)).toMatchObject({ source: 'credential', host: MASTODON_HOST })
    await engine.drain()
    await expectPostsToBeTrue(database, engine, 'cleo')
    await engine.live(2 * HOUR_MS)
    expect(await refreshedSince(START_MS)).toBeGreaterThan(10)
    await expectRollupsToMatchPosts(database, engine.workspaceId)
    expect((await getAccount(engine.ctx, account.id)).freshness).toMatchObject({
      backfilling: false,
      stale: false,
    })
    expect(engine.queue.dead).toEqual([])
    expect(await actions()).toEqual(['account.connected', 'credentials.stored'])
  })

  it('counts in no public trend, whoever else reads it', async () => {
    engine.tokens.close(false)
    const publicly = await secondWorkspace(database, engine)
    await connectWith(issue())
    await engine.drain()
    const from = ['2026-10-01T00:00:00Z', '2026-12-01T00:00:00Z']
    const [used] = await database.sql<{ tag: string }>('SELECT tag FROM post_hashtags LIMIT 1')
    const publicPosts = () =>
      database.sql('SELECT * FROM app_public_tag_posts($1, $2, $3)', [used?.tag, ...from])
    expect(used).toBeDefined()
    expect(await publicPosts()).toEqual([])
    expect(await database.sql('SELECT 1 FROM posts WHERE publicly_read')).toEqual([])
    await connectAccount(publicly, engine.typed('cleo'))
    await engine.drain()
    expect((await publicPosts()).length).toBeGreaterThan(0)
  })

  it.each(['revoke', 'expire'] as const)(
    'waits for a new token when its own is no good any more (%s), and goes on with that',
    async (end) => {
      const first = issue()
      const account = await connectWith(first)
      await engine.drain()
      engine.tokens[end](first)
      await engine.live(30 * MINUTE_MS)
      expect(await getAccount(engine.ctx, account.id)).toMatchObject({
        status: 'needs_auth',
        statusReason: `The server ${MASTODON_HOST} does not accept the access token (any more): store a new one.`,
        freshness: { stale: true, reason: 'needs_auth', nextSyncAt: null },
      })
      const calls = watchCalls()
      await engine.live(HOUR_MS)
      expect(calls).toEqual([])

      await storeCredentials(engine.ctx, account.id, { accessToken: issue() })
      expect(await getAccount(engine.ctx, account.id)).toMatchObject({ status: 'active', statusReason: null })
      const renewedAtMs = engine.nowMs
      await engine.live(HOUR_MS)
      expect(await refreshedSince(renewedAtMs)).toBeGreaterThan(0)
      expect((await getAccount(engine.ctx, account.id)).freshness.stale).toBe(false)
      expect(await credentials()).toHaveLength(1)
    },
  )

  it('waits as well when the token may not read any more', async () => {
    const account = await connectWith(issue())
    engine.interfere = () => Response.json({ error: 'This action is outside the scopes' }, { status: 403 })
    await engine.drain()
    const { status, statusReason } = await getAccount(engine.ctx, account.id)
    expect(status).toBe('needs_auth')
    expect(statusReason).toContain('does not let the access token read')
  })

  it('is left for its posts alone: other accounts of the host are read all the same', async () => {
    engine.tokens.close(false)
    const first = issue()
    const closed = await connectWith(first)
    const open = await engine.connect('dora')
    await engine.drain()
    engine.tokens.revoke(first)
    await engine.live(2 * HOUR_MS)
    expect((await getAccount(engine.ctx, closed.id)).status).toBe('needs_auth')
    const { status, freshness } = await getAccount(engine.ctx, open.id)
    expect([status, freshness.stale]).toEqual(['active', false])
    expect(engine.queue.dead).toEqual([])
  })

  it('is read as anybody may when its token is removed', async () => {
    const account = await connectWith(issue())
    await engine.drain()
    await removeCredentials(engine.ctx, account.id)
    await removeCredentials(engine.ctx, account.id)
    expect(await credentials()).toEqual([])
    await engine.live(10 * MINUTE_MS)
    expect(await getAccount(engine.ctx, account.id)).toMatchObject({
      status: 'needs_auth',
      statusReason: `The server ${MASTODON_HOST} needs a token to show its posts.`,
      credentials: null,
    })
    await storeCredentials(engine.ctx, account.id, { accessToken: issue() })
    engine.tokens.close(false)
    await removeCredentials(engine.ctx, account.id)
    expect(await rowOf(account.id)).toMatchObject({ source: 'public', status: 'active' })
    await engine.drain()
    await engine.plan()
    await engine.drain()
    expect((await getAccount(engine.ctx, account.id)).freshness).toMatchObject({
      lastSyncedAt: new Date(engine.nowMs).toISOString().replace('.000', ''),
    })
    expect(await actions()).toEqual([
      'account.connected',
      ...['credentials.stored', 'credentials.removed', 'credentials.stored', 'credentials.removed'],
    ])
  })
})

describe('a token that is refused', () => {
  const refused = (ctx: ServiceContext, accessToken: string) =>
    connectWith(accessToken, ctx).then(
      () => new Error('It was taken'),
      (error: unknown) => error,
    )

  it.each([
    ['is unknown', () => 'no-such-token'],
    ['is one of an application alone', () => engine.tokens.issue()],
    ['may not read', () => engine.tokens.issue({ accountId: engine.person('dora').id, scopes: ['write'] })],
  ])('leaves nothing behind when it %s', async (_what, make) => {
    const token = make()
    for (const closed of [false, true]) {
      engine.tokens.close(closed)
      expect(await refused(engine.ctx, token)).toMatchObject({
        code: 'platform_auth_required',
        fields: [{ pointer: '/credentials/accessToken' }],
      })
    }
    expect(await database.sql('SELECT 1 FROM accounts')).toEqual([])
    expect(await credentials()).toEqual([])
    expect(await actions()).toEqual([])
    expect(engine.queue.published).toEqual([])
  })

  it('leaves the one that is there', async () => {
    const account = await connectWith(issue())
    const before = await credentials()
    await expect(storeCredentials(engine.ctx, account.id, { accessToken: 'wrong' })).rejects.toMatchObject({
      code: 'platform_auth_required',
      fields: [{ pointer: '/accessToken' }],
    })
    expect(await credentials()).toEqual(before)
  })

  it('is not even asked about where the platform needs none, or the deployment has no key', async () => {
    const calls = watchCalls()
    const bluesky = connectAccount(engine.ctx, {
      ...engine.typed('ada'),
      credentials: { accessToken: 'token' },
    })
    await expect(bluesky).rejects.toMatchObject({
      code: 'invalid_request',
      fields: [{ pointer: '/credentials', detail: 'Bluesky needs no credential.' }],
    })
    const keyless = { ...engine.ctx, vault: null }
    const error = await refused(keyless, issue())
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({
      code: 'unavailable',
      message: 'This deployment cannot store credentials; an operator has to set CREDENTIALS_KEY.',
    })
    expect(calls).toEqual([])
    const account = await engine.connect('cleo')
    await expect(storeCredentials(keyless, account.id, { accessToken: issue() })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })

  it('is not needed by an account that is imported', async () => {
    const account = await engine.connect('cleo')
    await database.sql(`UPDATE accounts SET source = 'import', status = 'imported' WHERE id = $1`, [
      account.id,
    ])
    await expect(storeCredentials(engine.ctx, account.id, { accessToken: issue() })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(await credentials()).toEqual([])
  })
})

describe('a token', () => {
  it('goes to the server that issued it and to no other, wherever that sends us', async () => {
    const token = issue()
    const account = await connectWith(token)
    const seen: { host: string; token: boolean }[] = []
    engine.interfere = (url, headers) => {
      seen.push({ host: url.host, token: JSON.stringify([...headers]).includes(token) })
      expect(url.href).not.toContain(token)
      if (url.host !== MASTODON_HOST) return undefined
      const elsewhere = new URL(url)
      elsewhere.port = '3999'
      return Response.redirect(elsewhere.href, 302)
    }
    await engine.drain()
    await storeCredentials(engine.ctx, account.id, { accessToken: token }).catch(() => {})
    const hosts = Map.groupBy(seen, ({ host }) => host)
    expect([...hosts.keys()].toSorted()).toEqual([MASTODON_HOST, '127.0.0.1:3999'])
    expect(hosts.get(MASTODON_HOST)?.every((call) => call.token)).toBe(true)
    expect(hosts.get('127.0.0.1:3999')?.some((call) => call.token)).toBe(false)
  })

  it('is not sent to ask which server an address belongs to, nor for accounts without one', async () => {
    const calls = watchCalls()
    await connectWith(issue())
    await engine.connect('dora')
    await engine.connect('ada')
    await engine.drain()
    const cleo = engine.person('cleo').id
    for (const { url, authorization } of calls) {
      const isHers = url.href.includes(cleo) || url.href.includes('acct=cleo&') || url.href.endsWith('=cleo')
      const isVerification = url.pathname.endsWith('/verify_credentials')
      if (url.pathname.startsWith('/.well-known/')) expect(authorization).toBeNull()
      else expect([url.href, authorization !== null]).toEqual([url.href, isHers || isVerification])
    }
    expect(calls.some(({ authorization }) => authorization !== null)).toBe(true)
  })

  it('that was replaced while it was refused does not stop the account', async () => {
    const first = issue()
    const account = await connectWith(first)
    await engine.drain()
    engine.tokens.revoke(first)
    const second = issue()
    let replaced = false
    engine.interfere = async (_url, headers) => {
      if (headers.get('authorization') !== `Bearer ${first}` || replaced) return undefined
      replaced = true
      await storeCredentials(engine.ctx, account.id, { accessToken: second })
      return undefined
    }
    await engine.live(HOUR_MS)
    expect(replaced).toBe(true)
    const { status, freshness } = await getAccount(engine.ctx, account.id)
    expect([status, freshness.stale]).toEqual(['active', false])
  })

  it('that was removed while it was used makes nothing public that it has shown', async () => {
    engine.tokens.close(true)
    const account = await connectWith(issue())
    let removed = false
    engine.interfere = async (url) => {
      if (!url.pathname.endsWith('/statuses') || removed) return undefined
      removed = true
      await removeCredentials(engine.ctx, account.id)
      return undefined
    }
    await engine.drain()
    expect(removed).toBe(true)
    expect((await rowOf(account.id))?.source).toBe('public')
    expect((await database.sql('SELECT 1 FROM posts')).length).toBeGreaterThan(0)
    expect(await database.sql('SELECT 1 FROM posts WHERE publicly_read')).toEqual([])
  })

  it('that a lost key has sealed is used again as soon as the key is back', async () => {
    engine.tokens.close(true)
    const account = await connectWith(issue())
    const key = engine.ctx.vault
    for (const vault of [null, createCredentialVault([btoa('x'.repeat(32))])]) {
      engine.ctx.vault = vault
      await engine.live(HOUR_MS)
      expect(await getAccount(engine.ctx, account.id)).toMatchObject({
        status: 'active',
        freshness: { stale: true, reason: 'needs_auth' },
      })
    }
    engine.ctx.vault = key
    await engine.live(10 * MINUTE_MS)
    expect((await getAccount(engine.ctx, account.id)).freshness.stale).toBe(false)
    expect((await database.sql('SELECT 1 FROM posts')).length).toBeGreaterThan(0)
  })

  it('of another account, put into its place, reads nothing', async () => {
    const hers = await connectWith(issue())
    await engine.drain()
    const other = await engine.connect('dora')
    await storeCredentials(engine.ctx, other.id, { accessToken: issue() })
    await database.sql(
      `UPDATE platform_credentials SET sealed = (SELECT sealed FROM platform_credentials WHERE account_id = $1)
       WHERE account_id = $2`,
      [hers.id, other.id],
    )
    const calls = watchCalls()
    await engine.live(10 * MINUTE_MS)
    const { status, statusReason } = await getAccount(engine.ctx, other.id)
    expect([status, statusReason]).toEqual([
      'needs_auth',
      'The stored access token can no longer be opened: store a new one.',
    ])
    expect(calls.some(({ url }) => url.href.includes(engine.person('dora').id))).toBe(false)
  })
})
