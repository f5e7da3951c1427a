import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { keyWith, member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import {
  type Engine,
  HOUR_MS,
  MINUTE_MS,
  PEOPLE,
  secondWorkspace,
  startEngine,
} from '../../../test/sync/engine.ts'
import { HOSTS } from '../../../test/sync/networks.ts'
import { newId } from '../../lib/ids.ts'
import { dbWithinReach } from '../access/reach.ts'
import type { Actor, ServiceContext } from '../context.ts'
import { removeCredentials, storeCredentials } from '../credentials/manage-credentials.ts'
import { getJob } from '../jobs/index.ts'
import { connectAccount } from './connect-account.ts'
import { ConnectBatchMessage, connectBatch, processConnectBatch } from './connect-batch.ts'
import {
  bringBackAccount,
  changeAccount,
  getAccount,
  getAccountMetrics,
  listAccountsPage,
  removeAccount,
} from './manage-accounts.ts'
import { ConnectAccounts } from './schemas.ts'
import { syncAccountNow } from './sync-now.ts'

let database: TestDatabase
let engine: Engine
/** Two brands that the limited member has, and one that they have not. */
let brands: { north: string; south: string; secret: string }
let limited: ServiceContext

const ORIGIN = { ip: '203.0.113.7', userAgent: 'A browser' }
const as = (actor: Actor): ServiceContext => ({
  ...engine.ctx,
  db: dbWithinReach(engine.ctx.db, actor),
  actor,
  origin: ORIGIN,
  requestId: 'request-1',
})

async function makeBrand(name: string): Promise<string> {
  const id = newId()
  await database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [
    ...[id, engine.workspaceId, name],
  ])
  return id
}

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  engine = await startEngine(database, { accounts: PEOPLE, historyDays: 2 })
  brands = {
    north: await makeBrand('North'),
    south: await makeBrand('South'),
    secret: await makeBrand('Secret'),
  }
  limited = as(member('analyst', { email: 'lim@example.com', brands: [brands.north, brands.south] }))
})
afterEach(() => {
  vi.useRealTimers()
})

const everything = { accounts: [], platforms: [], brands: [] }
const seenBy = async (ctx: ServiceContext) =>
  (
    await listAccountsPage(ctx, {
      ...{
        filter: everything,
        search: null,
        status: null,
        stale: null,
        sort: 'handle' as const,
        after: null,
        limit: 50,
      },
    })
  ).items.map(({ handle }) => handle)

const NEEDED = {
  code: 'invalid_request',
  fields: [{ pointer: '/brandId', detail: 'You work within brands: name one of yours.' }],
}
const UNKNOWN = {
  code: 'invalid_request',
  fields: [{ pointer: '/brandId', detail: 'There is no such brand.' }],
}

async function deliverBatches(): Promise<void> {
  for (const { message } of engine.queue.takeDue())
    if (message.topic === 'accounts/connect')
      await processConnectBatch(engine.ctx, ConnectBatchMessage.parse(message.body))
}

