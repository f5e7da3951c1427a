/** A Worker that has nothing but hubs: its address names the workspace, and upgrades go to its hub. */
import { LIVE_LIMITS } from '../../src/realtime/protocol.ts'
import type { WorkspaceHubNamespace } from '../../src/realtime/rpc.ts'
import { parseTicket } from '../../src/realtime/tickets.ts'
import { createWorkspaceHubClass } from '../../workers/workspace-hub.ts'

interface Env {
  WORKSPACE_HUB: WorkspaceHubNamespace
}

/** Whom the hubs of this isolate reported present, and what failed: tests read it. */
export const reports: { present: string[]; errors: string[] } = { present: [], errors: [] }

export class WorkspaceHub extends createWorkspaceHubClass<Env>({
  async onPresent(_env, workspaceId) {
    reports.present.push(workspaceId)
  },
  onError(_env, error, { during }) {
    reports.errors.push(`${during}: ${String(error)}`)
  },
  // Small enough to be reached in a test.
  limits: { ...LIVE_LIMITS, socketsPerUser: 3, socketsPerWorkspace: 5, badMessages: 3 },
}) {}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const ticket = parseTicket(new URL(request.url).searchParams.get('ticket'))
    return await env.WORKSPACE_HUB.getByName(ticket?.workspaceId ?? 'nobody').fetch(request)
  },
}
