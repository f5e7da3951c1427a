import { describe, expect, it, vi } from 'vitest'
import { AppError } from '../errors.ts'
import type { WorkspaceHubStub } from '../realtime/rpc.ts'
import { createHubAdapter } from './hub.ts'

function fakeHub(overrides: Partial<WorkspaceHubStub> = {}) {
  const stub: WorkspaceHubStub = {
    publish: vi.fn(async () => {}),
    announce: vi.fn(async () => {}),
    issueTicket: vi.fn(async () => {}),
    revoke: vi.fn(async () => 2),
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
    const hub = createHubAdapter({ getByName })
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
    await createHubAdapter({ getByName }).publish('w', [])
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
      const failure = await createHubAdapter({ getByName })
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
    await expect(createHubAdapter({ getByName }).announce('w', [])).rejects.toBeInstanceOf(AppError)
    expect(announce).toHaveBeenCalledTimes(1)
  })

  it('does not wait for ever', async () => {
    const { getByName } = fakeHub({ publish: () => new Promise(() => {}) })
    const hub = createHubAdapter({ getByName }, { timeoutMs: 10 })
    await expect(hub.publish('w', [])).rejects.toMatchObject({ code: 'unavailable' })
  })
})
