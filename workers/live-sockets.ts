/** What the Durable Objects of live connections share of the runtime. */
import type { DurableObjectState, WebSocket } from '@cloudflare/workers-types'
import { CLOSE_CODES } from '../src/realtime/protocol.ts'
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

/**
 * Answers what live connections begin with. A failure is a close code, too: a browser does not see the status of an
 * upgrade that failed.
 * @param take accepts or refuses the connection; answers what is sent in place of the upgrade, or `null`
 * @param onError told of what `take` throws
 */
export async function answerUpgrade(
  request: Request,
  take: (server: WebSocket) => Promise<Response | null>,
  onError: (error: unknown) => void,
): Promise<Response> {
  if (request.headers.get('Upgrade')?.toLowerCase() !== 'websocket')
    return new Response('This address takes WebSocket upgrades alone.', {
      status: 426,
      headers: { Upgrade: 'websocket' },
    })
  const { 0: client, 1: server } = new WebSocketPair()
  try {
    const instead = await take(server)
    if (instead !== null) return instead
  } catch (error) {
    onError(error)
    refuse(server, CLOSE_CODES.internal, 'The live connection could not be opened.')
  }
  return new Response(null, { status: 101, webSocket: client })
}

function userTag(userId: string): string {
  return `user:${userId}`
}