describe('a member who is limited to brands', () => {
  it('connects accounts into these alone', async () => {
    const ada = engine.typed('ada')
    await expect(connectAccount(limited, ada)).rejects.toMatchObject(NEEDED)
    for (const brandId of [brands.secret, newId()])
      await expect(connectAccount(limited, { ...ada, brandId })).rejects.toMatchObject(UNKNOWN)
    expect(engine.calls).toEqual([])
    const account = await connectAccount(limited, { ...ada, brandId: brands.north.toUpperCase() })
    expect(account.brandId).toBe(brands.north)
    expect(await seenBy(limited)).toEqual([account.handle])
  })

  it('is told that an account is connected elsewhere, and not where', async () => {
    await connectAccount(engine.ctx, { ...engine.typed('ada'), brandId: brands.secret })
    const again = connectAccount(limited, { ...engine.typed('ada'), brandId: brands.north })
    await expect(again).rejects.toMatchObject({ code: 'already_connected', existingId: undefined })
  })

  it('neither sees nor touches the accounts of other brands, or of none', async () => {
    const secret = await connectAccount(engine.ctx, { ...engine.typed('cleo'), brandId: brands.secret })
    const loose = await connectAccount(engine.ctx, engine.typed('dora'))
    const ofAnother = await connectAccount(await secondWorkspace(database, engine), engine.typed('bo'))
    const accessToken = engine.tokens.issue({ accountId: engine.person('cleo').id })
    await storeCredentials(engine.ctx, secret.id, { accessToken })
    const before = await database.sql('SELECT * FROM accounts ORDER BY id')
    const entries = (await database.sql('SELECT 1 FROM audit_log')).length
    for (const { id } of [secret, loose, ofAnother])
      for (const verb of [
        () => getAccount(limited, id),
        () => getAccountMetrics(limited, id),
        () => changeAccount(limited, id, { status: 'paused' }),
        () => changeAccount(limited, id, { brandId: brands.north }),
        () => removeAccount(limited, id),
        () => bringBackAccount(limited, id),
        () => syncAccountNow(limited, id),
        () => storeCredentials(limited, id, { accessToken }),
        () => removeCredentials(limited, id),
      ])
        await expect(verb()).rejects.toMatchObject({ code: 'not_found' })
    expect(await seenBy(limited)).toEqual([])
    expect(await database.sql('SELECT * FROM accounts ORDER BY id')).toEqual(before)
    expect(await database.sql('SELECT 1 FROM platform_credentials')).toHaveLength(1)
    expect(await database.sql('SELECT 1 FROM audit_log')).toHaveLength(entries)
  })

  it('has every verb for their own, and moves them between their brands', async () => {
    const { id } = await connectAccount(limited, { ...engine.typed('cleo'), brandId: brands.north })
    expect(await changeAccount(limited, id, { brandId: brands.south })).toMatchObject({
      brandId: brands.south,
    })
    await expect(changeAccount(limited, id, { brandId: null })).rejects.toMatchObject(NEEDED)
    await expect(changeAccount(limited, id, { brandId: brands.secret })).rejects.toMatchObject(UNKNOWN)
    expect(await changeAccount(limited, id, { status: 'paused' })).toMatchObject({ status: 'paused' })
    await changeAccount(limited, id, { status: 'active' })
    expect(await syncAccountNow(limited, id)).toMatchObject({ kind: 'account_sync' })
    const accessToken = engine.tokens.issue({ accountId: engine.person('cleo').id })
    await storeCredentials(limited, id, { accessToken })
    expect((await getAccount(limited, id)).credentials).not.toBeNull()
    await removeCredentials(limited, id)
    await removeAccount(limited, id)
    expect(await bringBackAccount(limited, id)).toMatchObject({
      id,
      brandId: brands.south,
      credentials: null,
    })
    expect(await getAccountMetrics(limited, id)).toEqual([])
  })

  it('connects many within their brands alone, as was decided when they asked', async () => {
    const [ada, bo] = [engine.typed('ada'), engine.typed('bo')]
    const wrong = connectBatch(limited, {
      accounts: [{ ...ada, brandId: brands.north }, bo, { ...bo, brandId: brands.secret }],
    })
    await expect(wrong).rejects.toMatchObject({
      code: 'invalid_request',
      fields: [{ pointer: '/accounts/1/brandId' }, { pointer: '/accounts/2/brandId' }],
    })
    expect(await database.sql('SELECT 1 FROM jobs')).toEqual([])
    // One that is elsewhere already stays out of their sight in the job's result, too.
    const elsewhere = await connectAccount(engine.ctx, { ...bo, brandId: brands.secret })
    const job = await connectBatch(limited, {
      accounts: [ada, bo].map((one) => ({ ...one, brandId: brands.south })),
    })
    await deliverBatches()
    const { result } = await getJob(limited, job.id)
    expect(JSON.stringify(result)).not.toContain(elsewhere.id)
    expect(await seenBy(limited)).toEqual([ada.handle])
  })
})

