import { describe, expect, it } from 'vitest'
import { createHubRig, type FakeSocket, publishEach } from '../../test/live/harness.ts'

const HASH = 'ab'.repeat(32)

function seqs(socket: FakeSocket): [prevSeq: number, seq: number][] {
  return socket.events.map((frame) => [frame.prevSeq, frame.seq])
}

describe('publishing', () => {
  it('numbers events from one upwards and sends each as one whole frame', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    rig.hub.publish([{ generation: 7, events: [{ type: 'metrics.updated', data: { accounts: ['ä'] } }] }])
    rig.hub.publish([{ generation: 8, events: [{ type: 'report.ready', data: undefined }] }])
    expect(socket.frames).toEqual([
      {
        seq: 0,
        prevSeq: 0,
        type: 'hello',
        at: '2026-11-01T12:00:00.000Z',
        generation: 0,
        data: { seq: 0, generation: 0 },
      },
      {
        seq: 1,
        prevSeq: 0,
        type: 'metrics.updated',
        at: '2026-11-01T12:00:00.000Z',
        generation: 7,
        data: { accounts: ['ä'] },
      },
      {
        seq: 2,
        prevSeq: 1,
        type: 'report.ready',
        at: '2026-11-01T12:00:00.000Z',
        generation: 8,
        data: null,
      },
    ])
  })

  it('drops batches whose generation it has seen, also within one call and after hibernation', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    publishEach(rig, 5, ['metrics.updated', 'trending.updated'])
    publishEach(rig, 5, ['metrics.updated', 'trending.updated', 'metrics.updated'])
    rig.hibernate()
    rig.hub.publish([
      { generation: 7, events: [{ type: 'job.updated', data: null }] },
      { generation: 9, events: [{ type: 'job.updated', data: null }] },
      { generation: 8, events: [{ type: 'job.updated', data: null }] },
    ])
    expect(socket.events.map(({ seq, generation }) => [seq, generation])).toEqual([
      [1, 5],
      [2, 6],
      [3, 7],
      [4, 9],
    ])
  })

  it('takes note of a generation without events', () => {
    const rig = createHubRig()
    rig.hub.publish([{ generation: 3, events: [] }])
    rig.hibernate()
    expect(rig.connect().frames[0]).toMatchObject({ type: 'hello', seq: 0, generation: 3 })
  })

  it('lets announcements carry the current generation and a number of their own', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    publishEach(rig, 4, ['metrics.updated'])
    rig.hub.announce([{ type: 'job.updated', data: { id: 'j' } }])
    rig.hub.announce([{ type: 'job.updated', data: { id: 'j' } }])
    expect(socket.events.map(({ seq, generation }) => [seq, generation])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
    ])
  })

  it('serialises a frame once for all sockets that see the same predecessor', () => {
    const rig = createHubRig()
    let conversions = 0
    const data = {
      toJSON() {
        conversions += 1
        return {}
      },
    }
    for (let index = 0; index < 10; index += 1) rig.connect()
    rig.connect({ types: 'metrics' })
    rig.hub.publish([{ generation: 1, events: [{ type: 'metrics.updated', data }] }])
    expect(conversions).toBe(1)
  })

  it('sends a resync in place of an event too large for a message', () => {
    const rig = createHubRig({ eventDataLength: 20 })
    const socket = rig.connect({ types: 'metrics' })
    rig.hub.publish([{ generation: 1, events: [{ type: 'metrics.updated', data: 'x'.repeat(30) }] }])
    expect(socket.frames[1]).toMatchObject({
      seq: 1,
      prevSeq: 0,
      type: 'resync',
      data: { seq: 1, generation: 1, reason: 'too_large' },
    })
  })

  it('changes nothing when the store fails, so that the same call works later', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    const { append } = rig.store
    rig.store.append = () => {
      throw new Error('disk full')
    }
    expect(() => publishEach(rig, 1, ['metrics.updated'])).toThrow('disk full')
    rig.store.append = append
    publishEach(rig, 1, ['metrics.updated'])
    expect(seqs(socket)).toEqual([[0, 1]])
  })

  it('still reaches the other sockets when one fails', () => {
    const rig = createHubRig()
    const broken = rig.connect()
    broken.onSend = () => {
      throw new Error('not open')
    }
    const sound = rig.connect()
    publishEach(rig, 1, ['metrics.updated'])
    expect(broken.closed?.code).toBe(1011)
    expect(seqs(sound)).toEqual([[0, 1]])
  })
})

