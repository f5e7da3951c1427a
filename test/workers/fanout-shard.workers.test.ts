import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { beforeEach, describe, expect, it } from 'vitest'
import { reports } from './hub-entry.ts'
import { newWorkspace, type TestClient, type Workspace } from './hub-harness.ts'

/** As many as the hub of these tests holds itself, and each shard. */
const PER_OBJECT = 3

beforeEach(() => {
  reports.present.length = 0
  reports.errors.length = 0
})

async function connectMany(workspace: Workspace, count: number, since?: number): Promise<TestClient[]> {
  const clients: TestClient[] = []
  for (let i = 0; i < count; i += 1) {
    const connected = await workspace.connect({ userId: `user-${i}`, ...(since !== undefined && { since }) })
    clients.push(connected)
  }
  return clients
}

const held = (object: object) =>
  runInDurableObject(object, (_it, state) => state.getWebSockets().filter((it) => it.readyState === 1).length)

/** Every number once and in order, each with the one before it. */
function expectStream(client: TestClient | undefined, from: number, to: number): void {
  const expected = Array.from({ length: to - from + 1 }, (_, i) => [from + i - 1, from + i])
  expect(client?.events.map(([prevSeq, seq]) => [prevSeq, seq])).toEqual(expected)
}

async function publishEach(workspace: Workspace, from: number, to: number): Promise<void> {
  for (let generation = from; generation <= to; generation += 1)
    await workspace.publish(generation, 'trending.updated')
}

describe('more connections than one object holds', () => {
  it('go to shards in order, and hear the same', async () => {
    const workspace = newWorkspace()
    const clients = await connectMany(workspace, 8)
    expect(await Promise.all([workspace.stub, workspace.shard(1), workspace.shard(2)].map(held))).toEqual([
      PER_OBJECT,
      PER_OBJECT,
      2,
    ])
    await publishEach(workspace, 1, 20)
    for (const client of clients) {
      await client.until(({ events }) => events.length === 20)
      expectStream(client, 1, 20)
    }
    expect(reports.errors).toEqual([])
  })

  it('resume at a shard where they were, however long ago that was', async () => {
    const workspace = newWorkspace()
    await publishEach(workspace, 1, 30)
    const holders = await connectMany(workspace, PER_OBJECT)
    const early = await workspace.connect({ userId: 'early', since: 4 })
    await early.until(({ events }) => events.length === 26)
    await publishEach(workspace, 31, 32)
    await evictDurableObject(workspace.shard(1))
    const late = await workspace.connect({ userId: 'late', since: 10 })
    await late.until(({ events }) => events.length === 22)
    await publishEach(workspace, 33, 33)
    await early.until(({ events }) => events.length === 29)
    await late.until(({ events }) => events.length === 23)
    expectStream(early, 5, 33)
    expectStream(late, 11, 33)
    expectStream(holders[0], 31, 33)
  })

  it('miss nothing and hear nothing twice while objects are evicted in the middle of a stream', async () => {
    const workspace = newWorkspace()
    const clients = await connectMany(workspace, 7)
    for (let round = 0; round < 12; round += 1) {
      const first = 1 + round * 5
      const publishing = publishEach(workspace, first, first + 4)
      const victims = [workspace.stub, workspace.shard(1), workspace.shard(2)]
      // The stub of an object that is being evicted may fail: whoever publishes tries again, as the outbox does.
      await publishing
      await evictDurableObject(victims[round % 3] ?? workspace.stub)
    }
    await publishEach(workspace, 61, 61)
    for (const client of clients) {
      await client.until(({ events }) => events.at(-1)?.[1] === 61)
      expectStream(client, 1, 61)
    }
  })

  it('join while events are sent, and get each once', async () => {
    const workspace = newWorkspace()
    await connectMany(workspace, PER_OBJECT)
    let done = false
    const publishing = (async () => {
      for (let generation = 1; !done; generation += 1) await workspace.publish(generation, 'trending.updated')
    })()
    const joined: TestClient[] = []
    for (let i = 0; i < 4; i += 1) joined.push(await workspace.connect({ userId: `joins-${i}`, since: 0 }))
    done = true
    await publishing
    const last = await runInDurableObject(workspace.stub, (_hub, { storage }) =>
      Number(storage.sql.exec("SELECT value FROM meta WHERE key = 'seq'").one().value),
    )
    for (const client of joined) {
      await client.until(({ events }) => events.at(-1)?.[1] === last)
      expectStream(client, 1, last)
    }
  })

  it('choose what they hear, and acknowledge, as at the hub', async () => {
    const workspace = newWorkspace()
    await connectMany(workspace, PER_OBJECT)
    const client = await workspace.connect({ userId: 'chooser', types: 'trending' })
    await workspace.publish(1, 'job.updated', 'trending.updated')
    await client.until(({ events }) => events.length === 1)
    client.socket.send('{"ack":2}')
    client.socket.send('{"subscribe":["jobs"]}')
    await evictDurableObject(workspace.shard(1))
    client.socket.send('{"subscribe":["jobs","sync"]}')
    await expect
      .poll(() =>
        runInDurableObject(workspace.shard(1), (_shard, state) =>
          JSON.stringify(state.getWebSockets().map((it) => it.deserializeAttachment())),
        ),
      )
      .toContain('"sync"')
    await workspace.publish(3, 'trending.updated', 'job.updated', 'sync.completed')
    await client.until(({ events }) => events.length === 3)
    expect(client.events).toEqual([
      [0, 2, 'trending.updated'],
      [2, 4, 'job.updated'],
      [4, 5, 'sync.completed'],
    ])
  })

  it('lose access wherever they are, and do not come back', async () => {
    const workspace = newWorkspace()
    const clients = await connectMany(workspace, 4)
    const [here, there] = [clients[0], clients[3]]
    expect(await workspace.stub.revoke('user-3')).toBe(1)
    await there?.until(({ closed }) => closed !== null)
    expect([here?.closed, there?.closed?.code]).toEqual([null, 4403])
    const again = await workspace.upgrade(`ticket=${await workspace.ticket('user-3')}`)
    await again.until(({ closed }) => closed !== null)
    expect(again.closed?.code).toBe(4403)
  })

  it('count against the limits of a user and of the workspace, also after the hub was evicted', async () => {
    const workspace = newWorkspace()
    await connectMany(workspace, 2)
    // Two of them at a shard.
    for (let i = 0; i < 3; i += 1) await workspace.connect({ userId: 'many' })
    await evictDurableObject(workspace.stub)
    const fourth = await workspace.upgrade(`ticket=${await workspace.ticket('many')}`)
    await fourth.until(({ closed }) => closed !== null)
    expect(fourth.closed?.code).toBe(4429)
    for (let i = 0; i < 3; i += 1) await workspace.connect({ userId: `filler-${i}` })
    const ninth = await workspace.upgrade(`ticket=${await workspace.ticket('ninth')}`)
    await ninth.until(({ closed }) => closed !== null)
    expect(ninth.closed?.code).toBe(4429)
  })

  it('leave room where they go, from the first shard on, and an empty shard is told nothing', async () => {
    const workspace = newWorkspace()
    const clients = await connectMany(workspace, 8)
    for (const client of clients.slice(3)) client.socket.close(1000, 'bye')
    const shardsOf = () =>
      runInDurableObject(workspace.stub, (_hub, { storage }) =>
        storage.sql
          .exec('SELECT slot FROM shards ORDER BY slot')
          .toArray()
          .map(({ slot }) => slot),
      )
    await expect.poll(shardsOf).toEqual([])
    const back = await workspace.connect({ userId: 'back', since: 0 })
    expect(await held(workspace.shard(1))).toBe(1)
    await publishEach(workspace, 1, 3)
    await back.until(({ events }) => events.length === 3)
    expectStream(back, 1, 3)
    expect(await shardsOf()).toEqual([1])
  })

  it('keep the workspace present, and hear again after their shard could not be reached', async () => {
    const workspace = newWorkspace()
    const clients = await connectMany(workspace, 4)
    for (const client of clients.slice(0, 3)) client.socket.close(1000, 'bye')
    await expect.poll(() => held(workspace.stub)).toBe(0)
    reports.present.length = 0
    // The hub forgets what it was about to tell the shard.
    await publishEach(workspace, 1, 2)
    await evictDurableObject(workspace.stub)
    expect(await runDurableObjectAlarm(workspace.stub)).toBe(true)
    await clients[3]?.until(({ events }) => events.length === 2)
    expectStream(clients[3], 1, 2)
    expect(reports.present).toEqual([workspace.id])
  })
})

