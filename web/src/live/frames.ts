/** What arrives on a live connection. */

/** An event of the workspace, as the API documents it. */
export interface LiveFrame {
  /** Rises by one with every event of the workspace, wanted here or not. */
  seq: number
  /** The event before this one among those this connection wants. */
  prevSeq: number
  type: string
  /** RFC 3339, UTC. */
  at: string
  generation: number
  data: unknown
}

export const PING = 'ping'
export const PONG = 'pong'

/** Close codes of the hub that need more than another attempt. */
export const CLOSE_NO_ACCESS = 4403
export const CLOSE_TOO_MANY_SOCKETS = 4429
/** What this client closes with when a connection is of no more use. */
export const CLOSE_ABANDONED = 4000

/** The frame in a message, or `null` when it is none. */
export function parseFrame(message: unknown): LiveFrame | null {
  if (typeof message !== 'string') return null
  let parsed: unknown
  try {
    parsed = JSON.parse(message)
  } catch {
    return null
  }
  if (typeof parsed !== 'object' || parsed === null) return null
  const { seq, prevSeq, type, at, generation, data } = parsed as Partial<Record<keyof LiveFrame, unknown>>
  if (!isCount(seq) || !isCount(prevSeq) || !isCount(generation)) return null
  if (typeof type !== 'string' || typeof at !== 'string') return null
  return { seq, prevSeq, type, at, generation, data }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
