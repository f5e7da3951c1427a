import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '../../../scripts/local/redis.ts'
import { startUpstashRest } from '../../../scripts/local/upstash-rest/index.ts'
import { createCallGate } from '../../../src/adapters/call-gate.ts'
import { createGateOperations } from '../../../src/adapters/gate-operations.ts'
import { createRedis } from '../../../src/adapters/redis.ts'
import type { CallGate, Clock, GateOperations } from '../../../src/ports.ts'

/** All isolates are one process here, which is busy being the platforms as well. */
const REDIS_TIMEOUT_MS = 30_000

export interface Gate {
  gate: CallGate
  gateOperations: GateOperations
}

/** The gate that stands before every call, in a Redis of its own. */
export async function startGate(
  resources: AsyncDisposableStack,
  options: { clock: Clock; waitUntil: (work: Promise<unknown>) => void },
): Promise<Gate> {
  const { clock, waitUntil } = options
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-redis-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const server = await startRedis({ dataDir: directory })
  resources.defer(() => server.stop())
  const token = 'bench-token'
  const rest = await startUpstashRest({ token, redis: server })
  resources.defer(() => rest.stop())
  const redis = createRedis({ url: rest.url, token, timeoutMs: REDIS_TIMEOUT_MS })
  return {
    gate: createCallGate({ redis, clock, waitUntil }),
    gateOperations: createGateOperations(redis, clock),
  }
}
