import WebSocket from 'ws'
import { z } from 'zod'
import { type SocketsReply, SocketsRequest } from './protocol.ts'

/** The process that listens, so that what is received is not delayed by what is sent. Ends with its parent. */

const HANDSHAKE_TIMEOUT_MS = 15_000
const Frame = z.object({ type: z.string(), at: z.string() })

/** Waits for one event on every socket of a group. */
class Watch {
  readonly #eventType: string
  readonly #expected: number
  readonly #receivedAtMs: number[] = []
  #frame = ''
  #onComplete: () => void = () => {}

  constructor(eventType: string, expected: number) {
    this.#eventType = eventType
    this.#expected = expected
  }

  /** Called for each frame, so it does as little as it can. */
  take(text: string, atMs: number): void {
    if (!text.includes(this.#eventType)) return
    this.#receivedAtMs.push(atMs)
    this.#frame = text
    if (this.#receivedAtMs.length === this.#expected) this.#onComplete()
  }

  async collect(timeoutMs: number): Promise<SocketsReply> {
    if (this.#receivedAtMs.length < this.#expected) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#onComplete = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const received = [...this.#receivedAtMs]
    if (received.length === 0) throw new Error('The event reached no socket')
    return {
      type: 'collected',
      atMs: Date.parse(Frame.parse(JSON.parse(this.#frame)).at),
      receivedAtMs: received,
      missing: Math.max(0, this.#expected - received.length),
      frameBytes: Buffer.byteLength(this.#frame),
    }
  }
}

const groups = new Map<string, WebSocket[]>()
const watches = new Map<string, Watch>()
let armed: Watch | undefined

const now = () => performance.timeOrigin + performance.now()

async function openOne(url: string, group: string): Promise<number> {
  const startedMs = performance.now()
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
  socket.on('message', (data) => watches.get(group)?.take(String(data), now()))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  const sockets = groups.get(group) ?? []
  groups.set(group, sockets)
  sockets.push(socket)
  socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1))
  return performance.now() - startedMs
}

async function open(group: string, urls: string[], parallel: number): Promise<SocketsReply> {
  const startedMs = performance.now()
  const waiting = [...urls]
  const handshakesMs: number[] = []
  let failed = 0
  const worker = async () => {
    for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
      try {
        handshakesMs.push(await openOne(url, group))
      } catch {
        failed += 1
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  const elapsedMs = performance.now() - startedMs
  return { type: 'opened', opened: handshakesMs.length, failed, elapsedMs, handshakesMs }
}

async function act(request: SocketsRequest): Promise<SocketsReply> {
  switch (request.type) {
    case 'open':
      return open(request.group, request.urls, request.parallel)
    case 'arm':
      armed = new Watch(request.eventType, groups.get(request.group)?.length ?? 0)
      watches.set(request.group, armed)
      return { type: 'armed' }
    case 'collect':
      if (armed === undefined) throw new Error('Nothing is being waited for')
      return armed.collect(request.timeoutMs)
  }
}

function reply(message: SocketsReply): void {
  if (process.connected) process.send?.(message)
}

process.on('message', (message) => {
  act(SocketsRequest.parse(message)).then(reply, (error: unknown) =>
    reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
