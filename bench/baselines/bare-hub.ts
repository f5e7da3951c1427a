/** The least that a live hub can do: it takes sockets, and sends what it is given to each of them in a loop. */
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
    const data: unknown = await request.json()
    const frame = JSON.stringify({ type: 'metrics.updated', at: new Date().toISOString(), data })
    for (const socket of this.ctx.getWebSockets()) socket.send(frame)
    return new Response(null, { status: 204 })
  }
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    return env.BARE_HUB.getByName('one').fetch(request)
  },
}
