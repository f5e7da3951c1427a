import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from 'pg'
import { HttpError, listen, readBody, sendJson } from '../lib/http-server.ts'
import { ConnectionPool } from './connection-pool.ts'
import { CancelledError, ConnectError, execute } from './execute.ts'
import { errorBody, readCredentials, readPayload } from './protocol.ts'

export interface NeonHttpOptions {
  /** None or 0: any free port. */
  port?: number
  /** The Postgres behind it, whatever host a connection string names. */
  postgres: { host: string; port: number }
  /** Takes lines about the stand-in itself; statements and parameters never appear in them. */
  log?: (line: string) => void
}

export interface NeonHttp {
  /** The fetch endpoint for the driver, `http://127.0.0.1:<port>/sql`. */
  url: string
  port: number
  /** Cancels what runs and closes all connections to Postgres. */
  stop(): Promise<void>
}

/** Neon's own limit for requests and for answers. */
const MAX_BYTES = 64 * 1024 * 1024

const PATH = '/sql'

const CANCEL_TIMEOUT_MS = 5_000

/** Logins that Postgres refuses for what the client sent: wrong password or user, no such database. */
const REFUSED_LOGIN = /^(28|3D|42501)/

/**
 * Starts a local stand-in for Neon's HTTP endpoint: the protocol of `neon()` from @neondatabase/serverless,
 * in front of any Postgres. User, password and database come from the connection string, so that roles,
 * grants and row-level security are real. No session state outlives a request.
 * @throws when the port cannot be had. Postgres need not run yet.
 */
export async function startNeonHttp(options: NeonHttpOptions): Promise<NeonHttp> {
  const log = options.log ?? (() => {})
  const pool = new ConnectionPool({ ...options.postgres, log })
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  const server = await listen(
    (req, res) => {
      const answered = answer(pool, stopping.signal, req, res).finally(() => running.delete(answered))
      running.add(answered)
      return answered
    },
    { port: options.port ?? 0 },
  )
  const stop = async () => {
    stopping.abort()
    await server.close()
    // Each ends as soon as Postgres has cancelled it; a Postgres that answers no more is left to itself.
    await Promise.race([Promise.allSettled(running), sleep(CANCEL_TIMEOUT_MS, undefined, { ref: false })])
    await pool.close()
  }
  let stopped: Promise<void> | undefined
  return {
    url: `${server.url}${PATH}`,
    port: server.port,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

async function answer(
  pool: ConnectionPool,
  stopping: AbortSignal,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (req.url?.split('?')[0] !== PATH) throw new HttpError(404, `Only ${PATH} is served here`)
  if (req.method !== 'POST') {
    res.setHeader('allow', 'POST')
    throw new HttpError(405, 'Send a POST')
  }
  const hangUp = new AbortController()
  const onStop = () => hangUp.abort()
  stopping.addEventListener('abort', onStop)
  res.on('close', () => {
    stopping.removeEventListener('abort', onStop)
    if (!res.writableFinished) hangUp.abort()
  })
  const body = await readBody(req, MAX_BYTES)
  const credentials = readCredentials(req.headers)
  const payload = readPayload(req.headers, body)
  try {
    sendAnswer(res, await execute(pool, credentials, payload, hangUp.signal))
  } catch (error) {
    if (error instanceof CancelledError) {
      res.destroy()
      return
    }
    sendJson(res, statusOf(error), errorBody(error instanceof ConnectError ? error.cause : error))
  }
}

function sendAnswer(res: ServerResponse, result: unknown): void {
  const text = Buffer.from(JSON.stringify(result))
  if (text.length > MAX_BYTES) {
    sendJson(res, 507, { message: `response is too large (max is ${MAX_BYTES} bytes)`, code: null })
    return
  }
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
  res.end(text)
}

/** What a statement did wrong is the client's; a Postgres that cannot be reached or is full is the server's. */
function statusOf(error: unknown): number {
  if (!(error instanceof ConnectError)) return 400
  const { cause } = error
  return cause instanceof DatabaseError && REFUSED_LOGIN.test(cause.code ?? '') ? 400 : 500
}
