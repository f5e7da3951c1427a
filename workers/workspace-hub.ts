/** The Durable Object around `src/realtime/hub.ts`: one for each workspace, named by the workspace's id. */
import { DurableObject } from 'cloudflare:workers'
import type { DurableObjectState, DurableObjectStorage, WebSocket } from '@cloudflare/workers-types'
import type { LiveEvent, TicketRecord } from '../src/ports.ts'
import { Hub } from '../src/realtime/hub.ts'
import {
  CLOSE_CODES,
  type LiveLimits,
  PING,
  PONG,
  parseSinceParameter,
  parseTypesParameter,
} from '../src/realtime/protocol.ts'
import type { EventBatch, WorkspaceHubRpc } from '../src/realtime/rpc.ts'
import type { HubSockets } from '../src/realtime/sockets.ts'
import { type HubStore, openHubStore, type SqlDatabase } from '../src/realtime/store.ts'
import { hashTicketSecret, parseTicket } from '../src/realtime/tickets.ts'

/** What the hub needs of the deployment it runs in. */
export interface WorkspaceHubHooks<Env> {
  /** Called when somebody connects, and every four minutes while anybody is connected. */
  onPresent(env: Env, workspaceId: string): Promise<void>
  /** Told of failures that no caller sees. */
  onError(env: Env, error: unknown, context: { workspaceId: string | null; during: string }): void
  limits?: LiveLimits
}

const PRESENCE_INTERVAL_MS = 4 * 60_000
/** Many who connect at once are one presence. */
const PRESENCE_PAUSE_MS = 30_000

/**
 * Makes the class to be exported from the Worker's entry:
 * `export class WorkspaceHub extends createWorkspaceHubClass<Env>({ … }) {}`.
 */
export function createWorkspaceHubClass<Env>(hooks: WorkspaceHubHooks<Env>) {
  return class WorkspaceHubBase extends DurableObject<Env> implements WorkspaceHubRpc {
    #opened: { hub: Hub; store: HubStore } | null = null
    #presentAtMs = Number.NEGATIVE_INFINITY

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env)
      ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    }

    async publish(batches: EventBatch[]): Promise<void> {
      this.#open().hub.publish(batches)
    }

    async announce(events: LiveEvent[]): Promise<void> {
      this.#open().hub.announce(events)
    }

    async issueTicket(ticket: TicketRecord): Promise<void> {
      this.#open().hub.issueTicket(ticket)
    }

    async revoke(userId: string): Promise<number> {
      return this.#open().hub.revoke(userId)
    }

    /**
     * Takes the upgrade. A refusal is a close code too: a browser does not see the status of an upgrade
     * that failed.
     */
    async fetch(request: Request): Promise<Response> {
      if (request.headers.get('Upgrade')?.toLowerCase() !== 'websocket') {
        return new Response('This address takes WebSocket upgrades alone.', {
          status: 426,
          headers: { Upgrade: 'websocket' },
        })
      }
      const { 0: client, 1: server } = new WebSocketPair()
      try {
        await this.#accept(server, new URL(request.url).searchParams)
      } catch (error) {
        this.#report(error, 'upgrade')
        refuse(server, CLOSE_CODES.internal, 'The live connection could not be opened.')
      }
      return new Response(null, { status: 101, webSocket: client })
    }

    async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
      try {
        this.#open().hub.receive(socket, message)
      } catch (error) {
        this.#report(error, 'message')
        socket.close(CLOSE_CODES.internal, 'The message could not be handled.')
      }
    }

    async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
      this.#open().hub.closed(socket, code, reason)
    }

    async webSocketError(socket: WebSocket, error: unknown): Promise<void> {
      this.#report(error, 'socket')
      this.#open().hub.closed(socket, CLOSE_CODES.internal, 'The connection failed.')
    }

    async alarm(): Promise<void> {
      if (!this.#open().hub.hasOpenSockets()) return
      await this.ctx.storage.setAlarm(Date.now() + PRESENCE_INTERVAL_MS)
      await this.#markPresent()
    }

    /**
     * Opens the storage at first use after waking. A failure reaches whoever called, and the next call
     * tries again: thrown in the constructor, it would only say that the object is broken.
     */
    #open(): { hub: Hub; store: HubStore } {
      if (this.#opened !== null) return this.#opened
      const store = openHubStore(sqlDatabase(this.ctx.storage))
      const { name } = this.ctx.id
      // An alarm may wake the object without its name: it is kept from the first contact on.
      if (name !== undefined && store.workspaceId() !== name) store.setWorkspaceId(name)
      const sockets: HubSockets = {
        all: () => this.ctx.getWebSockets(),
        ofUser: (userId) => this.ctx.getWebSockets(userTag(userId)),
      }
      const limits = hooks.limits === undefined ? {} : { limits: hooks.limits }
      this.#opened = { hub: new Hub({ store, sockets, clock: Date, ...limits }), store }
      return this.#opened
    }

    async #accept(server: WebSocket, query: URLSearchParams): Promise<void> {
      const ticket = parseTicket(query.get('ticket'))
      const hash = ticket === null ? null : await hashTicketSecret(ticket.secret)
      const { hub } = this.#open()
      const admission = hub.admit(hash)
      if (!admission.ok) {
        refuse(server, admission.code, admission.reason)
        return
      }
      this.ctx.acceptWebSocket(server, [userTag(admission.userId)])
      hub.connect(server, {
        userId: admission.userId,
        limited: admission.limited,
        since: parseSinceParameter(query.get('since')),
        topics: parseTypesParameter(query.get('types')),
      })
      if ((await this.ctx.storage.getAlarm()) === null) {
        await this.ctx.storage.setAlarm(Date.now() + PRESENCE_INTERVAL_MS)
      }
      if (Date.now() - this.#presentAtMs >= PRESENCE_PAUSE_MS) this.ctx.waitUntil(this.#markPresent())
    }

    async #markPresent(): Promise<void> {
      const workspaceId = this.#open().store.workspaceId()
      if (workspaceId === null) return
      this.#presentAtMs = Date.now()
      try {
        await hooks.onPresent(this.env, workspaceId)
      } catch (error) {
        this.#presentAtMs = Number.NEGATIVE_INFINITY
        this.#report(error, 'presence')
      }
    }

    #report(error: unknown, during: string): void {
      hooks.onError(this.env, error, { workspaceId: this.ctx.id.name ?? null, during })
    }
  }
}

function userTag(userId: string): string {
  return `user:${userId}`
}

/** Closes a connection; one that is not the hub's yet is accepted first, so that the code arrives. */
function refuse(server: WebSocket, code: number, reason: string): void {
  try {
    server.accept()
  } catch {
    // It is the hub's already.
  }
  server.close(code, reason)
}

function sqlDatabase(storage: DurableObjectStorage): SqlDatabase {
  return {
    rows: (query, ...bindings) => storage.sql.exec(query, ...bindings).toArray(),
    transaction: (closure) => storage.transactionSync(closure),
  }
}
