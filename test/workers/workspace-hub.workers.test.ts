import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { beforeEach, describe, expect, it } from 'vitest'
import { reports } from './hub-entry.ts'
import { newWorkspace } from './hub-harness.ts'

beforeEach(() => {
  reports.present.length = 0
  reports.errors.length = 0
})

describe('the upgrade', () => {
  it('is the only thing the hub answers', async () => {
    const answer = await newWorkspace().stub.fetch(new Request('https://hub.test/'))
    expect(answer.status).toBe(426)
    expect(answer.headers.get('Upgrade')).toBe('websocket')
  })

  it('lets a ticket in once', async () => {
    const workspace = newWorkspace()
    const ticket = await workspace.ticket()
    const first = await workspace.upgrade(`ticket=${ticket}`)
    await first.until(({ frames }) => frames.length === 1)
    expect(first.frames[0]).toMatchObject({ type: 'hello', data: { seq: 0, generation: 0 } })
    const second = await workspace.upgrade(`ticket=${ticket}`)
    await second.until(({ closed }) => closed !== null)
    expect(second.closed?.code).toBe(4401)
    expect(second.texts).toEqual([])
    expect(first.closed).toBeNull()
  })

  it('lets one of two simultaneous users of a ticket in', async () => {
    const workspace = newWorkspace()
    const ticket = await workspace.ticket()
    const clients = await Promise.all([1, 2, 3].map(() => workspace.upgrade(`ticket=${ticket}`)))
    await Promise.all(
      clients.map((client) => client.until((it) => it.frames.length > 0 || it.closed !== null)),
    )
    expect(clients.filter(({ frames }) => frames[0]?.type === 'hello')).toHaveLength(1)
    expect(clients.filter(({ closed }) => closed?.code === 4401)).toHaveLength(2)
  })

  it('refuses expired, malformed and missing tickets, and those of another workspace', async () => {
    const workspace = newWorkspace()
    const foreign = await newWorkspace().ticket()
    const expired = await workspace.ticket('user-1', { lifeMs: -1 })
    for (const query of [`ticket=${expired}`, `ticket=${foreign}`, 'ticket=x', '']) {
      const client = await workspace.upgrade(query)
      await client.until(({ closed }) => closed !== null)
      expect(client.closed?.code).toBe(4401)
      expect(client.closed?.reason).toContain('ticket')
    }
  })

  it('keeps no secret of a ticket', async () => {
    const workspace = newWorkspace()
    const ticket = await workspace.ticket()
    const stored = await runInDurableObject(workspace.stub, (_hub, state) =>
      JSON.stringify(state.storage.sql.exec('SELECT * FROM tickets').toArray()),
    )
    expect(stored).toContain('user-1')
    expect(stored).not.toContain(ticket.split('.')[1])
  })
})

describe('events', () => {
  it('reach every socket that wants them, once for each generation', async () => {
    const workspace = newWorkspace()
    const everything = await workspace.connect()
    const metrics = await workspace.connect({ types: 'metrics' })
    await workspace.publish(1, 'metrics.updated', 'trending.updated', 'metrics.updated')
    await workspace.publish(2, 'trending.updated', 'metrics.updated')
    await workspace.stub.announce([{ type: 'job.updated', data: { id: 'j' } }])
    await workspace.publish(4, 'metrics.updated')
    await everything.until(({ events }) => events.length === 5)
    await metrics.until(({ events }) => events.length === 3)
    expect(everything.events).toEqual([
      [0, 1, 'metrics.updated'],
      [1, 2, 'trending.updated'],
      [2, 3, 'metrics.updated'],
      [3, 4, 'job.updated'],
      [4, 5, 'metrics.updated'],
    ])
    expect(metrics.events.map(([prevSeq, seq]) => [prevSeq, seq])).toEqual([
      [0, 1],
      [1, 3],
      [3, 5],
    ])
    expect(everything.frames[4]).toMatchObject({ generation: 3, data: { id: 'j' } })
  })

  it('missed are replayed, or a resync says that they cannot be', async () => {
    const workspace = newWorkspace()
    await workspace.publish(1, ...Array<string>(1_002).fill('metrics.updated'))
    const kept = await workspace.connect({ since: 2 })
    await kept.until(({ events }) => events.length === 1_000)
    expect(kept.events[0]).toEqual([2, 3, 'metrics.updated'])
    expect(kept.events.at(-1)).toEqual([1_001, 1_002, 'metrics.updated'])
    for (const since of [1, 1_003]) {
      const client = await workspace.connect({ since })
      await client.until(({ events }) => events.length === 1)
      expect(client.events).toEqual([[1_002, 1_002, 'resync']])
    }
  })

  it('follow a change of subscription', async () => {
    const workspace = newWorkspace()
    const client = await workspace.connect({ types: 'metrics' })
    client.socket.send('{"subscribe":["jobs"]}')
    // An answer to something sent later shows that the subscription has arrived: both wake the hub in order.
    client.socket.send('{"ack":0}')
    await expect
      .poll(async () => {
        return await runInDurableObject(workspace.stub, (_hub, state) =>
          JSON.stringify(state.getWebSockets().map((socket) => socket.deserializeAttachment())),
        )
      })
      .toContain('"ack":{"seq":0')
    await workspace.publish(1, 'metrics.updated', 'job.updated')
    await client.until(({ events }) => events.length === 1)
    expect(client.events).toEqual([[0, 2, 'job.updated']])
  })
})

