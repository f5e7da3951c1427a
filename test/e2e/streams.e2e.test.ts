import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIVE_LIMITS } from '../../src/realtime/protocol.ts'
import { Account } from '../../src/services/accounts/schemas.ts'
import { Overview } from '../../src/services/overview/schemas.ts'
import { openCrowd } from './support/crowd.ts'
import { CuttableNetwork } from './support/cuttable-network.ts'
import { importFile, ndjson, type Person, signUp } from './support/people.ts'
import { killWorker, sql, stack } from './support/stack.ts'
import { Listener, sweep, sweepAll, writeEvents } from './support/streams.ts'
import { until } from './support/wait.ts'

/** Longer than it takes to find out that nobody answers any more. */
const PONG_TIMEOUT_MS = 10_000
const TEN_MINUTES_MS = 600_000
/** A client may need 35 s to find out that its connection is dead, where nobody says so. */
const FOUND_OUT_MS = 60_000
/** As long as a client waits with saying what it has. */
const ACK_DELAY_MS = 5_000
/** An object that nobody calls is gone after ten seconds; its sockets stay. */
const FORGOTTEN_AFTER_MS = 11_000
/** When the alarm comes that stands by for changes of metrics: it keeps objects awake. */
const ALARM_MS = 11_000
const EVENTS = 10_000
/** Events that are written at once. */
const CHUNK = 100
const SINGLE = { type: 'trending.updated', data: { scope: 'workspace', windows: ['24h'] } }

interface OutboxEvent {
  generation: number
  type: string
}

/** What has been there to be told, by plain SQL. */
function outboxOf(person: Person): Promise<OutboxEvent[]> {
  return sql<OutboxEvent>(
    `SELECT generation::int AS generation, event ->> 'type' AS type
     FROM outbox, jsonb_array_elements(events) event WHERE workspace_id = $1 ORDER BY generation`,
    [person.workspaceId],
  )
}

/**
 * The generations of single events that a listener must have had, given where it was sent to fetch anew: each once and in
 * order, but for what lies between the last one before a resync and where that says it goes on.
 */
function expectStream(listener: Listener, outbox: OutboxEvent[], from: number): void {
  const due = outbox.filter(({ type }) => type === SINGLE.type).map(({ generation }) => generation)
  let last = from
  const expected: number[] = []
  const heard: number[] = []
  for (const one of listener.told) {
    if (one.kind === 'resync') last = one.at.generation
    else if (one.frame.type === SINGLE.type) {
      const next = due.find((generation) => generation > last)
      expected.push(next ?? Number.NaN)
      heard.push(one.frame.generation)
      last = one.frame.generation
    }
  }
  expect(heard).toEqual(expected)
  expect(last).toBeGreaterThanOrEqual(due.at(-1) ?? 0)
}

