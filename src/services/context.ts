import type { Db } from '../db/client.ts'
import type { Platform } from '../domain/platforms.ts'
import type {
  CallGate,
  Clock,
  ConnectorContext,
  CredentialVault,
  GateOperations,
  Generations,
  HubPublisher,
  Logger,
  Mailer,
  ObjectStore,
  PlatformConnector,
  Queue,
  WatchList,
} from '../ports.ts'

/** What services work with, whoever asked. Made in `deps.ts`; nothing else constructs clients. */
export interface ServiceDeps {
  db: Db
  generations: Generations
  queue: Queue
  hub: HubPublisher
  objects: ObjectStore
  /** Of the platforms that can be read here; loaded at first use. */
  connectors(): Promise<Partial<Record<Platform, PlatformConnector>>>
  /** The guarded fetch for a platform's calls. */
  fetchFor(platform: Platform): ConnectorContext['fetch']
  /** Stands before every call to a platform. */
  gate: CallGate
  /** The switch that operators stop calls with, and what they see. */
  gateOperations: GateOperations
  /** Where reads are paid for: what a workspace may spend in a UTC day, in millionths of a dollar. */
  dailyBudgets: Partial<Record<Platform, number>>
  /** `null`: this deployment has no key, and can store no credentials. */
  vault: CredentialVault | null
  watchList: WatchList
  clock: Clock
  log: Logger
  /** Lets work go on after the answer. */
  waitUntil(work: Promise<unknown>): void
  /** `null`: this deployment cannot send mail. */
  mailer: Mailer | null
  /** Where people find the deployment, without a slash at the end. */
  publicUrl: string
  /** How often plan runs. */
  syncIntervalSeconds: number
}

export type Scope = 'read' | 'write' | 'admin' | 'operator'
export type Role = 'owner' | 'admin' | 'analyst' | 'viewer'

/** Who asked. */
export type Actor =
  | {
      kind: 'user'
      userId: string
      email: string
      role: Role
      /** Brands whose accounts alone they see; `null`: all. */
      brands: readonly string[] | null
      /** Whether they run the deployment. */
      operator: boolean
    }
  | { kind: 'apiKey'; keyId: string; name: string; scopes: readonly Scope[] }
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
  /** Where the request came from, as the audit log keeps it. */
  origin: { ip: string | null; userAgent: string | null }
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
