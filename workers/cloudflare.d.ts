/**
 * What the Workers runtime has beyond the DOM library. The compiler is given `lib.dom`, which src shares
 * with the dashboard; the Workers types declare the same names differently, so they cannot be loaded as
 * globals beside it. Their importable form is used here for the few things the DOM does not know.
 */

declare module 'cloudflare:workers' {
  import type { DurableObjectState, ExecutionContext, ScheduledController } from '@cloudflare/workers-types'

  /** Base class of Durable Objects: public methods can be called through a stub. */
  export abstract class DurableObject<Env = unknown> {
    protected ctx: DurableObjectState
    protected env: Env
    constructor(ctx: DurableObjectState, env: Env)
  }

  /** Base class of a Worker's named or default entry point. */
  export abstract class WorkerEntrypoint<Env = unknown> {
    protected ctx: ExecutionContext
    protected env: Env
    constructor(ctx: ExecutionContext, env: Env)
    fetch?(request: Request): Response | Promise<Response>
    scheduled?(controller: ScheduledController): void | Promise<void>
  }

  /** The bindings of this Worker, unparsed. */
  export const env: Record<string, unknown>

  /** Keeps the current invocation alive until the promise settles. */
  export function waitUntil(promise: Promise<unknown>): void
}

/** Two ends of a new WebSocket: 0 goes to the client in the 101 response, 1 stays here. */
declare const WebSocketPair: {
  new (): {
    0: import('@cloudflare/workers-types').WebSocket
    1: import('@cloudflare/workers-types').WebSocket
  }
}

/** A text a hibernating socket answers by itself, and the answer. */
declare const WebSocketRequestResponsePair: {
  new (request: string, response: string): import('@cloudflare/workers-types').WebSocketRequestResponsePair
}

interface ResponseInit {
  /** With status 101: the client's end of the upgraded connection. */
  webSocket?: import('@cloudflare/workers-types').WebSocket | null
  /** `manual`: the body is encoded already as its `Content-Encoding` says. */
  encodeBody?: 'automatic' | 'manual'
}

interface Response {
  /** The upgraded connection, where a fetch asked for one. */
  readonly webSocket?: import('@cloudflare/workers-types').WebSocket | null
}

interface CacheStorage {
  /** The data centre's own cache. */
  readonly default: Cache
}
