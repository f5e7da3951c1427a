import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { keyWith, member } from '../../../test/harness/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import type { AuditFilter } from '../../db/queries/audit.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import type { Actor, ServiceContext } from '../context.ts'
import { makeRig } from '../imports/rig.test-helper.ts'
import { exportAuditLog } from './export-audit-log.ts'
import { listAuditLog } from './list-audit-log.ts'
import { audit } from './record.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

let ctx: ServiceContext
beforeEach(async () => {
  ctx = { ...(await makeRig(database)).ctx, actor: member('owner') }
})

const EVERYTHING: AuditFilter = { actors: [], actions: [], from: null, until: null }
const as = (actor: Actor): ServiceContext => ({ ...ctx, actor })

interface Given {
  at?: string
  actorId?: string
  actorName?: string
  action?: string
  details?: object
}

/** An entry that somebody else's request has made, at a moment of the test's choosing. */
async function wrote(given: Given = {}): Promise<string> {
  const id = newId()
  await database.sql(
    `INSERT INTO audit_log (id, workspace_id, at, actor_kind, actor_id, actor_name, action, details)
     VALUES ($1, $2, $3, 'user', $4, $5, $6, $7)`,
    [
      id,
      ctx.workspace.id,
      given.at ?? '2026-03-01T12:00:00Z',
      given.actorId ?? 'bo',
      given.actorName ?? 'bo@example.com',
      given.action ?? 'brand.created',
      JSON.stringify(given.details ?? {}),
    ],
  )
  return id
}

const idsOf = async (filter: Partial<AuditFilter>) => {
  const { items } = await listAuditLog(ctx, {
    filter: { ...EVERYTHING, ...filter },
    after: null,
    limit: 100,
  })
  return items.map(({ id }) => id)
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof AppError) return error.code
      throw error
    },
  )

describe('the audit log', () => {
  it('tells who did what to what, when and from where', async () => {
    const actor = keyWith('admin')
    const origin = { ip: '203.0.113.7', userAgent: 'curl/8' }
    const target = { kind: 'brand', id: newId(), name: 'Old name' }
    const by: ServiceContext = { ...ctx, actor, origin, requestId: 'request-1' }
    await ctx.db.inWorkspace(ctx.workspace.id, [
      audit(by, { action: 'brand.changed', target, details: { name: 'New name' } }),
    ])
    const { items, next } = await listAuditLog(ctx, { filter: EVERYTHING, after: null, limit: 25 })
    expect(next).toBeNull()
    expect(items).toEqual([
      {
        id: expect.any(String),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
        actor: { kind: 'apiKey', id: actor.keyId, name: 'A key' },
        action: 'brand.changed',
        target,
        details: { name: 'New name' },
        ip: '203.0.113.7',
        userAgent: 'curl/8',
        requestId: 'request-1',
      },
    ])
  })

  it('comes newest first, each entry on one page, also where many are of one moment', async () => {
    const made = new Set<string>()
    for (let i = 0; i < 7; i++) made.add(await wrote({ at: '2026-03-01T12:00:00.123Z' }))
    const newest = await wrote({ at: '2026-03-01T12:00:00.124Z' })
    const oldest = await wrote({ at: '2026-03-01T12:00:00.122Z' })
    const seen: string[] = []
    let after: { at: string; id: string } | null = null
    do {
      const page: Awaited<ReturnType<typeof listAuditLog>> = await listAuditLog(ctx, {
        filter: EVERYTHING,
        after,
        limit: 2,
      })
      expect(page.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.items.map(({ id }) => id))
      after = page.next
    } while (after !== null)
    expect(seen).toHaveLength(9)
    expect([seen[0], seen.at(-1)]).toEqual([newest, oldest])
    expect(new Set(seen.slice(1, -1))).toEqual(made)
  })

  it('is filtered by who, by what and by when', async () => {
    const first = await wrote({ at: '2026-03-01T00:00:00Z', actorId: 'bo' })
    const second = await wrote({ at: '2026-03-02T00:00:00Z', actorId: 'cy', action: 'member.left' })
    const third = await wrote({ at: '2026-03-03T00:00:00Z', actorId: 'cy' })
    expect(await idsOf({})).toEqual([third, second, first])
    expect(await idsOf({ actors: ['cy'] })).toEqual([third, second])
    expect(await idsOf({ actors: ['cy', 'bo'], actions: ['brand.created'] })).toEqual([third, first])
    expect(await idsOf({ actors: ["'; --", '{}'] })).toEqual([])
    expect(await idsOf({ from: '2026-03-02T00:00:00Z' })).toEqual([third, second])
    expect(await idsOf({ until: '2026-03-02T00:00:00Z' })).toEqual([first])
    expect(await idsOf({ from: '2026-03-01T00:00:00.001Z', until: '2026-03-03T00:00:00Z' })).toEqual([second])
  })

  it('shows nothing of another workspace', async () => {
    await wrote({ actorName: 'only-here@example.com' })
    const elsewhere: ServiceContext = { ...(await makeRig(database)).ctx, actor: member('owner') }
    const there = await listAuditLog(elsewhere, { filter: EVERYTHING, after: null, limit: 100 })
    expect(there).toEqual({ items: [], next: null })
    expect(await textOf(await exportAuditLog(elsewhere, EVERYTHING))).not.toContain('only-here')
  })

  it.each([
    ['an owner', member('owner'), 'none'],
    ['an admin', member('admin'), 'none'],
    ['an analyst', member('analyst'), 'insufficient_role'],
    ['a viewer', member('viewer'), 'insufficient_role'],
    ['an operator who is a viewer here', member('viewer', { operator: true }), 'insufficient_role'],
    ['a key that may administrate', keyWith('admin'), 'none'],
    ['a key that may not', keyWith('read', 'write', 'operator'), 'insufficient_scope'],
  ])('read and exported by %s: %s', async (_, actor, code) => {
    expect(await codeOf(listAuditLog(as(actor), { filter: EVERYTHING, after: null, limit: 1 }))).toBe(code)
    const exporting = exportAuditLog(as(actor), EVERYTHING)
    expect(await codeOf(exporting)).toBe(code)
    if (code === 'none') await (await exporting).cancel()
    const exported = (await idsOf({ actions: ['audit_log.exported'] })).length
    expect(exported).toBe(code === 'none' ? 1 : 0)
  })
})

