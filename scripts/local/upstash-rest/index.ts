import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HttpError, listen, readBody, sendJson } from '../lib/http-server.ts'
import type { RedisHandle } from '../redis.ts'
import { CommandExecutor, type Outcome, RedisUnavailableError, TransactionAbortedError } from './executor.ts'
import { type Encoding, jsonReply } from './replies.ts'
import { commandFrom, commandFromPath, commandsFrom, jsonFrom, RequestError } from './words.ts'

export interface UpstashRestOptions {
  /** 0 or none: any free port. */
  port?: number
  /** What clients must give as bearer token. */
  token: string
  redis: Pick<RedisHandle, 'createConnection'>
  log?: (message: string) => void
}

export interface UpstashRest {
  /** What `UPSTASH_REDIS_REST_URL` is to be. */
  url: string
  port: number
  /** Ends all connections; the Redis behind stays. May be called twice. */
  stop(): Promise<void>
}

const MAX_BODY_BYTES = 10 * 1024 * 1024
const METHODS = ['GET', 'HEAD', 'POST', 'PUT']
/** The endpoints that stream events. */
const STREAMS = ['/monitor', '/subscribe', '/psubscribe']

const CONNECT_TIMEOUT_MS = 5000
/** A Redis that hangs is an error soon enough for clients that wait a second. */
const COMMAND_TIMEOUT_MS = 750
const RECONNECT_DELAY_MS = 50

/**
 * Speaks Upstash's REST protocol in front of a Redis: commands as JSON arrays or paths, `/pipeline` and
 * `/multi-exec`, base64 answers. While Redis is down every request is answered 503 at once; when it is back,
 * they succeed again. Not offered: event streams, the RESP2 format, blocking commands.
 * @throws Error when Redis does not answer, or the port is taken.
 */
export async function startUpstashRest(options: UpstashRestOptions): Promise<UpstashRest> {
  const log = options.log ?? (() => {})
  const connection = options.redis.createConnection({
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => RECONNECT_DELAY_MS,
  })
  try {
    if (connection.status !== 'ready') {
      await once(connection, 'ready', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
    }
    const rest = new RestHandler(new CommandExecutor(connection), options.token, log)
    const server = await listen((req, res) => rest.handle(req, res), { port: options.port ?? 0 })
    return {
      url: server.url,
      port: server.port,
      stop: async () => {
        await server.close()
        connection.disconnect()
      },
    }
  } catch (error) {
    connection.disconnect()
    throw error
  }
}

type Answer = { result: ReturnType<typeof jsonReply> } | { error: string }

class RestHandler {
  readonly #executor: CommandExecutor
  readonly #tokenHash: Buffer
  readonly #log: (message: string) => void
  readonly #syncToken = randomBytes(12).toString('base64')

  constructor(executor: CommandExecutor, token: string, log: (message: string) => void) {
    this.#executor = executor
    this.#tokenHash = hash(token)
    this.#log = log
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const given = String(req.headers['upstash-sync-token'] ?? '')
    const headers: Record<string, string> = { 'upstash-sync-token': given || this.#syncToken }
    try {
      sendJson(res, 200, await this.#answer(req), headers)
    } catch (error) {
      const status = this.#statusFor(error)
      const message = error instanceof Error ? error.message : String(error)
      // What was not read of a body would be taken for the next request.
      if (!req.complete) headers.connection = 'close'
      if (status === 405) headers.allow = METHODS.join(', ')
      sendJson(res, status, { error: message }, headers)
    }
  }

  async #answer(req: IncomingMessage): Promise<Answer | Answer[]> {
    this.#authenticate(req)
    if (!METHODS.includes(req.method ?? '')) throw new HttpError(405, 'ERR method not allowed')
    const encoding = encodingOf(req)
    const url = new URL(req.url ?? '/', 'http://localhost')
    const body = await readRequestBody(req)
    if (url.pathname === '/pipeline') {
      const outcomes = await this.#executor.runPipeline(commandsFrom(jsonFrom(body)))
      return outcomes.map((outcome) => answerOf(outcome, encoding))
    }
    if (url.pathname === '/multi-exec') {
      const outcomes = await this.#executor.runTransaction(commandsFrom(jsonFrom(body)))
      return outcomes.map((outcome) => answerOf(outcome, encoding))
    }
    if (STREAMS.some((path) => url.pathname === path || url.pathname.startsWith(`${path}/`))) {
      throw new RequestError(`ERR event streams are not available here: '${url.pathname}'`)
    }
    const command = url.pathname === '/' ? commandFrom(jsonFrom(body)) : commandFromPath(url, body)
    const outcome = await this.#executor.run(command)
    if ('error' in outcome) throw new RequestError(outcome.error)
    return answerOf(outcome, encoding)
  }

  /** @throws HttpError 401 */
  #authenticate(req: IncomingMessage): void {
    const given = /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? ''
    if (!timingSafeEqual(hash(given), this.#tokenHash)) throw new HttpError(401, 'Unauthorized')
  }

  #statusFor(error: unknown): number {
    if (error instanceof HttpError) return error.status
    if (error instanceof RequestError || error instanceof TransactionAbortedError) return 400
    if (error instanceof RedisUnavailableError) return 503
    this.#log(`Upstash REST: ${error instanceof Error ? error.stack : String(error)}`)
    return 500
  }
}

const hash = (text: string) => createHash('sha256').update(text).digest()

/** @throws RequestError for a format other than JSON. */
function encodingOf(req: IncomingMessage): Encoding {
  const format = req.headers['upstash-response-format'] ?? 'json'
  if (format !== 'json') throw new RequestError('ERR only the response format json is available here')
  return req.headers['upstash-encoding'] === 'base64' ? 'base64' : 'utf8'
}

/** @throws HttpError 413 with Upstash's message */
async function readRequestBody(req: IncomingMessage): Promise<Buffer> {
  try {
    return await readBody(req, MAX_BODY_BYTES)
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 413) throw error
    throw new HttpError(413, `ERR max request size exceeded. Limit: ${MAX_BODY_BYTES} bytes`)
  }
}

function answerOf(outcome: Outcome, encoding: Encoding): Answer {
  return 'error' in outcome ? outcome : { result: jsonReply(outcome.reply, encoding) }
}
