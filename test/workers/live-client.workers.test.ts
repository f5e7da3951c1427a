/** The dashboard's live client against the hub, in the runtime they meet in. */
import { evictDurableObject } from 'cloudflare:test'
import { expect, it } from 'vitest'
import { createLiveClient, type LiveSocket } from '../../web/src/live/client.ts'
import { newWorkspace, type TestClient, type Workspace } from './hub-harness.ts'

/** A WebSocket to the hub without a network between. */
class HubWebSocket implements LiveSocket {
  readonly #opening: Promise<TestClient>
  #client: TestClient | null = null

  constructor(url: string, workspace: Workspace) {
    this.#opening = workspace.upgrade(new URL(url).searchParams.toString())
  }

  get readyState(): number {
    return this.#client?.socket.readyState ?? 0
  }

  addEventListener(type: 'message' | 'close' | 'error', listener: (event: never) => void): void {
    void this.#opening.then((client) => {
      this.#client = client
      if (type === 'message') for (const text of client.texts) listener({ data: text } as never)
      client.socket.addEventListener(type, (event) => listener(event as never))
    })
  }

  send(text: string): void {
    this.#client?.socket.send(text)
  }

  close(code?: number): void {
    void this.#opening.then((client) => client.socket.close(code))
  }
}

it('hears every event once across lost connections and hibernation', async () => {
  const workspace = newWorkspace()
  const heard: number[] = []
  const client = createLiveClient({
    getTicket: async () => ({ url: `https://hub.test/?ticket=${await workspace.ticket()}` }),
    onEvent: ({ seq }) => heard.push(seq),
    onResync: () => heard.push(-1),
    WebSocketImpl: class extends HubWebSocket {
      constructor(url: string) {
        super(url, workspace)
      }
    },
    environment: { isOnline: () => true, isHidden: () => false, onChange: () => () => {} },
    random: () => 0,
  })
  client.start()
  await expect.poll(() => client.state).toBe('live')
  await workspace.publish(1, 'metrics.updated', 'job.updated')
  await expect.poll(() => heard).toEqual([1, 2])

  await evictDurableObject(workspace.stub)
  await workspace.publish(3, 'metrics.updated')
  await expect.poll(() => heard).toEqual([1, 2, 3])

  await evictDurableObject(workspace.stub, { webSockets: 'close' })
  await workspace.publish(4, 'alert.fired', 'metrics.updated')
  await expect.poll(() => heard).toEqual([1, 2, 3, 4, 5])

  await workspace.stub.revoke('user-1')
  await expect.poll(() => client.state).toBe('stopped')
})
