/** The language spoken over a live connection: frames to the client, messages from it, close codes. */
import * as z from 'zod'
import { once } from '../lib/once.ts'

/** The part of an event's type before the dot; what a client subscribes to. */
export const LIVE_TOPICS = ['metrics', 'trending', 'job', 'sync', 'alert', 'report'] as const
export type LiveTopic = (typeof LIVE_TOPICS)[number]

/** The topics of a connection; `null` is every event there is, also of topics made later. */
export type Subscription = ReadonlySet<string> | null

/** Why the hub ends a connection. */
export const CLOSE_CODES = {
  /** The ticket is unknown, used or expired. */
  badTicket: 4401,
  /** Access was taken away. */
  noAccess: 4403,
  /** The client does not read (or acknowledge) fast enough. */
  tooSlow: 4408,
  tooManySockets: 4429,
  /** The client keeps sending what nobody understands (RFC 6455: policy violation). */
  policyViolation: 1008,
  internal: 1011,
} as const

export const LIVE_LIMITS = {
  /** Events kept for replay. */
  keptEvents: 1_000,
  /** Characters of their data that an object holds in memory, of which it has little. */
  rememberedLength: 8 * 1024 * 1024,
  /** Of all its objects together. */
  socketsPerWorkspace: 20_000,
  /** Beyond it the hub sends connections to shards, each of which takes as many. */
  socketsPerObject: 1_000,
  socketsPerUser: 50,
  /** Least time between two `metrics.updated`: what changes meanwhile is told at once afterwards. */
  metricsPauseMs: 1_000,
  /** Bytes waiting in a socket's send buffer before its reader counts as too slow. */
  bufferedBytes: 256 * 1024,
  /** Events due to a client that acknowledges, and not acknowledged by it. */
  unacknowledgedEvents: 1_000,
  /** Messages that mean nothing, per connection, before it is closed. */
  badMessages: 20,
  messageLength: 4_096,
  /** Serialised length of one event's data; a larger one is sent as `resync`. */
  eventDataLength: 256 * 1024,
} as const
export type LiveLimits = { readonly [K in keyof typeof LIVE_LIMITS]: number }

export const PING = 'ping'
export const PONG = 'pong'

const PLURALS: ReadonlyMap<string, LiveTopic> = new Map([
  ['jobs', 'job'],
  ['syncs', 'sync'],
  ['alerts', 'alert'],
  ['reports', 'report'],
])

function isLiveTopic(name: string): name is LiveTopic {
  return (LIVE_TOPICS as readonly string[]).includes(name)
}

/** The topic of an event type: `metrics.updated` → `metrics`. */
export function topicOf(type: string): string {
  const dot = type.indexOf('.')
  return dot === -1 ? type : type.slice(0, dot)
}

/**
 * The topics behind what a client wrote: `jobs`, `job` and `job.updated` all mean `job`. Names that mean
 * nothing are left out.
 */
export function parseTopics(names: readonly string[]): ReadonlySet<string> {
  const topics = new Set<string>()
  for (const name of names) {
    const topic = topicOf(name.trim().toLowerCase())
    const singular = PLURALS.get(topic) ?? topic
    if (isLiveTopic(singular)) topics.add(singular)
  }
  return topics
}

/** The `types=` parameter of the upgrade; without one, everything. */
export function parseTypesParameter(value: string | null): Subscription {
  if (value === null || value.trim() === '') return null
  return parseTopics(value.split(','))
}

/** The `since=` parameter: `null` where there is none, `'invalid'` where it is no sequence number. */
export function parseSinceParameter(value: string | null): number | 'invalid' | null {
  if (value === null || value === '') return null
  return /^\d{1,15}$/.test(value) ? Number(value) : 'invalid'
}

const subscribeMessage = once(() => z.object({ subscribe: z.array(z.string().max(64)).max(32) }))
const ackMessage = once(() => z.object({ ack: z.int().min(0) }))

export type ClientMessage =
  | { kind: 'ping' }
  | { kind: 'subscribe'; topics: ReadonlySet<string> }
  | { kind: 'ack'; seq: number }
  | { kind: 'unknown' }

