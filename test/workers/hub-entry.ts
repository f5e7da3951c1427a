/** A Worker that has nothing but hubs: its address names the workspace, and upgrades go to its hub. */

import { createHubAdapter } from '../../src/adapters/hub.ts'
import { LIVE_LIMITS } from '../../src/realtime/protocol.ts'
import type { FanoutShardNamespace, WorkspaceHubNamespace } from '../../src/realtime/rpc.ts'
import { parseTicket } from '../../src/realtime/tickets.ts'
import { createFanoutShardClass } from '../../workers/fanout-shard.ts'
import { createWorkspaceHubClass } from '../../workers/workspace-hub.ts'

interface Env {
  WORKSPACE_HUB: WorkspaceHubNamespace
  FANOUT_SHARD: FanoutShardNamespace
}

/** Whom the hubs of this isolate reported present, and what failed: tests read it. */
export const reports: { present: string[]; errors: string[] } = { present: [], errors: [] }

// Small enough to be reached in a test.
const limits = {
  ...LIVE_LIMITS,
  socketsPerUser: 3,
  socketsPerWorkspace: 8,
  socketsPerObject: 3,
  badMessages: 3,
  metricsPauseMs: 300,
}

export class WorkspaceHub extends createWorkspaceHubClass<Env>({
  shards: (env) => env.FANOUT_SHARD,
  async onPresent(_env, workspaceId) {
    reports.present.push(workspaceId)
  },
  onError(_env, error, { during }) {
    reports.errors.push(`${during}: ${String(error)}`)
  },
  limits,
}) {}

export class FanoutShard extends createFanoutShardClass<Env>({
  hubs: (env) => env.WORKSPACE_HUB,
  onError(_env, error, { during }) {
    reports.errors.push(`shard ${during}: ${String(error)}`)
  },
  limits,
}) {}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const ticket = parseTicket(new URL(request.url).searchParams.get('ticket'))
    const hub = createHubAdapter(env.WORKSPACE_HUB, env.FANOUT_SHARD)
    return await hub.connect(ticket?.workspaceId ?? 'nobody', request)
  },
}
