import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import type { AccountSpec } from '../../scripts/local/platforms/types.ts'
import { createCallGate } from '../../src/adapters/call-gate.ts'
import { createCredentialVault } from '../../src/adapters/credential-vault.ts'
import { createGateOperations } from '../../src/adapters/gate-operations.ts'
import { createGuardedFetch } from '../../src/adapters/guarded-fetch.ts'
import { createConnectors } from '../../src/adapters/platforms/index.ts'
import type { LimitOverrides } from '../../src/adapters/platforms/limits.ts'
import { createRedis } from '../../src/adapters/redis.ts'
import { createWatchList } from '../../src/adapters/watch-list.ts'
import type { Platform } from '../../src/domain/platforms.ts'
import type { ServiceContext, ServiceDeps } from '../../src/services/context.ts'
import { member, NOWHERE } from '../harness/actors.ts'
import { quietDeps } from '../harness/deps.ts'
import { APPS, addresses, type PlatformLimits } from './networks.ts'

/** What the engine runs in: real stores and connectors, and doubles of what the test decides about. */

export interface EngineOptions {
  timezone?: string
  accounts?: readonly AccountSpec[]
  historyDays?: number
  /** What the platforms allow in place of the usual. */
  limits?: PlatformLimits
  /** What we take them to allow. */
  ourLimits?: LimitOverrides
  /** Millionths of a dollar in a UTC day. */
  dailyBudgets?: ServiceDeps['dailyBudgets']
  syncIntervalSeconds?: number
}

/** What a test puts in the place of the real thing. */
interface Doubles extends Pick<ServiceDeps, 'db' | 'queue' | 'clock' | 'waitUntil'> {
  hub: Pick<ServiceDeps['hub'], 'announce' | 'publish'>
  fetch: (platform: Platform, url: string, init?: RequestInit) => Promise<Response>
}

/** A context of a member of the workspace, with a gate of its own. */
export function createContext(
  workspaceId: string,
  options: EngineOptions,
  { fetch, hub, ...doubles }: Doubles,
): ServiceContext {
  const { clock, waitUntil } = doubles
  /** Of its keys in Redis. */
  const prefix = `tm:test:${randomUUID()}`
  const redis = createRedis({ url: inject('redisUrl'), token: inject('redisToken'), timeoutMs: 5_000 })
  const quiet = quietDeps(doubles.db)
  const connectors = createConnectors({
    allowPrivateHosts: true,
    apps: APPS,
    urls: addresses(),
    limits: options.ourLimits,
  })
  return {
    ...quiet,
    ...doubles,
    hub: { ...quiet.hub, ...hub },
    objects: { put: unused, getRange: unused, delete: unused },
    connectors: async () => connectors,
    fetchFor: (platform) =>
      createGuardedFetch({ allowPrivateHosts: true, fetch: (url, init) => fetch(platform, url, init) }),
    gate: createCallGate({ redis, clock, waitUntil, prefix }),
    gateOperations: createGateOperations(redis, clock, prefix),
    dailyBudgets: options.dailyBudgets ?? {},
    watchList: createWatchList(redis, clock, `tm:watched:${workspaceId}`),
    vault: createCredentialVault([btoa('k'.repeat(32))]),
    mailer: null,
    publicUrl: 'https://tidemark.example',
    syncIntervalSeconds: options.syncIntervalSeconds ?? 60,
    workspace: { id: workspaceId, timezone: options.timezone ?? 'UTC' },
    actor: member('analyst', { userId: 'somebody' }),
    origin: NOWHERE,
    requestId: 'test',
  }
}

/** The same context while Redis does not answer. */
export function whileRedisIsGone(ctx: ServiceContext): ServiceContext {
  const redis = createRedis({ url: 'http://127.0.0.1:1', token: 'none', timeoutMs: 500 })
  const { clock, waitUntil } = ctx
  return {
    ...ctx,
    gate: createCallGate({ redis, clock, waitUntil }),
    gateOperations: createGateOperations(redis, clock),
    watchList: createWatchList(redis, clock),
  }
}

async function unused(): Promise<never> {
  throw new Error('The sync engine stores no objects')
}
