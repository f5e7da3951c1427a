import { describe, expect, it } from 'vitest'
import { createHubRig, type FakeSocket } from '../../test/live/harness.ts'
import { socketAttachment, storedTicket } from './protocol.ts'

const HASH = 'ab'.repeat(32)

describe('a member who is limited to brands', () => {
  const ACCOUNT = { id: 'account-1', delta: { likes: 3 } }
  const EVENTS = [
    {
      type: 'metrics.updated',
      data: { accounts: [ACCOUNT], posts: [{ id: 'post-1', metrics: { likes: 9 } }] },
    },
    { type: 'sync.completed', data: { accountId: 'account-1', handle: 'tidemark' } },
    { type: 'job.updated', data: { id: 'job-1', status: 'running', progress: { done: 1, total: 2 } } },
    { type: 'trending.updated', data: { scope: 'workspace', windows: ['1h'] } },
    { type: 'report.ready', data: { id: 'report-1' } },
  ]
  const WITHOUT_DETAILS = [{ accounts: [], posts: [] }, {}, {}, { scope: 'workspace', windows: ['1h'] }, {}]
  const publish = (rig: ReturnType<typeof createHubRig>) =>
    rig.hub.publish(EVENTS.map((event, index) => ({ generation: index + 1, events: [event] })))

  it('is told that something happened, in the same places of the sequence, and not to what', () => {
    const rig = createHubRig()
    const [limited, whole] = [rig.connect({ limited: true }), rig.connect()]
    publish(rig)
    expect(limited.events.map(({ data }) => data)).toEqual(WITHOUT_DETAILS)
    expect(whole.events.map(({ data }) => data)).toEqual(EVENTS.map(({ data }) => data))
    const places = (socket: FakeSocket) => socket.events.map(({ data: _data, ...place }) => place)
    expect(places(limited)).toEqual(places(whole))
    expect(limited.texts.join()).not.toMatch(/account-1|post-1|job-1|report-1|tidemark/)
  })

  it('gets the same by replay, and after a hibernation', () => {
    const rig = createHubRig()
    const listening = rig.connect({ limited: true })
    rig.hibernate()
    publish(rig)
    rig.hibernate()
    const late = rig.connect({ limited: true, since: 0 })
    for (const socket of [listening, late])
      expect(socket.events.map(({ data }) => data)).toEqual(WITHOUT_DETAILS)
  })

  it('is one by their ticket, of which the hub reminds itself', () => {
    const rig = createHubRig()
    const expiresAtMs = rig.clock.nowMs + 30_000
    for (const limited of [true, false]) {
      rig.hub.issueTicket({ hash: HASH, userId: 'user:ada', limited, expiresAtMs })
      rig.hibernate()
      expect(rig.hub.admit(HASH)).toEqual({ ok: true, userId: 'user:ada', limited, slot: null })
    }
  })

  it('is also whoever connected, or was given a ticket, before tickets told', () => {
    const rig = createHubRig()
    const socket = rig.connect()
    const attachment = socketAttachment().parse(socket.deserializeAttachment())
    const { limited: _limited, ...before } = attachment
    socket.serializeAttachment(before)
    rig.hibernate()
    publish(rig)
    expect(socket.events.map(({ data }) => data)).toEqual(WITHOUT_DETAILS)
    expect(storedTicket().parse({ hash: HASH, userId: 'user:ada', expiresAtMs: 1 }).limited).toBe(true)
  })

  it('costs one more serialisation, however many they are', () => {
    const rig = createHubRig()
    let conversions = 0
    const data = {
      toJSON() {
        conversions += 1
        return { id: 'job-1' }
      },
    }
    const sockets = Array.from({ length: 10 }, (_, index) => rig.connect({ limited: index % 2 === 0 }))
    rig.hub.publish([{ generation: 1, events: [{ type: 'job.updated', data }] }])
    expect(conversions).toBe(1)
    expect(new Set(sockets.map((socket) => socket.texts[1])).size).toBe(2)
  })
})
