import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { silentLogger } from '../../../test/harness/deps.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import { createHubRig, type HubRig } from '../../../test/live/harness.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/transaction.ts'
import { storePublicTrends } from '../../db/queries/public-trends.ts'
import { sleep } from '../../lib/sleep.ts'
import { type HubPublisher, type LogFields, PUBLIC_SCOPE } from '../../ports.ts'
import { makeRig } from '../imports/rig.test-helper.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { sweepOutbox } from './sweep-outbox.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.sql('TRUNCATE workspaces CASCADE')
  await database.sql('UPDATE public_scope SET told_generation = generation, untold_since = NULL')
})

/** Hubs as they are deployed, of which some cannot be reached, or take their time. */
async function start() {
  const { ctx } = await makeRig(database)
  const hubs = new Map<string, HubRig>()
  const away = new Set<string>()
  const hanging = new Map<string, PromiseWithResolvers<void>>()
  const atOnce = { now: 0, most: 0, of: new Set<string>() }
  const logged: { level: 'warn' | 'error'; message: string; fields: LogFields | undefined }[] = []
  const hubOf = (id: string) => {
    const hub = hubs.get(id) ?? createHubRig()
    hubs.set(id, hub)
    return hub
  }
  const publish: HubPublisher['publish'] = async (id, batches) => {
    if (away.has(id)) throw new Error('the hub is away')
    if (atOnce.of.has(id)) throw new Error('the hub is told two things at once')
    atOnce.of.add(id)
    atOnce.now += 1
    atOnce.most = Math.max(atOnce.most, atOnce.now)
    try {
      await (hanging.get(id)?.promise ?? sleep(5))
      hubOf(id).hub.publish(batches)
    } finally {
      atOnce.now -= 1
      atOnce.of.delete(id)
    }
  }
  const background: Promise<unknown>[] = []
  const deps = {
    ...ctx,
    hub: { ...ctx.hub, publish },
    waitUntil: (work: Promise<unknown>) => void background.push(work),
    log: {
      ...silentLogger,
      warn: (message: string, fields?: LogFields) => void logged.push({ level: 'warn', message, fields }),
      error: (message: string, fields?: LogFields) => void logged.push({ level: 'error', message, fields }),
    },
  }
  const make = async () => {
    const workspaceId = await makeWorkspace(database)
    return {
      workspaceId,
      socket: hubOf(workspaceId).connect(),
      /** A change that listeners are told of. */
      async change() {
        const [, , pending] = await deps.db.inWorkspace(workspaceId, [
          lockWorkspace(workspaceId),
          raiseGeneration(workspaceId, [{ type: 'sync.completed', data: {} }]),
          undeliveredEvents(workspaceId),
        ])
        await deliverEvents(deps, workspaceId, pending)
        await Promise.all(background)
      },
    }
  }
  return {
    atOnce,
    away,
    deps,
    hanging,
    hubOf,
    make,
    /** The levels that the log told of, without what each delivery had to say. */
    levels: () =>
      logged
        .splice(0)
        .filter(({ message }) => message.startsWith('events ') && !message.includes('delivered')),
    sweep: () => sweepOutbox(deps),
  }
}

/** Makes all that is not told so many seconds older. */
const age = async (seconds: number) => {
  await database.sql('UPDATE outbox SET created_at = created_at - make_interval(secs => $1)', [seconds])
  await database.sql('UPDATE public_scope SET untold_since = untold_since - make_interval(secs => $1)', [
    seconds,
  ])
}

const generationsOf = (socket: { events: { generation: number }[] }) =>
  socket.events.map(({ generation }) => generation)

it('tells louder and louder of events that a hub does not take, and nothing of what it has delivered', async () => {
  const w = await start()
  const [stuck, well] = [await w.make(), await w.make()]
  w.away.add(stuck.workspaceId)
  for (let i = 0; i < 3; i++) await stuck.change()
  expect(await w.sweep()).toMatchObject({ events: 0, undelivered: 3, level: 'ok' })
  expect(w.levels()).toEqual([])

  await age(61)
  w.away.add(well.workspaceId)
  await well.change()
  await age(11)
  w.away.delete(well.workspaceId)
  const late = await w.sweep()
  expect(late).toMatchObject({ events: 4, undelivered: 3, level: 'warning' })
  expect(late.oldestSeconds).toBeGreaterThanOrEqual(72)
  expect(w.levels()).toEqual([
    {
      level: 'warn',
      message: 'events wait to be told',
      fields: { undelivered: 3, oldestSeconds: late.oldestSeconds },
    },
  ])
  expect(generationsOf(well.socket)).toEqual([1])

  await age(300)
  const stale = await w.sweep()
  expect(stale).toMatchObject({ events: 3, undelivered: 3, level: 'critical' })
  expect(w.levels()).toEqual([
    {
      level: 'error',
      message: 'events are not told',
      fields: { undelivered: 3, oldestSeconds: stale.oldestSeconds },
    },
  ])

  // Back: in order, each once, those of a change meanwhile after them.
  w.away.delete(stuck.workspaceId)
  expect(await w.sweep()).toEqual({ events: 3, undelivered: 0, oldestSeconds: null, level: 'ok' })
  expect(w.levels()).toEqual([])
  await stuck.change()
  expect(await w.sweep()).toMatchObject({ events: 0, level: 'ok' })
  expect(generationsOf(stuck.socket)).toEqual([1, 2, 3, 4])
  expect(generationsOf(well.socket)).toEqual([1])
})

