import { z } from 'zod'

const SharedObjects = z.object({ port: z.int(), token: z.string() })

/** What the process around Miniflare needs to know. */
export const WorkerSettings = z.object({
  /** See `Build` in scripts/build.ts. */
  workerDir: z.string(),
  webDir: z.string(),
  port: z.int(),
  bindings: z.record(z.string(), z.string()),
  /** Durable Objects, R2, the data centre's cache; and a note of the running workerd. */
  stateDir: z.string(),
  logFile: z.string(),
  /** Where its Durable Objects and buckets are: its own, handed on to other Workers, or another Worker's. */
  objects: z.object({ owned: SharedObjects, elsewhere: SharedObjects }).partial().optional(),
})
export type WorkerSettings = z.infer<typeof WorkerSettings>

export const ToHost = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), settings: WorkerSettings }),
  z.object({ type: z.literal('restart') }),
  z.object({ type: z.literal('stop') }),
])
export type ToHost = z.infer<typeof ToHost>

export const FromHost = z.discriminatedUnion('type', [
  /** Serving, for the first time or again. */
  z.object({ type: z.literal('ready'), workerdPid: z.int() }),
  /** workerd ended by itself and is about to be started again. */
  z.object({ type: z.literal('died') }),
  z.object({ type: z.literal('failed'), message: z.string(), isPortTaken: z.boolean() }),
  /** A line of the Worker's at level warn or error. */
  z.object({ type: z.literal('log'), message: z.string() }),
])
export type FromHost = z.infer<typeof FromHost>