describe('tickets', () => {
  it('admits a bearer once', () => {
    const rig = createHubRig()
    rig.hub.issueTicket({ hash: HASH, userId: 'u', limited: false, expiresAtMs: rig.clock.nowMs + 30_000 })
    rig.hibernate()
    expect(rig.hub.admit(HASH)).toEqual({ ok: true, userId: 'u', limited: false, slot: null })
    expect(rig.hub.admit(HASH)).toMatchObject({ ok: false, code: 4401 })
  })

  it('refuses expired, unknown and missing ones', () => {
    const rig = createHubRig()
    rig.hub.issueTicket({ hash: HASH, userId: 'u', limited: false, expiresAtMs: rig.clock.nowMs + 30_000 })
    rig.clock.nowMs += 30_000
    expect(rig.hub.admit(HASH)).toMatchObject({ ok: false, code: 4401 })
    expect(rig.hub.admit('cd'.repeat(32))).toMatchObject({ ok: false, code: 4401 })
    expect(rig.hub.admit(null)).toMatchObject({ ok: false, code: 4401 })
  })

  it('refuses to keep one that could never be used', () => {
    const rig = createHubRig()
    expect(() =>
      rig.hub.issueTicket({ hash: 'secret', userId: 'u', limited: false, expiresAtMs: 1 }),
    ).toThrow()
    expect(() => rig.hub.issueTicket({ hash: HASH, userId: '', limited: false, expiresAtMs: 1 })).toThrow()
  })

  it('counts open sockets alone against the limits of a user and of the workspace', () => {
    const rig = createHubRig({ socketsPerUser: 2, socketsPerWorkspace: 3 })
    const admit = (userId: string) => {
      rig.hub.issueTicket({ hash: HASH, userId, limited: false, expiresAtMs: rig.clock.nowMs + 1 })
      return rig.hub.admit(HASH)
    }
    rig.connect({ userId: 'a' })
    const closing = rig.connect({ userId: 'a' })
    expect(admit('a')).toMatchObject({ ok: false, code: 4429 })
    expect(admit('b')).toMatchObject({ ok: true })
    closing.readyState = 2
    expect(admit('a')).toMatchObject({ ok: true })
    rig.connect({ userId: 'b' })
    rig.connect({ userId: 'c' })
    expect(admit('d')).toMatchObject({ ok: false, code: 4429 })
  })

  it('are forgotten, and sockets closed, when access is taken away', () => {
    const rig = createHubRig()
    const gone = rig.connect({ userId: 'a' })
    const kept = rig.connect({ userId: 'b' })
    rig.hub.issueTicket({ hash: HASH, userId: 'a', limited: false, expiresAtMs: rig.clock.nowMs + 30_000 })
    expect(rig.hub.revoke('a')).toBe(1)
    expect(gone.closed?.code).toBe(4403)
    expect(kept.closed).toBeNull()
    expect(rig.hub.admit(HASH)).toMatchObject({ ok: false, code: 4401 })
    expect(rig.hub.revoke('a')).toBe(0)
  })

  it('admit nobody whose access has just changed, for twenty seconds', () => {
    const rig = createHubRig()
    rig.hub.revoke('a')
    const ticketFor = (userId: string) =>
      rig.hub.issueTicket({ hash: HASH, userId, limited: false, expiresAtMs: rig.clock.nowMs + 30_000 })
    rig.clock.nowMs += 19_999
    ticketFor('a')
    expect(rig.hub.admit(HASH)).toMatchObject({ ok: false, code: 4403 })
    ticketFor('b')
    expect(rig.hub.admit(HASH)).toMatchObject({ ok: true, userId: 'b' })
    rig.clock.nowMs += 1
    ticketFor('a')
    expect(rig.hub.admit(HASH)).toMatchObject({ ok: true, userId: 'a' })
  })

  it('and sockets are those of a person or of a key, and of nobody whose id begins alike', () => {
    const rig = createHubRig()
    const sockets = ['key:1', 'key:12', 'user:1'].map((userId) => rig.connect({ userId }))
    expect(rig.hub.revoke('key:1')).toBe(1)
    expect(sockets.map(({ closed }) => closed?.code)).toEqual([4403, undefined, undefined])
    expect(rig.hub.revoke('user:1')).toBe(1)
    expect(sockets.map(({ closed }) => closed?.code)).toEqual([4403, undefined, 4403])
  })
})

