/** The Durable Object around `src/realtime/shard.ts`: sockets of one workspace beyond those that its hub holds. */

import { DurableObject } from 'cloudflare:workers'
import type { DurableObjectState, WebSocket } from '@cloudflare/workers-types'
import { sleep } from '../src/lib/sleep.ts'
import type { ShardCensus } from '../src/realtime/placement.ts'
import {
  CLOSE_CODES,
  LIVE_LIMITS,
  type LiveLimits,
  PING,
  PONG,
  parseSinceParameter,
  parseTypesParameter,
} from '../src/realtime/protocol.ts'
import {
  type FanoutShardRpc,
  GRANT_HEADER,
  type Grant,
  grant as grantSchema,
  parseShardName,
  type WorkspaceHubNamespace,
} from '../src/realtime/rpc.ts'
import { type Delivery, Shard } from '../src/realtime/shard.ts'
import { acceptFor, answerUpgrade, refuse, socketsOf } from './live-sockets.ts'

/** What a shard needs of the deployment it runs in. */
export interface FanoutShardHooks<Env> {
  hubs(env: Env): WorkspaceHubNamespace
  /** Told of failures that no caller sees. */
  onError(env: Env, error: unknown, context: { workspaceId: string | null; during: string }): void
  limits?: LiveLimits
}

const SENT_SEQ = 'sent-seq'
const NAME = 'name'
/** How long what was sent may be unknown to the storage: a write takes as long as hundreds of sockets. */
const NOTE_MS = 2_000
/**
 * Those who come and go within the first are told of at once. A hub that was not reached is told again: one that does
 * not know of a shard's sockets tells it nothing.
 */
const CENSUS_PAUSES_MS = [250, 1_000, 5_000, 20_000]
/** Deliveries may come while a snapshot is on its way, and make it old. */
const SNAPSHOT_ATTEMPTS = 5

/** Makes the class to be exported from the Worker's entry. */
export function createFanoutShardClass<Env>(hooks: FanoutShardHooks<Env>) {
  return class FanoutShardBase extends DurableObject<Env> implements FanoutShardRpc {
    #opened: { shard: Shard; name: string } | null = null
    #isCensusPlanned = false
    #isNoted = false
    #isNotePlanned = false

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env)
      ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    }

    async deliver(delivery: Delivery): Promise<ShardCensus | null> {
      const { shard } = await this.#open()
      if (!shard.take(delivery)) await this.#catchUp()
      return shard.news()
    }

    async census(): Promise<ShardCensus> {
      return (await this.#open()).shard.census()
    }

    async revoke(userId: string): Promise<number> {
      return (await this.#open()).shard.revoke(userId)
    }

    /** Takes an upgrade that the hub has admitted. */
    async fetch(request: Request): Promise<Response> {
      return answerUpgrade(
        request,
        async (server) => {
          const granted = grantSchema().parse(JSON.parse(request.headers.get(GRANT_HEADER) ?? 'null'))
          await this.#accept(server, granted, new URL(request.url).searchParams)
          return null
        },
        (error) => this.#report(error, 'upgrade'),
      )
    }

    async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
      try {
        const { shard } = await this.#open()
        if (!shard.isAwake) await this.#catchUp()
        shard.receive(socket, message)
      } catch (error) {
        this.#report(error, 'message')
        socket.close(CLOSE_CODES.internal, 'The message could not be handled.')
      }
    }

    async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
      const { shard } = await this.#open()
      shard.closed(socket, code, reason)
      this.#planCensus()
    }

    async webSocketError(socket: WebSocket, error: unknown): Promise<void> {
      this.#report(error, 'socket')
      await this.webSocketClose(socket, CLOSE_CODES.internal, 'The connection failed.')
    }

    async #open(): Promise<{ shard: Shard; name: string }> {
      if (this.#opened !== null) return this.#opened
      const { storage, id } = this.ctx
      const [sentSeq, kept] = await Promise.all([storage.get<number>(SENT_SEQ), storage.get<string>(NAME)])
      const name = id.name ?? kept
      if (name === undefined) throw new Error('Nobody has said whose shard this is.')
      if (kept === undefined) await storage.put(NAME, name)
      // Another call may have been faster.
      this.#isNoted ||= sentSeq !== undefined
      this.#opened ??= {
        name,
        shard: new Shard({
          sockets: socketsOf(this.ctx),
          clock: Date,
          limits: hooks.limits ?? LIVE_LIMITS,
          sentSeq: sentSeq ?? null,
          onSent: (seq) => this.#noteSent(seq),
        }),
      }
      return this.#opened
    }

    /** Nothing waits for it: what is sent again after a crash is known to clients by its number. */
    #noteSent(seq: number): void {
      if (!this.#isNoted) {
        this.#isNoted = true
        void this.ctx.storage.put(SENT_SEQ, seq, { allowUnconfirmed: true })
      } else if (!this.#isNotePlanned) {
        this.#isNotePlanned = true
        this.ctx.waitUntil(this.#noteLater())
      }
    }

    async #noteLater(): Promise<void> {
      await sleep(NOTE_MS)
      this.#isNotePlanned = false
      const { shard } = await this.#open()
      if (shard.sentSeq !== null)
        void this.ctx.storage.put(SENT_SEQ, shard.sentSeq, { allowUnconfirmed: true })
    }

    async #accept(server: WebSocket, grant: Grant, query: URLSearchParams): Promise<void> {
      const { shard } = await this.#open()
      for (let attempt = 0; !shard.isReadyFor(grant.seq) && attempt < SNAPSHOT_ATTEMPTS; attempt += 1)
        await this.#catchUp()
      const { userId, limited, connection } = grant
      if (shard.isShutOut(userId)) {
        refuse(server, CLOSE_CODES.noAccess, 'Access to this workspace was taken away.')
        return
      }
      acceptFor(this.ctx, server, userId)
      shard.connect(server, connection, {
        userId,
        limited,
        since: parseSinceParameter(query.get('since')),
        topics: parseTypesParameter(query.get('types')),
      })
      this.#planCensus()
    }

    /** Asks the hub for what this has missed. */
    async #catchUp(): Promise<void> {
      const { shard, name } = await this.#open()
      const { workspaceId } = parseShardName(name)
      shard.adopt(await hooks.hubs(this.env).getByName(workspaceId).snapshot(shard.sentSeq))
    }

    #planCensus(): void {
      if (this.#isCensusPlanned) return
      this.#isCensusPlanned = true
      this.ctx.waitUntil(this.#tellCensus())
    }

    async #tellCensus(): Promise<void> {
      for (const pauseMs of CENSUS_PAUSES_MS) {
        await sleep(pauseMs)
        // Whoever comes from here on is told of by the next one.
        this.#isCensusPlanned = false
        try {
          const { shard, name } = await this.#open()
          const { workspaceId, slot } = parseShardName(name)
          await hooks.hubs(this.env).getByName(workspaceId).countShard(slot, shard.census())
          return
        } catch (error) {
          this.#report(error, 'census')
        }
      }
    }

    #report(error: unknown, during: string): void {
      hooks.onError(this.env, error, { workspaceId: this.#opened?.name ?? null, during })
    }
  }
}
