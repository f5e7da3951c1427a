import { connect, createServer, type Server, type Socket } from 'node:net'

/** One connection through it, both halves. */
interface Way {
  client: Socket
  server: Socket
}

/** A network between a client and the Worker that fails as networks do. */
export class CuttableNetwork {
  readonly #server: Server
  readonly #ways = new Set<Way>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** Listens on a free port of this machine, and connects to where an address points. */
  static async to(address: string): Promise<CuttableNetwork> {
    const { hostname, port } = new URL(address)
    const network = new CuttableNetwork(
      createServer((client) => network.#join(client, connect(Number(port), hostname))),
    )
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve))
    return network
  }

  /** The same address by way of this network. */
  through(address: string): string {
    const bound = this.#server.address()
    if (bound === null || typeof bound === 'string') throw new Error('The network is closed.')
    const url = new URL(address)
    url.host = `127.0.0.1:${bound.port}`
    return url.href
  }

  /** Ends every connection, so that both ends notice. */
  cut(): void {
    for (const { client, server } of this.#ways) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
    this.#ways.clear()
  }

  /** Loses every connection, as a router does that forgets it: neither end is told, and nothing comes through. */
  forget(): void {
    for (const { client, server } of this.#ways) {
      client.unpipe()
      // What is written is taken, and lost.
      client.resume()
      server.unpipe()
      server.pause()
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const { client, server } of this.#ways) {
      client.destroy()
      server.destroy()
    }
    await closed
  }

  #join(client: Socket, server: Socket): void {
    const way = { client, server }
    this.#ways.add(way)
    client.pipe(server)
    server.pipe(client)
    // Whoever fails is closed right after.
    client.on('error', () => {})
    // Of a Worker that was killed with something unread comes a reset, which a pipe does not hand on.
    server.on('error', () => client.resetAndDestroy())
    client.on('close', () => {
      server.destroy()
      this.#ways.delete(way)
    })
  }
}
