import { createServer, type Socket } from 'node:net'
import { Engine } from './engine.ts'
import { ProtocolError, RequestParser, serializeReply } from './resp.ts'
import { Session } from './session.ts'

/** How often expired keys that nobody asks for are freed. */
const SWEEP_INTERVAL_MS = 1000

export interface EmbeddedRedisOptions {
  /** What AUTH must be given before anything else. */
  password: string
  /** 0 or none: any free port. */
  port?: number
}

export interface EmbeddedRedis {
  port: number
  /** Ends all connections and forgets all keys. */
  stop(): Promise<void>
}

/**
 * Starts a Redis within this process, for machines that have none: RESP2 on the loopback address, held in
 * memory. It knows strings, hashes, lists, sets, sorted sets, expiry, transactions and Lua scripts, each as
 * Redis 7 answers them; not streams, pub/sub, bitmaps, HyperLogLog, geo, functions, LMPOP, ZMPOP, blocking
 * commands and WATCH, and in scripts not `bit`, `struct` and `cmsgpack`.
 * @throws the listen error when the port is taken.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const engine = new Engine()
  await engine.loadScripting()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, new Session(engine, options.password))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const sweeper = setInterval(() => engine.sweepExpired(), SWEEP_INTERVAL_MS)
  sweeper.unref()
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The embedded Redis has no port')
  return {
    port: address.port,
    stop: () =>
      new Promise((resolve) => {
        clearInterval(sweeper)
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function serve(socket: Socket, session: Session): void {
  const parser = new RequestParser()
  socket.setNoDelay(true)
  // A client that goes away is not this server's error.
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    let requests: string[][]
    try {
      requests = parser.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      socket.end(`-ERR Protocol error: ${error.message}\r\n`)
      return
    }
    let answer = ''
    for (const words of requests) {
      if (words[0]?.toLowerCase() === 'quit') {
        socket.end(`${answer}+OK\r\n`, 'latin1')
        return
      }
      answer += serializeReply(session.handle(words))
    }
    if (answer !== '') socket.write(answer, 'latin1')
  })
}
