import { z } from 'zod'

/** What the generator is to do: GET paths in turn, over connections that are kept. */
export const LoadRequest = z.object({
  /** Scheme, host and port. */
  origin: z.string(),
  headers: z.record(z.string(), z.string()),
  paths: z.array(z.string()).min(1),
  connections: z.int().min(1),
  /** Ends after this long, or … */
  durationMs: z.number(),
  /** … after each path was asked for once. */
  once: z.boolean().default(false),
  /** Requests a second whatever the answers take; as many as the connections carry where it is missing. */
  ratePerSecond: z.number().optional(),
})
export type LoadRequest = z.input<typeof LoadRequest>

const LatencySummary = z.object({
  count: z.number(),
  mean: z.number(),
  p50: z.number(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  max: z.number(),
})

export const LoadResult = z.object({
  /** Answered as they should be. */
  requests: z.int(),
  /** Answered with an error, and left out of everything else. */
  failed: z.int(),
  elapsedMs: z.number(),
  /** Milliseconds from when a request was due until its answer was complete; `null` without requests. */
  latencyMs: LatencySummary.nullable(),
  /** How many answers had which status. */
  statuses: z.record(z.string(), z.int()),
  /** At a fixed rate: what was due and could not be sent, as the answers before it took too long. */
  unsent: z.int(),
  /** How many answers came from which cache tier, as their `Cache-Status` says. */
  tiers: z.record(z.string(), z.int()),
  /** The same as `latencyMs`, tier by tier. */
  latencyByTier: z.record(z.string(), LatencySummary),
  bodyBytes: z.number(),
  /** The generator's own share of one processor: near 1, it measured itself. */
  generatorCpu: z.number(),
})
export type LoadResult = z.infer<typeof LoadResult>

export const LoadReply = z.discriminatedUnion('type', [
  z.object({ type: z.literal('result'), result: LoadResult }),
  z.object({ type: z.literal('failed'), message: z.string() }),
])
export type LoadReply = z.infer<typeof LoadReply>
