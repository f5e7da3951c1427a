import { z } from 'zod'
import type { LiveLimits } from '../../../src/realtime/protocol.ts'
import { assertMeasured } from '../benchmark.ts'
import { startBaselineWorker } from '../workerd.ts'
import type { HubCommand } from './protocol.ts'

/** A workerd with the product's own hubs, which are reached without the rest of the product. */
export interface Hubs {
  /** Of workerd. */
  pid: number
  /** Addresses of sockets to come, for half a minute. */
  addresses(workspaceId: string, count: number, since?: number): Promise<string[]>
  /** Publishes events, each under a generation of its own. */
  publish(workspaceId: string, events: number): Promise<void>
  /** Milliseconds that upgrades have taken in the hub of a workspace, all together, from arrival to answer. */
  spentMs(workspaceId: string): Promise<number>
}

const DATA = { scope: 'workspace', windows: ['24h'] }
const SOCKETS_PER_USER = 40
const Tickets = z.array(z.string())

export async function startHubs(
  resources: AsyncDisposableStack,
  limits: Partial<LiveLimits> = {},
): Promise<Hubs> {
  const { url, pid } = await startBaselineWorker(resources, {
    entry: new URL('./hubs-worker.ts', import.meta.url),
    bindings: { LIMITS: JSON.stringify(limits) },
    durableObjects: { WORKSPACE_HUB: 'WorkspaceHub', FANOUT_SHARD: 'FanoutShard' },
  })
  const generations = new Map<string, number>()
  const tell = async (command: HubCommand) => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(command) })
    assertMeasured(response.ok, `the hubs answer ${response.status}: ${await response.clone().text()}`)
    return response
  }
  return {
    pid,
    async addresses(workspaceId, count, since) {
      const made = await tell({ type: 'tickets', workspaceId, count, perUser: SOCKETS_PER_USER })
      const end = since === undefined ? '' : `&since=${since}`
      return Tickets.parse(await made.json()).map(
        (ticket) => `${url.replace(/^http/, 'ws')}/?ticket=${ticket}${end}`,
      )
    },
    async publish(workspaceId, events) {
      const generation = (generations.get(workspaceId) ?? 0) + 1
      generations.set(workspaceId, generation + events - 1)
      await tell({ type: 'publish', workspaceId, generation, events, data: DATA })
    },
    spentMs: async (workspaceId) =>
      z.number().parse(await (await tell({ type: 'spent', workspaceId })).json()),
  }
}
