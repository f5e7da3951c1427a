/** The Durable Object around `src/realtime/hub.ts`: one for each workspace, named by the workspace's id. */

import { DurableObject } from 'cloudflare:workers'
import type { DurableObjectState, DurableObjectStorage, WebSocket } from '@cloudflare/workers-types'
import { sleep } from '../src/lib/sleep.ts'
import type { LiveEvent, TicketRecord } from '../src/ports.ts'
import { Hub } from '../src/realtime/hub.ts'
import type { ShardCensus } from '../src/realtime/placement.ts'
import {
  CLOSE_CODES,
  type LiveLimits,
  PING,
  PONG,
  parseSinceParameter,
  parseTypesParameter,
} from '../src/realtime/protocol.ts'
import {
  type EventBatch,
  type FanoutShardNamespace,
  type FanoutShardStub,
  GRANT_HEADER,
  type Grant,
  shardName,
  type WorkspaceHubRpc,
} from '../src/realtime/rpc.ts'
import type { Delivery, HubSnapshot } from '../src/realtime/shard.ts'
import { ShardLink } from '../src/realtime/shard-link.ts'
import { type HubStore, openHubStore, type SqlDatabase } from '../src/realtime/store.ts'
import { hashTicketSecret, parseTicket } from '../src/realtime/tickets.ts'
import { acceptFor, answerUpgrade, refuse, socketsOf } from './live-sockets.ts'

/** What the hub needs of the deployment it runs in. */
export interface WorkspaceHubHooks<Env> {
  /** Where connections go beyond what one object holds. */
  shards(env: Env): FanoutShardNamespace
  /** Called when somebody connects, and every four minutes while anybody is connected. */
  onPresent(env: Env, workspaceId: string): Promise<void>
  /** Told of failures that no caller sees. */
  onError(env: Env, error: unknown, context: { workspaceId: string | null; during: string }): void
  limits?: LiveLimits
}

const PRESENCE_INTERVAL_MS = 4 * 60_000
/** Many who connect at once are one presence. */
const PRESENCE_PAUSE_MS = 30_000
/** A shard that could not be reached is tried again then, and what was pending when the hub ended is sent. */
const MENDING_MS = 10_000

/**
 * Makes the class to be exported from the Worker's entry:
 * `export class WorkspaceHub extends createWorkspaceHubClass<Env>({ … }) {}`.
 */
