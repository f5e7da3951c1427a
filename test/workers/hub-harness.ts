/** Clients of a hub inside workerd. */
import { env } from 'cloudflare:workers'
import type { WebSocket } from '@cloudflare/workers-types'
import { createHubAdapter } from '../../src/adapters/hub.ts'
import type {
  FanoutShardNamespace,
  FanoutShardStub,
  WorkspaceHubNamespace,
  WorkspaceHubStub,
} from '../../src/realtime/rpc.ts'
import { shardName } from '../../src/realtime/rpc.ts'
import { createTicket } from '../../src/realtime/tickets.ts'

/** The binding of `wrangler.toml`: the runtime made it, so its shape is known. */
function hubs(): WorkspaceHubNamespace {
  return env.WORKSPACE_HUB as WorkspaceHubNamespace
}

function shards(): FanoutShardNamespace {
  return env.FANOUT_SHARD as FanoutShardNamespace
}

export interface Frame {
  seq: number
  prevSeq: number
  type: string
  at: string
  generation: number
  data: unknown
}

/** One end of a connection, which remembers all that arrives. */
export class TestClient {
  readonly texts: string[] = []
  closed: { code: number; reason: string } | null = null
  readonly socket: WebSocket
  readonly #waiting: (() => void)[] = []

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.addEventListener('message', (event) => {
      this.texts.push(typeof event.data === 'string' ? event.data : '(binary)')
      this.#wake()
    })
    socket.addEventListener('close', (event) => {
      this.closed = { code: event.code, reason: event.reason }
      this.#wake()
    })
    socket.accept()
  }

  get frames(): Frame[] {
    return this.texts.filter((text) => text.startsWith('{')).map((text): Frame => JSON.parse(text))
  }

  get events(): [prevSeq: number, seq: number, type: string][] {
    return this.frames
      .filter((frame) => frame.type !== 'hello')
      .map((frame) => [frame.prevSeq, frame.seq, frame.type])
  }

  /** Resolves once the condition holds; fails after five seconds, saying what did arrive. */
  async until(condition: (client: TestClient) => boolean): Promise<void> {
    const deadline = Date.now() + 5_000
    while (!condition(this)) {
      if (Date.now() > deadline) {
        throw new Error(
          `Did not come: ${condition}; got ${this.texts.join(' ')} ${JSON.stringify(this.closed)}`,
        )
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        setTimeout(resolve, 100)
      })
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

export interface Workspace {
  readonly id: string
  readonly stub: WorkspaceHubStub
  shard(slot: number): FanoutShardStub
  ticket(userId?: string, options?: { lifeMs?: number; limited?: boolean }): Promise<string>
  /** Upgrades with the given query, as it is. */
  upgrade(query: string): Promise<TestClient>
  /** Upgrades with a fresh ticket, and waits for the hub's hello. */
  connect(options?: {
    userId?: string
    limited?: boolean
    since?: number
    types?: string
  }): Promise<TestClient>
  /** Publishes one event a generation. */
  publish(fromGeneration: number, ...types: string[]): Promise<void>
}

/** A workspace nobody has used before. */
export function newWorkspace(): Workspace {
  const id = crypto.randomUUID()
  const stub = hubs().getByName(id)
  const workspace: Workspace = {
    id,
    stub,
    shard: (slot) => shards().getByName(shardName(id, slot)),
    async ticket(userId = 'user-1', { lifeMs = 30_000, limited = false } = {}) {
      const ticket = await createTicket(id, Date.now())
      await stub.issueTicket({ hash: ticket.hash, userId, limited, expiresAtMs: Date.now() + lifeMs })
      return ticket.ticket
    },
    async upgrade(query) {
      const request = new Request(`https://hub.test/?${query}`, { headers: { Upgrade: 'websocket' } })
      const { webSocket } = await createHubAdapter(hubs(), shards()).connect(id, request)
      if (webSocket === null || webSocket === undefined) throw new Error('The answer was no upgrade.')
      return new TestClient(webSocket)
    },
    async connect({ userId, limited = false, since, types } = {}) {
      const query = new URLSearchParams({ ticket: await workspace.ticket(userId, { limited }) })
      if (since !== undefined) query.set('since', String(since))
      if (types !== undefined) query.set('types', types)
      const client = await workspace.upgrade(query.toString())
      await client.until(({ frames }) => frames[0]?.type === 'hello')
      return client
    },
    async publish(fromGeneration, ...types) {
      await stub.publish(
        types.map((type, index) => ({
          generation: fromGeneration + index,
          events: [{ type, data: { index } }],
        })),
      )
    },
  }
  return workspace
}
