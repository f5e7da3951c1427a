import { describe, expect, it } from 'vitest'
import { createHubRig, type FakeSocket, memoryDatabase } from '../../test/live/harness.ts'
import type { LiveEvent } from '../ports.ts'

const metrics = (
  accounts: Record<string, Record<string, number | null>>,
  posts: Record<string, Record<string, number | null>> = {},
): LiveEvent => ({
  type: 'metrics.updated',
  data: {
    accounts: Object.entries(accounts).map(([id, delta]) => ({ id, delta })),
    posts: Object.entries(posts).map(([id, counts]) => ({ id, metrics: counts })),
  },
})

function rigOf(database = memoryDatabase()) {
  const rig = createHubRig({ metricsPauseMs: 1_000 }, database)
  let generation = rig.hub.state.generation
  return {
    rig,
    publish(...events: LiveEvent[]) {
      generation += 1
      rig.hub.publish([{ generation, events }])
    },
    later(ms: number) {
      rig.clock.nowMs += ms
      rig.hub.flush()
    },
  }
}

const told = (socket: FakeSocket) =>
  socket.events.map(({ seq, prevSeq, type, generation, data }) => ({ seq, prevSeq, type, generation, data }))

describe('changes of metrics that come fast', () => {
  it('are told at once, and then as one in a second, summed', () => {
    const { rig, publish, later } = rigOf()
    const socket = rig.connect()
    publish(metrics({ a: { likes: 1 } }, { p: { likes: 1 } }))
    for (let i = 0; i < 50; i += 1)
      publish(
        metrics(
          { a: { likes: 2, posts: 1 }, [`b${i % 3}`]: { likes: 1 } },
          { p: { likes: 10 + i }, q: { likes: null } },
        ),
      )
    expect(socket.events).toHaveLength(1)
    expect(rig.hub.flushAtMs()).toBe(rig.clock.nowMs + 1_000)
    later(999)
    expect(socket.events).toHaveLength(1)
    later(1)
    expect(told(socket)[1]).toEqual({
      ...{ seq: 2, prevSeq: 1, type: 'metrics.updated', generation: 51 },
      data: {
        accounts: [
          { id: 'a', delta: { likes: 100, posts: 50 } },
          { id: 'b0', delta: { likes: 17 } },
          { id: 'b1', delta: { likes: 17 } },
          { id: 'b2', delta: { likes: 16 } },
        ],
        posts: [
          { id: 'p', metrics: { likes: 59 } },
          { id: 'q', metrics: { likes: null } },
        ],
      },
    })
    expect(rig.hub.flushAtMs()).toBeNull()
    later(10_000)
    expect(socket.events).toHaveLength(2)
  })

  it('say that anything may have changed where one of them did, and that an account itself did beside what it gained', () => {
    const { rig, publish, later } = rigOf()
    const socket = rig.connect()
    publish(metrics({ z: { likes: 1 } }))
    publish(metrics({ a: { likes: 3 } }))
    publish(metrics({ a: {} }))
    later(1_000)
    expect(socket.events[1]?.data).toEqual({
      accounts: [
        { id: 'a', delta: {} },
        { id: 'a', delta: { likes: 3 } },
      ],
      posts: [],
    })
    publish(metrics({ a: { likes: 3 } }))
    publish(metrics({}))
    publish(metrics({ a: { likes: 4 } }))
    later(1_000)
    expect(socket.events[2]?.data).toEqual({ accounts: [], posts: [] })
  })

  it('tell of the hundred posts that were told last', () => {
    const { rig, publish, later } = rigOf()
    const socket = rig.connect()
    publish(metrics({ a: { likes: 1 } }))
    const post = (i: number) => ({ [`p${i}`]: { likes: i } })
    for (let i = 0; i < 150; i += 1) publish(metrics({ a: { likes: 1 } }, post(i)))
    publish(metrics({ a: { likes: 1 } }, post(60)))
    later(1_000)
    const data = socket.events[1]?.data as { posts: { id: string }[] } | undefined
    expect(data?.posts.map(({ id }) => id)).toEqual([
      ...Array.from({ length: 100 }, (_, i) => `p${i + 50}`).filter((id) => id !== 'p60'),
      'p60',
    ])
  })

  it('do not hold up anything else', () => {
    const { rig, publish, later } = rigOf()
    const socket = rig.connect()
    publish(metrics({ a: { likes: 1 } }))
    publish(metrics({ a: { likes: 1 } }), { type: 'sync.completed', data: { accountId: 'a' } })
    rig.hub.announce([{ type: 'job.updated', data: { id: 'j' } }])
    later(1_000)
    expect(
      told(socket).map(({ seq, prevSeq, type, generation }) => [prevSeq, seq, type, generation]),
    ).toEqual([
      [0, 1, 'metrics.updated', 1],
      [1, 2, 'sync.completed', 2],
      [2, 3, 'job.updated', 2],
      [3, 4, 'metrics.updated', 2],
    ])
  })

  it('outlive the hub and a write that fails, and count once when they come again', () => {
    const database = memoryDatabase()
    const { rig, publish } = rigOf(database)
    const socket = rig.connect()
    publish(metrics({ a: { likes: 1 } }))
    publish(metrics({ a: { likes: 2 } }))
    rig.hibernate()
    rig.hub.publish([{ generation: 2, events: [metrics({ a: { likes: 2 } })] }])
    expect(socket.events).toHaveLength(1)
    const { append } = rig.store
    rig.store.append = () => {
      throw new Error('disk full')
    }
    expect(() => rig.hub.flush()).toThrow('disk full')
    rig.store.append = append
    rig.hub.flush()
    expect(socket.events.map(({ data }) => data)).toEqual([
      { accounts: [{ id: 'a', delta: { likes: 1 } }], posts: [] },
      { accounts: [{ id: 'a', delta: { likes: 2 } }], posts: [] },
    ])
    rig.hibernate()
    rig.hub.flush()
    expect(socket.events).toHaveLength(2)
  })
})