export function createWorkspaceHubClass<Env>(hooks: WorkspaceHubHooks<Env>) {
  return class WorkspaceHubBase extends DurableObject<Env> implements WorkspaceHubRpc {
    #opened: { hub: Hub; store: HubStore } | null = null
    readonly #links = new Map<number, ShardLink>()
    #isFlushPlanned = false
    #presentAtMs = Number.NEGATIVE_INFINITY

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env)
      ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    }

    async publish(batches: EventBatch[]): Promise<void> {
      const { hub } = this.#open()
      hub.publish(batches)
      if (hub.flushAtMs() !== null && !this.#isFlushPlanned) await this.#planFlush()
    }

    async announce(events: LiveEvent[]): Promise<void> {
      this.#open().hub.announce(events)
    }

    async issueTicket(ticket: TicketRecord): Promise<void> {
      this.#open().hub.issueTicket(ticket)
    }

    async revoke(userId: string): Promise<number> {
      const { hub } = this.#open()
      const closed = hub.revoke(userId)
      const elsewhere = await Promise.all(hub.shards().map((slot) => this.#shard(slot).revoke(userId)))
      return elsewhere.reduce((sum, count) => sum + count, closed)
    }

    async snapshot(sentSeq: number | null): Promise<HubSnapshot> {
      return this.#open().hub.snapshot(sentSeq)
    }

    async countShard(slot: number, census: ShardCensus): Promise<void> {
      this.#open().hub.countShard(slot, census)
    }

    /**
     * Takes the upgrade, or says that a shard is to take it (`GRANT_HEADER`).
     */
    async fetch(request: Request): Promise<Response> {
      return answerUpgrade(
        request,
        async (server) => {
          const granted = await this.#accept(server, new URL(request.url).searchParams)
          if (granted === null) return null
          return new Response(null, { status: 204, headers: { [GRANT_HEADER]: JSON.stringify(granted) } })
        },
        (error) => this.#report(error, 'upgrade'),
      )
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
      const { hub } = this.#open()
      hub.flush()
      await this.#countShards(hub.uncountedShards())
      hub.remind()
      if (!hub.hasOpenSockets()) return
      await this.ctx.storage.setAlarm(Date.now() + PRESENCE_INTERVAL_MS)
      if (Date.now() - this.#presentAtMs >= PRESENCE_PAUSE_MS) await this.#markPresent()
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
      const hub = new Hub({
        store,
        sockets: socketsOf(this.ctx),
        clock: Date,
        deliver: (slots, delivery) => this.#deliver(slots, delivery),
        ...(hooks.limits === undefined ? {} : { limits: hooks.limits }),
      })
      this.#opened = { hub, store }
      return this.#opened
    }

    /** @returns what is told to the shard that is to take the connection; `null`: it was settled here */
    async #accept(server: WebSocket, query: URLSearchParams): Promise<Grant | null> {
      const ticket = parseTicket(query.get('ticket'))
      const hash = ticket === null ? null : await hashTicketSecret(ticket.secret)
      const { hub } = this.#open()
      await this.#countShards(hub.uncountedShards())
      const admission = hub.admit(hash)
      if (!admission.ok) {
        refuse(server, admission.code, admission.reason)
        return null
      }
      const { userId, limited, slot } = admission
      if (slot === null) {
        acceptFor(this.ctx, server, userId)
        hub.connect(server, {
          userId,
          limited,
          since: parseSinceParameter(query.get('since')),
          topics: parseTypesParameter(query.get('types')),
        })
      }
      if ((await this.ctx.storage.getAlarm()) === null) {
        await this.ctx.storage.setAlarm(Date.now() + PRESENCE_INTERVAL_MS)
      }
      if (Date.now() - this.#presentAtMs >= PRESENCE_PAUSE_MS) this.ctx.waitUntil(this.#markPresent())
      return slot === null ? null : { slot, connection: hash ?? '', userId, limited, seq: hub.state.seq }
    }

    #shard(slot: number): FanoutShardStub {
      return hooks.shards(this.env).getByName(shardName(this.#workspaceId(), slot))
    }

    /** After waking. A shard that does not answer counts as one that has nobody, until it says otherwise. */
    async #countShards(slots: readonly number[]): Promise<void> {
      const { hub } = this.#open()
      await Promise.all(
        slots.map(async (slot) => {
          try {
            hub.countShard(slot, await this.#shard(slot).census())
          } catch (error) {
            this.#report(error, 'shard')
          }
        }),
      )
    }

    /** Hands events to shards; what they say of their sockets comes back with it. */
    #deliver(slots: readonly number[], delivery: Delivery): void {
      for (const slot of slots) {
        let link = this.#links.get(slot)
        if (link === undefined) {
          link = new ShardLink({
            send: (next) => this.#shard(slot).deliver(next),
            onCensus: (census) => this.#open().hub.countShard(slot, census),
            onLost: (error) => {
              this.#report(error, 'shard')
              this.ctx.waitUntil(this.ctx.storage.setAlarm(Date.now() + MENDING_MS))
            },
            sleep,
          })
          this.#links.set(slot, link)
        }
        this.ctx.waitUntil(link.push(delivery))
      }
    }

    /** Sends what is pending when its time has come; the alarm does it where the object ends before that. */
    async #planFlush(): Promise<void> {
      this.#isFlushPlanned = true
      this.ctx.waitUntil(this.#flushInTime())
      const alarmAtMs = await this.ctx.storage.getAlarm()
      if (alarmAtMs === null || alarmAtMs > Date.now() + MENDING_MS)
        await this.ctx.storage.setAlarm(Date.now() + MENDING_MS)
    }

    async #flushInTime(): Promise<void> {
      try {
        const { hub } = this.#open()
        // More may be pending by then, for a later time.
        for (let atMs = hub.flushAtMs(); atMs !== null; atMs = hub.flushAtMs()) {
          await sleep(Math.max(1, atMs - Date.now()))
          hub.flush()
        }
      } catch (error) {
        this.#report(error, 'flush')
      } finally {
        this.#isFlushPlanned = false
      }
    }

    #workspaceId(): string {
      const id = this.ctx.id.name ?? this.#open().store.workspaceId()
      if (id === null) throw new Error('Nobody has said whose hub this is.')
      return id
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

function sqlDatabase(storage: DurableObjectStorage): SqlDatabase {
  return {
    rows: (query, ...bindings) => storage.sql.exec(query, ...bindings).toArray(),
    transaction: (closure) => storage.transactionSync(closure),
  }
}
