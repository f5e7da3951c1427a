import type { Db } from '../db/client.ts'
import type { Platform } from '../domain/platforms.ts'
import type {
  Clock,
  ConnectorContext,
  Generations,
  HubPublisher,
  Logger,
  ObjectStore,
  PlatformConnector,
  Queue,
  RateBudget,
  WatchList,
} from '../ports.ts'

/** What services work with, whoever asked. Made in `deps.ts`; nothing else constructs clients. */
export interface ServiceDeps {
  db: Db
  generations: Generations
  queue: Queue
  hub: HubPublisher
  objects: ObjectStore
  connectors: Partial<Record<Platform, PlatformConnector>>
  /** The guarded fetch for a platform's calls. */
  fetchFor(platform: Platform): ConnectorContext['fetch']
  budget: RateBudget
  watchList: WatchList
  clock: Clock
  log: Logger
  /** Lets work go on after the answer. */
  waitUntil(work: Promise<unknown>): void
  /** How often plan runs. */
  syncIntervalSeconds: number
}

export type Scope = 'read' | 'write' | 'admin' | 'operator'
export type Role = 'owner' | 'admin' | 'analyst' | 'viewer'

/** Who asked. */
export type Actor =
  | { kind: 'user'; userId: string; role: Role }
  | { kind: 'apiKey'; keyId: string; scopes: readonly Scope[] }
  | { kind: 'system' }

export interface Workspace {
  id: string
  timezone: string
}

/** A service call on behalf of somebody, inside one workspace. */
export interface ServiceContext extends ServiceDeps {
  workspace: Workspace
  actor: Actor
  requestId: string
}

/** `user:<id>` or `key:<id>`: how an actor is written down. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
      return `user:${actor.userId}`
    case 'apiKey':
      return `key:${actor.keyId}`
    case 'system':
      return 'system'
  }
}