describe('the audit log of accounts', () => {
  const entries = () =>
    database.sql<Record<string, unknown>>(
      `SELECT action, actor_kind, actor_id, actor_name, target_kind, target_id, target_name, details, ip,
         user_agent, request_id FROM audit_log ORDER BY ctid`,
    )
  const briefly = async () => (await entries()).map(({ action, details }) => [action, details])

  it('tells who did what to which, and from where', async () => {
    const { id, handle } = await connectAccount(limited, { ...engine.typed('ada'), brandId: brands.north })
    expect(await entries()).toEqual([
      {
        ...{
          action: 'account.connected',
          actor_kind: 'user',
          actor_id: 'ada',
          actor_name: 'lim@example.com',
        },
        ...{ target_kind: 'account', target_id: id, target_name: handle },
        details: { platform: 'bluesky', brandId: brands.north },
        ...{ ip: ORIGIN.ip, user_agent: ORIGIN.userAgent, request_id: 'request-1' },
      },
    ])
  })

  it('has an entry for what has changed, and none for what has not', async () => {
    const admin = as(member('admin'))
    const { id } = await connectAccount(admin, engine.typed('cleo'))
    await changeAccount(admin, id, { status: 'active', brandId: null })
    await changeAccount(admin, id, { status: 'paused', brandId: brands.north })
    await changeAccount(admin, id, { status: 'paused' })
    await removeCredentials(admin, id)
    await removeAccount(admin, id)
    await removeAccount(admin, id)
    await bringBackAccount(admin, id)
    await bringBackAccount(admin, id)
    await expect(changeAccount(admin, newId(), { status: 'paused' })).rejects.toThrow()
    expect(await briefly()).toEqual([
      ['account.connected', { platform: 'mastodon', brandId: null }],
      [
        'account.changed',
        { from: { brandId: null, status: 'active' }, to: { brandId: brands.north, status: 'paused' } },
      ],
      ['account.removed', {}],
      ['account.restored', {}],
    ])
  })

  it('is true also when several change an account at once', async () => {
    const admin = as(member('admin'))
    const { id } = await connectAccount(admin, engine.typed('ada'))
    const targets = [brands.north, brands.south, brands.secret]
    await Promise.all(targets.map((brandId) => changeAccount(admin, id, { brandId })))
    await Promise.all([removeAccount(admin, id), removeAccount(admin, id), removeAccount(admin, id)])
    const told = await entries()
    const changes = told.filter(({ action }) => action === 'account.changed')
    expect(changes).toHaveLength(3)
    // Each begins where the one before it ended.
    const course = changes.map(({ details }) => details as { from: object; to: object })
    expect(course.map(({ from }) => from)).toEqual([
      { brandId: null },
      ...course.slice(0, -1).map(({ to }) => to),
    ])
    expect(told.filter(({ action }) => action === 'account.removed')).toHaveLength(1)
  })

  it('has nothing of what came to nothing', async () => {
    await connectAccount(engine.ctx, engine.typed('ada'))
    await expect(connectAccount(engine.ctx, engine.typed('ada'))).rejects.toThrow()
    await Promise.allSettled(Array.from({ length: 4 }, () => connectAccount(engine.ctx, engine.typed('bo'))))
    expect(await briefly()).toHaveLength(2)
    expect(await database.sql('SELECT 1 FROM accounts')).toHaveLength(2)
  })

  it.each([
    [
      'a person',
      () => as(member('analyst', { userId: 'u1', email: 'u1@example.com' })),
      ['user', 'u1', 'u1@example.com'],
    ],
    ['an API key', () => as({ ...keyWith('write'), keyId: 'k1', name: 'Robot' }), ['apiKey', 'k1', 'Robot']],
  ] as const)('names %s who began a batch, though the queue carries it out', async (_who, make, actor) => {
    const job = await connectBatch(make(), { accounts: [engine.typed('ada'), engine.typed('bo')] })
    expect(JSON.stringify(engine.queue.published)).not.toContain(actor[2])
    await deliverBatches()
    const told = await entries()
    expect(told.map((e) => [e.action, e.actor_kind, e.actor_id, e.actor_name, e.request_id])).toEqual(
      Array.from({ length: 2 }, () => ['account.connected', ...actor, job.id]),
    )
  })

  it('takes a job that was begun before jobs kept who began them', async () => {
    const job = await connectBatch(engine.ctx, { accounts: [engine.typed('ada')] })
    await database.sql(`UPDATE jobs SET params = params - 'startedBy' WHERE id = $1`, [job.id])
    await deliverBatches()
    expect((await entries()).map((e) => [e.action, e.actor_kind])).toEqual([['account.connected', 'system']])
  })
})

