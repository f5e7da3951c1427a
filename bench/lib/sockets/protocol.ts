import { z } from 'zod'

/** What the processes that hold the sockets are told. Groups are told apart by their name. */
export const SocketsRequest = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('open'),
    group: z.string(),
    urls: z.array(z.string()),
    /** Handshakes under way at once. */
    parallel: z.int().min(1),
  }),
  /** Begins to note what arrives on the sockets of a group. */
  z.object({
    type: z.literal('arm'),
    group: z.string(),
    /** Whether the moment is noted at which each socket has each event. */
    timed: z.boolean(),
  }),
  /** Answers when all sockets of the group have had so many events, or time is up. */
  z.object({ type: z.literal('collect'), group: z.string(), events: z.int(), timeoutMs: z.number() }),
  z.object({ type: z.literal('close'), group: z.string() }),
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

/** Each by how late it was: milliseconds from the moment that the event names to the socket. */
const EventReceipts = z.object({
  seq: z.int(),
  /** When the event says it was made; milliseconds since 1970. */
  atMs: z.number(),
  receivedAtMs: z.array(z.number()),
})

export const CollectReply = z.object({
  type: z.literal('collected'),
  sockets: z.int(),
  /** Sockets that are no longer there. */
  lost: z.int(),
  /** Events that sockets lack, of those that were expected. */
  missing: z.int(),
  /** Frames that do not follow the one before them. */
  gaps: z.int(),
  /** When the last frame came; milliseconds since 1970, with fractions. */
  lastAtMs: z.number(),
  /** Nothing where receipts were not timed. */
  events: z.array(EventReceipts),
  frameBytes: z.int(),
})

export const SocketsReply = z.discriminatedUnion('type', [
  OpenReply,
  CollectReply,
  z.object({ type: z.literal('done') }),
  z.object({ type: z.literal('failed'), message: z.string() }),
])
export type SocketsReply = z.infer<typeof SocketsReply>