/** Understands one message of a client; whatever it is, this does not throw. */
export function parseClientMessage(message: string | ArrayBuffer, maxLength: number): ClientMessage {
  if (message === PING) return { kind: 'ping' }
  if (typeof message !== 'string' || message.length > maxLength) return { kind: 'unknown' }
  let parsed: unknown
  try {
    parsed = JSON.parse(message)
  } catch {
    return { kind: 'unknown' }
  }
  const subscribe = subscribeMessage().safeParse(parsed)
  if (subscribe.success) return { kind: 'subscribe', topics: parseTopics(subscribe.data.subscribe) }
  const ack = ackMessage().safeParse(parsed)
  if (ack.success) return { kind: 'ack', seq: ack.data.ack }
  return { kind: 'unknown' }
}

/** An event with its place in the workspace's sequence; `data` is JSON text, serialised once. */
export interface SequencedEvent {
  seq: number
  topic: string
  type: string
  /** RFC 3339, UTC. */
  at: string
  generation: number
  data: string
}

/**
 * The text of a frame. Frames of one event differ in `prevSeq` alone: the sequence number before it among
 * the types the reader is subscribed to, by which the reader sees a gap.
 */
export function encodeFrame(event: Omit<SequencedEvent, 'topic'>, prevSeq: number): string {
  return (
    `{"seq":${event.seq},"prevSeq":${prevSeq},"type":${JSON.stringify(event.type)},` +
    `"at":${JSON.stringify(event.at)},"generation":${event.generation},"data":${event.data}}`
  )
}

/** What bearers without a view of the whole workspace may know of an event's data; of others, nothing. */
const DATA_WITHOUT_DETAILS: ReadonlyMap<string, string | null> = new Map([
  ['metrics.updated', JSON.stringify({ accounts: [], posts: [] })],
  // Windows and positions name nobody: these stay as they are.
  ['trending.updated', null],
  ['resync', null],
])

/**
 * An event as members limited to brands get it: that something happened, at which generation, and not to
 * which accounts, posts or jobs.
 */
export function withoutDetails(event: SequencedEvent): SequencedEvent {
  const data = DATA_WITHOUT_DETAILS.get(event.type)
  return data === null ? event : { ...event, data: data ?? '{}' }
}

/** Where the hub stands: carried by `hello` and `resync`, which are no part of the sequence. */
export interface HubPosition {
  seq: number
  generation: number
}

export type ResyncReason = 'too_old' | 'ahead' | 'invalid_since' | 'too_large'

export function encodeHello(position: HubPosition, at: string): string {
  const data = JSON.stringify({ seq: position.seq, generation: position.generation })
  return encodeFrame({ ...position, type: 'hello', at, data }, position.seq)
}

/** Tells the reader that events are missing and cannot be replayed: what it shows must be fetched anew. */
export function encodeResync(position: HubPosition, at: string, reason: ResyncReason): string {
  const data = JSON.stringify({ seq: position.seq, generation: position.generation, reason })
  return encodeFrame({ ...position, type: 'resync', at, data }, position.seq)
}

/** A user's id goes into the attachment and, prefixed, into a socket tag of at most 256 characters. */
const userId = once(() => z.string().min(1).max(200))

/** Who does not say (an older version of the Worker) is told the least. */
const limited = once(() => z.boolean().default(true))

export const storedTicket = once(() =>
  z.object({
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    userId: userId(),
    limited: limited(),
    expiresAtMs: z.int(),
  }),
)

/** What a connection keeps across hibernation, in its attachment. */
export const socketAttachment = once(() =>
  z.strictObject({
    v: z.literal(1),
    userId: userId(),
    /** Whether events come without what they tell of: see `withoutDetails`. */
    limited: limited(),
    connectedAtMs: z.number(),
    /** `null`: everything. */
    topics: z.array(z.string()).nullable(),
    /** The hub's seq when this subscription began. */
    startSeq: z.int().min(0),
    /** The last seq due to the socket before that: the first frame's `prevSeq`. */
    priorSeq: z.int().min(0),
    /** The last acknowledgement, and how many events were due up to it; `null` for clients that send none. */
    ack: z.strictObject({ seq: z.int().min(0), dueCount: z.int() }).nullable(),
    badMessages: z.int().min(0),
  }),
)
export type SocketAttachment = z.infer<ReturnType<typeof socketAttachment>>
