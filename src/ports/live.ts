export interface LiveEvent {
  type: string
  data: unknown
}

export interface HubPublisher {
  /**
   * Hands events to the workspace's hub in order of generation. The hub drops what it has already
   * seen (same or lower generation), so repeating a call is harmless.
   */
  publish(workspaceId: string, batches: { generation: number; events: LiveEvent[] }[]): Promise<void>
  /** Events that tell of no change in the data (progress of a job): not replayed by the outbox. */
  announce(workspaceId: string, events: LiveEvent[]): Promise<void>
  /** Stores a single-use ticket in the hub; see `services/tickets`. */
  issueTicket(workspaceId: string, ticket: TicketRecord): Promise<void>
  /** Closes the live connections of `user:<id>` or `key:<id>` to a workspace; answers how many there were. */
  revoke(workspaceId: string, userId: string): Promise<number>
}

export interface TicketRecord {
  /** SHA-256 of the secret part, hex. */
  hash: string
  userId: string
  /** Whether its bearer is told what changed, or only that something did: a member limited to brands. */
  limited: boolean
  /** Milliseconds since 1970. */
  expiresAtMs: number
}

/** Workspaces that somebody reads or listens to: their newest posts are refreshed at every plan. */
export interface WatchList {
  mark(workspaceId: string): Promise<void>
  list(): Promise<string[]>
}