describe('replay', () => {
  it('sends what was missed, of the types wanted, chained from the client’s own position', () => {
    const rig = createHubRig()
    publishEach(rig, 1, ['metrics.updated', 'job.updated', 'job.updated', 'metrics.updated', 'alert.fired'])
    rig.hibernate()
    const socket = rig.connect({ since: 1, types: 'metrics,alerts' })
    publishEach(rig, 6, ['job.updated', 'metrics.updated'])
    expect(socket.frames[0]).toMatchObject({ type: 'hello', data: { seq: 5, generation: 5 } })
    expect(seqs(socket)).toEqual([
      [1, 4],
      [4, 5],
      [5, 7],
    ])
  })

  it('goes on without a replay when nothing was missed', () => {
    const rig = createHubRig()
    publishEach(rig, 1, ['metrics.updated', 'job.updated'])
    const socket = rig.connect({ since: 2, types: 'metrics' })
    expect(socket.frames).toHaveLength(1)
    publishEach(rig, 3, ['metrics.updated'])
    expect(seqs(socket)).toEqual([[1, 3]])
  })

  it('replays everything that is kept, and asks for a resync one event earlier', () => {
    const rig = createHubRig({ keptEvents: 10 })
    publishEach(rig, 1, Array<string>(25).fill('metrics.updated'))
    expect(seqs(rig.connect({ since: 15 }))).toHaveLength(10)
    const tooOld = rig.connect({ since: 14 })
    expect(tooOld.frames.map((frame) => frame.type)).toEqual(['hello', 'resync'])
    expect(tooOld.frames[1]).toMatchObject({
      seq: 25,
      generation: 25,
      data: { seq: 25, reason: 'too_old' },
    })
    publishEach(rig, 26, ['metrics.updated'])
    expect(seqs(tooOld)).toEqual([[25, 26]])
  })

  it('names the client’s position where the event before it is no longer kept', () => {
    const rig = createHubRig({ keptEvents: 2 })
    publishEach(rig, 1, ['metrics.updated', 'job.updated', 'job.updated', 'metrics.updated'])
    const socket = rig.connect({ since: 2, types: 'metrics' })
    expect(seqs(socket)).toEqual([[2, 4]])
  })

  it('asks for a resync when the client is ahead of the hub or its position is no number', () => {
    const rig = createHubRig()
    publishEach(rig, 1, ['metrics.updated'])
    expect(rig.connect({ since: 2 }).frames[1]).toMatchObject({ type: 'resync', data: { reason: 'ahead' } })
    expect(rig.connect({ since: 'invalid' }).frames[1]).toMatchObject({
      type: 'resync',
      data: { reason: 'invalid_since' },
    })
  })
})

describe('messages of a client', () => {
  it('changes the subscription without making a gap where nothing was lost', () => {
    const rig = createHubRig()
    const socket = rig.connect({ types: 'metrics' })
    publishEach(rig, 1, ['metrics.updated', 'trending.updated'])
    rig.hub.receive(socket, '{"subscribe":["metrics","trending"]}')
    rig.hibernate()
    publishEach(rig, 3, ['trending.updated', 'metrics.updated', 'job.updated'])
    rig.hub.receive(socket, '{"subscribe":["jobs"]}')
    publishEach(rig, 6, ['metrics.updated', 'job.updated'])
    expect(seqs(socket)).toEqual([
      [0, 1],
      [1, 3],
      [3, 4],
      [4, 7],
    ])
  })

  it('sends nothing to a socket that wants nothing', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    rig.hub.receive(socket, '{"subscribe":[]}')
    publishEach(rig, 1, ['metrics.updated'])
    expect(socket.events).toEqual([])
  })

  it('answers pings', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    rig.hub.receive(socket, 'ping')
    expect(socket.texts.at(-1)).toBe('pong')
  })

  it('bears a few that mean nothing, over hibernations, and then closes', () => {
    const rig = createHubRig({ badMessages: 4 })
    const socket = rig.connect()
    const nonsense = ['{', '{"ack":-1}', new ArrayBuffer(3), `{"subscribe":["${'x'.repeat(5_000)}"]}`]
    for (const message of nonsense) {
      rig.hub.receive(socket, message)
      rig.hibernate()
    }
    expect(socket.closed).toBeNull()
    rig.hub.receive(socket, '{"ack":1}')
    expect(socket.closed?.code).toBe(1008)
  })

  it('closes a socket whose attachment it cannot read', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    socket.serializeAttachment({ v: 0 })
    rig.hibernate()
    publishEach(rig, 1, ['metrics.updated'])
    expect(socket.closed?.code).toBe(1011)
    expect(socket.events).toEqual([])
  })
})

