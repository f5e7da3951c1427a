import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** Answers one request. A rejection or throw becomes an answer by `listen`. */
export type HttpHandler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>

export interface ListenOptions {
  /** 0 or none: any free port. */
  port?: number
  /** Stand-ins are for this machine alone. */
  host?: '127.0.0.1'
}

export interface HttpServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  url: string
  port: number
  /** Stops listening and ends every connection; resolves when all are gone. May be called twice. */
  close(): Promise<void>
}

/** An error that says which HTTP status answers it; `listen` sends `message` as the JSON `message`. */
export class HttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'HttpError'
    this.status = status
  }
}

/** Longer than clients keep an idle connection, so that it is never the server that hangs up on a reuse. */
const KEEP_ALIVE_TIMEOUT_MS = 120_000

/**
 * Starts an HTTP server on the loopback address.
 * An error from the handler is answered with its status (`HttpError`) or 500, where nothing was sent yet.
 * @throws the listen error (such as EADDRINUSE) when the port cannot be had.
 */
export async function listen(handler: HttpHandler, options: ListenOptions = {}): Promise<HttpServer> {
  const host = options.host ?? '127.0.0.1'
  const server = createServer((req, res) => {
    // Async, so that a handler that throws before its first await is caught too.
    const handled = (async () => handler(req, res))()
    handled.catch((error: unknown) => answerError(req, res, error))
  })
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
  // A slow upload is for the handler to judge, not for the server to cut.
  server.requestTimeout = 0
  const port = await listenOn(server, options.port ?? 0, host)
  let closed: Promise<void> | undefined
  return {
    url: `http://${host}:${port}`,
    port,
    close: () => {
      closed ??= closeServer(server)
      return closed
    },
  }
}

/**
 * Reads a request's whole body.
 * @param maxBytes the largest body that is taken
 * @throws HttpError 413 when the body is larger, HttpError 400 when the client hangs up within it.
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declaredBytes = Number(req.headers['content-length'] ?? 0)
  if (declaredBytes > maxBytes) throw tooLarge(maxBytes)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    const onData = (chunk: Buffer) => {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) {
        req.off('data', onData)
        req.resume()
        reject(tooLarge(maxBytes))
        return
      }
      chunks.push(chunk)
    }
    req.on('data', onData)
    req.on('end', () => resolve(Buffer.concat(chunks)))
    req.on('error', () => reject(new HttpError(400, 'The request was cut off')))
    req.on('close', () => {
      if (!req.complete) reject(new HttpError(400, 'The request was cut off'))
    })
  })
}

/** Sends a JSON answer with its length; `body` is serialised once, here. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = Buffer.from(JSON.stringify(body))
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length, ...headers })
  res.end(text)
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, `The body is larger than ${maxBytes} bytes`)
}

function answerError(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  if (res.headersSent || res.destroyed) {
    res.destroy()
    return
  }
  const status = error instanceof HttpError ? error.status : 500
  const message = error instanceof Error ? error.message : String(error)
  // An unread body would be taken for the next request of the connection.
  const headers: Record<string, string> = req.complete ? {} : { connection: 'close' }
  sendJson(res, status, { message }, headers)
}

function listenOn(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') {
        reject(new Error('The server has no TCP address'))
        return
      }
      resolve(address.port)
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