const textOf = (stream: ReadableStream<Uint8Array>) => new Response(stream).text()

const recordsOf = (text: string) =>
  parse(text, { columns: true, relaxColumnCount: false }) as Record<string, string>[]

describe('an export of the audit log', () => {
  it('is a CSV file with all that the log says, itself first', async () => {
    const details = { name: 'A "quoted", name\nof two lines', n: [1, null] }
    const id = await wrote({ actorName: 'ünï@example.com', details })
    const text = await textOf(await exportAuditLog(ctx, EVERYTHING))
    expect(text.split('\r\n')[0]).toBe(
      'at,actorKind,actorId,actorName,action,targetKind,targetId,targetName,details,ip,userAgent,requestId,id',
    )
    const [exported, entry, ...others] = recordsOf(text)
    expect(others).toEqual([])
    expect(exported).toMatchObject({ action: 'audit_log.exported', actorName: 'ada@example.com' })
    expect(entry).toMatchObject({
      id,
      at: '2026-03-01T12:00:00Z',
      actorId: 'bo',
      actorName: 'ünï@example.com',
      action: 'brand.created',
      targetKind: '',
    })
    expect(JSON.parse(entry?.details ?? '')).toEqual(details)
  })

  it('is written down with what was asked for, and follows it', async () => {
    await wrote({ at: '2026-02-01T00:00:00Z' })
    const asked = await wrote({ at: '2026-03-01T00:00:00Z' })
    await wrote({ at: '2026-03-01T00:00:00Z', action: 'member.left' })
    const filter = { ...EVERYTHING, actions: ['brand.created'], from: '2026-02-15T00:00:00.000Z' }
    expect(recordsOf(await textOf(await exportAuditLog(ctx, filter))).map(({ id }) => id)).toEqual([asked])
    const [entry] = (
      await listAuditLog(ctx, {
        filter: { ...EVERYTHING, actions: ['audit_log.exported'] },
        after: null,
        limit: 1,
      })
    ).items
    expect(entry?.details).toEqual({ actions: ['brand.created'], from: '2026-02-15T00:00:00.000Z' })
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])(
    'gives no spreadsheet a formula: %j',
    async (name) => {
      await wrote({ actorName: name })
      const records = recordsOf(await textOf(await exportAuditLog(ctx, EVERYTHING)))
      expect(records.at(-1)?.actorName).toBe(`'${name}`)
    },
  )

  it('has every entry of a long log once, in order, and holds one page of it at a time', async () => {
    const count = 20_000
    await database.sql(
      `INSERT INTO audit_log (id, workspace_id, at, actor_kind, actor_name, action)
       SELECT gen_random_uuid(), $1, timestamptz '2026-03-01Z' + (n / 3) * interval '1 second', 'system',
         'entry ' || n, 'brand.changed'
       FROM generate_series(1, $2::int) AS n`,
      [ctx.workspace.id, count],
    )
    let asked = 0
    const counting: ServiceContext = {
      ...ctx,
      db: {
        ...ctx.db,
        inWorkspace: (...args) => {
          asked += 1
          return ctx.db.inWorkspace(...args)
        },
      },
    }
    const stream = await exportAuditLog(counting, { ...EVERYTHING, actions: ['brand.changed'] })
    expect(asked).toBe(1)
    const chunks: Uint8Array[] = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      // Nothing is read before somebody takes it.
      expect(asked).toBe(chunks.length)
      expect(chunk.byteLength).toBeLessThan(600_000)
    }
    expect(chunks.length).toBeGreaterThanOrEqual(10)
    const records = recordsOf(Buffer.concat(chunks).toString())
    expect(records).toHaveLength(count)
    expect(new Set(records.map(({ actorName }) => actorName)).size).toBe(count)
    const moments = records.map(({ at }) => at ?? '')
    expect(moments).toEqual(moments.toSorted().toReversed())
  })

  it('that fails half-way does not look whole', async () => {
    await database.sql(
      `INSERT INTO audit_log (id, workspace_id, at, actor_kind, action)
       SELECT gen_random_uuid(), $1, now() - n * interval '1 minute', 'system', 'brand.changed'
       FROM generate_series(1, 3000) AS n`,
      [ctx.workspace.id],
    )
    let asked = 0
    const failing: ServiceContext = {
      ...ctx,
      db: {
        ...ctx.db,
        inWorkspace: (...args) => {
          asked += 1
          if (asked > 1) throw new AppError('unavailable', 'The database does not answer at the moment.')
          return ctx.db.inWorkspace(...args)
        },
      },
    }
    await expect(textOf(await exportAuditLog(failing, EVERYTHING))).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})
