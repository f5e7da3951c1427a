import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Account } from '../../src/services/accounts/schemas.ts'
import { Overview } from '../../src/services/overview/schemas.ts'
import { CuttableNetwork } from './support/cuttable-network.ts'
import { importFile, ndjson, type Person, signUp } from './support/people.ts'
import { killWorker, sql, stack } from './support/stack.ts'
import { Listener, sweep, sweepAll, writeEvents } from './support/streams.ts'
import { until } from './support/wait.ts'

/** Longer than it takes to find out that nobody answers any more. */
const PONG_TIMEOUT_MS = 10_000
const TEN_MINUTES_MS = 600_000
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
  const listeners: Listener[] = []

  beforeEach(async () => {
    person = await signUp()
    network = await CuttableNetwork.to(stack.url)
    await importFile(person.key, {
      handle: 'stream',
      body: ndjson([{ post_id: 'first', posted_at: new Date().toISOString(), likes: 0 }]),
    })
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

  it('reaches every client once and in order while the Worker is killed and the network is cut', async () => {
    const whole = await Promise.all([listen(), listen(), listen()])
    const some = await listen(['trending'])
    const all = [...whole, some]
    const [{ generation: from } = { generation: 0 }] = (await outboxOf(person)).slice(-1)
    const gain = {
      type: 'metrics.updated',
      data: { accounts: [{ id: accountId, delta: { likes: 1 } }], posts: [] },
    }

    let chunks = 0
    let last = 0
    const publish = async (count: number) => {
      for (let i = 0; i < count; i += 1) {
        chunks += 1
        await writeEvents(person, 1, gain)
        last = await writeEvents(person, 99, SINGLE)
        await sweep()
        if (chunks % 9 === 0) network.cut()
      }
    }
    for (let kill = 0; kill < 2; kill += 1) {
      await publish(15)
      // What is written meanwhile is told when the Worker is back.
      await Promise.all([killWorker(), publish(6)])
    }
    await publish(18)
    await sweepAll(person)
    for (const listener of all)
      await until(
        'the last event has come',
        async () => (listener.told.some((one) => told(one) >= last) ? true : null),
        { everyMs: 50 },
      )

    const outbox = await outboxOf(person)
    expect(outbox.length).toBeGreaterThan(chunks * 99)
    for (const listener of all) {
      expect(listener.connections).toBeGreaterThan(2)
      expectStream(listener, outbox, from)
    }
    expect(new Set(some.events.map(({ type }) => type))).toEqual(new Set([SINGLE.type]))
    // Changes of metrics are told as one where there are many: nothing of them is lost either.
    for (const listener of whole.filter(({ resyncs }) => resyncs.length === 0))
      await until('all gains are told', async () => (gainedBy(listener, accountId) === chunks ? true : null))
    expect(await totalLikes()).toBe((await fetchOverview(last)).totals.likes.value)
  }, 90_000)

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
    await until(
      'it knows the last',
      async () => (listener.told.some((one) => told(one) >= last) ? true : null),
      {
        everyMs: 20,
      },
    )
    expect(listener.resyncs.length).toBe(mustResync ? 1 : 0)
    expectStream(listener, await outboxOf(person), from)
    expect(listener.connections).toBe(2)
    const { totals } = await fetchOverview(last)
    expect(totals.likes.value).toBe(42)
    expect(await totalLikes()).toBe(42)
  })
})

/** The generation that a client knows of by it. */
function told(one: Listener['told'][number]): number {
  return one.kind === 'event' ? one.frame.generation : one.at.generation
}

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
