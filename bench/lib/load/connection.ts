import { connect, type Socket } from 'node:net'
import { type ParsedResponse, ResponseParser } from './response-parser.ts'

const CONNECT_TIMEOUT_MS = 5_000

/** One connection that is kept, with one request under way at a time. */
export class Connection {
  readonly #socket: Socket
  readonly #parser = new ResponseParser()
  #waiting: { resolve: (response: ParsedResponse) => void; reject: (error: Error) => void } | null = null
  #failure: Error | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('The server closed the connection')))
  }

  /** @throws when nobody answers. */
  static async open(hostname: string, port: number): Promise<Connection> {
    const socket = connect({ host: hostname, port })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('No connection in time')), CONNECT_TIMEOUT_MS)
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.off('error', reject)
        resolve()
      })
      socket.once('error', reject)
    })
    return new Connection(socket)
  }

  /** Sends a request as it is, and waits for its answer. @throws when the connection breaks. */
  exchange(request: string): Promise<ParsedResponse> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure)
        return
      }
      this.#waiting = { resolve, reject }
      this.#socket.write(request, 'latin1')
    })
  }

  close(): void {
    this.#waiting = null
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    try {
      const response = this.#parser.push(bytes)
      if (response === null) return
      const waiting = this.#waiting
      this.#waiting = null
      waiting?.resolve(response)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#waiting?.reject(this.#failure)
    this.#waiting = null
    this.#socket.destroy()
  }
}