describe('slow readers', () => {
  it('are dropped when their send buffer is over the limit, and only then', () => {
    const rig = createHubRig({ bufferedBytes: 100 })
    const slow = rig.connect()
    const busy = rig.connect()
    const elsewhere = rig.connect({ types: 'alerts' })
    slow.bufferedAmount = 101
    elsewhere.bufferedAmount = 101
    busy.bufferedAmount = 100
    publishEach(rig, 1, ['metrics.updated'])
    expect(slow.closed?.code).toBe(4408)
    expect(seqs(busy)).toEqual([[0, 1]])
    expect(elsewhere.closed).toBeNull()
  })

  it('are dropped with too many events unacknowledged, once they have acknowledged any', () => {
    const rig = createHubRig({ unacknowledgedEvents: 3 })
    const silent = rig.connect()
    const slow = rig.connect({ types: 'metrics' })
    publishEach(rig, 1, ['metrics.updated', 'metrics.updated'])
    rig.hub.receive(slow, '{"ack":1}')
    rig.hibernate()
    // One is unacknowledged, and events of other types do not count.
    publishEach(rig, 3, ['job.updated', 'job.updated', 'job.updated', 'metrics.updated', 'metrics.updated'])
    expect(slow.closed).toBeNull()
    publishEach(rig, 8, ['metrics.updated'])
    expect(slow.closed?.code).toBe(4408)
    expect(seqs(silent)).toHaveLength(8)
  })

  it('keep their count of unacknowledged events when they change their subscription', () => {
    const rig = createHubRig({ unacknowledgedEvents: 3 })
    const socket = rig.connect({ types: 'metrics' })
    publishEach(rig, 1, ['job.updated', 'metrics.updated', 'job.updated', 'metrics.updated'])
    rig.hub.receive(socket, '{"ack":2}')
    rig.hub.receive(socket, '{"subscribe":["jobs"]}')
    publishEach(rig, 5, ['job.updated'])
    publishEach(rig, 6, ['job.updated'])
    expect(socket.closed).toBeNull()
    publishEach(rig, 7, ['job.updated'])
    expect(socket.closed?.code).toBe(4408)
  })

  it('may acknowledge again what they have acknowledged, or late, without harm', () => {
    const rig = createHubRig({ unacknowledgedEvents: 3 })
    const socket = rig.connect()
    publishEach(rig, 1, Array<string>(4).fill('metrics.updated'))
    rig.hub.receive(socket, '{"ack":4}')
    rig.hub.receive(socket, '{"ack":1}')
    publishEach(rig, 5, ['metrics.updated'])
    expect(socket.closed).toBeNull()
  })
})

describe('the end of a connection', () => {
  it('is answered with the code that was sent, unless that code stands for a loss', () => {
    const rig = createHubRig()
    for (const code of [1006, 1015]) {
      const lost = rig.connect()
      rig.hub.closed(lost, code, '')
      expect(lost.closed).toBeNull()
    }
    const left = rig.connect()
    rig.hub.closed(left, 1000, 'done')
    expect(left.closed).toEqual({ code: 1000, reason: 'done' })
    // As browsers close that are not told a code.
    const silent = rig.connect()
    rig.hub.closed(silent, 1005, '')
    expect(silent.closed).toEqual({ code: 1000, reason: '' })
  })

  it('leaves no presence behind', () => {
    const rig = createHubRig()
    expect(rig.hub.hasOpenSockets()).toBe(false)
    const socket = rig.connect()
    expect(rig.hub.hasOpenSockets()).toBe(true)
    socket.readyState = 2
    expect(rig.hub.hasOpenSockets()).toBe(false)
    publishEach(rig, 1, ['metrics.updated'])
    expect(socket.events).toEqual([])
  })
})