describe('a batch whose platform does not answer', () => {
  const lost = () => {
    throw new DOMException('The operation timed out.', 'TimeoutError')
  }
  it.each([
    ['an outage', () => new Response('<html>', { status: 503 }), 'platform_unavailable'],
    ['a refusal', () => new Response('{}', { status: 429 }), 'platform_rate_limited'],
    ['a timeout', lost, 'platform_unavailable'],
    ['nonsense', () => Response.json([]), 'platform_bad_answer'],
  ])('has its accounts wait after %s, and goes on with the others', async (_what, answer, code) => {
    const [ada, cleo] = [engine.typed('ada'), engine.typed('cleo')]
    const nobody = { ...cleo, handle: `nobody-${cleo.handle.replace(/^@/u, '')}` }
    let tries = 0
    engine.interfere = (url) => {
      if (url.host !== HOSTS.bluesky) return undefined
      tries += 1
      return answer()
    }
    const { id } = await connectBatch(engine.ctx, { accounts: [ada, cleo, nobody] })
    await deliverBatches()
    const waiting = await getJob(engine.ctx, id)
    expect(waiting).toMatchObject({ status: 'running', progress: { done: 2, total: 3 } })
    const nextTryAt = expect.any(String)
    const reason = { code, message: expect.stringMatching(/^Waiting for the platform: .{10}/u) }
    expect(waiting.result).toMatchObject([
      { ...ada, status: 'waiting', accountId: null, error: reason, attempts: 1, nextTryAt },
      { status: 'connected' },
      { status: 'failed', error: { code: 'account_not_found' } },
    ])
    // It is not asked before its time, nor for ever in vain.
    await deliverBatches()
    expect(tries).toBe(1)
    engine.elapse(2 * MINUTE_MS)
    await deliverBatches()
    expect((await getJob(engine.ctx, id)).result).toMatchObject([{ status: 'waiting', attempts: 2 }, {}, {}])
    engine.interfere = () => undefined
    engine.elapse(5 * MINUTE_MS)
    await deliverBatches()
    const over = await getJob(engine.ctx, id)
    expect(over).toMatchObject({ status: 'succeeded', progress: { done: 3, total: 3 } })
    expect(over.result).toMatchObject([
      { status: 'connected', accountId: expect.any(String), error: null },
      { status: 'connected' },
      { status: 'failed' },
    ])
    expect(engine.queue.takeDue().filter(({ message }) => message.topic === 'accounts/connect')).toEqual([])
  })

  it('gives them up, with the reason, before its other outcomes expire', async () => {
    engine.act('outage', { platform: 'bluesky', status: 503, durationMs: 50 * HOUR_MS })
    const { id } = await connectBatch(engine.ctx, { accounts: [engine.typed('ada')] })
    await deliverBatches()
    engine.elapse(47.9 * HOUR_MS)
    await deliverBatches()
    expect(await getJob(engine.ctx, id)).toMatchObject({
      status: 'succeeded',
      result: [{ status: 'failed', error: { code: 'platform_unavailable' } }],
    })
  })
})

it('a batch takes no credentials: a job keeps what it is to do', () => {
  const account = { platform: 'mastodon', handle: 'a@b.example', credentials: { accessToken: 'token' } }
  expect(ConnectAccounts.safeParse({ accounts: [account] }).success).toBe(false)
})