describe('a member who is limited to brands', () => {
  it('hears that something changed, and not what, also by replay and after hibernation', async () => {
    const workspace = newWorkspace()
    const limited = await workspace.connect({ userId: 'user:ada', limited: true })
    const whole = await workspace.connect({ userId: 'user:ben' })
    const told = { type: 'job.updated', data: { id: 'j' } }
    await workspace.stub.publish([{ generation: 1, events: [told] }])
    await evictDurableObject(workspace.stub)
    await workspace.stub.publish([{ generation: 2, events: [told] }])
    const late = await workspace.connect({ userId: 'user:ada', limited: true, since: 0 })
    for (const [client, data] of [
      [limited, {}],
      [late, {}],
      [whole, { id: 'j' }],
    ] as const) {
      await client.until(({ events }) => events.length === 2)
      expect(client.frames.slice(1)).toMatchObject([
        { seq: 1, generation: 1, type: 'job.updated' },
        { seq: 2, generation: 2, type: 'job.updated' },
      ])
      expect(client.frames.slice(1).map((frame) => frame.data)).toEqual([data, data])
    }
  })
})

describe('hibernation', () => {
  it('loses neither sockets nor subscriptions nor the sequence', async () => {
    const workspace = newWorkspace()
    const metrics = await workspace.connect({ types: 'metrics' })
    const everything = await workspace.connect()
    await workspace.publish(1, 'metrics.updated', 'job.updated')
    await metrics.until(({ events }) => events.length === 1)
    await evictDurableObject(workspace.stub)
    await workspace.publish(2, 'job.updated', 'job.updated', 'metrics.updated')
    await metrics.until(({ events }) => events.length === 2)
    await everything.until(({ events }) => events.length === 4)
    expect(metrics.events).toEqual([
      [0, 1, 'metrics.updated'],
      [1, 4, 'metrics.updated'],
    ])
    expect(everything.events.map(([, seq]) => seq)).toEqual([1, 2, 3, 4])
    await evictDurableObject(workspace.stub)
    const late = await workspace.connect({ since: 2, types: 'jobs' })
    await late.until(({ events }) => events.length === 1)
    expect(late.events).toEqual([[2, 3, 'job.updated']])
  })

  it('lasts through pings, which are answered without waking the hub', async () => {
    const workspace = newWorkspace()
    const client = await workspace.connect()
    client.socket.send('ping')
    await client.until(({ texts }) => texts.at(-1) === 'pong')
    const answeredAt = await runInDurableObject(workspace.stub, (_hub, state) =>
      state.getWebSockets().map((socket) => state.getWebSocketAutoResponseTimestamp(socket)),
    )
    expect(answeredAt[0]).toBeInstanceOf(Date)
  })

  it('keeps tickets and the names of those to be let go', async () => {
    const workspace = newWorkspace()
    const ticket = await workspace.ticket('user-2')
    const leaving = await workspace.connect({ userId: 'user-1' })
    await evictDurableObject(workspace.stub)
    const staying = await workspace.upgrade(`ticket=${ticket}`)
    await staying.until(({ frames }) => frames.length === 1)
    expect(await workspace.stub.revoke('user-1')).toBe(1)
    await leaving.until(({ closed }) => closed !== null)
    expect(leaving.closed?.code).toBe(4403)
    await workspace.publish(1, 'metrics.updated')
    await staying.until(({ events }) => events.length === 1)
  })

  it('closes a socket whose attachment cannot be read any more', async () => {
    const workspace = newWorkspace()
    const client = await workspace.connect()
    await runInDurableObject(workspace.stub, (_hub, state) => {
      for (const socket of state.getWebSockets()) socket.serializeAttachment('from another age')
    })
    await evictDurableObject(workspace.stub)
    await workspace.publish(1, 'metrics.updated')
    await client.until(({ closed }) => closed !== null)
    expect(client.closed?.code).toBe(1011)
  })
})

