import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HttpError, type HttpHandler, readBody, sendJson } from '../lib/http-server.ts'
import { ApiError } from './api-error.ts'
import type { RequestHeaders } from './publish-options.ts'

/** A batch may hold many messages, each of which is checked on its own. */
const MAX_REQUEST_BYTES = 64 * 1_048_576

/** One call of the API. */
export interface ApiRequest {
  method: string
  /** Decoded parts of the path after `/v2`. */
  segments: string[]
  /** The path after `/v2/` and the query, exactly as sent: destinations are part of it. */
  rawPath: string
  query: URLSearchParams
  headers: RequestHeaders
  body: Buffer
  callerIp: string
}

/** `body` is sent as JSON; without one the answer is empty. */
export interface ApiAnswer {
  status: number
  body?: unknown
}

/** Answers a request, or leaves it to the next route (`undefined`). */
export type Route = (request: ApiRequest) => ApiAnswer | undefined

/**
 * Speaks QStash's REST conventions: the bearer token, `{ "error": … }`, nothing kept alive in caches.
 * @param log told of errors that are this program's own
 */
export function apiHandler(options: {
  token: string
  routes: Route[]
  log: (line: string) => void
}): HttpHandler {
  const { token, routes, log } = options
  return async (req, res) => {
    try {
      authorise(req, token)
      const request = await readRequest(req)
      for (const route of routes) {
        const answer = route(request)
        if (answer) return send(res, answer)
      }
      throw new ApiError(404, `${request.method} /v2/${request.rawPath}: not part of the local QStash`)
    } catch (error) {
      sendError(req, res, error, log)
    }
  }
}

function send(res: ServerResponse, answer: ApiAnswer): void {
  if (answer.body !== undefined) {
    sendJson(res, answer.status, answer.body)
    return
  }
  res.writeHead(answer.status, { 'content-length': 0 })
  res.end()
}

function sendError(
  req: IncomingMessage,
  res: ServerResponse,
  error: unknown,
  log: (line: string) => void,
): void {
  // A body that was not read would be taken for the next request of the connection.
  const close: Record<string, string> = req.complete ? {} : { connection: 'close' }
  if (error instanceof ApiError) {
    sendJson(res, error.status, { error: error.message }, { ...error.headers, ...close })
  } else if (error instanceof HttpError) {
    sendJson(res, error.status, { error: error.message }, close)
  } else {
    log(`qstash: ${req.method} ${req.url}: ${error instanceof Error ? error.stack : String(error)}`)
    sendJson(res, 500, { error: 'internal error' }, close)
  }
}

function authorise(req: IncomingMessage, token: string): void {
  const given = Buffer.from(req.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new ApiError(401, 'unauthorized: the token is missing or wrong')
  }
}

async function readRequest(req: IncomingMessage): Promise<ApiRequest> {
  const url = req.url ?? '/'
  if (!url.startsWith('/v2/')) throw new ApiError(404, `${url}: only /v2 is there`)
  const rawPath = url.slice('/v2/'.length)
  const queryAt = rawPath.indexOf('?')
  const path = queryAt < 0 ? rawPath : rawPath.slice(0, queryAt)
  return {
    method: req.method ?? 'GET',
    rawPath,
    segments: path.split('/').map(decodeSegment),
    query: new URLSearchParams(queryAt < 0 ? '' : rawPath.slice(queryAt + 1)),
    headers: singleHeaders(req),
    body: await readBody(req, MAX_REQUEST_BYTES),
    callerIp: (req.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
  }
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new ApiError(400, `malformed path: ${segment}`)
  }
}

function singleHeaders(req: IncomingMessage): RequestHeaders {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}