describe('a stream of events', () => {
  let person: Person
  let network: CuttableNetwork
  let accountId: string
  let importedAtMs: number
  const listeners: Listener[] = []

  beforeEach(async () => {
    person = await signUp()
    network = await CuttableNetwork.to(stack.url)
    await importFile(person.key, {
      handle: 'stream',
      body: ndjson([{ post_id: 'first', posted_at: new Date().toISOString(), likes: 0 }]),
    })
    importedAtMs = performance.now()
    const [account] = await person.key.readAll(Account, '/api/v1/accounts')
    accountId = account?.id ?? ''
  })
  afterEach(async () => {
    for (const listener of listeners.splice(0)) listener.stop()
    await network.close()
  })

  const listen = async (types?: readonly string[]) => {
    const listener = new Listener(person, network, types)
    listeners.push(listener)
    await listener.start()
    return listener
  }

  /** What a page does that is told of a generation. */
  const fetchOverview = (minGeneration: number) =>
    person.key.read(Overview, `/api/v1/dashboard/overview?period=28d&minGeneration=${minGeneration}`)

  const totalLikes = async () => {
    const [row] = await sql<{ likes: number }>(
      'SELECT sum(likes)::int AS likes FROM posts WHERE workspace_id = $1',
      [person.workspaceId],
    )
    return row?.likes
  }

  it('reaches every client once and in order while hub and shard forget, the Worker is killed and the network is cut', async () => {
    await using resources = new AsyncDisposableStack()
    const whole = [await listen()]
    const some = [await listen(['trending'])]
    const crowd = await openCrowd(person, LIVE_LIMITS.socketsPerObject - 2, resources)
    // More than the hub holds: these are a shard's, and so are some of the others after a cut.
    whole.push(await listen())
    some.push(await listen(['trending']))
    const all = [...whole, ...some]
    const [{ generation: from } = { generation: 0 }] = (await outboxOf(person)).slice(-1)
    const gain = {
      type: 'metrics.updated',
      data: { accounts: [{ id: accountId, delta: { likes: 1 } }], posts: [] },
    }

    let chunks = 0
    let gains = 0
    let last = 0
    const publish = async (count: number, withGains: boolean) => {
      for (let i = 0; i < count; i += 1) {
        chunks += 1
        if (withGains) {
          gains += 1
          await writeEvents(person, 1, gain)
        }
        last = await writeEvents(person, CHUNK - (withGains ? 1 : 0), SINGLE)
        await sweep()
        if (chunks % 9 === 0) network.cut()
      }
    }
    const untilAllHeard = async () => {
      await sweepAll(person)
      for (const listener of all)
        await until('the last event has come', async () => listener.generation >= last || null, {
          everyMs: 20,
          timeoutMs: FOUND_OUT_MS,
        })
    }
    // Without changes of metrics, which would call for another alarm, until that of the import has come.
    while (performance.now() < importedAtMs + ALARM_MS || chunks < 30) await publish(1, false)
    await untilAllHeard()
    // They say what they have, which they would do some seconds later, and wake the objects.
    for (const { clock } of all) clock.skip(ACK_DELAY_MS)
    await sleep(FORGOTTEN_AFTER_MS)
    await publish(20, true)
    expect(await crowd.lost()).toBe(0)
    for (let kill = 0; kill < 2; kill += 1) {
      await publish(4, true)
      // What is written meanwhile is told when the Worker is back.
      await Promise.all([killWorker(), publish(5, true)])
      await untilAllHeard()
    }
    await publish(Math.max(20, EVENTS / CHUNK - chunks), true)
    await untilAllHeard()

    const outbox = await outboxOf(person)
    expect(outbox.length).toBeGreaterThanOrEqual(EVENTS)
    for (const listener of all) {
      expect(listener.connections).toBeGreaterThan(5)
      expectStream(listener, outbox, from)
      // Most was heard, and not fetched.
      expect(listener.events.length).toBeGreaterThan(5_000)
    }
    for (const listener of some)
      expect(new Set(listener.events.map(({ type }) => type))).toEqual(new Set([SINGLE.type]))
    // Changes of metrics are told as one where there are many: nothing of them is lost either.
    for (const listener of whole.filter(({ resyncs }) => resyncs.length === 0))
      await until('all gains are told', async () => (gainedBy(listener, accountId) === gains ? true : null))
    expect(await totalLikes()).toBe((await fetchOverview(last)).totals.likes.value)
  }, 180_000)

  it.each([
    ['the events that it missed', 300, false],
    ['to fetch anew when it missed too many', 1_100, true],
  ])('tells a client that slept for ten minutes %s', async (_, missed, mustResync) => {
    const listener = await listen()
    await writeEvents(person, 3, SINGLE)
    await sweepAll(person)
    await until('it hears', async () => listener.events.length >= 3 || null, { everyMs: 20 })
    const [{ generation: from } = { generation: 0 }] = (await outboxOf(person)).slice(-4)

    listener.clock.sleep()
    network.forget()
    await importFile(person.key, {
      handle: 'stream',
      body: ndjson([{ post_id: 'meanwhile', posted_at: new Date().toISOString(), likes: 42 }]),
    })
    const last = await writeEvents(person, missed, SINGLE)
    await sweepAll(person)
    const asleep = listener.told.length
    await sleep(50)
    expect(listener.told.length).toBe(asleep)

    listener.clock.wake(TEN_MINUTES_MS)
    await sleep(50)
    listener.clock.skip(PONG_TIMEOUT_MS)
    await until('it knows the last', async () => listener.generation >= last || null, {
      everyMs: 20,
    })
    expect(listener.resyncs.length).toBe(mustResync ? 1 : 0)
    expectStream(listener, await outboxOf(person), from)
    expect(listener.connections).toBe(2)
    const { totals } = await fetchOverview(last)
    expect(totals.likes.value).toBe(42)
    expect(await totalLikes()).toBe(42)
  })
})

/** The likes that a listener was told of. */
function gainedBy(listener: Listener, accountId: string): number {
  const accounts = listener.events.flatMap(({ type, data }) =>
    type === 'metrics.updated' ? accountsOf(data) : [],
  )
  return accounts.reduce((sum, { id, delta }) => sum + (id === accountId ? (delta.likes ?? 0) : 0), 0)
}

interface MetricsEvent {
  accounts: { id: string; delta: { likes?: number } }[]
}

/** The data of `metrics.updated`, as the API documents it. */
function accountsOf(data: unknown): MetricsEvent['accounts'] {
  return (data as MetricsEvent).accounts
}
