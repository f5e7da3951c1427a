/** What the Durable Objects of live connections share of the runtime. */
import type { DurableObjectState, WebSocket } from '@cloudflare/workers-types'
import type { HubSockets } from '../src/realtime/sockets.ts'

/** The open connections of an object, by the tags that `acceptFor` gives them. */
export function socketsOf(ctx: DurableObjectState): HubSockets {
  return {
    all: () => ctx.getWebSockets(),
    ofUser: (userId) => ctx.getWebSockets(userTag(userId)),
  }
}

/** Takes a connection over from the runtime, as one that survives hibernation. */
export function acceptFor(ctx: DurableObjectState, socket: WebSocket, userId: string): void {
  ctx.acceptWebSocket(socket, [userTag(userId)])
}

/** Closes a connection; one that is not the object's yet is accepted first, so that the code arrives. */
export function refuse(server: WebSocket, code: number, reason: string): void {
  try {
    server.accept()
  } catch {
    // It is the object's already.
  }
  server.close(code, reason)
}

/** Whether a request is what live connections begin with; `null`: it is, else the answer to give. */
export function refuseOtherThanUpgrade(request: Request): Response | null {
  if (request.headers.get('Upgrade')?.toLowerCase() === 'websocket') return null
  return new Response('This address takes WebSocket upgrades alone.', {
    status: 426,
    headers: { Upgrade: 'websocket' },
  })
}

function userTag(userId: string): string {
  return `user:${userId}`
}