it('tells of many events that wait, however young', async () => {
  const w = await start()
  const { workspaceId } = await w.make()
  const wait = (from: number, to: number) =>
    database.sql(
      `INSERT INTO outbox (workspace_id, generation, events) SELECT $1, n, '[]' FROM generate_series($2::int, $3::int) AS n`,
      [workspaceId, from, to],
    )
  await wait(1, 499)
  expect((await w.sweep()).level).toBe('ok')
  await wait(500, 500)
  expect((await w.sweep()).level).toBe('warning')
  await wait(501, 5_000)
  expect((await w.sweep()).level).toBe('critical')
  expect(w.levels().map(({ level }) => level)).toEqual(['warn', 'error'])
})

it('is not held up by a hub that fails, however much waits for it', async () => {
  const w = await start()
  const [stuck, well] = [await w.make(), await w.make()].toSorted((a, b) =>
    a.workspaceId < b.workspaceId ? -1 : 1,
  )
  if (stuck === undefined || well === undefined) throw new Error('there are two')
  w.away.add(stuck.workspaceId).add(well.workspaceId)
  await well.change()
  await database.sql(
    `INSERT INTO outbox (workspace_id, generation, events) SELECT $1, n, '[]' FROM generate_series(1, 1200) AS n`,
    [stuck.workspaceId],
  )
  await age(20)
  w.away.delete(well.workspaceId)
  expect(await w.sweep()).toMatchObject({ events: 1_000, undelivered: 1_200 })
  expect(generationsOf(well.socket)).toEqual([1])
})

it('tells eight hubs at once and no more, each what waits for it in order', async () => {
  const w = await start()
  const all = await Promise.all(Array.from({ length: 20 }, () => w.make()))
  for (const { workspaceId } of all) w.away.add(workspaceId)
  for (const one of all) for (let i = 0; i < 3; i++) await one.change()
  await age(20)
  w.away.clear()
  expect(await w.sweep()).toMatchObject({ events: 60, undelivered: 0 })
  expect(w.atOnce.most).toBe(8)
  for (const { socket } of all) expect(generationsOf(socket)).toEqual([1, 2, 3])
})

it('is not held up by hubs that hang, whose events wait for the next sweep', async () => {
  const w = await start()
  const all = await Promise.all(Array.from({ length: 20 }, () => w.make()))
  for (const { workspaceId } of all) w.away.add(workspaceId)
  for (const one of all) await one.change()
  await age(20)
  w.away.clear()
  // Those that are swept first.
  const byId = all.toSorted((a, b) => (a.workspaceId < b.workspaceId ? -1 : 1))
  const [hanging, well] = [byId.slice(0, 7), byId.slice(7)]
  for (const { workspaceId } of hanging) w.hanging.set(workspaceId, Promise.withResolvers())
  const sweeping = w.sweep()
  await expect.poll(() => well.every(({ socket }) => socket.events.length === 1)).toBe(true)
  expect(w.atOnce.now).toBe(7)
  // As the adapter gives a hub up that does not answer.
  for (const { reject } of w.hanging.values()) reject(new Error('The live hub did not answer.'))
  expect(await sweeping).toMatchObject({ events: 20, undelivered: 7 })

  w.hanging.clear()
  expect(await w.sweep()).toMatchObject({ events: 7, undelivered: 0 })
  for (const { socket } of all) expect(generationsOf(socket)).toEqual([1])
})

it('hands a hub no event before those that come before it, whichever transaction began first', async () => {
  const w = await start()
  const one = await w.make()
  w.away.add(one.workspaceId)
  for (let i = 0; i < 3; i++) await one.change()
  await database.sql("UPDATE outbox SET created_at = created_at - interval '11 seconds' WHERE generation = 2")
  w.away.clear()
  expect(await w.sweep()).toMatchObject({ events: 2, undelivered: 1 })
  expect(generationsOf(one.socket)).toEqual([1, 2])
  await age(11)
  await w.sweep()
  expect(generationsOf(one.socket)).toEqual([1, 2, 3])
})

it('tells the public’s listeners what they were not told, once', async () => {
  const w = await start()
  const socket = w.hubOf(PUBLIC_SCOPE).connect()
  const news = async (window: '1h' | '7d') => {
    const computedAt = new Date().toISOString()
    const list = { window, platform: 'all', computedAt, trends: [] }
    const [untold] = await database.db.outside(storePublicTrends([list], [window]))
    return untold?.generation
  }
  await news('7d')
  const generation = await news('1h')
  w.away.add(PUBLIC_SCOPE)
  await age(300)
  expect(await w.sweep()).toMatchObject({ events: 1, undelivered: 1, level: 'critical' })
  expect(w.levels().map(({ level }) => level)).toEqual(['error'])

  w.away.clear()
  expect(await w.sweep()).toMatchObject({ events: 1, undelivered: 0, level: 'ok' })
  await w.sweep()
  expect(socket.events).toMatchObject([
    { type: 'trending.updated', generation, data: { scope: 'public', windows: ['1h', '7d'] } },
  ])
})
