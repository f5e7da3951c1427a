/** What a workspace's hub and its shards offer to the rest of the Worker, and each other, through their bindings. */
import * as z from 'zod'
import { once } from '../lib/once.ts'
import type { LiveEvent, TicketRecord } from '../ports.ts'
import type { ShardCensus } from './placement.ts'
import type { Delivery, HubSnapshot } from './shard.ts'

/** The events of one generation, in order. */
export interface EventBatch {
  generation: number
  events: LiveEvent[]
}

export interface WorkspaceHubRpc {
  /** Sequences, keeps and broadcasts batches of a generation above the last one seen; drops the others. */
  publish(batches: EventBatch[]): Promise<void>
  /** The same for events that belong to no change in the data; they carry the current generation. */
  announce(events: LiveEvent[]): Promise<void>
  /** Keeps a single-use ticket until it is used or expires. */
  issueTicket(ticket: TicketRecord): Promise<void>
  /** Closes a user's sockets with 4403 and forgets their tickets; answers how many sockets were open. */
  revoke(userId: string): Promise<number>
  /** For shards: all that is kept; see `Hub.snapshot`. */
  snapshot(sentSeq: number | null): Promise<HubSnapshot>
  /** For shards: who is connected to them. */
  countShard(slot: number, census: ShardCensus): Promise<void>
}

/** A hub, reached through its binding. `fetch` takes the WebSocket upgrade. */
export interface WorkspaceHubStub extends WorkspaceHubRpc {
  fetch(request: Request): Promise<Response>
}

/** The part of a Durable Object namespace that is needed: one hub for each workspace id. */
export interface WorkspaceHubNamespace {
  getByName(workspaceId: string): WorkspaceHubStub
}

export interface FanoutShardRpc {
  /** Sends events on, and answers who is connected, where that has changed. */
  deliver(delivery: Delivery): Promise<ShardCensus | null>
  census(): Promise<ShardCensus>
  revoke(userId: string): Promise<number>
}

/** A shard. `fetch` takes WebSocket upgrades that the hub has admitted. */
export interface FanoutShardStub extends FanoutShardRpc {
  fetch(request: Request): Promise<Response>
}

export interface FanoutShardNamespace {
  getByName(name: string): FanoutShardStub
}

/** Names a shard. */
export const shardName = (workspaceId: string, slot: number): string => `${workspaceId}/${slot}`

/** The workspace and the slot in a shard's name. @throws Error when it is none */
export function parseShardName(name: string): { workspaceId: string; slot: number } {
  const [, workspaceId, slot] = /^(.+)\/(\d+)$/.exec(name) ?? []
  if (workspaceId === undefined) throw new Error('This is no name of a shard.')
  return { workspaceId, slot: Number(slot) }
}

/** In an answer of a hub: the upgrade goes to a shard, and this says what the hub has found out. */
export const GRANT_HEADER = 'x-tidemark-grant'

/** What a hub tells a shard of a connection that it has admitted. */
export const grant = once(() =>
  z.object({
    slot: z.int().min(1),
    /** Names the connection between the two. */
    connection: z.string().min(1),
    userId: z.string().min(1),
    limited: z.boolean(),
    /** Where the hub stood. */
    seq: z.int().min(0),
  }),
)
export type Grant = z.infer<ReturnType<typeof grant>>
