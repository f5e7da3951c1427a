import type { IncomingMessage } from 'node:http'
import { HttpError, type HttpHandler, readBody } from '../lib/http-server.ts'
import type { WebHandler } from './platform-handler.ts'

const MAX_BODY_BYTES = 1_000_000

/** Lets a handler of web-standard requests answer a Node server. */
export function toNodeHandler(handler: WebHandler): HttpHandler {
  return async (req, res) => {
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    const response = await handler(await toRequest(req, gone.signal))
    if (res.destroyed) return
    const body = Buffer.from(await response.arrayBuffer())
    res.writeHead(response.status, { ...Object.fromEntries(response.headers), 'content-length': body.length })
    res.end(body)
  }
}

async function toRequest(req: IncomingMessage, signal: AbortSignal): Promise<Request> {
  const url = `http://${req.headers.host ?? 'localhost'}${req.url ?? '/'}`
  if (!URL.canParse(url)) throw new HttpError(400, 'The request names no valid address')
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  // Who asks is the peer, unless a test says that it speaks for somebody else.
  if (!headers.has('x-forwarded-for')) headers.set('x-forwarded-for', req.socket.remoteAddress ?? 'unknown')
  const method = req.method ?? 'GET'
  const body = method === 'GET' || method === 'HEAD' ? null : await readBody(req, MAX_BODY_BYTES)
  return new Request(url, { method, headers, body: body && new Uint8Array(body), signal })
}
