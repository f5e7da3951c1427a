/** What a workspace's hub offers to the rest of the Worker, as seen through its binding. */
import type { LiveEvent, TicketRecord } from '../ports.ts'

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
}

/** A hub, reached through its binding. `fetch` takes the WebSocket upgrade. */
export interface WorkspaceHubStub extends WorkspaceHubRpc {
  fetch(request: Request): Promise<Response>
}

/** The part of a Durable Object namespace that is needed: one hub for each workspace id. */
export interface WorkspaceHubNamespace {
  getByName(workspaceId: string): WorkspaceHubStub
}
