/**
 * The least that a live hub can do: it takes sockets, and sends what it is given to each of them in a loop. Its
 * frames look like the product's, and it keeps nothing.
 */
import { DurableObject } from 'cloudflare:workers'

interface Env {
  BARE_HUB: { getByName(name: string): { fetch(request: Request): Promise<Response> } }
}

export class BareHub extends DurableObject<Env> {
  async fetch(request: Request): Promise<Response> {
    if (request.headers.get('Upgrade') === 'websocket') {
      const { 0: client, 1: server } = new WebSocketPair()
      this.ctx.acceptWebSocket(server)
      return new Response(null, { status: 101, webSocket: client })
    }
    const { seq, events }: { seq: number; events: unknown[] } = await request.json()
    const sockets = this.ctx.getWebSockets()
    const at = new Date().toISOString()
    for (const [i, event] of events.entries()) {
      const frame = JSON.stringify({
        ...{ seq: seq + i, prevSeq: seq + i - 1, type: 'bare.event', at, generation: 0, data: event },
      })
      for (const socket of sockets) socket.send(frame)
    }
    return new Response(null, { status: 204 })
  }
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    return env.BARE_HUB.getByName('one').fetch(request)
  },
}
