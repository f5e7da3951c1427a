/** The product's own hubs and shards behind nothing but what it takes to measure them alone. */
import { env as bindings } from 'cloudflare:workers'
import { createHubAdapter } from '../../../src/adapters/hub.ts'
import { LIVE_LIMITS, type LiveLimits } from '../../../src/realtime/protocol.ts'
import type { FanoutShardNamespace, WorkspaceHubStub } from '../../../src/realtime/rpc.ts'
import { createTicket, parseTicket } from '../../../src/realtime/tickets.ts'
import { createFanoutShardClass } from '../../../workers/fanout-shard.ts'
import { createWorkspaceHubClass } from '../../../workers/workspace-hub.ts'
import { HubCommand } from './protocol.ts'

interface Env {
  WORKSPACE_HUB: { getByName(workspaceId: string): WorkspaceHubStub & { spentMs(): Promise<number> } }
  FANOUT_SHARD: FanoutShardNamespace
}

const limits: LiveLimits = { ...LIVE_LIMITS, ...JSON.parse(String(bindings.LIMITS ?? '{}')) }

function onError(_env: Env, error: unknown): void {
  console.error(String(error))
}

export class WorkspaceHub extends createWorkspaceHubClass<Env>({
  shards: (env) => env.FANOUT_SHARD,
  onPresent: async () => {},
  onError,
  limits,
}) {
  #spentMs = 0

  override async fetch(request: Request): Promise<Response> {
    const startedMs = Date.now()
    try {
      return await super.fetch(request)
    } finally {
      this.#spentMs += Date.now() - startedMs
    }
  }

  /** How long upgrades have taken so far, from when they arrive until they are answered. */
  async spentMs(): Promise<number> {
    return this.#spentMs
  }
}

export class FanoutShard extends createFanoutShardClass<Env>({
  hubs: (env) => env.WORKSPACE_HUB,
  onError,
  limits,
}) {}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const hubs = createHubAdapter(env.WORKSPACE_HUB, env.FANOUT_SHARD)
    const ticket = parseTicket(new URL(request.url).searchParams.get('ticket'))
    if (ticket !== null) return hubs.connect(ticket.workspaceId, request)
    const command = HubCommand.parse(await request.json())
    if (command.type === 'publish') {
      const { workspaceId, generation, events, data } = command
      const batches = Array.from({ length: events }, (_, i) => ({
        generation: generation + i,
        events: [{ type: 'trending.updated', data }],
      }))
      await hubs.publish(workspaceId, batches)
      return new Response(null, { status: 204 })
    }
    if (command.type === 'spent')
      return Response.json(await env.WORKSPACE_HUB.getByName(command.workspaceId).spentMs())
    const { workspaceId, count, perUser } = command
    const tickets = await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const { ticket: text, hash, expiresAtMs } = await createTicket(workspaceId, Date.now())
        const userId = `user-${crypto.randomUUID().slice(0, 8)}-${Math.floor(i / perUser)}`
        await hubs.issueTicket(workspaceId, { hash, userId, limited: false, expiresAtMs })
        return text
      }),
    )
    return Response.json(tickets)
  },
}
