import { describe, expect, it, vi } from 'vitest'
import { AppError } from '../errors.ts'
import { type FanoutShardStub, GRANT_HEADER, type WorkspaceHubStub } from '../realtime/rpc.ts'
import { createHubAdapter } from './hub.ts'

const unused = (): never => {
  throw new Error('not for the adapter')
}

function fakeShards(fetch: FanoutShardStub['fetch'] = unused) {
  const stub = { deliver: unused, census: unused, revoke: unused, fetch: vi.fn(fetch) }
  return { stub, getByName: vi.fn((_name: string) => stub) }
}

function fakeHub(overrides: Partial<WorkspaceHubStub> = {}) {
  const stub: WorkspaceHubStub = {
    publish: vi.fn(async () => {}),
    announce: vi.fn(async () => {}),
    issueTicket: vi.fn(async () => {}),
    revoke: vi.fn(async () => 2),
    snapshot: vi.fn(async () => unused()),
    countShard: vi.fn(async () => {}),
    fetch: vi.fn(async () => new Response('ok')),
    ...overrides,
  }
  const getByName = vi.fn((_workspaceId: string) => stub)
  return { stub, getByName }
}

const passing = () => Object.assign(new Error('reset'), { retryable: true })
const overloaded = () => Object.assign(new Error('busy'), { retryable: true, overloaded: true })

describe('the hub adapter', () => {
  it('calls the hub of the workspace that is named', async () => {
    const { stub, getByName } = fakeHub()
    const hub = createHubAdapter({ getByName }, fakeShards())
    const batches = [{ generation: 1, events: [{ type: 'job.updated', data: {} }] }]
    await hub.publish('w1', batches)
    expect(await hub.revoke('w2', 'u')).toBe(2)
    expect(await (await hub.connect('w3', new Request('https://x.test/'))).text()).toBe('ok')
    expect(getByName.mock.calls).toEqual([['w1'], ['w2'], ['w3']])
    expect(stub.publish).toHaveBeenCalledExactlyOnceWith(batches)
  })

  it('repeats a call that failed in passing, on a stub of its own each time', async () => {
    const publish = vi.fn(async () => {})
    publish.mockRejectedValueOnce(passing()).mockRejectedValueOnce(passing())
    const { getByName } = fakeHub({ publish })
    await createHubAdapter({ getByName }, fakeShards()).publish('w', [])
    expect(getByName).toHaveBeenCalledTimes(3)
  })

  it('repeats neither for ever, nor in overload, nor what failed for good', async () => {
    for (const [error, calls] of [
      [passing(), 3],
      [overloaded(), 1],
      [new Error('a bug'), 1],
    ] as const) {
      const publish = vi.fn().mockRejectedValue(error)
      const { getByName } = fakeHub({ publish })
      const failure = await createHubAdapter({ getByName }, fakeShards())
        .publish('w', [])
        .catch((caught: unknown) => caught)
      expect(failure).toBeInstanceOf(AppError)
      expect(failure).toMatchObject({ code: 'unavailable', retryable: true, cause: error })
      expect(publish).toHaveBeenCalledTimes(calls)
    }
  })

  it('does not repeat announcements, which the hub could not tell apart', async () => {
    const announce = vi.fn().mockRejectedValue(passing())
    const { getByName } = fakeHub({ announce })
    await expect(createHubAdapter({ getByName }, fakeShards()).announce('w', [])).rejects.toBeInstanceOf(
      AppError,
    )
    expect(announce).toHaveBeenCalledTimes(1)
  })

  it('does not wait for ever', async () => {
    const { getByName } = fakeHub({ publish: () => new Promise(() => {}) })
    const hub = createHubAdapter({ getByName }, fakeShards(), { timeoutMs: 10 })
    await expect(hub.publish('w', [])).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('takes a connection to the shard that the hub names, with what the hub says of it', async () => {
    const grant = JSON.stringify({ slot: 3, connection: 'c', userId: 'u', limited: false, seq: 7 })
    const { getByName } = fakeHub({
      fetch: async () => new Response(null, { status: 204, headers: { [GRANT_HEADER]: grant } }),
    })
    const shards = fakeShards(async () => new Response('shard'))
    const forged = { Upgrade: 'websocket', [GRANT_HEADER]: '{"slot":9}' }
    const answer = await createHubAdapter({ getByName }, shards).connect(
      'w',
      new Request('https://x.test/?since=5', { headers: forged }),
    )
    expect(await answer.text()).toBe('shard')
    expect(shards.getByName).toHaveBeenCalledExactlyOnceWith('w/3')
    const [passedOn] = shards.stub.fetch.mock.calls[0] ?? []
    expect(passedOn?.url).toBe('https://x.test/?since=5')
    expect(passedOn?.headers.get(GRANT_HEADER)).toBe(grant)
    expect(passedOn?.headers.get('upgrade')).toBe('websocket')
  })

  it('says so when a shard does not answer', async () => {
    const grant = JSON.stringify({ slot: 1, connection: 'c', userId: 'u', limited: false, seq: 7 })
    const { getByName } = fakeHub({
      fetch: async () => new Response(null, { status: 204, headers: { [GRANT_HEADER]: grant } }),
    })
    const shards = fakeShards(() => Promise.reject(new Error('gone')))
    await expect(
      createHubAdapter({ getByName }, shards).connect('w', new Request('https://x.test/')),
    ).rejects.toMatchObject({ code: 'unavailable' })
  })
})