describe('a shard', () => {
  it('takes nobody whom no hub has admitted', async () => {
    const workspace = newWorkspace()
    const request = new Request('https://hub.test/', { headers: { Upgrade: 'websocket' } })
    const { webSocket } = await workspace.shard(1).fetch(request)
    const closed = new Promise<number>((resolve) =>
      webSocket?.addEventListener('close', ({ code }) => resolve(code)),
    )
    webSocket?.accept()
    expect(await closed).toBe(1011)
    expect(await held(workspace.shard(1))).toBe(0)
  })
})

describe('changes of metrics', () => {
  const metrics = (likes: number) => ({
    type: 'metrics.updated',
    data: { accounts: [{ id: 'a', delta: { likes } }], posts: [] },
  })
  const likes = (client: TestClient) =>
    client.frames
      .slice(1)
      .map(({ data }) => (data as { accounts: { delta: { likes: number } }[] }).accounts[0]?.delta.likes)

  it('that come fast are summed, and sent when their time has come', async () => {
    const workspace = newWorkspace()
    const client = await workspace.connect()
    for (let i = 1; i <= 40; i += 1) await workspace.stub.publish([{ generation: i, events: [metrics(i)] }])
    await client.until((it) => likes(it).reduce<number>((sum, one) => sum + (one ?? 0), 0) === 820)
    expect(client.frames.length - 1).toBeLessThan(10)
    expect(client.frames.at(-1)?.generation).toBe(40)
  })

  it('that were pending when the hub was evicted are sent by its alarm', async () => {
    const workspace = newWorkspace()
    const client = await workspace.connect()
    await workspace.stub.publish([{ generation: 1, events: [metrics(1)] }])
    await workspace.stub.publish([{ generation: 2, events: [metrics(2)] }])
    await evictDurableObject(workspace.stub)
    await runDurableObjectAlarm(workspace.stub)
    await client.until((it) => likes(it).length === 2)
    expect(likes(client)).toEqual([1, 2])
  })
})
