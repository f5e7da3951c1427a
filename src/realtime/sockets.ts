/** The sockets of a hub, as the runtime hands them out. */
import { CLOSE_CODES } from './protocol.ts'

/** One connected client, with an attachment that outlives hibernation. */
export interface HubSocket {
  /** 1 is open. A closing socket may linger behind its backlog with 2. */
  readonly readyState: number
  /** Bytes not yet sent; not every runtime tells. */
  readonly bufferedAmount?: number
  send(text: string): void
  close(code: number, reason: string): void
  serializeAttachment(attachment: unknown): void
  deserializeAttachment(): unknown
}

export interface HubSockets {
  all(): HubSocket[]
  ofUser(userId: string): HubSocket[]
}

const OPEN = 1

/** What RFC 6455 reserves for reports of a lost connection: nobody is there to be answered. */
const LOST_CODES: ReadonlySet<number> = new Set([1006, 1015])
/** How a close frame without a code is reported, which cannot be sent; and what answers it. */
const NO_CODE = 1005
const NORMAL_CODE = 1000

export function isOpen(socket: HubSocket): boolean {
  return socket.readyState === OPEN
}

export function countOpen(sockets: readonly HubSocket[]): number {
  return sockets.filter(isOpen).length
}

/** One socket that fails must not keep the event from the others: it is closed, and resumes by `since`. */
export function trySend(socket: HubSocket, frame: string): boolean {
  try {
    socket.send(frame)
    return true
  } catch {
    try {
      socket.close(CLOSE_CODES.internal, 'An event could not be sent.')
    } catch {
      // It was closed already.
    }
    return false
  }
}

/** Answers a close frame with the same code, so that the other end need not wait for an end that never comes. */
export function answerClose(socket: HubSocket, code: number, reason: string): void {
  if (LOST_CODES.has(code)) return
  try {
    socket.close(code === NO_CODE ? NORMAL_CODE : code, reason)
  } catch {
    // Already closed from this side, or a code this runtime does not send: either way it is over.
  }
}