describe('limits', () => {
  it('of a user and of a workspace count sockets that are open', async () => {
    const workspace = newWorkspace()
    const first = await workspace.connect({ userId: 'a' })
    await workspace.connect({ userId: 'a' })
    await workspace.connect({ userId: 'a' })
    const fourth = await workspace.upgrade(`ticket=${await workspace.ticket('a')}`)
    await fourth.until(({ closed }) => closed !== null)
    expect(fourth.closed?.code).toBe(4429)

    for (const userId of ['b', 'c', 'd', 'e', 'f']) await workspace.connect({ userId })
    const ninth = await workspace.upgrade(`ticket=${await workspace.ticket('g')}`)
    await ninth.until(({ closed }) => closed !== null)
    expect(ninth.closed?.code).toBe(4429)

    first.socket.close(1000, 'done')
    await first.until(({ closed }) => closed !== null)
    await workspace.connect({ userId: 'g' })
  })

  it('of nonsense end the connection, and nonsense never breaks the hub', async () => {
    const workspace = newWorkspace()
    const client = await workspace.connect()
    for (const nonsense of ['{', '[]', 'PING', '{"subscribe":7}']) client.socket.send(nonsense)
    await client.until(({ closed }) => closed !== null)
    expect(client.closed?.code).toBe(1008)
    expect(reports.errors).toEqual([])
  })
})

describe('presence', () => {
  it('is reported at the first connection, and at every alarm while somebody is there', async () => {
    const workspace = newWorkspace()
    await workspace.publish(1, 'metrics.updated')
    expect(await runDurableObjectAlarm(workspace.stub)).toBe(false)
    const client = await workspace.connect()
    await workspace.connect()
    await expect.poll(() => reports.present).toEqual([workspace.id])

    await evictDurableObject(workspace.stub)
    expect(await runDurableObjectAlarm(workspace.stub)).toBe(true)
    expect(reports.present).toEqual([workspace.id, workspace.id])

    expect(await workspace.stub.revoke('user-1')).toBe(2)
    await client.until(({ closed }) => closed !== null)
    expect(await runDurableObjectAlarm(workspace.stub)).toBe(true)
    expect(reports.present).toHaveLength(2)
    expect(await runDurableObjectAlarm(workspace.stub)).toBe(false)
  })
})

describe('access that is taken away', () => {
  it('closes the sockets of a person or of a key, and theirs alone', async () => {
    const workspace = newWorkspace()
    const bearers = ['key:1', 'key:12', 'user:1'] as const
    const [key, otherKey, person] = await Promise.all(bearers.map((userId) => workspace.connect({ userId })))
    expect(await workspace.stub.revoke('key:1')).toBe(1)
    await key?.until(({ closed }) => closed !== null)
    expect(await workspace.stub.revoke('user:1')).toBe(1)
    await person?.until(({ closed }) => closed !== null)
    expect([key?.closed?.code, otherKey?.closed, person?.closed?.code]).toEqual([4403, null, 4403])
  })

  it('is not given back to a ticket that was issued by somebody who had not heard of it', async () => {
    const workspace = newWorkspace()
    await workspace.stub.revoke('user-1')
    await evictDurableObject(workspace.stub)
    const client = await workspace.upgrade(`ticket=${await workspace.ticket('user-1')}`)
    await client.until(({ closed }) => closed !== null)
    expect(client.closed?.code).toBe(4403)
  })
})

describe('a client that leaves', () => {
  it('gets its close frame answered', async () => {
    const workspace = newWorkspace()
    const client = await workspace.connect()
    client.socket.close(4000, 'abandoned')
    await client.until(({ closed }) => closed !== null)
    expect(client.closed).toEqual({ code: 4000, reason: 'abandoned' })
    await expect
      .poll(() => runInDurableObject(workspace.stub, (_hub, state) => state.getWebSockets().length))
      .toBe(0)
  })
})

describe('storage written by a later, incompatible version', () => {
  it('fails every call with the reason and spoils nothing, and upgrades close with 1011', async () => {
    const workspace = newWorkspace()
    const ticket = await workspace.ticket()
    await runInDurableObject(workspace.stub, (_hub, state) => {
      state.storage.sql.exec("UPDATE meta SET value = 99 WHERE key = 'readable_from_version'")
    })
    await evictDurableObject(workspace.stub)
    await expect(workspace.publish(1, 'metrics.updated')).rejects.toThrow('storage needs version 99')
    const client = await workspace.upgrade(`ticket=${ticket}`)
    await client.until(({ closed }) => closed !== null)
    expect(client.closed?.code).toBe(1011)
    expect(reports.errors).toHaveLength(1)
    await runInDurableObject(workspace.stub, (_hub, state) => {
      state.storage.sql.exec("UPDATE meta SET value = 1 WHERE key = 'readable_from_version'")
    })
    const again = await workspace.upgrade(`ticket=${ticket}`)
    await again.until(({ frames }) => frames[0]?.type === 'hello')
  })
})
