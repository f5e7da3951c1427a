import { describe, expect, it } from 'vitest'
import { createRandom } from '../../scripts/local/platforms/random.ts'
import { FakeSocket } from '../../test/live/harness.ts'
import { createWorkspaceRig } from '../../test/live/shards.ts'
import type { HubState } from './event-log.ts'
import { LIVE_LIMITS, type LiveLimits, parseTypesParameter, type SequencedEvent } from './protocol.ts'
import { Shard } from './shard.ts'

/** What a client makes of its frames: what came again is known by its number. */
function heard(socket: FakeSocket, since: number | null): { missing: string[]; last: number; twice: number } {
  const [hello, ...frames] = socket.frames
  let last = since ?? hello?.seq ?? 0
  let twice = 0
  const missing: string[] = []
  for (const { type, seq, prevSeq } of frames) {
    if (type === 'resync') last = seq
    else if (seq <= last) twice += 1
    else {
      if (prevSeq > last) missing.push(`${last} to ${prevSeq}`)
      last = seq
    }
  }
  return { missing, last, twice }
}

const ALL_KEPT = {}
/** So little that whoever misses something may have missed more than anybody remembers. */
const FEW_KEPT = { keptEvents: 12 }
const LITTLE_REMEMBERED = { rememberedLength: 200 }

describe.each(['a', 'b', 'c', 'd'])('a workspace with shards, in the run %s', (seed) => {
  it.each([
    [0, ALL_KEPT],
    [0.1, ALL_KEPT],
    [0.1, FEW_KEPT],
    [0.1, LITTLE_REMEMBERED],
  ])('tells everybody everything, where %d of the calls are lost, with %j', async (failureShare, limits) => {
    const random = createRandom('shards', seed, failureShare)
    const workspace = createWorkspaceRig(random, failureShare, limits)
    const { rig, shards } = workspace
    const clients: { socket: FakeSocket; since: number | null }[] = []
    let generation = 0
    for (let step = 0; step < 250; step += 1) {
      const roll = random.next()
      if (roll < 0.55) {
        generation += 1
        const events = Array.from({ length: random.int(1, 3) }, () => ({
          type: 'report.ready',
          data: 'x'.repeat(8),
        }))
        rig.hub.publish([{ generation, events }])
      } else if (roll < 0.75 && clients.length < 14) {
        const since = random.chance(0.5) ? random.int(0, rig.hub.state.seq) : null
        const connecting = workspace.connect(`client${step}`, since)
        workspace.watch(
          connecting.then((socket) => {
            if (socket !== null) clients.push({ socket, since })
          }),
        )
        if (random.chance(0.5)) await connecting
      } else if (roll < 0.82) workspace.evict(random.chance(0.3) ? null : random.int(1, 4))
      else await new Promise((resolve) => setTimeout(resolve, random.int(0, 3)))
    }
    await workspace.settle()
    // As the alarm does.
    for (let i = 0; i < 20; i += 1) {
      rig.hub.remind()
      await workspace.settle()
    }
    expect(clients.length).toBeGreaterThan(8)
    expect(shards.size).toBeGreaterThan(1)
    for (const { socket, since } of clients) {
      const { missing, last, twice } = heard(socket, since)
      expect({ missing, last }).toEqual({ missing: [], last: rig.hub.state.seq })
      expect(twice).toBe(0)
    }
    const resyncs = clients.flatMap(({ socket }) => socket.frames.filter(({ type }) => type === 'resync'))
    if (limits === ALL_KEPT) expect(resyncs).toEqual([])
    else
      expect(resyncs.map(({ data }) => data)).toContainEqual(expect.objectContaining({ reason: 'too_old' }))
  })
})

describe('a shard', () => {
  const topics = parseTypesParameter(null)
  const listener = (since: number | null) => ({ userId: 'u', limited: false, since, topics })
  const event = (seq: number): SequencedEvent => ({
    ...{ seq, generation: seq, topic: 'report', type: 'report.ready', at: '2026-11-01T10:00:00.000Z' },
    data: '"0123456789"',
  })
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => event(from + i))
  const stateAt = (seq: number): HubState => ({
    ...{ seq, generation: seq },
    topics: new Map([['report', { lastSeq: seq, count: seq }]]),
  })
  const deliver = (shard: Shard, from: number, to: number) =>
    shard.take({ events: range(from, to), before: stateAt(from - 1), after: stateAt(to) })

  function open(limits: Partial<LiveLimits> = {}) {
    const sockets: FakeSocket[] = []
    const shard = new Shard({
      sockets: { all: () => sockets, ofUser: () => sockets },
      clock: { now: () => 0 },
      limits: { ...LIVE_LIMITS, ...limits },
      sentSeq: null,
      onSent: () => {},
    })
    const connect = (since: number | null) => {
      const socket = new FakeSocket()
      sockets.push(socket)
      shard.connect(socket, 'connection', listener(since))
      return socket
    }
    return { shard, connect }
  }

  it('tells whoever was away for too long to fetch anew, where it has forgotten events because of their size', () => {
    const { shard, connect } = open({ rememberedLength: 60 })
    shard.adopt({ state: stateAt(2), events: range(1, 2), before: null })
    expect(deliver(shard, 3, 9)).toBe(true)
    expect(heard(connect(4), 4)).toMatchObject({ missing: [], last: 9 })
    const late = connect(3)
    expect(late.frames.map(({ type, data }) => [type, data])).toEqual([
      ['hello', { seq: 9, generation: 9 }],
      ['resync', { seq: 9, generation: 9, reason: 'too_old' }],
    ])
  })

  it('tells its sockets to fetch anew when the hub does not remember all that it has missed', () => {
    const { shard, connect } = open()
    shard.adopt({ state: stateAt(2), events: range(1, 2), before: null })
    const [whole, cut] = [connect(null), connect(0)]
    expect(deliver(shard, 5, 6)).toBe(false)
    shard.adopt({ state: stateAt(6), events: range(4, 6), before: null })
    for (const socket of [whole, cut])
      expect(socket.frames.at(-1)).toMatchObject({ type: 'resync', data: { seq: 6, reason: 'too_old' } })
    expect(deliver(shard, 7, 7)).toBe(true)
    expect(whole.frames.at(-1)).toMatchObject({ type: 'report.ready', seq: 7, prevSeq: 6 })
    expect(shard.sentSeq).toBe(7)
  })
})
