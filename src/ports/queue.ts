export interface QueueMessage {
  /** The callback's path below `/callbacks/`, e.g. `sync/batch`. */
  topic: string
  body: unknown
  delaySeconds?: number
  /** Messages with the same id within the queue's window (10 minutes) are delivered once. */
  deduplicationId?: string
  /** Bounds how many messages of a kind are under way at once. */
  flow?: { key: string; parallelism: number }
  retries?: number
}

export interface Queue {
  publish(messages: QueueMessage[]): Promise<void>
}

/** A message that failed more often than it may, or in a way that no further attempt mends. */
export interface DeadLetter {
  id: string
  /** Where it was to go. */
  url: string
  /** When it was first published, RFC 3339. */
  createdAt: string
  /** `null` where the last one said that there is to be no other, whichever it was. */
  attempts: number | null
  /** What the last attempt was answered with; `null` where there was no answer. */
  status: number | null
  /** What the last attempt was told, without its secrets, at most 500 characters. */
  cause: string | null
  /** The workspace it worked for, where it was for one alone. */
  workspaceId: string | null
  /** The schedule that made it. */
  scheduleId: string | null
}

/** Every method rejects with `unavailable` when the queue does not answer. */
export interface DeadLetters {
  /** Newest first. `nextCursor` is `null` at the end. */
  list(page: { cursor: string | null; limit: number }): Promise<{
    items: DeadLetter[]
    nextCursor: string | null
  }>
  /** Publishes it anew, and takes it off the list; `false` where there is no such letter. */
  retry(id: string): Promise<boolean>
  /** Forgets it; `false` where there is no such letter. */
  remove(id: string): Promise<boolean>
}

/** A schedule as the queue has it. */
export interface RegisteredSchedule {
  scheduleId: string
  /** Five fields, in UTC. */
  cron: string
  destination: string
  /** A server may leave out what has its usual value. */
  method?: string
  retries?: number
  isPaused: boolean
}

export interface Schedules {
  /** Rejects with `unavailable` when the queue does not answer. */
  list(): Promise<RegisteredSchedule[]>
}
