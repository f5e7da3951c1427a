import { z } from 'zod'

/** What the Worker with nothing but hubs is told. */
export const HubCommand = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('publish'),
    workspaceId: z.string(),
    /** Of the first event; each has one of its own. */
    generation: z.int(),
    events: z.int(),
    data: z.unknown(),
  }),
  z.object({ type: z.literal('tickets'), workspaceId: z.string(), count: z.int(), perUser: z.int() }),
  /** Answered with the milliseconds that upgrades have taken in the workspace's hub. */
  z.object({ type: z.literal('spent'), workspaceId: z.string() }),
])
export type HubCommand = z.infer<typeof HubCommand>
