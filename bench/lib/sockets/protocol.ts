import { z } from 'zod'

/** What the process that holds the sockets is told. Groups are told apart by their name. */
export const SocketsRequest = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('open'),
    group: z.string(),
    urls: z.array(z.string()),
    /** Handshakes under way at once. */
    parallel: z.int().min(1),
  }),
  /** Begins to wait for the next event on every socket of a group. */
  z.object({ type: z.literal('arm'), group: z.string(), eventType: z.string() }),
  /** Answers when all sockets of the group have had it, or time is up. */
  z.object({ type: z.literal('collect'), timeoutMs: z.number() }),
])
export type SocketsRequest = z.infer<typeof SocketsRequest>

export const OpenReply = z.object({
  type: z.literal('opened'),
  opened: z.int(),
  failed: z.int(),
  elapsedMs: z.number(),
  /** Milliseconds from the attempt to the open socket. */
  handshakesMs: z.array(z.number()),
})

export const CollectReply = z.object({
  type: z.literal('collected'),
  /** When the event says it was made; milliseconds since 1970. */
  atMs: z.number(),
  /** When each socket had it; milliseconds since 1970, with fractions. */
  receivedAtMs: z.array(z.number()),
  missing: z.int(),
  frameBytes: z.int(),
})

export const SocketsReply = z.discriminatedUnion('type', [
  OpenReply,
  CollectReply,
  z.object({ type: z.literal('armed') }),
  z.object({ type: z.literal('failed'), message: z.string() }),
])
export type SocketsReply = z.infer<typeof SocketsReply>
