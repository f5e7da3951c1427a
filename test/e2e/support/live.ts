import WebSocket from 'ws'
import { z } from 'zod'
import type { Client } from './client.ts'
import { until } from './wait.ts'

const Ticket = z.object({ ticket: z.string(), url: z.string(), expiresAt: z.string() })
export type Ticket = z.infer<typeof Ticket>

const Frame = z.object({
  seq: z.number(),
  prevSeq: z.number(),
  type: z.string(),
  at: z.string(),
  generation: z.number(),
  data: z.record(z.string(), z.unknown()),
})
export type Frame = z.infer<typeof Frame> & {
  /** When it arrived, in milliseconds since 1970. */
  arrivedAtMs: number
}

export function issueTicket(by: Client): Promise<Ticket> {
  return by.make(Ticket, '/api/v1/realtime/tickets')
}

/** For what anybody may be told. */
export function issuePublicTicket(by: Client): Promise<Ticket> {
  return by.make(Ticket, '/api/v1/public/realtime/tickets')
}

/** A live connection that remembers what it was told. */
export class LiveSocket {
  readonly frames: Frame[] = []
  /** Everything that is no frame, such as `pong`. */
  readonly texts: string[] = []
  /** Why and how it ended. */
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #socket: WebSocket

  /** @param parameters `since` and `types` */
  constructor(url: string, parameters: Record<string, string> = {}) {
    const address = new URL(url)
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value)
    this.#socket = new WebSocket(address)
    this.#socket.on('message', (message) => {
      const text = String(message)
      if (text.startsWith('{'))
        this.frames.push({ ...Frame.parse(JSON.parse(text)), arrivedAtMs: Date.now() })
      else this.texts.push(text)
    })
    this.closed = new Promise((resolve, reject) => {
      this.#socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
      this.#socket.on('error', reject)
    })
    // Whoever does not ask how it ended shall not be told by a crash.
    this.closed.catch(() => {})
  }

  /** Whether nobody has said yet that it ends; the connection itself may outlast that by seconds. */
  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  send(message: string | object): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  close(code?: number): void {
    this.#socket.close(code)
  }

  /** The first frame that fits, also of those that have arrived already. */
  frame(what: string, fits: (frame: Frame) => boolean, timeoutMs = 15_000): Promise<Frame> {
    return until(what, async () => this.frames.find(fits), { timeoutMs, everyMs: 20 })
  }
}

/** Connects with a fresh ticket; resolves after `hello`. */
export async function listenLive(by: Client, parameters: Record<string, string> = {}): Promise<LiveSocket> {
  const { url } = await issueTicket(by)
  const socket = new LiveSocket(url, parameters)
  await socket.frame('hello', ({ type }) => type === 'hello')
  return socket
}
